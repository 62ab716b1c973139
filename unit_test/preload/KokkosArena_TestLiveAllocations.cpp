// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <preload/KokkosArena_LiveAllocations.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <unordered_map>

namespace {

using KokkosArena::Impl::LiveAllocation;
using KokkosArena::Impl::LiveAllocations;

LiveAllocation of(std::uintptr_t address, std::uint64_t bytes) {
  LiveAllocation result;
  result.address = address;
  result.bytes   = bytes;
  return result;
}

TEST(live_allocations, have_nothing_at_the_beginning) {
  LiveAllocations live;
  EXPECT_EQ(live.size(), 0u);
  EXPECT_FALSE(live.take(64));
}

TEST(live_allocations, give_each_back_once) {
  LiveAllocations live;
  live.insert(of(64, 1));
  live.insert(of(128, 2));
  auto const first = live.take(64);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, 1u);
  EXPECT_FALSE(live.take(64));
  EXPECT_EQ(live.size(), 1u);
  live.insert(of(64, 3));
  EXPECT_EQ(live.take(64)->bytes, 3u);
  EXPECT_EQ(live.take(128)->bytes, 2u);
}

// Few addresses, so that they meet in the table, and neighbours among them.
TEST(live_allocations, are_as_those_of_a_map_in_any_order) {
  for (unsigned const seed : {1u, 2u, 3u}) {
    std::mt19937_64 random(seed);
    LiveAllocations live;
    std::unordered_map<std::uintptr_t, std::uint64_t> model;
    for (std::uint64_t i = 1; i <= 200'000; ++i) {
      auto const address = static_cast<std::uintptr_t>((1 + random() % 3000) *
                                                       (seed == 1 ? 1 : 64));
      if (auto const found = model.find(address); found != model.end()) {
        auto const taken = live.take(address);
        ASSERT_TRUE(taken);
        ASSERT_EQ(taken->address, address);
        ASSERT_EQ(taken->bytes, found->second);
        model.erase(found);
      } else {
        ASSERT_FALSE(live.take(address));
        live.insert(of(address, i));
        model.emplace(address, i);
      }
      ASSERT_EQ(live.size(), model.size());
    }
  }
}

}  // namespace
