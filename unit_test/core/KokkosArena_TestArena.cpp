// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an arena hands out by itself, without Views. The upstream's addresses
// are made up: that it works shows that no arena looks at its memory.
#include <KokkosArena_TestConfig.hpp>

#include <cstring>
#include <set>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;

constexpr std::size_t MiB = std::size_t(1) << 20;

template <class C>
struct arena_raw : WithUpstream<MadeUpSpace> {
  using Tested = typename C::template arena_type<MadeUpSpace>;
};
TYPED_TEST_SUITE(arena_raw, All, ConfigName);

TYPED_TEST(arena_raw, allocate_aligns_to_the_power_of_two_asked_for) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    for (std::size_t bytes : {0, 1, 63, 64, 65, 1000}) {
      auto const address = address_of(arena.allocate(bytes, alignment));
      EXPECT_NE(address, 0u);
      EXPECT_EQ(address % alignment, 0u) << alignment;
      EXPECT_EQ(address % 64, 0u) << alignment;
    }
  }
}

TYPED_TEST(arena_raw, allocate_gives_disjoint_ranges) {
  typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
  Random random(1);
  std::map<std::uintptr_t, std::uintptr_t> ranges;
  for (int i = 0; i < 500; ++i) {
    auto const bytes = random.below(4000);
    auto const begin =
        address_of(arena.allocate(bytes, std::size_t(1) << random.below(12)));
    auto const end  = begin + std::max<std::size_t>(bytes, 1);
    auto const next = ranges.lower_bound(begin);
    if (next != ranges.end()) {
      EXPECT_LE(end, next->first);
    }
    if (next != ranges.begin()) {
      EXPECT_LE(std::prev(next)->second, begin);
    }
    ranges[begin] = end;
  }
  EXPECT_EQ(ranges.size(), 500u);
}

TYPED_TEST(arena_raw, allocations_of_zero_bytes_are_distinct) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  std::set<void*> all;
  for (int i = 0; i < 100; ++i) all.insert(arena.allocate(0));
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(all.count(nullptr), 0u);
  for (auto* const address : all) arena.deallocate(address);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TYPED_TEST(arena_raw, used_bytes_return_to_zero_when_freed_newest_first) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  std::vector<void*> all;
  std::vector<std::uint64_t> used;
  for (std::size_t i = 0; i < 50; ++i) {
    used.push_back(arena.statistics().used_bytes);
    all.push_back(arena.allocate(i * 37, i % 3 ? 64 : 1024));
  }
  for (std::size_t i = 50; i-- > 0;) {
    arena.deallocate(all[i]);
    EXPECT_EQ(arena.statistics().used_bytes, used[i]);
  }
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TYPED_TEST(arena_raw, newest_bytes_come_back_at_once) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(100);
  auto* const first = arena.allocate(1000);
  for (int i = 0; i < 1000; ++i) {
    arena.deallocate(first);
    EXPECT_EQ(arena.allocate(1000), first);
  }
  EXPECT_LT(arena.statistics().used_bytes, 2000u);
}

TYPED_TEST(arena_raw, used_bytes_return_to_zero_in_any_order_of_frees) {
  typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> all;
    for (std::size_t i = 0; i < 60; ++i) {
      all.push_back(arena.allocate(random.below(3000), std::size_t(64)
                                                           << random.below(4)));
    }
    for (; !all.empty(); all.pop_back()) {
      std::swap(all.back(), all[random.below(all.size())]);
      arena.deallocate(all.back());
    }
    EXPECT_EQ(arena.statistics().used_bytes, 0u);
  }
}

TYPED_TEST(arena_raw, thousands_are_distinct_in_each_of_several_cycles) {
  typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
  constexpr std::size_t count = 5000;
  for (int cycle = 0; cycle < 4; ++cycle) {
    auto const mark = arena.mark();
    std::set<void*> all;
    for (std::size_t i = 0; i < count; ++i) all.insert(arena.allocate(64));
    EXPECT_EQ(all.size(), count);
    EXPECT_EQ(arena.statistics().used_bytes, count * 64);
    if (cycle % 2) {
      arena.rewind(mark);
    } else {
      arena.reset();
    }
    EXPECT_EQ(arena.statistics().used_bytes, 0u);
  }
  EXPECT_EQ(arena.statistics().total_allocations, 4 * count);
}

TYPED_TEST(arena_raw, a_hole_in_the_middle_is_used_again) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(1000);
  auto* const middle = arena.allocate(4096);
  arena.allocate(1000);
  auto const used = arena.statistics().used_bytes;
  arena.deallocate(middle);
  EXPECT_EQ(arena.statistics().used_bytes, used);  // holes included
  EXPECT_EQ(arena.allocate(4096), middle);
  EXPECT_EQ(arena.statistics().used_bytes, used);
}

TYPED_TEST(arena_raw, neighbouring_holes_join) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  std::vector<void*> all;
  for (int i = 0; i < 5; ++i) all.push_back(arena.allocate(1024));
  for (int i : {1, 3, 2}) arena.deallocate(all[static_cast<std::size_t>(i)]);
  EXPECT_EQ(arena.allocate(3 * 1024), all[1]);
}

TYPED_TEST(arena_raw, gaps_before_aligned_allocations_are_used) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const first   = arena.allocate(64);
  auto* const aligned = arena.allocate(64, 4096);
  auto* const small   = arena.allocate(64);
  EXPECT_LT(small, aligned);
  EXPECT_GT(small, first);
}

TYPED_TEST(arena_raw, untracked_bytes_count_as_used_but_not_as_live) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(1000);
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.total_allocations, 1u);
  EXPECT_GE(s.used_bytes, 1000u);
  EXPECT_LT(s.used_bytes, 1064u);
  EXPECT_GE(s.capacity_bytes, s.used_bytes);
  EXPECT_EQ(s.blocks, 1u);
  EXPECT_EQ(s.upstream_allocations, 1u);
  EXPECT_EQ(s.upstream_bytes, MadeUpSpace::log().live_bytes());
}

TYPED_TEST(arena_raw, peak_bytes_keep_the_largest_used_bytes) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const address = arena.allocate(100000);
  arena.deallocate(address);
  arena.allocate(10);
  EXPECT_GE(arena.statistics().peak_bytes, 100000u);
  EXPECT_LT(arena.statistics().used_bytes, 100000u);
  arena.reset();
  EXPECT_GE(arena.statistics().peak_bytes, 100000u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TYPED_TEST(arena_raw, deallocate_ignores_null) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto const before = figures(arena.statistics());
  arena.deallocate(nullptr);
  EXPECT_EQ(figures(arena.statistics()), before);
}

TYPED_TEST(arena_raw, deallocate_throws_on_what_is_not_its_own) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  typename TestFixture::Tested other(TypeParam::options(MiB));
  auto* const mine    = static_cast<char*>(arena.allocate(1000));
  auto* const foreign = other.allocate(1000);
  auto const before   = figures(arena.statistics());
  EXPECT_THROW(arena.deallocate(foreign), std::invalid_argument);
  EXPECT_THROW(arena.deallocate(mine + 64), std::invalid_argument);
  int on_the_stack = 0;
  EXPECT_THROW(arena.deallocate(&on_the_stack), std::invalid_argument);
  EXPECT_EQ(figures(arena.statistics()), before);
  arena.deallocate(mine);
}

TYPED_TEST(arena_raw, deallocate_throws_the_second_time) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const first = arena.allocate(1000);
  auto* const last  = arena.allocate(1000);
  arena.allocate(1000);
  arena.deallocate(first);
  EXPECT_THROW(arena.deallocate(first), std::invalid_argument);
  arena.deallocate(last);
  EXPECT_THROW(arena.deallocate(last), std::invalid_argument);
}

TYPED_TEST(arena_raw, deallocate_throws_on_what_was_dropped) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const by_reset = arena.allocate(100);
  arena.reset();
  EXPECT_THROW(arena.deallocate(by_reset), std::invalid_argument);
  auto const mark       = arena.mark();
  auto* const by_rewind = arena.allocate(100);
  arena.rewind(mark);
  EXPECT_THROW(arena.deallocate(by_rewind), std::invalid_argument);
  auto* const by_release = arena.allocate(100);
  arena.release();
  EXPECT_THROW(arena.deallocate(by_release), std::invalid_argument);
}

TYPED_TEST(arena_raw, alignment_that_is_no_power_of_two_throws) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(100);
  auto const before = figures(arena.statistics());
  for (std::size_t alignment : {0, 3, 65, 96, 4095}) {
    EXPECT_THROW(arena.allocate(10, alignment), std::invalid_argument)
        << alignment;
  }
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_NE(arena.allocate(100), nullptr);
}

TYPED_TEST(arena_raw, impossible_sizes_throw_and_change_nothing) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto const expect_unchanged = [&] {
    auto const before = figures(arena.statistics());
    for (std::size_t alignment : {std::size_t(1), std::size_t(4096),
                                  std::size_t(1) << 40, std::size_t(1) << 63}) {
      for (std::size_t missing :
           {0, 1, 62, 63, 64, 65, 127, 128, 129, 4095, 4096, 5000, 65536}) {
        EXPECT_THROW(arena.allocate(unlimited - missing, alignment),
                     ArenaExhausted)
            << missing << ' ' << alignment;
      }
    }
    EXPECT_EQ(figures(arena.statistics()), before);
  };
  MadeUpSpace::log().fail_above = 64 * MiB;
  {
    SCOPED_TRACE("nothing was allocated yet");
    expect_unchanged();
  }
  auto* const first = arena.allocate(1000);
  {
    SCOPED_TRACE("something is allocated");
    expect_unchanged();
  }
  arena.deallocate(first);
  {
    SCOPED_TRACE("all was given back");
    expect_unchanged();
  }
  EXPECT_EQ(arena.allocate(1000), first);
}

TYPED_TEST(arena_raw, mark_and_rewind_drop_what_came_between) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(1000);
  auto const mark   = arena.mark();
  auto const used   = arena.statistics().used_bytes;
  auto* const first = arena.allocate(500);
  for (int i = 0; i < 20; ++i) arena.allocate(500);
  arena.rewind(mark);
  EXPECT_EQ(arena.statistics().used_bytes, used);
  EXPECT_EQ(arena.allocate(500), first);
}

TYPED_TEST(arena_raw, marks_nest) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto const outer      = arena.mark();
  auto const outer_used = arena.statistics().used_bytes;
  arena.allocate(1000);
  auto const inner      = arena.mark();
  auto const inner_used = arena.statistics().used_bytes;
  arena.allocate(1000);
  arena.rewind(inner);
  EXPECT_EQ(arena.statistics().used_bytes, inner_used);
  arena.allocate(2000);
  arena.rewind(inner);  // a mark may be used again
  EXPECT_EQ(arena.statistics().used_bytes, inner_used);
  arena.rewind(outer);
  EXPECT_EQ(arena.statistics().used_bytes, outer_used);
  arena.rewind(inner);  // nothing is left to drop
  EXPECT_EQ(arena.statistics().used_bytes, outer_used);
}

TYPED_TEST(arena_raw, rewind_keeps_what_was_there_before_the_mark) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const hole = arena.allocate(1000);
  auto* const kept = arena.allocate(1000);
  arena.deallocate(hole);
  auto const mark = arena.mark();
  EXPECT_EQ(arena.allocate(1000), hole);  // newer, at a lower address
  arena.rewind(mark);
  EXPECT_EQ(arena.allocate(1000), hole);
  EXPECT_NE(arena.allocate(1000), kept);
  arena.deallocate(kept);
}

TYPED_TEST(arena_raw, rewind_to_a_mark_before_a_reset_drops_what_came_after) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  arena.allocate(1000);
  auto const mark = arena.mark();
  arena.allocate(1000);
  arena.reset();
  arena.allocate(3000);
  arena.rewind(mark);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TYPED_TEST(arena_raw, rewind_to_a_foreign_mark_throws) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  typename TestFixture::Tested other(TypeParam::options(MiB));
  arena.allocate(1000);
  auto const before = figures(arena.statistics());
  EXPECT_THROW(arena.rewind(other.mark()), std::invalid_argument);
  EXPECT_EQ(figures(arena.statistics()), before);
}

TYPED_TEST(arena_raw, reset_starts_again_at_the_same_address) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  auto* const first = arena.allocate(1000);
  arena.allocate(2000, 4096);
  arena.reset();
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_EQ(arena.statistics().resets, 1u);
  EXPECT_EQ(arena.allocate(1000), first);
  EXPECT_EQ(MadeUpSpace::log().allocations, 1u);
}

TYPED_TEST(arena_raw, release_gives_everything_back_and_the_arena_goes_on) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  for (int i = 0; i < 10; ++i) arena.allocate(50000);
  arena.release();
  auto const s = arena.statistics();
  EXPECT_EQ(s.capacity_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.blocks, 0u);
  EXPECT_EQ(s.retired_blocks, 0u);
  EXPECT_TRUE(MadeUpSpace::log().live.empty());
  arena.release();
  for (int i = 0; i < 10; ++i) EXPECT_NE(arena.allocate(50000), nullptr);
}

TYPED_TEST(arena_raw, statistics_carry_the_label) {
  typename TestFixture::Tested arena(TypeParam::options(MiB));
  EXPECT_EQ(arena.label(), "tested arena");
  EXPECT_EQ(arena.statistics().label, "tested arena");
}

TYPED_TEST(arena_raw, end_gives_everything_back) {
  {
    typename TestFixture::Tested arena(TypeParam::options(MiB));
    for (int i = 0; i < 10; ++i) arena.allocate(50000);
    EXPECT_FALSE(MadeUpSpace::log().live.empty());
  }
  EXPECT_TRUE(MadeUpSpace::log().live.empty());
}

template <class C>
struct arena_fixed : WithUpstream<MadeUpSpace, MisalignedSpace> {
  using Tested = typename C::template arena_type<MadeUpSpace>;
};
TYPED_TEST_SUITE(arena_fixed, Fixed, ConfigName);

TYPED_TEST(arena_fixed, takes_its_bytes_at_once_and_never_more) {
  typename TestFixture::Tested arena(std::size_t(100000));
  EXPECT_EQ(MadeUpSpace::log().allocations, 1u);
  EXPECT_GE(arena.statistics().capacity_bytes, 100000u);
  EXPECT_LT(arena.statistics().capacity_bytes, 100064u);
  std::size_t count = 0;
  try {
    for (;; ++count) arena.allocate(1000);
  } catch (ArenaExhausted const&) {
  }
  EXPECT_EQ(count, 97u);  // of 1024 bytes each
  for (int cycle = 0; cycle < 5; ++cycle) {
    arena.reset();
    for (std::size_t i = 0; i < count; ++i) arena.allocate(1000);
    EXPECT_THROW(arena.allocate(1000), ArenaExhausted);
    EXPECT_EQ(MadeUpSpace::log().live_bytes(),
              arena.statistics().capacity_bytes);
  }
  EXPECT_EQ(MadeUpSpace::log().allocations, 1u);
}

TYPED_TEST(arena_fixed, can_be_filled_to_the_last_byte) {
  typename TestFixture::Tested arena(std::size_t(64 * 1000));
  arena.allocate(64 * 999);
  arena.allocate(64);
  EXPECT_THROW(arena.allocate(0), ArenaExhausted);
  EXPECT_EQ(arena.statistics().used_bytes, 64 * 1000u);
}

TYPED_TEST(arena_fixed, exhaustion_changes_nothing_and_the_next_fits) {
  typename TestFixture::Tested arena(std::size_t(100000));
  auto const expect_unchanged = [&](std::size_t bytes) {
    auto const before   = figures(arena.statistics());
    auto const requests = MadeUpSpace::log().requests.size();
    EXPECT_THROW(arena.allocate(bytes), ArenaExhausted);
    EXPECT_EQ(figures(arena.statistics()), before);
    EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
  };
  {
    SCOPED_TRACE("an empty arena");
    expect_unchanged(100065);
  }
  auto* const first = arena.allocate(50000);
  {
    SCOPED_TRACE("an arena in use");
    expect_unchanged(60000);
  }
  EXPECT_NE(arena.allocate(40000), nullptr);
  arena.reset();
  {
    SCOPED_TRACE("an arena after a reset");
    expect_unchanged(100065);
  }
  EXPECT_EQ(arena.allocate(50000), first);
  EXPECT_EQ(MadeUpSpace::log().allocations, 1u);
}

TYPED_TEST(arena_fixed, takes_its_bytes_again_after_release) {
  typename TestFixture::Tested arena(std::size_t(100000));
  arena.release();
  arena.allocate(90000);
  EXPECT_THROW(arena.allocate(90000), ArenaExhausted);
  EXPECT_LT(MadeUpSpace::log().live_bytes(), 100064u);
}

TYPED_TEST(arena_fixed, construction_fails_where_the_upstream_does) {
  MadeUpSpace::log().fail_above = 1000;
  EXPECT_THROW(typename TestFixture::Tested(std::size_t(100000)),
               ArenaExhausted);
}

TYPED_TEST(arena_fixed, an_unaligned_upstream_is_never_overrun) {
  using Tested = typename TypeParam::template arena_type<MisalignedSpace>;
  Tested arena(std::size_t(64 * 100));
  auto const [begin, bytes] = *MisalignedSpace::log().live.begin();
  std::size_t count         = 0;
  try {
    for (;; ++count) {
      auto const address = address_of(arena.allocate(64));
      EXPECT_EQ(address % 64, 0u);
      EXPECT_GE(address, address_of(begin));
      EXPECT_LE(address + 64, address_of(begin) + bytes);
    }
  } catch (ArenaExhausted const&) {
  }
  EXPECT_GE(count, 99u);
  EXPECT_LE(MisalignedSpace::log().live_bytes(), 64 * 100u);
}

struct arena : WithUpstream<MadeUpSpace, MisalignedSpace> {};

TEST_F(arena, growing_on_an_unaligned_upstream_serves_every_size) {
  Arena<MisalignedSpace> tested;
  std::size_t i = 0;
  for (std::size_t bytes = 1; bytes < 8 * MiB; bytes += bytes / 3 + 1) {
    for (std::size_t alignment : {64, 256, 4096}) {
      auto const before = tested.statistics();
      void* address     = nullptr;
      EXPECT_NO_THROW(address = tested.allocate(bytes, alignment))
          << bytes << ' ' << alignment << ' ' << before;
      EXPECT_EQ(address_of(address) % alignment, 0u);
      if (++i % 7 == 0) tested.release();
    }
  }
}

TEST_F(arena, takes_no_memory_before_the_first_allocation) {
  Arena<MadeUpSpace> tested;
  EXPECT_EQ(tested.statistics().capacity_bytes, 0u);
  EXPECT_EQ(MadeUpSpace::log().requests.size(), 0u);
}

TEST_F(arena, takes_initial_bytes_at_once) {
  Arena<MadeUpSpace> tested(ArenaOptions{.initial_bytes = 5 * MiB});
  EXPECT_EQ(MadeUpSpace::log().live_bytes(), 5 * MiB);
  for (int i = 0; i < 5; ++i) tested.allocate(MiB);
  EXPECT_EQ(tested.statistics().upstream_allocations, 1u);
  tested.allocate(MiB);
  EXPECT_EQ(tested.statistics().upstream_allocations, 2u);
}

TEST_F(arena, senseless_options_throw_and_name_the_arena) {
  auto const message = [](ArenaOptions options) -> std::string {
    options.label = "odd one";
    try {
      Arena<MadeUpSpace> const tested(options);
    } catch (std::invalid_argument const& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  for (auto const& options :
       {ArenaOptions{.maximum_bytes = 0},
        ArenaOptions{.initial_bytes = 200, .maximum_bytes = 100},
        ArenaOptions{.history_length = 0}}) {
    EXPECT_NE(message(options).find("odd one"), std::string::npos)
        << message(options);
  }
  EXPECT_NE(message({.maximum_bytes = 0}).find("maximum_bytes"),
            std::string::npos);
  EXPECT_NE(message({.history_length = 0}).find("history_length"),
            std::string::npos);
  EXPECT_THROW(Arena<MadeUpSpace>(std::size_t(0)), std::invalid_argument);
}

TEST_F(arena, enormous_maximum_is_as_good_as_none) {
  for (std::size_t missing : {0, 1, 63, 64, 1000}) {
    Arena<MadeUpSpace> tested(
        ArenaOptions{.maximum_bytes = unlimited - missing});
    EXPECT_NE(tested.allocate(10 * MiB), nullptr);
  }
}

TEST_F(arena, is_tied_to_an_execution_space_instance) {
  Kokkos::DefaultHostExecutionSpace const instance;
  Arena<MadeUpSpace> grows(instance);
  Arena<MadeUpSpace> fixed(instance, std::size_t(1000));
  Arena<MadeUpSpace> said(instance, ArenaOptions{.label = "said"});
  EXPECT_NE(grows.allocate(1), nullptr);
  EXPECT_GE(fixed.statistics().capacity_bytes, 1000u);
  EXPECT_EQ(said.label(), "said");
}

TEST_F(arena, of_an_execution_space_or_device_is_one_of_its_memory_space) {
  using exec = Kokkos::DefaultHostExecutionSpace;
  static_assert(std::is_same_v<Arena<exec>::memory_space, exec::memory_space>);
  static_assert(std::is_same_v<
                Arena<Kokkos::Device<exec, Kokkos::HostSpace>>::memory_space,
                Kokkos::HostSpace>);
  static_assert(
      std::is_same_v<Arena<KokkosArena::ScopedSpace<Host>>::memory_space,
                     Host>);
  static_assert(
      std::is_same_v<Arena<KokkosArena::CheckedSpace<Host>>::memory_space,
                     Host>);
  static_assert(!std::is_copy_constructible_v<Arena<>>);
  static_assert(!std::is_move_constructible_v<Arena<>>);
  static_assert(!std::is_copy_assignable_v<Arena<>>);
  Arena<exec> tested;
  auto* const address = tested.allocate(1000);
  std::memset(address, 7, 1000);
  EXPECT_EQ(static_cast<unsigned char*>(address)[999], 7);
}

}  // namespace
