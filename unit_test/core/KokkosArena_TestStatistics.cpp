// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The figures that an arena gives.
#include <KokkosArena_TestConfig.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::ArenaStatistics;

using View = Kokkos::View<double*, Scoped>;

template <class C>
struct statistics_of : WithUpstream<CountingSpace> {
  using Tested = typename C::template arena_type<CountingSpace>;
  using Space  = KokkosArenaTest::ArenaSpace<CountingSpace>;
};
TYPED_TEST_SUITE(statistics_of, All, ConfigName);

constexpr std::size_t KiB = 1024;

TYPED_TEST(statistics_of, start_at_zero_but_for_a_fixed_block) {
  typename TestFixture::Tested const arena(TypeParam::options(64 * KiB));
  ArenaStatistics expected;
  expected.label = "tested arena";
  if (TypeParam::is_fixed) {
    expected.capacity_bytes       = 64 * KiB;
    expected.upstream_bytes       = 64 * KiB;
    expected.upstream_allocations = 1;
    expected.blocks               = 1;
    expected.free_bytes           = 64 * KiB;
    expected.largest_free_bytes   = 64 * KiB;
  }
  EXPECT_EQ(figures(arena.statistics()), figures(expected));
}

TYPED_TEST(statistics_of, are_exact_after_a_script_of_operations) {
  typename TestFixture::Tested arena(TypeParam::options(64 * KiB));
  typename TestFixture::Space const space(arena);

  // Two that count as Views, and one that does not.
  void* const first  = space.allocate("first", 1000);
  void* const second = space.allocate("second", 128);
  void* const raw    = arena.allocate(100);
  auto s             = arena.statistics();
  EXPECT_EQ(s.live_allocations, 2u);
  EXPECT_EQ(s.live_bytes, 1024u + 128u);
  EXPECT_EQ(s.used_bytes, 1024u + 128u + 128u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);
  EXPECT_EQ(s.total_allocations, 3u);
  EXPECT_EQ(s.resets, 0u);

  // A hole stays used; freeing the newest closes it too.
  space.deallocate("second", second, 128);
  s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.live_bytes, 1024u);
  EXPECT_EQ(s.used_bytes, 1280u);
  arena.deallocate(raw);
  s = arena.statistics();
  EXPECT_EQ(s.used_bytes, 1024u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);

  // One survives the reset.
  arena.allocate(100);
  arena.reset();
  s = arena.statistics();
  EXPECT_EQ(s.resets, 1u);
  EXPECT_EQ(s.escaped_views, 1u);
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.live_bytes, 1024u);
  EXPECT_EQ(s.total_allocations, 4u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  if (TypeParam::is_fixed) {
    EXPECT_EQ(s.used_bytes, 1024u);
    EXPECT_EQ(s.blocks, 1u);
    EXPECT_EQ(s.capacity_bytes, 64 * KiB);
    EXPECT_EQ(s.retired_blocks, 0u);
    EXPECT_EQ(s.retired_bytes, 0u);
  } else {
    EXPECT_EQ(s.used_bytes, 0u);
    EXPECT_EQ(s.blocks, 0u);
    EXPECT_EQ(s.capacity_bytes, 0u);
    EXPECT_EQ(s.retired_blocks, 1u);
    EXPECT_EQ(s.retired_bytes, CountingSpace::log().live_bytes());
  }
  EXPECT_EQ(s.upstream_allocations, 1u);

  // It is counted again by each reset, and its end is seen.
  arena.reset();
  EXPECT_EQ(arena.statistics().escaped_views, 2u);
  space.deallocate("first", first, 1000);
  arena.reset();
  s = arena.statistics();
  EXPECT_EQ(s.resets, 3u);
  EXPECT_EQ(s.escaped_views, 2u);
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.retired_blocks, 0u);
  EXPECT_EQ(s.retired_bytes, 0u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);
  EXPECT_EQ(s.total_allocations, 4u);
  EXPECT_EQ(s.label, "tested arena");
}

TYPED_TEST(statistics_of, agree_with_what_the_upstream_saw) {
  typename TestFixture::Tested arena(TypeParam::options(1024 * KiB));
  typename TestFixture::Space const space(arena);
  std::size_t asked = 0, requests = 0;
  std::vector<void*> alive;
  auto const check = [&] {
    auto const& log = CountingSpace::log();
    for (; requests < log.requests.size(); ++requests) {
      asked += log.requests[requests];
    }
    auto const s = arena.statistics();
    EXPECT_EQ(s.upstream_allocations, log.allocations);
    EXPECT_EQ(s.upstream_bytes, asked);
    EXPECT_EQ(s.blocks + s.retired_blocks, log.live.size());
    EXPECT_EQ(s.capacity_bytes + s.retired_bytes, log.live_bytes());
    EXPECT_EQ(s.live_allocations, alive.size());
  };
  check();
  for (int cycle = 0; cycle < 4; ++cycle) {
    for (int i = 0; i < 20; ++i) {
      alive.push_back(space.allocate("view", 10 * KiB));
      arena.allocate(KiB);
    }
    check();
    while (alive.size() > 1) {
      space.deallocate("view", alive.back(), 10 * KiB);
      alive.pop_back();
    }
    arena.reset();
    check();
    space.deallocate("view", alive.back(), 10 * KiB);
    alive.clear();
    check();
  }
  arena.release();
  check();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_GE(CountingSpace::log().allocations, 1u);
}

TEST(statistics, count_views_and_their_copies_once) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  {
    View const view("view", 1000);
    View const copy    = view;
    auto const subview = Kokkos::subview(view, Kokkos::pair(10, 20));
    View const unmanaged(view.data(), 10);
    auto const s = arena.statistics();
    EXPECT_EQ(s.live_allocations, 1u);
    EXPECT_EQ(s.total_allocations, 1u);
    EXPECT_GE(s.live_bytes, 1000 * sizeof(double));
    EXPECT_LE(s.live_bytes, 1000 * sizeof(double) + 1024);
    EXPECT_EQ(s.used_bytes, s.live_bytes);
  }
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_GE(s.peak_live_bytes, 1000 * sizeof(double));
  EXPECT_EQ(s.peak_live_bytes, s.peak_bytes);
}

TEST(statistics, are_a_snapshot_that_outlives_the_arena) {
  ArenaStatistics s;
  {
    ArenaOptions options;
    options.label = "a label that is too long for the small string";
    Arena<Host> arena(options);
    arena.allocate(1);
    s = arena.statistics();
    arena.allocate(1);
  }
  EXPECT_EQ(s.total_allocations, 1u);
  EXPECT_EQ(s.label, "a label that is too long for the small string");
}

TEST(statistics, print_what_an_arena_gives) {
  ArenaOptions options;
  options.label = "printed";
  Arena<Host> arena(options);
  arena.allocate(100);
  std::ostringstream text;
  text << arena.statistics();
  EXPECT_EQ(text.str(),
            "arena \"printed\": 128 B of 64.0 KiB used, peak 128 B\n"
            "  1 allocation\n"
            "  1 block, 1 upstream allocation (64.0 KiB)");
}

}  // namespace
