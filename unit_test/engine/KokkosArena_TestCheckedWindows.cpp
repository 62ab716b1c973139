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

using KokkosArena::Impl::CheckedSection;
using KokkosArena::Impl::CheckedWindows;
using KokkosArenaTest::HeapFailure;
using KokkosArenaTest::MockCheckedMemory;

constexpr std::size_t kib = 1024;

CheckedWindows::Options const usual{
    .history_length = 5,
    .initial_bytes  = 0,
    .maximum_bytes  = std::numeric_limits<std::size_t>::max(),
    .guard_pages    = false,
    .huge_pages     = false,
    .shares         = true};

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

  CheckedSection acquire(std::size_t needed, std::size_t held = 0) {
    return windows.acquire(needed, held, true, failure);
  }
  /// As a reset does it.
  void reset(std::initializer_list<CheckedSection> in_use, std::size_t peak) {
    windows.end_cycle(peak, true);
    for (auto const& section : in_use) windows.drop(section);
    windows.start_cycle();
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

TEST_F(checked_windows, of_frames_that_need_ever_more_are_no_more_than_frames) {
  for (std::size_t mib = 1; mib <= 64; ++mib) {
    auto const outer = acquire(1024 * kib * mib);
    auto const inner = acquire(512 * kib * mib);
    windows.drop(inner);
    windows.drop(outer);
    EXPECT_EQ(windows.count(), 2u);
  }
  EXPECT_LE(windows.bytes(), (64 + 64) * 1024 * kib);
  EXPECT_EQ(windows.bytes(), memory.lent_bytes());
}

TEST(checked_windows_options, the_first_has_the_initial_bytes) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::initial_bytes, 1024 * kib),
      nullptr);
  char const* failure = "";
  EXPECT_EQ(windows.acquire(1, 0, true, failure).bytes, 1024 * kib);
}

TEST(checked_windows_options, none_exceeds_the_maximum_unless_it_is_needed) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::maximum_bytes, 8 * kib), nullptr);
  char const* failure = "";
  EXPECT_EQ(windows.acquire(4 * kib, 0, true, failure).bytes, 8 * kib);
  EXPECT_EQ(windows.acquire(4 * kib, 0, true, failure).bytes, 8 * kib);
  EXPECT_EQ(windows.acquire(12 * kib, 0, true, failure).bytes, 12 * kib);
}

TEST(checked_windows_options, none_moves_that_has_guard_pages) {
  MockCheckedMemory memory;
  CheckedWindows windows(
      memory, with(&CheckedWindows::Options::guard_pages, true), nullptr);
  char const* failure = "";
  windows.drop(windows.acquire(1, 0, true, failure));
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
  windows.drop(old);
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
  windows.drop(first);
  EXPECT_TRUE(memory.is_at_rest());
  memory.moves_fail       = false;
  auto const second       = acquire(1);
  memory.has_no_addresses = true;
  windows.drop(second);
  EXPECT_TRUE(memory.is_at_rest());
  EXPECT_EQ(windows.count(), 0u);
  EXPECT_EQ(windows.bytes(), 0u);
}

TEST_F(checked_windows, spare_ones_serve_the_largest_first_if_it_suffices) {
  auto const small = acquire(100 * kib);
  auto const large = acquire(300 * kib);
  windows.drop(small);
  windows.drop(large);
  auto const first  = acquire(1);
  auto const second = acquire(1);
  EXPECT_EQ(first.bytes, large.bytes);
  EXPECT_EQ(second.bytes, small.bytes);
  windows.drop(first);
  windows.drop(second);
  EXPECT_GT(acquire(400 * kib).bytes, large.bytes);
  EXPECT_EQ(acquire(1).bytes, large.bytes);
}

TEST_F(checked_windows, undone_leave_the_figures_as_they_were) {
  auto const none = figures(windows);
  windows.undo_acquire(acquire(100 * kib));
  EXPECT_EQ(figures(windows), none);
  EXPECT_TRUE(memory.is_at_rest());

  windows.drop(acquire(100 * kib));
  auto const one_spare = figures(windows);
  windows.undo_acquire(acquire(1));
  EXPECT_EQ(figures(windows), one_spare);
  // No more than were in use at once: an undone one wasn't.
  auto const a = acquire(1);
  windows.undo_acquire(acquire(1));
  reset({a}, 100 * kib);
  EXPECT_EQ(windows.count(), 1u);
}

TEST_F(checked_windows, as_many_are_kept_as_were_in_use_at_once_the_largest) {
  // Three in a row, of which two are there at once.
  auto const a = acquire(64 * kib);
  auto const b = acquire(100 * kib);
  windows.drop(a);
  auto const c = acquire(200 * kib);
  reset({b, c}, 150 * kib);
  EXPECT_EQ(windows.count(), 2u);
  EXPECT_EQ(windows.bytes(), b.bytes + c.bytes);
  EXPECT_EQ(memory.lent_bytes(), windows.bytes());
  // The next cycle needs only one.
  auto const d = acquire(1);
  reset({d}, 150 * kib);
  EXPECT_EQ(windows.count(), 1u);
  EXPECT_EQ(windows.bytes(), c.bytes);
}

TEST_F(checked_windows, after_a_cycle_that_one_was_too_small_for_none_is_kept) {
  auto const a = acquire(64 * kib);
  windows.note_overflow();
  auto const b = acquire(64 * kib, a.bytes);
  reset({a, b}, 128 * kib);
  EXPECT_TRUE(memory.is_at_rest());
  // The next one holds all of it, and is kept.
  auto const c = acquire(1);
  EXPECT_GE(c.bytes, 128 * kib);
  reset({c}, 128 * kib);
  EXPECT_EQ(windows.count(), 1u);
}

TEST_F(checked_windows, far_larger_than_what_is_needed_are_not_kept) {
  auto const large = acquire(4096 * kib);
  reset({large}, 64 * kib);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, are_all_given_back_at_the_end) {
  windows.drop(acquire(1));
  auto const other = acquire(1000 * kib);
  windows.end_cycle(1000 * kib, false);
  windows.drop(other);
  windows.end();
  EXPECT_EQ(windows.count(), 0u);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_windows, are_dropped_without_heap_memory) {
  std::vector<CheckedSection> held;
  for (int i = 0; i < 100; ++i) held.push_back(acquire(1));
  auto const before = KokkosArenaTest::heap_calls().allocations;
  windows.end_cycle(50 * kib, true);
  for (auto const& section : held) windows.drop(section);
  windows.start_cycle();
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

// ----------------------------------------------------------------- shared ones

constexpr auto part         = MockCheckedMemory::part;
constexpr auto window_bytes = CheckedWindows::shared_window_bytes;
constexpr auto most_shared  = CheckedWindows::most_section_bytes;

struct shared_windows : checked_windows {
  bool const has_parts = memory.has_parts = true;
  CheckedWindows windows{memory, usual, nullptr};

  CheckedSection acquire(std::size_t needed, std::size_t held = 0) {
    return windows.acquire(needed, held, true, failure);
  }
  /// So that drops come often, as far as the windows know.
  void begin() {
    for (int i = 0; i < 2; ++i) reset({acquire(1)}, 1);
  }
  void reset(std::initializer_list<CheckedSection> in_use, std::size_t peak) {
    windows.end_cycle(peak, true);
    for (auto const& section : in_use) windows.drop(section);
    windows.start_cycle();
  }
};

TEST_F(shared_windows, come_after_two_drops) {
  for (int i = 0; i < 2; ++i) {
    auto const section = acquire(1);
    EXPECT_FALSE(section.window->is_shared);
    windows.drop(section);
    EXPECT_FALSE(memory.is_valid(section.begin));
    EXPECT_EQ(memory.lent_bytes(), section.bytes);
  }
  auto const section = acquire(1);
  EXPECT_TRUE(section.window->is_shared);
  EXPECT_EQ(section.bytes, part);
  EXPECT_EQ(section.window->bytes, window_bytes);
}

TEST_F(shared_windows, come_where_many_are_in_use) {
  std::vector<CheckedSection> sections;
  for (int i = 0; i < 1000; ++i) sections.push_back(acquire(1));
  EXPECT_LE(windows.count(), 16 + 1000 * part / window_bytes + 1);
  for (auto const& section : sections) windows.drop(section);
  EXPECT_FALSE(memory.is_valid(sections.back().begin));
}

TEST_F(shared_windows, give_sections_that_follow_each_other) {
  begin();
  auto const a = acquire(1);
  auto const b = acquire(part + 1);
  EXPECT_EQ(b.begin, a.end());
  EXPECT_EQ(b.bytes, 2 * part);
  EXPECT_EQ(windows.count(), 1u);
  windows.drop(a);
  EXPECT_FALSE(memory.is_valid(a.begin));
  EXPECT_FALSE(memory.is_valid(a.end() - 1));
  EXPECT_TRUE(memory.is_valid(b.begin));
  windows.drop(b);
  // What is left serves the next one.
  EXPECT_EQ(acquire(1).begin, b.end());
}

TEST_F(shared_windows, are_as_wide_as_what_is_held_already) {
  begin();
  acquire(1);
  EXPECT_EQ(acquire(1, 5 * part).bytes, 5 * part);
}

TEST_F(shared_windows, are_not_for_what_is_larger_or_has_to_fault_at_once) {
  begin();
  EXPECT_TRUE(acquire(most_shared).window->is_shared);
  EXPECT_FALSE(acquire(most_shared + 1).window->is_shared);
  EXPECT_FALSE(acquire(1, most_shared + 1).window->is_shared);
  EXPECT_FALSE(windows.acquire(1, 0, false, failure).window->is_shared);
}

TEST_F(shared_windows, move_once_they_are_used_up_and_dropped) {
  begin();
  auto const first = acquire(1);
  windows.drop(first);
  for (std::size_t i = 1; i < window_bytes / part; ++i) {
    auto const section = acquire(1);
    EXPECT_EQ(section.begin, first.begin + i * part);
    windows.drop(section);
  }
  auto const acquired = windows.acquired();
  auto const fresh    = acquire(1);
  EXPECT_FALSE(fresh.begin - first.begin < window_bytes);
  EXPECT_TRUE(memory.is_valid(fresh.begin));
  EXPECT_EQ(windows.acquired(), acquired);
  EXPECT_EQ(memory.lent_bytes(), window_bytes);
}

TEST_F(shared_windows, that_are_used_up_wait_for_their_last_section) {
  begin();
  auto const old = acquire(1);
  while (acquire(most_shared).window == old.window) {
  }
  EXPECT_EQ(windows.count(), 2u);
  EXPECT_TRUE(memory.is_valid(old.begin));
}

TEST_F(shared_windows, grow_at_the_end_of_the_newest_section) {
  begin();
  auto a = acquire(1);
  EXPECT_TRUE(windows.extend(a, 1));
  EXPECT_EQ(a.bytes, 2 * part);
  EXPECT_TRUE(memory.is_valid(a.end() - 1));
  auto b = acquire(1);
  EXPECT_EQ(b.begin, a.end());
  EXPECT_FALSE(windows.extend(a, 1));
  EXPECT_FALSE(windows.extend(b, b.window->room() + 1));
  EXPECT_TRUE(windows.extend(b, b.window->room()));
  EXPECT_EQ(windows.room(), 0u);
  auto own = windows.acquire(1, 0, false, failure);
  EXPECT_FALSE(windows.extend(own, 1));
}

TEST_F(shared_windows, undone_leave_the_figures_as_they_were) {
  begin();
  windows.end_cycle(1, false);
  windows.start_cycle();
  auto const none = figures(windows);
  auto const made = acquire(1);
  windows.undo_acquire(made);
  EXPECT_EQ(figures(windows), none);
  auto const first = acquire(1);
  auto const one   = figures(windows);
  auto const room  = windows.room();
  windows.undo_acquire(acquire(1));
  EXPECT_EQ(figures(windows), one);
  EXPECT_EQ(windows.room(), room);
  EXPECT_EQ(acquire(1).begin, first.end());
}

TEST_F(shared_windows, are_given_back_after_a_cycle_without_use_for_them) {
  begin();
  reset({acquire(1)}, 1);
  EXPECT_EQ(windows.bytes(), window_bytes);
  auto const large = acquire(4 * window_bytes);
  reset({large}, 4 * window_bytes);
  EXPECT_EQ(windows.bytes(), large.bytes);
  reset({acquire(1)}, 1);
}

TEST_F(shared_windows, are_given_back_on_release_and_at_the_end) {
  begin();
  auto const a = acquire(1);
  windows.end_cycle(1, false);
  windows.drop(a);
  windows.start_cycle();
  EXPECT_TRUE(memory.is_at_rest());
  auto const b = acquire(1);
  windows.drop(b);
  windows.end();
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(shared_windows, take_the_place_of_small_ones_that_wait) {
  std::vector<CheckedSection> sections;
  for (int i = 0; i < 10; ++i) sections.push_back(acquire(1));
  auto const large = acquire(4 * window_bytes);
  for (auto const& section : sections) windows.drop(section);
  windows.drop(large);
  EXPECT_EQ(windows.count(), 11u);
  acquire(1);
  EXPECT_EQ(windows.count(), 2u);
  EXPECT_EQ(windows.bytes(), window_bytes + large.bytes);
}

TEST_F(shared_windows, that_cannot_be_had_leave_small_ones) {
  begin();
  memory.failing_lends = 2;
  auto const section   = acquire(1);
  EXPECT_FALSE(section.window->is_shared);
  EXPECT_TRUE(memory.is_valid(section.begin));
}

TEST_F(shared_windows, that_cannot_move_are_given_back) {
  begin();
  while (true) {
    auto const section = acquire(most_shared);
    windows.drop(section);
    if (windows.room() < most_shared) break;
  }
  memory.moves_fail  = true;
  auto const section = acquire(most_shared);
  EXPECT_TRUE(memory.is_valid(section.begin));
  EXPECT_EQ(windows.count(), 1u);
  EXPECT_EQ(memory.lent_bytes(), window_bytes);
}

TEST_F(shared_windows, are_dropped_without_heap_memory) {
  begin();
  std::vector<CheckedSection> held;
  for (int i = 0; i < 300; ++i) held.push_back(acquire(1));
  auto const before = KokkosArenaTest::heap_calls().allocations;
  windows.end_cycle(50 * kib, true);
  for (auto const& section : held) windows.drop(section);
  windows.start_cycle();
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
}

TEST(shared_windows_options, there_are_none_unless_asked_for_and_possible) {
  for (int what = 0; what < 3; ++what) {
    MockCheckedMemory memory;
    memory.has_parts    = what != 0;
    auto options        = usual;
    options.shares      = what != 1;
    options.guard_pages = what == 2;
    CheckedWindows windows(memory, options, nullptr);
    char const* failure = "";
    for (int i = 0; i < 5; ++i) {
      auto const section = windows.acquire(1, 0, true, failure);
      EXPECT_FALSE(section.window->is_shared) << what;
      windows.drop(section);
    }
    windows.end();
  }
}

}  // namespace
