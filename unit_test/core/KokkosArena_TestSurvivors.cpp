// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views that are alive when their arena is reset, rewound, released or ends.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTools.hpp>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::ScopedSpace;

using View = Kokkos::View<double*, Scoped>;

constexpr std::size_t MiB = std::size_t(1) << 20;

template <class C>
struct survivors : WithUpstream<CountingSpace> {
  using Tested   = typename C::template arena_type<Host>;
  using Counting = typename C::template arena_type<CountingSpace>;
};
TYPED_TEST_SUITE(survivors, All, ConfigName);

TYPED_TEST(survivors, reset_keeps_views_that_are_alive) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  ArenaScope const scope(arena);
  std::vector<View> kept;
  for (std::uint64_t cycle = 0; cycle < 10; ++cycle) {
    for (std::uint64_t i = 0; i < 5; ++i) {
      View const temporary("temporary", 500);
      kept.emplace_back("kept", 300);
      fill_pattern(kept.back(), cycle * 5 + i);
      fill_pattern(temporary, 1234);
    }
    arena.reset();
    dirty(arena, 10000);
    for (std::uint64_t i = 0; i < kept.size(); ++i) {
      EXPECT_TRUE(has_pattern(kept[i], i)) << cycle;
    }
  }
  EXPECT_EQ(arena.statistics().live_allocations, kept.size());
  EXPECT_EQ(arena.statistics().escaped_views, 5u * 10 * 11 / 2);
  EXPECT_EQ(arena.statistics().resets, 10u);
  kept.clear();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().live_bytes, 0u);
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
}

TYPED_TEST(survivors, new_allocations_do_not_overlap_them) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  ArenaScope const scope(arena);
  View const first("first", 1000);
  View const hole("hole", 1000);
  View const kept("kept", 1000);
  fill_pattern(first, 1);
  fill_pattern(kept, 2);
  const_cast<View&>(hole) = View();
  arena.reset();
  std::vector<View> others;
  for (std::uint64_t i = 0; i < 60; ++i) {
    others.push_back(make_view<View>("other", 200));
    fill_pattern(others.back(), 100 + i);
  }
  EXPECT_TRUE(has_pattern(first, 1));
  EXPECT_TRUE(has_pattern(kept, 2));
  for (std::uint64_t i = 0; i < 60; ++i) {
    EXPECT_TRUE(has_pattern(others[i], 100 + i));
  }
}

TYPED_TEST(survivors, copies_and_subviews_and_moved_views_keep_the_memory) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  std::optional<View> copy;
  std::optional<decltype(Kokkos::subview(std::declval<View>(),
                                         std::pair<int, int>()))>
      part;
  View moved_to;
  {
    ArenaScope const scope(arena);
    View const a("a", 100);
    View const b("b", 100);
    View c("c", 100);
    fill_pattern(a, 1);
    fill_pattern(b, 2);
    fill_pattern(c, 3);
    copy     = a;
    part     = Kokkos::subview(b, std::pair<int, int>(10, 20));
    moved_to = std::move(c);
  }
  EXPECT_EQ(arena.statistics().live_allocations, 3u);
  arena.reset();
  dirty(arena, 100000);
  EXPECT_TRUE(has_pattern(*copy, 1));
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ((*part)(i), static_cast<double>((2 * 1000003 + 10 + i) % 251));
  }
  EXPECT_TRUE(has_pattern(moved_to, 3));
  copy.reset();
  EXPECT_EQ(arena.statistics().live_allocations, 2u);
  part.reset();
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  moved_to = View();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TYPED_TEST(survivors, rewind_keeps_views_that_are_alive) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  ArenaScope const scope(arena);
  auto const mark = arena.mark();
  auto* const raw = arena.allocate(1000);
  View const kept("kept", 1000);
  arena.allocate(1000);
  fill_pattern(kept, 1);
  arena.rewind(mark);
  EXPECT_EQ(arena.allocate(1000), raw);
  dirty(arena, 100000);
  EXPECT_TRUE(has_pattern(kept, 1));
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

TYPED_TEST(survivors, release_keeps_views_and_returns_all_else) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  View kept;
  {
    ArenaScope const scope(arena);
    kept = View("kept", 1000);
    View const other("other", 1000);
  }
  fill_pattern(kept, 1);
  arena.release();
  auto s = arena.statistics();
  if (in_blocks) {
    EXPECT_EQ(s.blocks, 1u);
  } else {
    // The block ends where the View does.
    EXPECT_LE(s.capacity_bytes, s.live_bytes + 16 * 1024);
  }
  EXPECT_EQ(s.used_bytes, s.live_bytes);
  EXPECT_TRUE(has_pattern(kept, 1));
  EXPECT_EQ(s.live_allocations, 1u);
  kept = View();
  arena.release();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_EQ(arena.statistics().retired_bytes, 0u);
}

TYPED_TEST(survivors, views_outlive_the_arena) {
  ToolsObserver tools;
  std::vector<View> kept;
  {
    typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
    ArenaScope const scope(arena);
    for (std::uint64_t i = 0; i < 40; ++i) {
      kept.emplace_back("kept", 1000 * (i % 5 + 1));
      fill_pattern(kept.back(), i);
    }
    arena.allocate(1000);
  }
  EXPECT_GT(tools.live_bytes("Host"), 0u);
  for (std::uint64_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(has_pattern(kept[i], i));
  }
  // The order of the frees is not that of the allocations.
  std::swap(kept[3], kept.back());
  std::swap(kept[0], kept[20]);
  while (kept.size() > 1) kept.pop_back();
  EXPECT_TRUE(has_pattern(kept[0], 20));
  EXPECT_GT(tools.live_bytes("Host"), 0u);
  kept.clear();
  EXPECT_EQ(tools.live_bytes("Host"), 0u);
  EXPECT_EQ(tools.live_bytes("Scoped<Host>"), 0u);
}

TYPED_TEST(survivors, arena_without_views_returns_all_at_its_end) {
  ToolsObserver tools;
  {
    typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
    ArenaScope const scope(arena);
    View const dead("dead", 1000);
    arena.allocate(1000);
    EXPECT_GT(tools.live_bytes("Host"), 0u);
  }
  EXPECT_EQ(tools.live_bytes("Host"), 0u);
}

TYPED_TEST(survivors, views_may_die_after_the_arena_on_a_full_chain_of_resets) {
  ToolsObserver tools;
  std::vector<View> kept;
  {
    typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
    ArenaScope const scope(arena);
    for (std::uint64_t i = 0; i < 10; ++i) {
      kept.emplace_back("kept", 1000);
      fill_pattern(kept.back(), i);
      if (i % 3 == 0) arena.reset();
    }
  }
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(has_pattern(kept[i], i));
  kept.clear();
  EXPECT_EQ(tools.live_bytes("Host"), 0u);
}

TYPED_TEST(survivors, are_counted_upstream_until_their_owner_ends) {
  using space = KokkosArenaTest::ArenaSpace<CountingSpace>;
  void* kept  = nullptr;
  {
    typename TestFixture::Counting arena(TypeParam::options(MiB));
    space const memory(arena);
    kept = memory.allocate("kept", 1000);
    arena.reset();
    void* const newer = memory.allocate("newer", 1000);
    EXPECT_NE(newer, kept);
    memory.deallocate("newer", newer, 1000);
    EXPECT_EQ(arena.statistics().live_allocations, 1u);
  }
  EXPECT_EQ(CountingSpace::log().live.size(), 1u);
  space().deallocate("kept", kept, 1000);
  EXPECT_EQ(CountingSpace::log().live.size(), 0u);
}

template <class C>
struct survivors_growing : survivors<C> {};
TYPED_TEST_SUITE(survivors_growing, Growing, ConfigName);

TYPED_TEST(survivors_growing, stay_where_they_are_and_the_arena_goes_on) {
  ToolsObserver tools;
  typename TestFixture::Tested arena;
  ArenaScope const scope(arena);
  View first("first", 1000);
  View second("second", 1000);
  fill_pattern(first, 1);
  fill_pattern(second, 2);
  auto const* const at = first.data();
  arena.reset();
  auto const s = arena.statistics();
  EXPECT_EQ(s.retired_blocks, 0u);
  EXPECT_EQ(s.retired_bytes, 0u);
  EXPECT_EQ(s.blocks, 1u);
  EXPECT_EQ(s.used_bytes, s.live_bytes);
  EXPECT_EQ(s.escaped_views, 2u);
  EXPECT_EQ(tools.live_bytes("Host"), s.capacity_bytes);
  for (std::uint64_t cycle = 0; cycle < 100; ++cycle) {
    View const large("large", 3000);
    View const small("small", 10);
    fill_pattern(large, cycle);
    fill_pattern(small, cycle);
    EXPECT_TRUE(has_pattern(large, cycle));
    arena.reset();
  }
  EXPECT_EQ(first.data(), at);
  EXPECT_TRUE(has_pattern(first, 1));
  EXPECT_TRUE(has_pattern(second, 2));
  EXPECT_LE(arena.statistics().upstream_allocations, 3u);
  first  = View();
  second = View();
  arena.release();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(tools.live_bytes("Host"), 0u);
}

TYPED_TEST(survivors_growing, leave_the_next_cycles_without_upstream) {
  typename TestFixture::Tested arena;
  ArenaScope const scope(arena);
  View const kept("kept", 1000);
  arena.reset();
  for (int cycle = 0; cycle < 2; ++cycle) {
    for (int i = 0; i < 50; ++i) arena.allocate(10000);
    arena.reset();
  }
  auto const upstream = arena.statistics().upstream_allocations;
  for (int cycle = 0; cycle < 10; ++cycle) {
    for (int i = 0; i < 50; ++i) arena.allocate(10000);
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().upstream_allocations, upstream);
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
}

TYPED_TEST(survivors_growing, of_random_sizes_and_ages_stay_whole) {
  for (std::size_t const count : {1u, 10u, 1000u}) {
    typename TestFixture::Tested arena;
    ArenaScope const scope(arena);
    Random random(count);
    std::vector<std::pair<View, std::uint64_t>> kept;
    std::uint64_t half = 0, most_live = 0;
    constexpr std::uint64_t cycles = 2000;
    for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
      for (int i = 0; i < 20; ++i) {
        View const view("temporary", 1 + random.below(3000));
        view(0) = 1;
        if (i % 5 == 0) {
          kept.emplace_back(View("kept", 1 + random.below(500)), cycle);
          fill_pattern(kept.back().first, cycle);
        }
      }
      most_live = std::max(most_live, arena.statistics().live_bytes);
      while (kept.size() > count) {
        auto const i = random.below(kept.size());
        ASSERT_TRUE(has_pattern(kept[i].first, kept[i].second));
        kept[i] = kept.back();
        kept.pop_back();
      }
      arena.reset();
      if (cycle == cycles / 2) half = arena.statistics().capacity_bytes;
    }
    for (auto const& [view, seed] : kept) {
      EXPECT_TRUE(has_pattern(view, seed));
    }
    auto const s = arena.statistics();
    EXPECT_EQ(s.retired_blocks, 0u);
    EXPECT_EQ(s.live_allocations, kept.size());
    // No growth without bound.
    EXPECT_LE(s.capacity_bytes, 2 * half);
    EXPECT_LE(s.capacity_bytes, 8 * most_live + 1024 * 1024);
  }
}

TYPED_TEST(survivors_growing, bounded_arena_brings_retired_blocks_back) {
  using Counting = typename TestFixture::Counting;
  Counting arena(ArenaOptions{.maximum_bytes = MiB});
  KokkosArenaTest::ArenaSpace<CountingSpace> const memory(arena);
  std::vector<void*> kept;
  // Each cycle leaves a survivor in a block of its own, as long as there is
  // room for fresh blocks; then the space around them has to do.
  for (int cycle = 0; cycle < 40; ++cycle) {
    kept.push_back(memory.allocate("kept", 1000));
    for (int i = 0; i < 50; ++i) {
      EXPECT_NO_THROW(arena.allocate(2000)) << cycle << arena.statistics();
    }
    EXPECT_LE(CountingSpace::log().live_bytes(), MiB);
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().live_allocations, 40u);
  for (auto* const address : kept) memory.deallocate("kept", address, 1000);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  arena.release();
  EXPECT_EQ(CountingSpace::log().live_bytes(), 0u);
}

TYPED_TEST(survivors_growing, bounded_arena_is_full_only_if_it_is) {
  using Counting = typename TestFixture::Counting;
  Counting arena(ArenaOptions{.maximum_bytes = 64 * 1024});
  KokkosArenaTest::ArenaSpace<CountingSpace> const memory(arena);
  void* const kept = memory.allocate("kept", 1024);
  arena.release();  // retires the block
  std::size_t count = 0;
  try {
    for (;; ++count) arena.allocate(1024);
  } catch (ArenaExhausted const&) {
  }
  EXPECT_EQ(count, 63u);
  memory.deallocate("kept", kept, 1024);
}

template <class C>
struct survivors_fixed : survivors<C> {};
TYPED_TEST_SUITE(survivors_fixed, Fixed, ConfigName);

TYPED_TEST(survivors_fixed, leave_the_space_around_them) {
  using Counting = typename TestFixture::Counting;
  Counting arena(std::size_t(64 * 1000));
  KokkosArenaTest::ArenaSpace<CountingSpace> const memory(arena);
  std::vector<void*> all;
  for (int i = 0; i < 10; ++i) all.push_back(memory.allocate("view", 6400));
  // The third and the eighth survive.
  for (std::size_t i = 0; i < 10; ++i) {
    if (i != 2 && i != 7) memory.deallocate("view", all[i], 6400);
  }
  for (int cycle = 0; cycle < 5; ++cycle) {
    arena.reset();
    auto const s = arena.statistics();
    EXPECT_EQ(s.capacity_bytes + s.retired_bytes, 64 * 1000u);
    EXPECT_EQ(s.live_allocations, 2u);
    std::size_t count = 0;
    try {
      for (;; ++count) {
        auto const a = address_of(arena.allocate(3200));
        for (std::size_t i : {2, 7}) {
          EXPECT_TRUE(a + 3200 <= address_of(all[i]) ||
                      a >= address_of(all[i]) + 6400);
        }
      }
    } catch (ArenaExhausted const&) {
    }
    EXPECT_EQ(count, 16u);
    EXPECT_EQ(CountingSpace::log().live_bytes(), 64 * 1000u);
  }
  memory.deallocate("view", all[2], 6400);
  memory.deallocate("view", all[7], 6400);
  arena.reset();
  EXPECT_NE(arena.allocate(64 * 1000), nullptr);
  EXPECT_EQ(CountingSpace::log().allocations, 1u);
}

TYPED_TEST(survivors_fixed, that_fill_the_arena_exhaust_it) {
  typename TestFixture::Tested arena(MiB);
  ArenaScope const scope(arena);
  View kept("kept", 100000);
  fill_pattern(kept, 1);
  arena.reset();
  EXPECT_THROW(View("too much", 100000), ArenaExhausted);
  EXPECT_TRUE(has_pattern(kept, 1));
  kept = View();
  EXPECT_NO_THROW(View("fits", 100000));
}

/// Asked for by a policy that isn't the default.
TYPED_TEST(survivors, have_names_where_they_are_asked_for) {
  auto options          = TypeParam::options(MiB);
  options.label         = "named";
  options.escape_policy = KokkosArena::EscapePolicy::warn;
  typename TestFixture::Tested arena(options);
  {
    View large, small;
    {
      ArenaScope const scope(arena);
      View const ended("ended", 500);
      large = View("large one", 1000);
      small = View("small one", 10);
    }
    EXPECT_TRUE(arena.survivors().empty()) << "there was no reset";
    arena.reset();
    auto const survivors = arena.survivors();
    ASSERT_EQ(survivors.size(), 2u);
    EXPECT_EQ(survivors[0].label, "large one");
    EXPECT_GE(survivors[0].bytes, 1000 * sizeof(double));
    EXPECT_EQ(survivors[1].label, "small one");
    std::ostringstream text;
    text << arena.statistics();
    EXPECT_NE(text.str().find("alive at the last reset: \"large one\" ("),
              std::string::npos)
        << text.str();
  }
  arena.reset();
  EXPECT_TRUE(arena.survivors().empty());
}

TYPED_TEST(survivors, have_no_names_where_nobody_asks) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  View kept;
  {
    ArenaScope const scope(arena);
    kept = View("kept", 10);
  }
  arena.reset();
  EXPECT_TRUE(arena.survivors().empty());
}

}  // namespace
