// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_TestCore.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <KokkosArena_TestSeed.hpp>
#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>
#include <engine/KokkosArena_HostCheckedMemory.hpp>
#include <engine/KokkosArena_Pages.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using KokkosArena::ArenaOptions;
using KokkosArena::ArenaStatistics;
using KokkosArena::Impl::checked_page_bytes;
using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedPage;
using KokkosArena::Impl::CheckedStore;
using KokkosArena::Impl::HostCheckedMemory;
using KokkosArena::Impl::slice_bytes;
using namespace KokkosArenaTest;

struct Host final : HostCheckedMemory {};

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

/// As an access finds it.
bool is_dropped(void const* address) {
  return KokkosArena::Impl::may_be_dropped(address) &&
         *KokkosArena::Impl::page_of(address) == CheckedPage::dropped;
}
bool is_dropped(std::uintptr_t address) { return is_dropped(pointer(address)); }

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
    EXPECT_FALSE(is_dropped(begin + i * slice_bytes));
  }
  memory.drop_addresses(begin, 3 * slice_bytes);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_dropped(begin + i * slice_bytes));
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
  EXPECT_EQ(memory.take_addresses(slice_bytes), begin);
  memory.untake_addresses(begin, slice_bytes);
  EXPECT_EQ(memory.take_addresses(0), 0u);
  EXPECT_EQ(memory.take_addresses(~std::size_t(0) / 2), 0u);
}

TEST_F(host_checked_memory, drops_parts_of_what_was_taken) {
  constexpr auto part = checked_page_bytes;
  ASSERT_EQ(memory.part_bytes(), part);
  auto const begin = memory.take_addresses(slice_bytes);
  ASSERT_TRUE(memory.lend(begin, slice_bytes, false));
  memory.drop_part(begin + part, 2 * part);
  for (std::size_t i = 0; i < slice_bytes / part; ++i) {
    EXPECT_EQ(is_dropped(begin + i * part), i == 1 || i == 2);
    EXPECT_EQ(is_dropped(begin + (i + 1) * part - 1), i == 1 || i == 2);
  }
  // It can still be written, with what shows.
  memory.spoil(begin + part, 64);
  auto const* const p = static_cast<double const*>(pointer(begin + part));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(std::isnan(p[i]));
  auto const* const f = static_cast<float const*>(pointer(begin + part));
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(std::isnan(f[i]));
  memory.drop_addresses(begin, slice_bytes);
  EXPECT_TRUE(is_dropped(begin));
  memory.take_back(begin, slice_bytes);
}

TEST_F(host_checked_memory,
       accesses_that_are_expected_need_no_look_at_a_table) {
  using KokkosArena::Impl::may_be_dropped;
  constexpr auto part = checked_page_bytes;
  auto const begin    = memory.take_addresses(slice_bytes);
  ASSERT_TRUE(memory.lend(begin, slice_bytes, false));
  auto const at    = [&](std::size_t i) { return pointer(begin + i * part); };
  auto const state = [&](std::size_t first, std::size_t last) {
    std::size_t count = 0;
    for (auto i = first; i < last; ++i) count += may_be_dropped(at(i));
    return count;
  };
  // The parts: 0 dropped, 1 to 3 valid, 4 dropped, 5 to 7 valid or fresh.
  memory.drop_part(begin, part);
  memory.drop_part(begin + 4 * part, part);
  EXPECT_EQ(state(0, 5), 5u);
  EXPECT_EQ(state(5, 8), 0u);
  memory.expect_accesses(begin + 2 * part);
  EXPECT_EQ(state(1, 4), 0u);
  EXPECT_TRUE(may_be_dropped(at(0)) && may_be_dropped(at(4)));
  // What isn't among the dropped changes nothing.
  memory.expect_accesses(begin + 5 * part);
  EXPECT_EQ(state(1, 4), 0u);
  // From the beginning on, and then in the middle.
  memory.drop_part(begin + part, part);
  EXPECT_TRUE(is_dropped(at(1)));
  EXPECT_EQ(state(2, 4), 0u);
  memory.drop_part(begin + 3 * part, part);
  EXPECT_TRUE(is_dropped(at(3)));
  EXPECT_FALSE(is_dropped(at(2)));
  memory.expect_accesses(begin + 2 * part);
  EXPECT_EQ(state(2, 3), 0u);
  memory.drop_addresses(begin, slice_bytes);
  EXPECT_EQ(state(0, slice_bytes / part), slice_bytes / part);
  memory.take_back(begin, slice_bytes);
}

/// Of random drops, it is always known what was dropped.
TEST_F(host_checked_memory, agrees_with_a_model_of_what_was_dropped) {
  constexpr std::size_t windows = 40;
  constexpr auto parts          = slice_bytes / checked_page_bytes;
  Random random(seed());
  std::vector<std::uintptr_t> begins;
  std::vector<bool> dropped(windows * parts);
  auto const address = [&](std::size_t i) {
    return begins[i / parts] + i % parts * checked_page_bytes;
  };
  for (std::size_t w = 0; w < windows; ++w) {
    begins.push_back(memory.take_addresses(slice_bytes));
    ASSERT_TRUE(memory.lend(begins.back(), slice_bytes, false));
  }
  for (int operation = 0; operation < 2000; ++operation) {
    auto const i = random.below(windows * parts);
    if (random.below(3) == 0) {
      auto const count = 1 + random.below(parts - i % parts);
      memory.drop_part(address(i), count * checked_page_bytes);
      std::fill_n(dropped.begin() + static_cast<std::ptrdiff_t>(i), count,
                  true);
    } else if (!dropped[i]) {
      memory.expect_accesses(address(i));
      EXPECT_FALSE(KokkosArena::Impl::may_be_dropped(pointer(address(i))));
    }
    for (int k = 0; k < 20; ++k) {
      auto const j = random.below(windows * parts);
      ASSERT_EQ(is_dropped(address(j) + random.below(checked_page_bytes)),
                dropped[j]);
    }
  }
  for (auto const begin : begins) {
    memory.drop_addresses(begin, slice_bytes);
    memory.take_back(begin, slice_bytes);
  }
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
  EXPECT_FALSE(is_dropped(a->data));
  store.reset({});
  EXPECT_TRUE(is_dropped(a->data));
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
