// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_ViewNames.hpp>

#include <gtest/gtest.h>

namespace {

using KokkosArena::Impl::ViewNames;

TEST(view_names, survivors_are_those_alive_at_the_reset_the_largest_first) {
  ViewNames names;
  names.add(64, 100, "small");
  names.add(256, 300, "large");
  names.add(1024, 200, "ended");
  names.remove(1024);
  names.note_survivors();
  names.remove(64);
  names.add(2048, 400, "later");
  auto const& survivors = names.survivors();
  ASSERT_EQ(survivors.size(), 2u);
  EXPECT_EQ(survivors[0].label, "large");
  EXPECT_EQ(survivors[0].bytes, 300u);
  EXPECT_EQ(survivors[1].label, "small");
}

TEST(view_names, each_reset_begins_anew) {
  ViewNames names;
  names.add(64, 100, "one");
  names.note_survivors();
  names.remove(64);
  names.note_survivors();
  EXPECT_TRUE(names.survivors().empty());
}

TEST(view_names, without_heap_memory_are_left_out) {
  ViewNames names;
  names.add(64, 100, "one");
  {
    KokkosArenaTest::HeapFailure const failure;
    names.add(256, 100, "a label that is too long for a string's own place");
  }
  names.remove(256);
  names.note_survivors();
  EXPECT_EQ(names.survivors().size(), 1u);
  {
    ViewNames others;
    others.add(64, 100, "one");
    KokkosArenaTest::HeapFailure const failure;
    others.note_survivors();
    EXPECT_TRUE(others.survivors().empty());
  }
}

}  // namespace
