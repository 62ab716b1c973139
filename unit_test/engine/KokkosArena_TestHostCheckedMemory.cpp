// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_TestCore.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>
#include <engine/KokkosArena_HostCheckedMemory.hpp>
#include <engine/KokkosArena_Pages.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using KokkosArena::ArenaOptions;
using KokkosArena::ArenaStatistics;
using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedStore;
using KokkosArena::Impl::HostCheckedMemory;
using KokkosArena::Impl::Slice;
using KokkosArena::Impl::slice_bytes;
using KokkosArena::Impl::slice_of;
using namespace KokkosArenaTest;

struct Host final : HostCheckedMemory {};

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

struct host_checked_memory : ::testing::Test {
  static inline Host memory;

  static void SetUpTestSuite() {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    ASSERT_TRUE(KokkosArena::Impl::reserve_checked_addresses());
  }
};

TEST_F(host_checked_memory, has_valid_addresses_until_they_are_dropped) {
  auto const begin = memory.take_addresses(3 * slice_bytes);
  ASSERT_NE(begin, 0u);
  ASSERT_TRUE(memory.lend(begin, 3 * slice_bytes, false));
  EXPECT_TRUE(KokkosArena::Impl::is_in_checked_addresses(pointer(begin)));
  std::memset(pointer(begin), 1, 3 * slice_bytes);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(*slice_of(pointer(begin + i * slice_bytes)), Slice::valid);
  }
  memory.drop_addresses(begin, 3 * slice_bytes);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(*slice_of(pointer(begin + i * slice_bytes)), Slice::dropped);
    EXPECT_TRUE(
        KokkosArena::Impl::is_among_dropped(pointer(begin + i * slice_bytes)));
  }
  memory.take_back(begin, 3 * slice_bytes);
}

TEST_F(host_checked_memory, moves_with_what_is_in_it) {
  auto const from = memory.take_addresses(slice_bytes);
  ASSERT_TRUE(memory.lend(from, slice_bytes, false));
  std::memset(pointer(from), 7, slice_bytes);
  auto const to = memory.take_addresses(slice_bytes);
  memory.drop_addresses(from, slice_bytes);
  ASSERT_TRUE(memory.move(from, to, slice_bytes));
  EXPECT_EQ(static_cast<char*>(pointer(to))[slice_bytes - 1], 7);
  memory.drop_addresses(to, slice_bytes);
  memory.take_back(to, slice_bytes);
}

TEST_F(host_checked_memory, addresses_that_nobody_has_seen_are_not_valid) {
  auto const begin = memory.take_addresses(slice_bytes);
  memory.untake_addresses(begin, slice_bytes);
  EXPECT_NE(*slice_of(pointer(begin)), Slice::valid);
  EXPECT_EQ(memory.take_addresses(0), 0u);
  EXPECT_EQ(memory.take_addresses(~std::size_t(0) / 2), 0u);
}

// A store over it.

struct checked_store_on_host : host_checked_memory {
  TestCore<> core;

  CheckedStore& make(ArenaOptions const& options = {}) {
    core = make_core(options);
    return core->checked_store(&memory);
  }
  static CheckedAllocation* allocate(CheckedStore& store, std::size_t bytes) {
    auto* const result = store.allocate(128, bytes, 64, "v", {}, 0);
    std::memset(result->data, 1, bytes);
    return result;
  }
};

TEST_F(checked_store_on_host, views_are_valid_until_a_reset_and_then_dropped) {
  auto& store   = make();
  auto* const a = allocate(store, 100'000);
  EXPECT_EQ(*slice_of(a->data), Slice::valid);
  store.reset({});
  EXPECT_EQ(*slice_of(a->data), Slice::dropped);
  EXPECT_EQ(KokkosArena::Impl::find_checked_allocation(a->data), a);
  char text[1024];
  KokkosArena::Impl::describe_checked_address(a->data, text, sizeof(text));
  EXPECT_NE(std::string(text).find("View \"v\" (100000 bytes) of arena"),
            std::string::npos);
  CheckedStore::give_back(a);
}

TEST_F(checked_store_on_host, old_addresses_fault) {
#if !defined(__linux__)
  GTEST_SKIP() << "they don't here";
#endif
  auto& store            = make();
  auto* const a          = allocate(store, 100);
  auto const volatile* p = static_cast<char*>(a->data);
  EXPECT_EQ(*p, 1);
  store.reset({});
  EXPECT_DEATH(static_cast<void>(*p), "");
  CheckedStore::give_back(a);
}

TEST_F(checked_store_on_host, overruns_fault_at_a_guard_page) {
  if (!KokkosArena::Impl::can_protect_pages) {
    GTEST_SKIP() << "there are none here";
  }
  auto& store      = make({.guard_pages = true});
  auto* const a    = allocate(store, 640);
  auto* const last = static_cast<char volatile*>(a->data) + 639;
  EXPECT_DEATH(last[1] = 1, "");
  CheckedStore::give_back(a);
  // The page is usable again.
  auto* const b = allocate(store, 100'000);
  CheckedStore::give_back(b);
}

TEST_F(checked_store_on_host, a_steady_cycle_takes_no_heap_memory) {
  auto& store      = make();
  auto const cycle = [&] {
    CheckedAllocation* views[20];
    for (auto& view : views) view = allocate(store, 3000);
    for (auto* const view : views) CheckedStore::give_back(view);
    store.reset({});
  };
  for (int i = 0; i < 10; ++i) cycle();
  auto const before = heap_calls().allocations;
  for (int i = 0; i < 10; ++i) cycle();
  EXPECT_EQ(heap_calls().allocations, before);
}

TEST_F(checked_store_on_host, threads_share_it) {
  constexpr int rounds = 300;
  auto& store          = make();
  auto const worker    = [&] {
    for (int i = 0; i < rounds; ++i) {
      auto* const a = allocate(store, 100 + 10 * static_cast<std::size_t>(i));
      auto* const b = allocate(store, 100);
      EXPECT_EQ(KokkosArena::Impl::find_checked_allocation(a->data), a);
      CheckedStore::give_back(a);
      CheckedStore::give_back(b);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(worker);
  for (int i = 0; i < rounds; ++i) {
    ArenaStatistics statistics;
    store.add_to(statistics);
    EXPECT_LE(statistics.live_allocations, 8u);
    store.count_mark();
    // Of a frame that has made nothing.
    store.end_frame(1, {});
  }
  for (auto& thread : threads) thread.join();
  ArenaStatistics statistics;
  store.add_to(statistics);
  EXPECT_EQ(statistics.total_allocations, 4u * 2 * rounds);
  EXPECT_EQ(statistics.live_bytes, 0u);
}

}  // namespace
