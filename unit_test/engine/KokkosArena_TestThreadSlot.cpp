// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestChild.hpp>
#include <engine/KokkosArena_ThreadSlot.hpp>

#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace KokkosArena::Impl;
using KokkosArenaTest::code_in_child;
using KokkosArenaTest::is_thread_sanitized;

TEST(thread_slot, is_given_when_it_is_asked_for_and_kept) {
  std::thread([] {
    EXPECT_EQ(thread_slot(), no_thread_slot);
    auto const slot = acquire_thread_slot();
    EXPECT_LT(slot, thread_slots);
    EXPECT_EQ(thread_slot(), slot);
    EXPECT_EQ(acquire_thread_slot(), slot);
  }).join();
}

TEST(thread_slot, no_two_living_threads_have_the_same) {
  constexpr unsigned threads = 20;
  std::array<unsigned, threads> slots{};
  std::latch all_have_one(threads);
  std::vector<std::thread> team;
  for (auto& slot : slots) {
    team.emplace_back([&] {
      slot = acquire_thread_slot();
      all_have_one.arrive_and_wait();
    });
  }
  for (auto& thread : team) thread.join();
  // The smallest that are free.
  std::set<unsigned> expected;
  for (unsigned i = 0; i < threads; ++i) expected.insert(i);
  EXPECT_EQ(std::set<unsigned>(slots.begin(), slots.end()), expected);
}

TEST(thread_slot, goes_to_a_later_thread_with_what_was_kept_for_it) {
  std::array<unsigned, thread_slots> kept{};
  constexpr unsigned lines = 4, each = 100;
  std::vector<std::thread> team;
  for (unsigned line = 0; line < lines; ++line) {
    team.emplace_back([&] {
      for (unsigned i = 0; i < each; ++i) {
        std::thread([&] { ++kept[acquire_thread_slot()]; }).join();
      }
    });
  }
  for (auto& thread : team) thread.join();
  // As many are in use at a time as there are lines.
  unsigned sum = 0;
  for (unsigned line = 0; line < lines; ++line) sum += kept[line];
  EXPECT_EQ(sum, lines * each);
}

TEST(thread_slot, is_none_where_all_are_taken_and_stays_so) {
  constexpr unsigned more = 3;
  std::array<unsigned, thread_slots + more> slots{};
  std::latch all_asked(thread_slots + more);
  std::vector<std::thread> team;
  for (auto& slot : slots) {
    team.emplace_back([&] {
      slot = acquire_thread_slot();
      all_asked.arrive_and_wait();
      if (slot == no_thread_slot) {
        EXPECT_EQ(acquire_thread_slot(), no_thread_slot);
        EXPECT_EQ(thread_slot(), no_thread_slot);
      }
    });
  }
  for (auto& thread : team) thread.join();
  unsigned without = 0;
  std::set<unsigned> taken;
  for (auto const slot : slots) {
    if (slot == no_thread_slot) {
      ++without;
    } else {
      taken.insert(slot);
    }
  }
  EXPECT_EQ(without, more);
  EXPECT_EQ(taken.size(), thread_slots);
  std::thread([] { EXPECT_EQ(acquire_thread_slot(), 0u); }).join();
}

/// Asks for a slot when the thread's variables are destroyed.
struct Late {
  unsigned* slot = nullptr;
  ~Late() { *slot = acquire_thread_slot(); }
};

TEST(thread_slot, is_none_once_a_thread_has_given_its_own_back) {
  unsigned slot = 0;
  std::thread([&] {
    // Made first, and so destroyed last.
    thread_local Late late;
    late.slot = &slot;
    EXPECT_NE(acquire_thread_slot(), no_thread_slot);
  }).join();
  EXPECT_EQ(slot, no_thread_slot);
}

TEST(thread_slot, of_the_threads_that_a_child_does_not_have_are_free_there) {
  if (is_thread_sanitized) {
    GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads when its "
                    "parent had some";
  }
  constexpr unsigned threads = 5;
  std::latch all_have_one(threads + 1), forked(1);
  std::vector<std::thread> team;
  for (unsigned i = 0; i < threads; ++i) {
    team.emplace_back([&] {
      acquire_thread_slot();
      all_have_one.count_down();
      forked.wait();
    });
  }
  int code = -1;
  std::thread([&] {
    auto const own = acquire_thread_slot();
    all_have_one.arrive_and_wait();
    code = code_in_child([&] {
      if (thread_slot() != own) return 1;
      unsigned slot = no_thread_slot;
      std::thread([&] { slot = acquire_thread_slot(); }).join();
      return slot == (own == 0 ? 1u : 0u) ? 0 : 2;
    });
  }).join();
  forked.count_down();
  for (auto& thread : team) thread.join();
  EXPECT_EQ(code, 0);
}

}  // namespace
