// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_Counts.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

using KokkosArena::ArenaStatistics;
using KokkosArena::Impl::Counts;
using KokkosArena::Impl::LockFreeCounts;

template <class C>
ArenaStatistics figures(C const& counts) {
  ArenaStatistics s;
  counts.add_to(s);
  return s;
}

TEST(counts, bytes_are_whole_granules) {
  Counts counts;
  counts.note_view(1);
  counts.note_view(65);
  EXPECT_EQ(counts.live_bytes(), 64u + 128u);
  counts.note_end_of_view(65);
  auto const s = figures(counts);
  EXPECT_EQ(s.live_bytes, 64u);
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.total_allocations, 2u);
}

TEST(counts, peak_is_of_the_moments_that_were_noted) {
  Counts counts;
  counts.note_view(640);
  counts.note_peak(64);
  counts.note_end_of_view(640);
  counts.note_peak(0);
  EXPECT_EQ(figures(counts).peak_live_bytes, 704u);
}

TEST(counts, reset_counts_the_views_that_outlive_it_wherever_they_are) {
  Counts counts;
  counts.note_view(64);
  counts.note_reset(2);
  counts.note_reset(0);
  EXPECT_EQ(figures(counts).resets, 2u);
  EXPECT_EQ(figures(counts).escaped_views, 4u);
}

TEST(counts, of_a_chunk_are_taken_over) {
  Counts counts;
  counts.add(5, 2, 128);
  auto const s = figures(counts);
  EXPECT_EQ(s.total_allocations, 5u);
  EXPECT_EQ(s.live_allocations, 2u);
  EXPECT_EQ(s.live_bytes, 128u);
}

TEST(lock_free_counts, lose_nothing_between_threads) {
  LockFreeCounts counts;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counts] {
      for (int i = 0; i < 1000; ++i) {
        counts.note_unscoped_worker_allocation();
        counts.note_failed_handle_allocation();
        counts.note_failed_adoption();
        counts.note_cycle();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  auto const s = figures(counts);
  EXPECT_EQ(s.unscoped_worker_allocations, 4000u);
  EXPECT_EQ(s.failed_handle_allocations, 4000u);
  EXPECT_EQ(s.failed_adoptions, 4000u);
  EXPECT_EQ(counts.cycle(), 4001u);
}

}  // namespace
