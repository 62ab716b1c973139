// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_CheckedLedger.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <new>
#include <utility>
#include <vector>

namespace {

using KokkosArena::Impl::CheckedAllocationPool;
using KokkosArena::Impl::CheckedLedger;
using KokkosArenaTest::HeapFailure;
using KokkosArenaTest::Random;

constexpr std::uintptr_t base = std::uintptr_t(1) << 60;

using Ranges = std::vector<std::pair<std::uintptr_t, std::size_t>>;

Ranges ranges(CheckedLedger const& ledger) {
  Ranges result;
  for (auto const* a : ledger) result.emplace_back(a->begin, a->bytes);
  return result;
}

struct checked_ledger : ::testing::Test {
  CheckedAllocationPool pool;
  CheckedLedger ledger;

  auto& enter(std::uintptr_t offset, std::size_t bytes) {
    return ledger.enter(pool, base + offset, bytes);
  }
};

TEST_F(checked_ledger, agrees_with_a_map_after_random_entries) {
  Random random(1);
  std::map<std::uintptr_t, std::size_t> expected;
  for (int i = 0; i < 20'000; ++i) {
    auto const begin = base + 64 * random.below(500);
    auto const bytes = 64 * (1 + random.below(random.below(8) ? 3 : 60));
    std::erase_if(expected, [&](auto const& other) {
      return other.first < begin + bytes && begin < other.first + other.second;
    });
    expected[begin]  = bytes;
    auto const& made = ledger.enter(pool, begin, bytes);
    ASSERT_EQ(made.begin, begin);
    ASSERT_EQ(made.bytes, bytes);
    ASSERT_FALSE(made.alive);
    ASSERT_EQ(ranges(ledger), Ranges(expected.begin(), expected.end()));
    // What is in no ledger is free.
    ASSERT_EQ(pool.size() - pool.free(), ledger.size());

    auto const address = base + random.below(64 * 600);
    auto const next    = expected.upper_bound(address);
    auto const* found  = ledger.last_up_to(address);
    if (next == expected.begin()) {
      ASSERT_EQ(found, nullptr);
    } else {
      ASSERT_NE(found, nullptr);
      ASSERT_EQ(found->begin, std::prev(next)->first);
    }
  }
}

TEST_F(checked_ledger, finds_what_is_alive_by_its_data_alone) {
  auto& a = enter(0, 128);
  a.data  = reinterpret_cast<void*>(base + 64);
  EXPECT_EQ(ledger.find(a.data), nullptr);
  a.alive = true;
  EXPECT_EQ(ledger.find(a.data), &a);
  EXPECT_EQ(ledger.find(reinterpret_cast<void*>(base)), nullptr);
  EXPECT_EQ(ledger.find(reinterpret_cast<void*>(base + 65)), nullptr);
  EXPECT_EQ(ledger.find(reinterpret_cast<void*>(base - 1)), nullptr);
  EXPECT_EQ(CheckedLedger().find(a.data), nullptr);
}

TEST_F(checked_ledger, takes_no_memory_for_bytes_that_are_used_again) {
  for (std::uintptr_t i = 0; i < 100; ++i) enter(64 * i, 64);
  auto const before = KokkosArenaTest::heap_calls().allocations;
  for (std::uintptr_t i = 0; i < 100; ++i) enter(64 * i, 64);
  enter(0, 64 * 50);
  for (std::uintptr_t i = 0; i < 50; ++i) enter(64 * i, 64);
  ledger.clear(pool);
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
  EXPECT_EQ(ledger.size(), 0u);
  EXPECT_EQ(pool.free(), 100u);
}

TEST_F(checked_ledger, is_as_it_was_if_there_is_no_memory_for_an_entry) {
  bool failed = true;
  for (std::uint64_t n = 0; failed; ++n) {
    ASSERT_LT(n, 100u);
    CheckedAllocationPool all;
    CheckedLedger tested;
    tested.enter(all, base, 64);
    tested.enter(all, base + 128, 64);
    auto const before = ranges(tested);
    {
      HeapFailure const failure(n);
      try {
        tested.enter(all, base + 64, 64);
        EXPECT_FALSE(HeapFailure::has_happened());
      } catch (std::bad_alloc const&) {
        EXPECT_TRUE(HeapFailure::has_happened());
      }
      failed = HeapFailure::has_happened();
    }
    if (failed) {
      EXPECT_EQ(ranges(tested), before);
    }
    EXPECT_EQ(all.size() - all.free(), tested.size());
    tested.enter(all, base + 64, 64);
    EXPECT_EQ(tested.size(), 3u);
  }
}

}  // namespace
