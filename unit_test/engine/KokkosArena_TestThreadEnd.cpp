// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_ThreadEnd.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace {

using KokkosArena::Impl::thread_is_ending;
using KokkosArena::Impl::watch_thread_end;

/// What is seen when the thread's objects end.
struct AtEnd {
  bool* seen = nullptr;
  ~AtEnd() {
    if (seen) *seen = thread_is_ending();
  }
};
thread_local AtEnd t_at_end;

TEST(thread_end, is_seen_by_what_ends_after_the_thread_was_watched) {
  bool before = true;
  bool at_end = false;
  std::thread([&] {
    t_at_end.seen = &at_end;  // made first, and so ends last
    watch_thread_end();
    before = thread_is_ending();
  }).join();
  EXPECT_FALSE(before);
  EXPECT_TRUE(at_end);
}

TEST(thread_end, of_another_thread_says_nothing_of_this_one) {
  watch_thread_end();
  std::thread([] { watch_thread_end(); }).join();
  EXPECT_FALSE(thread_is_ending());
}

TEST(thread_end, is_not_seen_on_a_thread_that_was_not_watched) {
  bool at_end = true;
  std::thread([&] { t_at_end.seen = &at_end; }).join();
  EXPECT_FALSE(at_end);
}

}  // namespace
