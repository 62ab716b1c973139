// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockCheckedMemory.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedWindows.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <new>
#include <string>
#include <tuple>
#include <vector>

namespace {

using KokkosArena::Impl::CheckedWindow;
using KokkosArena::Impl::CheckedWindows;
using KokkosArenaTest::HeapFailure;
using KokkosArenaTest::MockCheckedMemory;

constexpr std::size_t kib = 1024;

CheckedWindows::Options const usual{
    .history_length = 5,
    .initial_bytes  = 0,
    .maximum_bytes  = std::numeric_limits<std::size_t>::max(),
    .guard_pages    = false,
    .huge_pages     = false};

CheckedWindows::Options with(auto CheckedWindows::Options::* option,
                             auto value) {
  auto result    = usual;
  result.*option = value;
  return result;
}

auto figures(CheckedWindows const& windows) {
  return std::tuple(windows.count(), windows.bytes(), windows.acquired(),
                    windows.acquired_bytes());
}

struct checked_windows : ::testing::Test {
  MockCheckedMemory memory;
  CheckedWindows windows{memory, usual, nullptr};
  char const* failure = "";

  CheckedWindow acquire(std::size_t needed, std::size_t held = 0) {
    return windows.acquire(needed, held, failure);
  }
  /// As a reset does it.
  bool reset(std::initializer_list<CheckedWindow> in_use, std::size_t peak) {
    std::size_t largest = 0;
    for (auto const& w : in_use) largest = std::max(largest, w.bytes);
    bool const keep = windows.end_cycle(peak, largest);
    for (auto const& w : in_use) windows.drop(w, keep);
    windows.start_cycle(keep);
    return keep;
  }
};

TEST_F(checked_windows, have_pages_of_their_own_at_valid_addresses) {
  auto const a = acquire(1);
  auto const b = acquire(5000);
  EXPECT_GE(a.bytes, MockCheckedMemory::page);
  EXPECT_GE(b.bytes, 5000u);
  EXPECT_TRUE(memory.is_valid(a.begin));
  EXPECT_TRUE(memory.is_valid(b.begin + b.bytes - 1));
  EXPECT_FALSE(a.begin <= b.begin && b.begin < a.begin + a.bytes);
  EXPECT_EQ(memory.lent_bytes(), a.bytes + b.bytes);
  EXPECT_EQ(windows.bytes(), a.bytes + b.bytes);
  EXPECT_EQ(windows.count(), 2u);
}

TEST_F(checked_windows, that_come_later_in_a_cycle_begin_small_and_double) {
  acquire(4 * kib);
  EXPECT_EQ(acquire(4 * kib).bytes, 64 * kib);
  EXPECT_EQ(acquire(4 * kib, 64 * kib).bytes, 64 * kib);
  EXPECT_EQ(acquire(4 * kib, 128 * kib).bytes, 128 * kib);
}

TEST(checked_windows_options, the_first_has_the_initial_bytes) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::initial_bytes, 1024 * kib),
      nullptr);
  char const* failure = "";
  EXPECT_EQ(windows.acquire(1, 0, failure).bytes, 1024 * kib);
}

TEST(checked_windows_options, none_exceeds_the_maximum_unless_it_is_needed) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::maximum_bytes, 8 * kib), nullptr);
  char const* failure = "";
  EXPECT_EQ(windows.acquire(4 * kib, 0, failure).bytes, 8 * kib);
  EXPECT_EQ(windows.acquire(4 * kib, 0, failure).bytes, 8 * kib);
  EXPECT_EQ(windows.acquire(12 * kib, 0, failure).bytes, 12 * kib);
}

TEST(checked_windows_options, none_moves_that_has_guard_pages) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::guard_pages, true), nullptr);
  char const* failure = "";
  windows.drop(windows.acquire(1, 0, failure), true);
  EXPECT_EQ(windows.count(), 0u);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, are_as_small_as_needed_where_no_more_is_to_be_had) {
  acquire(1);
  memory.failing_lends = 1;
  EXPECT_EQ(acquire(4 * kib).bytes, 4 * kib);
  EXPECT_EQ(memory.valid_ranges(), 2u);
}

TEST_F(checked_windows, are_empty_and_say_why_without_addresses_or_memory) {
  auto const before       = figures(windows);
  memory.has_no_addresses = true;
  EXPECT_EQ(acquire(1).bytes, 0u);
  EXPECT_EQ(std::string(failure), "no addresses for checked memory are left");
  memory.has_no_addresses = false;
  memory.failing_lends    = 2;
  EXPECT_EQ(acquire(1).bytes, 0u);
  EXPECT_EQ(std::string(failure),
            "the system has no memory, or no more mappings");
  EXPECT_EQ(figures(windows), before);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, that_were_kept_serve_again_at_fresh_addresses) {
  auto const old = acquire(100 * kib);
  windows.drop(old, true);
  EXPECT_FALSE(memory.is_valid(old.begin));
  EXPECT_EQ(windows.count(), 1u);
  auto const fresh = acquire(1);
  EXPECT_EQ(fresh.bytes, old.bytes);
  EXPECT_NE(fresh.begin, old.begin);
  EXPECT_TRUE(memory.is_valid(fresh.begin));
  EXPECT_EQ(windows.acquired(), 1u);
}

TEST_F(checked_windows, that_cannot_move_are_given_back) {
  auto const first  = acquire(1);
  memory.moves_fail = true;
  windows.drop(first, true);
  EXPECT_TRUE(memory.is_at_rest());
  memory.moves_fail       = false;
  auto const second       = acquire(1);
  memory.has_no_addresses = true;
  windows.drop(second, true);
  EXPECT_TRUE(memory.is_at_rest());
  EXPECT_EQ(windows.count(), 0u);
  EXPECT_EQ(windows.bytes(), 0u);
}

TEST_F(checked_windows, spare_ones_serve_the_largest_first_if_it_suffices) {
  auto const small = acquire(100 * kib);
  auto const large = acquire(300 * kib);
  windows.drop(small, true);
  windows.drop(large, true);
  EXPECT_GT(acquire(400 * kib).bytes, large.bytes);
  EXPECT_EQ(acquire(1).bytes, large.bytes);
  EXPECT_EQ(acquire(1).bytes, small.bytes);
}

TEST_F(checked_windows, undone_leave_the_figures_as_they_were) {
  auto const none = figures(windows);
  windows.undo_acquire(acquire(100 * kib));
  EXPECT_EQ(figures(windows), none);
  EXPECT_TRUE(memory.is_at_rest());

  windows.drop(acquire(100 * kib), true);
  auto const one_spare = figures(windows);
  windows.undo_acquire(acquire(1));
  EXPECT_EQ(figures(windows), one_spare);
  // No more than were in use at once: an undone one wasn't.
  auto const a = acquire(1);
  windows.undo_acquire(acquire(1));
  EXPECT_TRUE(reset({a}, 100 * kib));
  EXPECT_EQ(windows.count(), 1u);
}

TEST_F(checked_windows, as_many_are_kept_as_were_in_use_at_once_the_largest) {
  // Three in a row, of which two are there at once.
  auto const a = acquire(64 * kib);
  auto const b = acquire(100 * kib);
  windows.drop(a, true);
  auto const c = acquire(200 * kib);
  EXPECT_TRUE(reset({b, c}, 150 * kib));
  EXPECT_EQ(windows.count(), 2u);
  EXPECT_EQ(windows.bytes(), b.bytes + c.bytes);
  EXPECT_EQ(memory.lent_bytes(), windows.bytes());
  // The next cycle needs only one.
  auto const d = acquire(1);
  EXPECT_TRUE(reset({d}, 150 * kib));
  EXPECT_EQ(windows.count(), 1u);
  EXPECT_EQ(windows.bytes(), c.bytes);
}

TEST_F(checked_windows, after_a_cycle_that_one_was_too_small_for_none_is_kept) {
  auto const a = acquire(64 * kib);
  windows.note_overflow();
  auto const b = acquire(64 * kib, a.bytes);
  EXPECT_FALSE(reset({a, b}, 128 * kib));
  EXPECT_TRUE(memory.is_at_rest());
  // The next one holds all of it, and is kept.
  auto const c = acquire(1);
  EXPECT_GE(c.bytes, 128 * kib);
  EXPECT_TRUE(reset({c}, 128 * kib));
  EXPECT_EQ(windows.count(), 1u);
}

TEST_F(checked_windows, far_larger_than_what_is_needed_are_not_kept) {
  auto const large = acquire(4096 * kib);
  EXPECT_FALSE(reset({large}, 64 * kib));
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, are_all_given_back_at_the_end) {
  windows.drop(acquire(1), true);
  auto const other = acquire(1000 * kib);
  windows.drop(other, false);
  windows.end();
  EXPECT_EQ(windows.count(), 0u);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, are_dropped_without_heap_memory) {
  std::vector<CheckedWindow> held;
  for (int i = 0; i < 100; ++i) held.push_back(acquire(1));
  auto const before = KokkosArenaTest::heap_calls().allocations;
  bool const keep   = windows.end_cycle(50 * kib, 64 * kib);
  for (auto const& window : held) windows.drop(window, keep);
  windows.start_cycle(keep);
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
  EXPECT_EQ(windows.count(), 100u);
  windows.undo_acquire(acquire(1));
  windows.end();
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
}

TEST_F(checked_windows, are_as_they_were_without_heap_memory_for_another) {
  auto const before = figures(windows);
  {
    HeapFailure const all;
    EXPECT_THROW(acquire(1), std::bad_alloc);
  }
  EXPECT_EQ(figures(windows), before);
  EXPECT_GT(acquire(1).bytes, 0u);
}

}  // namespace
