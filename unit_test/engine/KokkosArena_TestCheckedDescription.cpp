// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockCheckedMemory.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedDescription.hpp>
#include <engine/KokkosArena_CheckedPiece.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <string>

namespace {

using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedAllocationPool;
using KokkosArena::Impl::CheckedPiece;
using KokkosArena::Impl::ViewExtents;
using KokkosArenaTest::MockCheckedMemory;

constexpr std::uintptr_t base = std::uintptr_t(1) << 60;

void* at(std::uintptr_t offset) {
  return reinterpret_cast<void*>(base + offset);
}

struct checked_description : ::testing::Test {
  std::string const arena = "weights";
  CheckedAllocationPool pool;
  CheckedPiece piece;

  checked_description() {
    piece.section = {nullptr, base, std::size_t(1) << 20};
    piece.cycle   = 3;
  }
  CheckedAllocation& add(std::uintptr_t offset, std::size_t bytes,
                         char const* label, ViewExtents const& extents = {}) {
    auto& a      = piece.ledger.enter(pool, base + offset, bytes);
    a.data       = at(offset);
    a.data_bytes = bytes;
    a.label      = label;
    a.extents    = extents;
    a.alive      = true;
    return a;
  }
  void drop(std::source_location where = {}) {
    piece.dropped       = true;
    piece.dropped_cycle = 4;
    piece.drop          = {"reset()", where};
  }
  std::string describe(void const* address, std::size_t size = 1024) {
    char text[1024] = "";
    describe_access(piece, arena, address, text, size);
    return text;
  }
};

TEST_F(checked_description, of_a_dropped_view_says_when_and_by_what) {
  add(0, 64, "a", {2, {3, 4}});
  auto const where = std::source_location::current();
  drop(where);
  EXPECT_EQ(describe(at(8)),
            "View \"a\" (3 x 4, 64 bytes) of arena \"weights\" was accessed "
            "after reset() at " +
                std::string(where.file_name()) + ':' +
                std::to_string(where.line()) +
                " had dropped it: it was made in cycle 3 and dropped in cycle "
                "4. Use it before that, or copy what has to outlive it into "
                "memory of its own");
}

TEST_F(checked_description, without_a_line_says_the_operation_alone) {
  add(0, 64, "a");
  drop();
  EXPECT_NE(describe(at(8)).find("accessed after reset() had dropped it"),
            std::string::npos);
}

TEST_F(checked_description, tells_scalars_and_unknown_extents_apart) {
  add(0, 64, "scalar", {0, {}});
  add(64, 64, "unknown");
  EXPECT_EQ(describe(at(0)),
            "View \"scalar\" (a scalar, 64 bytes) of arena \"weights\" was "
            "accessed");
  EXPECT_EQ(describe(at(64)),
            "View \"unknown\" (64 bytes) of arena \"weights\" was accessed");
}

TEST_F(checked_description, of_valid_memory_tells_an_overrun) {
  add(0, 64, "a");
  EXPECT_EQ(describe(at(64)),
            "an address behind the end of View \"a\" (64 bytes) of arena "
            "\"weights\" was accessed");
}

TEST_F(checked_description, in_front_of_all_views_names_memory) {
  EXPECT_EQ(describe(at(0)), "memory of arena \"weights\" was accessed");
  add(64, 64, "a");
  EXPECT_EQ(describe(at(0)), "memory of arena \"weights\" was accessed");
}

TEST_F(checked_description, stays_within_the_text_it_is_given) {
  add(0, 64, "a label that is much too long");
  drop();
  auto const whole = describe(at(0));
  for (std::size_t size = 1; size <= whole.size() + 1; ++size) {
    ASSERT_EQ(describe(at(0), size), whole.substr(0, size - 1));
  }
}

TEST_F(checked_description, takes_no_heap_memory) {
  add(0, 64, "a label that takes memory of the heap", {2, {3, 4}});
  drop(std::source_location::current());
  char text[1024];
  auto const before = KokkosArenaTest::heap_calls().allocations;
  describe_access(piece, arena, at(0), text, sizeof(text));
  KokkosArena::Impl::describe_forgotten_access(at(0), text, sizeof(text));
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
}

TEST_F(checked_description, of_a_forgotten_address_has_the_address) {
  char text[1024];
  KokkosArena::Impl::describe_forgotten_access(at(0), text, sizeof(text));
  EXPECT_STREQ(text,
               "address 0x1000000000000000, in which an arena has had a "
               "CheckedSpace View, was accessed after the View had been "
               "dropped, too long ago to know which it was");
}

TEST_F(checked_description, of_all_names_those_alive_before_others) {
  add(0, 64, "ended").alive = false;
  add(64, 64, "alive");
  drop();
  MockCheckedMemory memory;
  describe_all(piece, arena, memory);
  ASSERT_EQ(memory.described.size(), 3u);
  auto const& d = memory.described;
  EXPECT_EQ(d[0].begin, base);
  EXPECT_EQ(d[0].end, base + piece.section.bytes);
  EXPECT_EQ(d[0].text.find("memory of arena"), 0u);
  EXPECT_EQ(d[1].begin, base + 64);
  EXPECT_EQ(d[1].end, base + 128);
  EXPECT_EQ(d[1].text.find("View \"alive\""), 0u);
  EXPECT_EQ(d[2].text.find("View \"ended\""), 0u);
}

TEST_F(checked_description, of_all_stops_at_64_views) {
  for (std::uintptr_t i = 0; i < 100; ++i) add(64 * i, 64, "a");
  drop();
  MockCheckedMemory memory;
  describe_all(piece, arena, memory);
  EXPECT_EQ(memory.described.size(), 65u);
}

}  // namespace
