// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_GrowthPolicy.hpp>
#include <KokkosArena_TestRandom.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace {

using KokkosArena::GrowthPolicy;
using KokkosArenaTest::unlimited;

constexpr std::size_t MiB = std::size_t(1) << 20;

TEST(growth_policy, recommends_initial_bytes_before_the_first_cycle) {
  EXPECT_EQ(GrowthPolicy(5, 0).recommended_bytes(), 0u);
  EXPECT_EQ(GrowthPolicy(5, 12800).recommended_bytes(), 12800u);
}

TEST(growth_policy, recommends_a_tenth_more_than_the_largest_of_the_last) {
  GrowthPolicy policy(3, 0);
  policy.record_cycle(10 * MiB);
  policy.record_cycle(30 * MiB);
  policy.record_cycle(20 * MiB);
  EXPECT_GE(policy.recommended_bytes(), 33 * MiB);
  EXPECT_LE(policy.recommended_bytes(), 33 * MiB + 64);
  policy.record_cycle(5 * MiB);
  EXPECT_GE(policy.recommended_bytes(), 33 * MiB);
  policy.record_cycle(5 * MiB);
  EXPECT_LE(policy.recommended_bytes(), 22 * MiB + 64);
  policy.record_cycle(5 * MiB);
  EXPECT_LE(policy.recommended_bytes(), 6 * MiB);
}

TEST(growth_policy, ignores_empty_cycles) {
  GrowthPolicy policy(1, 0);
  policy.record_cycle(10 * MiB);
  auto const before = policy.recommended_bytes();
  policy.record_cycle(0);
  EXPECT_EQ(policy.recommended_bytes(), before);
}

TEST(growth_policy, keeps_what_serves_and_is_not_twice_too_large) {
  GrowthPolicy policy(1, 0);
  policy.record_cycle(10 * MiB);
  EXPECT_FALSE(policy.keeps(9 * MiB));
  EXPECT_TRUE(policy.keeps(10 * MiB));
  EXPECT_TRUE(policy.keeps(policy.recommended_bytes()));
  EXPECT_TRUE(policy.keeps(20 * MiB));
  EXPECT_FALSE(policy.keeps(23 * MiB));
}

TEST(growth_policy, next_block_serves_the_need_and_doubles_the_arena) {
  GrowthPolicy policy(1, 0);
  for (std::size_t capacity : {std::size_t(0), MiB, 100 * MiB}) {
    for (std::size_t need : {std::size_t(1), MiB, 50 * MiB, 300 * MiB}) {
      auto const bytes = policy.next_block_bytes(need, capacity);
      EXPECT_GE(bytes, need);
      EXPECT_GE(bytes, capacity);
      EXPECT_LE(bytes, std::max({need, capacity, MiB}) + 64);
    }
  }
}

TEST(growth_policy, enormous_figures_do_not_wrap_around) {
  GrowthPolicy policy(1, 0);
  EXPECT_GE(policy.next_block_bytes(unlimited - 100, 0), unlimited - 200);
  policy.record_cycle(unlimited / 2);
  EXPECT_GE(policy.recommended_bytes(), unlimited / 2);
}

TEST(growth_policy, never_recommends_less_than_initial_bytes) {
  GrowthPolicy policy(2, 8 * MiB);
  policy.record_cycle(MiB);
  EXPECT_EQ(policy.recommended_bytes(), 8 * MiB);
  EXPECT_FALSE(policy.keeps(7 * MiB));
  policy.record_cycle(10 * MiB);
  EXPECT_GE(policy.recommended_bytes(), 11 * MiB);
}

TEST(growth_policy, spare_bytes_come_on_top_once_there_was_a_cycle) {
  GrowthPolicy policy(1, 0);
  policy.set_spare_bytes(3 * MiB);
  EXPECT_EQ(policy.spare_bytes(), 0u);
  EXPECT_EQ(policy.recommended_bytes(), 0u);
  policy.record_cycle(10 * MiB);
  EXPECT_EQ(policy.spare_bytes(), 3 * MiB);
  EXPECT_GE(policy.recommended_bytes(), 14 * MiB);
  EXPECT_LE(policy.recommended_bytes(), 14 * MiB + 64);
  // Which was enough without them.
  EXPECT_TRUE(policy.keeps(10 * MiB));
}

TEST(growth_policy, remembers_one_cycle_at_least) {
  GrowthPolicy policy(0, 0);
  policy.record_cycle(10 * MiB);
  EXPECT_EQ(policy.largest_peak(), 10 * MiB);
  policy.record_cycle(MiB);
  EXPECT_EQ(policy.largest_peak(), MiB);
}

}  // namespace
