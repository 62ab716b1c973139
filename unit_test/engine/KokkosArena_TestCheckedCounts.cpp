// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_CheckedCounts.hpp>

#include <gtest/gtest.h>

namespace {

using KokkosArena::ArenaStatistics;
using KokkosArena::Impl::CheckedCounts;

ArenaStatistics statistics(CheckedCounts const& counts) {
  ArenaStatistics result;
  counts.add_to(result);
  return result;
}

TEST(checked_counts, dropped_ones_are_live_but_not_valid_until_they_end) {
  CheckedCounts counts;
  counts.count_made(100);
  counts.count_made(20);
  counts.count_invalid(100);
  counts.count_escaped();
  auto const s = statistics(counts);
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.live_bytes, 20u);
  EXPECT_EQ(s.total_allocations, 2u);
  EXPECT_EQ(s.escaped_views, 1u);
  EXPECT_EQ(counts.live(), 2u);
  EXPECT_EQ(counts.valid_bytes(), 20u);
  counts.count_ended();
  EXPECT_EQ(counts.live(), 1u);
}

TEST(checked_counts, peaks_are_the_largest_that_were_noted) {
  CheckedCounts counts;
  counts.count_made(100);
  counts.note_peaks(128);
  counts.count_invalid(100);
  counts.count_made(30);
  counts.note_peaks(64);
  EXPECT_EQ(statistics(counts).peak_bytes, 128u);
  EXPECT_EQ(statistics(counts).peak_live_bytes, 100u);
}

TEST(checked_counts, each_cycle_has_a_peak_of_its_own) {
  CheckedCounts counts;
  counts.note_peaks(128);
  EXPECT_EQ(counts.end_cycle(), 128u);
  counts.note_peaks(64);
  EXPECT_EQ(counts.end_cycle(), 64u);
  EXPECT_EQ(counts.end_cycle(), 0u);
  EXPECT_EQ(statistics(counts).peak_bytes, 128u);
}

TEST(checked_counts, are_added_to_what_the_statistics_have) {
  CheckedCounts counts;
  counts.count_made(100);
  ArenaStatistics s;
  s.live_bytes        = 1;
  s.total_allocations = 2;
  counts.add_to(s);
  EXPECT_EQ(s.live_bytes, 101u);
  EXPECT_EQ(s.total_allocations, 3u);
}

}  // namespace
