// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <preload/KokkosArena_LiveTimeline.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace {

using KokkosArena::Impl::LiveTimeline;

TEST(live_timeline, has_no_samples_without_a_change) {
  EXPECT_TRUE(LiveTimeline(100).samples().empty());
}

TEST(live_timeline, keeps_the_peak_and_the_last_change_of_an_interval) {
  LiveTimeline timeline(1000, 100);
  timeline.add(0, 10, 1010);
  timeline.add(1, 30, 1020);
  timeline.remove(0, 10, 1030);
  timeline.add(0, 5, 1040);
  timeline.add(0, 1, 1250);
  auto const samples = timeline.samples();
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].ns, 20u);
  EXPECT_EQ(samples[0].total, 40u);
  EXPECT_EQ(samples[0].live[0], 10u);
  EXPECT_EQ(samples[0].live[1], 30u);
  EXPECT_EQ(samples[1].ns, 40u);
  EXPECT_EQ(samples[1].total, 35u);
  EXPECT_EQ(samples[2].ns, 250u);
  EXPECT_EQ(samples[2].live[0], 6u);
}

TEST(live_timeline, takes_a_moment_that_comes_too_late_as_the_latest) {
  LiveTimeline timeline(1000, 100);
  timeline.add(0, 10, 1050);
  timeline.add(0, 10, 900);
  auto const samples = timeline.samples();
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].ns, 50u);
  EXPECT_EQ(samples[0].total, 20u);
}

TEST(live_timeline, is_bounded_and_keeps_its_order_and_its_peak_in_a_long_run) {
  constexpr std::uint64_t steps = 100'000;
  LiveTimeline timeline(0, 1);
  for (std::uint64_t i = 0; i < steps; ++i) {
    auto const bytes = i == 77'777 ? 1000u : 100u;
    timeline.add(1, bytes, 10 * i);
    timeline.remove(1, bytes, 10 * i + 5);
  }
  auto const samples = timeline.samples();
  EXPECT_LE(samples.size(), LiveTimeline::most_samples + 2);
  EXPECT_GE(samples.size(), LiveTimeline::most_samples / 8);
  EXPECT_TRUE(
      std::is_sorted(samples.begin(), samples.end(),
                     [](auto const& a, auto const& b) { return a.ns < b.ns; }));
  auto const peak = std::max_element(
      samples.begin(), samples.end(),
      [](auto const& a, auto const& b) { return a.total < b.total; });
  EXPECT_EQ(peak->total, 1000u);
  EXPECT_EQ(peak->ns, 777'770u);
  EXPECT_EQ(samples.back().ns, 10 * (steps - 1) + 5);
  EXPECT_EQ(samples.back().total, 0u);
}

// Neither the first nor the last of two is dispensable there.
TEST(live_timeline, is_bounded_where_bytes_only_fall) {
  constexpr std::uint64_t steps = 50'000;
  LiveTimeline timeline(0, 1);
  timeline.add(0, steps, 0);
  for (std::uint64_t i = 1; i <= steps; ++i) timeline.remove(0, 1, i);
  EXPECT_LE(timeline.samples().size(), LiveTimeline::most_samples + 2);
  EXPECT_EQ(timeline.samples().front().total, steps);
  EXPECT_EQ(timeline.samples().back().total, 0u);
}

}  // namespace
