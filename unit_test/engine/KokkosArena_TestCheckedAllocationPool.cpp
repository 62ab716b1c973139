// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedAllocationPool.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <set>
#include <vector>

namespace {

using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedAllocationPool;
using KokkosArenaTest::HeapFailure;

CheckedAllocation* take(CheckedAllocationPool& pool) {
  auto* const result = &pool.next();
  pool.take_next();
  return result;
}

TEST(checked_allocation_pool, gives_the_same_one_until_it_is_taken) {
  CheckedAllocationPool pool;
  auto* const first = &pool.next();
  EXPECT_EQ(&pool.next(), first);
  pool.take_next();
  EXPECT_NE(&pool.next(), first);
}

TEST(checked_allocation_pool, gives_what_was_given_back_before_it_makes_more) {
  CheckedAllocationPool pool;
  std::vector<CheckedAllocation*> taken;
  for (int i = 0; i < 100; ++i) taken.push_back(take(pool));
  EXPECT_EQ(std::set<CheckedAllocation*>(taken.begin(), taken.end()).size(),
            100u);
  pool.give_back(taken);
  for (int i = 0; i < 100; ++i) take(pool);
  EXPECT_EQ(pool.size(), 100u);
  EXPECT_EQ(pool.free(), 0u);
}

TEST(checked_allocation_pool, takes_no_memory_to_have_all_back) {
  CheckedAllocationPool pool;
  std::vector<CheckedAllocation*> taken;
  for (int i = 0; i < 1000; ++i) taken.push_back(take(pool));
  auto const before = KokkosArenaTest::heap_calls().allocations;
  pool.give_back({taken.begin(), taken.begin() + 1});
  pool.give_back({taken.begin() + 1, taken.end()});
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
  EXPECT_EQ(pool.free(), 1000u);
}

TEST(checked_allocation_pool, is_as_it_was_if_there_is_no_memory_for_another) {
  bool failed = true;
  for (std::uint64_t n = 0; failed; ++n) {
    ASSERT_LT(n, 100u);
    CheckedAllocationPool pool;
    take(pool);
    // Beyond what there is room for.
    take(pool);
    {
      HeapFailure const failure(n);
      try {
        pool.next();
        EXPECT_FALSE(HeapFailure::has_happened());
      } catch (std::bad_alloc const&) {
        EXPECT_EQ(pool.size(), 2u);
        EXPECT_EQ(pool.free(), 0u);
      }
      failed = HeapFailure::has_happened();
    }
    take(pool);
    EXPECT_EQ(pool.size(), 3u);
  }
}

}  // namespace
