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

// ----------------------------------------- what the base space gave in scopes

using HostView = Kokkos::View<double*, Host>;

ArenaOptions that_counts(char const* label = "counting") {
  ArenaOptions options;
  options.label         = label;
  options.escape_policy = KokkosArena::EscapePolicy::warn;
  return options;
}

TEST(statistics, count_what_the_base_space_gives_in_scopes) {
  Arena<Host> arena(that_counts());
  HostView const before("before", 10);
  {
    ArenaScope const scope(arena);
    View const drawn("drawn", 10);
    for (int i = 0; i < 3; ++i) HostView const host("small", 10);
    HostView const large("large", 1000);
    Kokkos::View<double**, Kokkos::DefaultHostExecutionSpace> const
        by_execution_space("by execution space", 20, 20);
  }
  HostView const after("after", 10);
  auto const s = arena.statistics();
  EXPECT_EQ(s.base_space_allocations, 5u);
  ASSERT_EQ(s.largest_base_space_allocations.size(), 3u);
  auto const& largest = s.largest_base_space_allocations;
  EXPECT_EQ(largest[0].label, "large");
  EXPECT_EQ(largest[0].count, 1u);
  EXPECT_EQ(largest[0].bytes, 8000u);
  EXPECT_EQ(largest[1].label, "by execution space");
  EXPECT_EQ(largest[1].bytes, 3200u);
  EXPECT_EQ(largest[2].label, "small");
  EXPECT_EQ(largest[2].count, 3u);
  EXPECT_EQ(largest[2].bytes, 240u);
  std::ostringstream text;
  text << s;
  EXPECT_NE(text.str().find("5 allocations of the base space in its scopes: "
                            "\"large\" (1, 7.8 KiB), \"by execution space\" "
                            "(1, 3.1 KiB), \"small\" (3, 240 B)"),
            std::string::npos)
      << text.str();
}

TEST(statistics, name_the_five_labels_of_the_base_space_with_most_bytes) {
  Arena<Host> arena(that_counts());
  ArenaScope const scope(arena);
  for (std::size_t i = 1; i <= 8; ++i) {
    HostView const host("label " + std::to_string(i), 10 * i);
  }
  auto const s = arena.statistics();
  EXPECT_EQ(s.base_space_allocations, 8u);
  ASSERT_EQ(s.largest_base_space_allocations.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(s.largest_base_space_allocations[i].label,
              "label " + std::to_string(8 - i));
  }
}

TEST(statistics, name_the_largest_of_the_base_space_behind_many_small_ones) {
  Arena<Host> arena(that_counts());
  ArenaScope const scope(arena);
  for (int i = 0; i < 1200; ++i) {
    HostView const host("label " + std::to_string(i), 10);
  }
  HostView const large("large", 1000), small("small", 1);
  auto const s = arena.statistics();
  EXPECT_EQ(s.base_space_allocations, 1202u);
  ASSERT_EQ(s.largest_base_space_allocations.size(), 5u);
  EXPECT_EQ(s.largest_base_space_allocations[0].label, "large");
  EXPECT_EQ(s.largest_base_space_allocations[0].bytes, 8000u);
}

TEST(statistics, count_the_base_space_in_the_innermost_scope) {
  Arena<Host> outer(that_counts()), inner(that_counts()), silent;
  ArenaScope const outer_scope(outer);
  HostView const a("a", 1);
  {
    ArenaScope const scope(inner);
    HostView const b("b", 1), c("c", 1);
  }
  {
    ArenaScope const scope(silent);
    HostView const d("d", 1);
  }
  // Another space's scope lies between.
  Arena<CountingSpace> other;
  ArenaScope const other_scope(other);
  HostView const e("e", 1);
  EXPECT_EQ(outer.statistics().base_space_allocations, 2u);
  EXPECT_EQ(inner.statistics().base_space_allocations, 2u);
  EXPECT_EQ(silent.statistics().base_space_allocations, 0u);
}

TEST(statistics, say_that_nothing_was_drawn_in_cycles) {
  ArenaOptions options;
  options.label = "unused";
  Arena<Host> arena(options);
  for (int i = 0; i < 2; ++i) {
    ArenaScope const scope(arena);
    HostView const host("host", 10);
    arena.reset();
  }
  std::ostringstream text;
  text << arena.statistics();
  EXPECT_NE(text.str().find("nothing was drawn from it; "
                            "KOKKOS_ARENA_ESCAPE_POLICY=collect shows"),
            std::string::npos)
      << text.str();
  arena.allocate(1);
  text.str("");
  text << arena.statistics();
  EXPECT_EQ(text.str().find("nothing was drawn"), std::string::npos);
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
