// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host arenas, which have a run of addresses and make more of it usable.
#include <KokkosArena_SteadyStateCounters.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;

using View = Kokkos::View<double*, Scoped>;

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = KiB * KiB;

/// Small pages, so that each one touched is a page fault.
ArenaOptions small_pages() {
  ArenaOptions options;
  options.huge_pages = false;
  return options;
}

/// In bytes; 0 where the system doesn't tell.
std::size_t resident() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

template <class C>
struct growth_in_place : ::testing::Test {
  using arena_type = typename C::template arena_type<Host>;
};
TYPED_TEST_SUITE(growth_in_place, Growing, ConfigName);

TYPED_TEST(growth_in_place, a_first_cycle_is_one_block) {
  typename TestFixture::arena_type arena;
  std::vector<unsigned char*> all;
  for (unsigned i = 0; i < 200; ++i) {
    auto* const memory = static_cast<unsigned char*>(arena.allocate(50 * KiB));
    std::memset(memory, static_cast<int>(i), 50 * KiB);
    all.push_back(memory);
    if (!in_blocks) {
      EXPECT_EQ(arena.statistics().blocks, 1u);
    }
  }
  auto const s             = arena.statistics();
  auto const [first, last] = std::minmax_element(all.begin(), all.end());
  std::size_t const extent = static_cast<std::size_t>(*last - *first);
  if (!in_blocks) {
    EXPECT_LE(extent, s.capacity_bytes);
    EXPECT_LE(s.capacity_bytes, 2 * 200 * 50 * KiB);
  }
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_TRUE(std::all_of(all[i], all[i] + 50 * KiB,
                            [&](unsigned char c) { return c == i; }));
  }
}

TYPED_TEST(growth_in_place, a_view_replaced_in_each_step_costs_nothing) {
  typename TestFixture::arena_type arena(small_pages());
  ArenaScope const scope(arena);
  View kept;
  auto const step = [&](std::uint64_t k) {
    std::vector<View> temporaries;
    for (int i = 0; i < 10; ++i) {
      temporaries.push_back(make_view<View>("temporary", 50'000));
      fill_pattern(temporaries.back(), k);
    }
    auto const next = make_view<View>("kept", 10'000);
    fill_pattern(next, k);
    if (k > 0) {
      EXPECT_TRUE(has_pattern(kept, k - 1));
    }
    temporaries.clear();
    kept = next;
  };
  // By then it has been at all the places that it comes to.
  std::uint64_t k = 0;
  for (; k < 50; ++k) step(k), arena.reset();
  auto const upstream = arena.statistics().upstream_allocations;
  auto const faults   = page_faults([&] {
    for (; k < 250; ++k) step(k), arena.reset();
  });
  EXPECT_EQ(arena.statistics().upstream_allocations, upstream);
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
  if (!is_sanitized && faults) {
    EXPECT_EQ(*faults, 0);
  }
}

TYPED_TEST(growth_in_place, a_buffer_that_grows_touches_only_what_is_new) {
  if (in_blocks) GTEST_SKIP() << "blocks don't grow";
  typename TestFixture::arena_type arena(small_pages());
  ArenaScope const scope(arena);
  double n          = 10'000;
  std::size_t bytes = 0;
  auto const faults = page_faults([&] {
    for (int step = 0; step < 100; ++step) {
      auto const view = make_view<View>("buffer", static_cast<int>(n));
      bytes           = view.span() * sizeof(double);
      std::memset(view.data(), 1, bytes);
      arena.reset();
      n *= 1.05;
    }
  });
  auto const s      = arena.statistics();
  EXPECT_LE(s.upstream_allocations, 70u);
  EXPECT_EQ(s.blocks, 1u);
  if (!is_sanitized && faults) {
    // One View is alive beside the next.
    EXPECT_LE(*faults, static_cast<long>(3 * bytes / 4096));
  }
}

TYPED_TEST(growth_in_place, any_alignment_has_a_steady_state) {
  for (std::size_t alignment = 64; alignment <= 16 * MiB; alignment *= 4) {
    typename TestFixture::arena_type arena(small_pages());
    auto const cycle = [&] {
      auto* const memory = arena.allocate(64, alignment);
      EXPECT_EQ(address_of(memory) % alignment, 0u);
      std::memset(memory, 1, 64);
      arena.reset();
    };
    cycle();
    cycle();
    // A fresh block may need other padding.
    if (in_blocks) cycle();
    auto const upstream = arena.statistics().upstream_allocations;
    for (int i = 0; i < 100; ++i) cycle();
    EXPECT_EQ(arena.statistics().upstream_allocations, upstream) << alignment;
  }
}

TYPED_TEST(growth_in_place, memory_beyond_the_recent_peaks_goes_back) {
  if (in_blocks) GTEST_SKIP() << "blocks don't shrink";
  typename TestFixture::arena_type arena(small_pages());
  auto const cycle = [&](std::size_t bytes) {
    auto* const memory = arena.allocate(bytes);
    std::memset(memory, 1, bytes);
    arena.reset();
  };
  cycle(64 * MiB);
  auto const full = resident();
  EXPECT_GE(arena.statistics().capacity_bytes, 64 * MiB);
  for (int i = 0; i < 10; ++i) cycle(MiB);
  EXPECT_LE(arena.statistics().capacity_bytes, 2 * MiB);
  if (!is_sanitized && full > 0) {
    EXPECT_LE(resident() + 60 * MiB, full);
  }
  // And can be had again.
  cycle(64 * MiB);
  EXPECT_GE(arena.statistics().capacity_bytes, 64 * MiB);
  EXPECT_EQ(arena.statistics().blocks, 1u);
}

TYPED_TEST(growth_in_place, release_gives_the_memory_around_survivors_back) {
  if (in_blocks) GTEST_SKIP() << "blocks don't shrink";
  typename TestFixture::arena_type arena(small_pages());
  ArenaScope const scope(arena);
  auto const before = resident();
  View low("low", 1000);
  auto large = std::make_unique<View>("large", 64 * MiB / 8);
  View const high("high", 100'000);
  fill_pattern(low, 1);
  fill_pattern(high, 2);
  large.reset();
  arena.release();
  EXPECT_TRUE(has_pattern(low, 1));
  EXPECT_TRUE(has_pattern(high, 2));
  auto const s = arena.statistics();
  EXPECT_EQ(s.used_bytes, s.live_bytes);
  if (!is_sanitized && before > 0) {
    EXPECT_LE(resident(), before + 8 * MiB);
  }
}

TYPED_TEST(growth_in_place, a_bounded_arena_counts_what_is_free_at_its_end) {
  if (in_blocks) GTEST_SKIP() << "blocks don't grow";
  typename TestFixture::arena_type arena(ArenaOptions{.maximum_bytes = MiB});
  ArenaScope const scope(arena);
  View const kept("kept", 5'000);
  {
    View const temporary("temporary", 75'000);
  }
  // More than what is left to the maximum, with the temporary's bytes.
  EXPECT_NO_THROW(View("large", 110'000));
  EXPECT_LE(arena.statistics().capacity_bytes, MiB);
  EXPECT_THROW(View("too large", 130'000), KokkosArena::ArenaExhausted);
}

TYPED_TEST(growth_in_place, a_cycle_that_leaves_holes_has_a_steady_state) {
  typename TestFixture::arena_type arena(small_pages());
  auto const cycle = [&] {
    ArenaScope const scope(arena);
    auto a       = std::make_unique<View>("a", 1'000'000);
    View const b = make_view<View>("b", 100'000);
    View const c = make_view<View>("c", 100'000);
    a.reset();
    // Doesn't fit where the first one was.
    View const d = make_view<View>("d", 1'500'000);
  };
  for (int i = 0; i < 50; ++i) cycle(), arena.reset();
  auto const upstream = arena.statistics().upstream_allocations;
  for (int i = 0; i < 50; ++i) cycle(), arena.reset();
  EXPECT_LE(arena.statistics().upstream_allocations, upstream + 1);
}

TYPED_TEST(growth_in_place, arenas_side_by_side_keep_apart) {
  using arena_type = typename TestFixture::arena_type;
  std::vector<std::unique_ptr<arena_type>> arenas;
  std::vector<std::pair<unsigned char*, unsigned>> all;
  for (unsigned i = 0; i < 100; ++i) {
    arenas.push_back(std::make_unique<arena_type>());
    for (auto const& arena : arenas) {
      auto* const memory = static_cast<unsigned char*>(arena->allocate(5000));
      auto const value   = static_cast<unsigned>(all.size()) % 251;
      std::memset(memory, static_cast<int>(value), 5000);
      all.emplace_back(memory, value);
    }
  }
  for (auto const& [memory, value] : all) {
    EXPECT_TRUE(std::all_of(memory, memory + 5000,
                            [v = value](unsigned char c) { return c == v; }));
  }
}

TYPED_TEST(growth_in_place, an_address_tells_its_owner) {
  typename TestFixture::arena_type one, two;
  Scoped const in_one(one), in_two(two);
  for (std::size_t const bytes : {100u, 1000u, 10'000'000u}) {
    void* const a = in_one.allocate("a", bytes);
    void* const b = in_two.allocate("b", bytes);
    EXPECT_EQ(one.statistics().live_allocations, 1u);
    // By an instance that doesn't know where it came from.
    Scoped().deallocate("a", a, bytes);
    EXPECT_EQ(one.statistics().live_allocations, 0u);
    EXPECT_EQ(two.statistics().live_allocations, 1u);
    Scoped().deallocate("b", b, bytes);
    EXPECT_EQ(two.statistics().live_allocations, 0u);
  }
  // And that of nobody is the base space's.
  void* const base = Host().allocate(100);
  Scoped().deallocate("base", base, 100);
}

TYPED_TEST(growth_in_place, is_exact_about_what_is_free) {
  typename TestFixture::arena_type arena;
  ArenaScope const scope(arena);
  std::vector<View> views;
  for (int i = 0; i < 30; ++i) views.emplace_back("view", 4000);
  auto const full = arena.statistics();
  EXPECT_LE(full.largest_free_bytes, full.free_bytes);
  EXPECT_GE(full.free_bytes, full.capacity_bytes - full.used_bytes);
  for (std::size_t i = 0; i < 30; i += 2) views[i] = View();
  arena.reset();
  auto const s = arena.statistics();
  EXPECT_EQ(s.used_bytes, s.live_bytes);
  EXPECT_GT(s.fragmentation(), 0.3);
  EXPECT_LT(s.fragmentation(), 1);
  views.clear();
  arena.reset();
  EXPECT_EQ(arena.statistics().fragmentation(), 0);
}

TEST(growth_in_place_threads, arenas_come_and_go_on_many_threads) {
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (unsigned i = 0; i < 200; ++i) {
        KokkosArena::Arena<Host> arena;
        auto const bytes   = 1000 + i * 997 % 100'000;
        auto* const memory = static_cast<unsigned char*>(arena.allocate(bytes));
        std::memset(memory, static_cast<int>(t), bytes);
        static_cast<void>(arena.allocate(3 * bytes));
        ASSERT_TRUE(std::all_of(memory, memory + bytes,
                                [&](unsigned char c) { return c == t; }));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
