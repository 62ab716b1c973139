// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How large an arena becomes, and what it does when its upstream fails.
#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <functional>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;

constexpr std::size_t MiB = std::size_t(1) << 20;

template <class C>
struct growth : WithUpstream<MadeUpSpace> {
  using Tested = typename C::template arena_type<MadeUpSpace>;
};
TYPED_TEST_SUITE(growth, Growing, ConfigName);

/// What one cycle allocates and frees; the same for the same seed.
template <class A>
void random_cycle(A& arena, std::uint64_t seed, std::size_t alignments) {
  Random random(seed);
  auto const operations = 5 + random.below(200);
  auto const largest    = std::size_t(1) << (6 + random.below(15));
  std::vector<void*> held;
  for (std::size_t i = 0; i < operations; ++i) {
    if (!held.empty() && random.below(3) == 0) {
      std::swap(held.back(), held[random.below(held.size())]);
      arena.deallocate(held.back());
      held.pop_back();
    } else {
      held.push_back(arena.allocate(
          random.below(largest), std::size_t(64) << random.below(alignments)));
    }
  }
}

TYPED_TEST(growth, repeated_cycle_needs_one_block_after_the_second_reset) {
  typename TestFixture::Tested arena;
  auto const cycle = [&] {
    for (std::size_t i = 1; i <= 50; ++i) arena.allocate(i * 10000);
  };
  cycle();
  EXPECT_GT(arena.statistics().blocks, 1u);
  arena.reset();
  cycle();
  arena.reset();
  auto const requests = MadeUpSpace::log().requests.size();
  for (int i = 0; i < 20; ++i) {
    cycle();
    EXPECT_EQ(arena.statistics().blocks, 1u);
    arena.reset();
    EXPECT_EQ(arena.statistics().blocks, 1u);
  }
  EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
}

TYPED_TEST(growth, random_cycle_needs_one_block_after_the_second_reset) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    typename TestFixture::Tested arena;
    for (int i = 0; i < 2; ++i) {
      random_cycle(arena, seed, 1);
      arena.reset();
    }
    auto const requests = MadeUpSpace::log().requests.size();
    for (int i = 0; i < 5; ++i) {
      random_cycle(arena, seed, 1);
      EXPECT_EQ(arena.statistics().blocks, 1u);
      arena.reset();
    }
    EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
  }
}

TYPED_TEST(growth, random_cycle_of_aligned_needs_one_block_likewise) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    typename TestFixture::Tested arena;
    for (int i = 0; i < 2; ++i) {
      random_cycle(arena, seed, 7);
      arena.reset();
    }
    auto const requests = MadeUpSpace::log().requests.size();
    for (int i = 0; i < 5; ++i) {
      random_cycle(arena, seed, 7);
      EXPECT_EQ(arena.statistics().blocks, 1u);
      arena.reset();
    }
    EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
  }
}

TYPED_TEST(growth, cycle_that_needs_more_in_one_block_than_in_several_does) {
  // Several blocks leave other holes than a single one: 16 MiB at once where
  // each lies in a block of its own, 19 MiB where all lie in one.
  typename TestFixture::Tested arena;
  auto const cycle = [&] {
    auto* const first  = arena.allocate(MiB);
    auto* const second = arena.allocate(2 * MiB);
    arena.deallocate(first);
    auto* const third = arena.allocate(5 * MiB);
    arena.deallocate(second);
    arena.allocate(11 * MiB);
    arena.deallocate(third);
  };
  cycle();
  arena.reset();
  cycle();
  arena.reset();
  auto const requests = MadeUpSpace::log().requests.size();
  cycle();
  EXPECT_EQ(arena.statistics().blocks, 1u);
  EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
}

TYPED_TEST(growth, number_of_blocks_grows_with_the_logarithm) {
  typename TestFixture::Tested arena;
  for (int i = 0; i < 100000; ++i) arena.allocate(1000);
  EXPECT_LT(arena.statistics().blocks, 16u);
}

TYPED_TEST(growth, larger_cycle_makes_a_larger_block) {
  typename TestFixture::Tested arena;
  std::uint64_t capacity = 0;
  for (std::size_t bytes = MiB; bytes <= 64 * MiB; bytes *= 2) {
    for (int i = 0; i < 3; ++i) {
      arena.allocate(bytes / 2);
      arena.allocate(bytes / 2);
      arena.reset();
    }
    auto const s = arena.statistics();
    EXPECT_EQ(s.blocks, 1u);
    EXPECT_GE(s.capacity_bytes, bytes);
    EXPECT_LE(s.capacity_bytes, bytes + bytes / 10 + 64);
    EXPECT_GT(s.capacity_bytes, capacity);
    capacity = s.capacity_bytes;
  }
}

TYPED_TEST(growth, slightly_larger_cycles_fit_into_the_same_block) {
  typename TestFixture::Tested arena;
  for (int i = 0; i < 2; ++i) {
    arena.allocate(10 * MiB);
    arena.allocate(10 * MiB);
    arena.reset();
  }
  auto const requests = MadeUpSpace::log().requests.size();
  for (std::size_t i = 0; i < 10; ++i) {
    arena.allocate(20 * MiB + i * MiB / 10);
    arena.reset();
  }
  EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
}

TYPED_TEST(growth, arena_shrinks_when_the_last_cycles_are_below_half) {
  for (std::size_t history : {1, 2, 5, 9}) {
    SCOPED_TRACE(history);
    typename TestFixture::Tested arena(ArenaOptions{.history_length = history});
    for (int i = 0; i < 3; ++i) {
      arena.allocate(60 * MiB);
      arena.reset();
    }
    auto const large = arena.statistics().capacity_bytes;
    for (std::size_t i = 0; i < history; ++i) {
      EXPECT_EQ(arena.statistics().capacity_bytes, large) << i;
      arena.allocate(10 * MiB);
      arena.reset();
    }
    arena.allocate(10 * MiB);
    arena.reset();
    EXPECT_LE(arena.statistics().capacity_bytes, 11 * MiB + 64);
    EXPECT_GE(arena.statistics().capacity_bytes, 10 * MiB);
  }
}

TYPED_TEST(growth, arena_keeps_its_size_for_cycles_above_half) {
  typename TestFixture::Tested arena;
  for (int i = 0; i < 2; ++i) {
    arena.allocate(20 * MiB);
    arena.reset();
  }
  auto const requests = MadeUpSpace::log().requests.size();
  for (int i = 0; i < 30; ++i) {
    arena.allocate(i % 2 ? 11 * MiB : 15 * MiB);
    arena.reset();
  }
  EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
}

TYPED_TEST(growth, empty_cycles_change_nothing) {
  typename TestFixture::Tested arena;
  for (int i = 0; i < 2; ++i) {
    arena.allocate(20 * MiB);
    arena.reset();
  }
  auto const before   = arena.statistics();
  auto const requests = MadeUpSpace::log().requests.size();
  for (int i = 0; i < 30; ++i) arena.reset();
  auto after = arena.statistics();
  EXPECT_EQ(after.resets, before.resets + 30);
  after.resets = before.resets;
  EXPECT_EQ(figures(after), figures(before));
  arena.allocate(20 * MiB);
  EXPECT_EQ(MadeUpSpace::log().requests.size(), requests);
}

TYPED_TEST(growth, arena_never_shrinks_below_its_initial_bytes) {
  typename TestFixture::Tested arena(ArenaOptions{.initial_bytes = 8 * MiB});
  for (int i = 0; i < 20; ++i) {
    arena.allocate(100);
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().capacity_bytes, 8 * MiB);
  EXPECT_EQ(MadeUpSpace::log().requests.size(), 1u);
}

TYPED_TEST(growth, bounded_arena_grows_up_to_its_maximum) {
  typename TestFixture::Tested arena(ArenaOptions{.maximum_bytes = 10 * MiB});
  for (int cycle = 0; cycle < 5; ++cycle) {
    std::size_t count = 0;
    try {
      for (;; ++count) {
        arena.allocate(MiB / 4);
        EXPECT_LE(MadeUpSpace::log().live_bytes(), 10 * MiB);
      }
    } catch (ArenaExhausted const&) {
    }
    EXPECT_EQ(count, 40u) << cycle;
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().blocks, 1u);
}

TYPED_TEST(growth, empty_blocks_of_a_bounded_arena_make_way_for_a_large_one) {
  typename TestFixture::Tested arena(ArenaOptions{.maximum_bytes = 10 * MiB});
  arena.deallocate(arena.allocate(6 * MiB));
  EXPECT_NE(arena.allocate(9 * MiB), nullptr);
  EXPECT_LE(MadeUpSpace::log().live_bytes(), 10 * MiB);
}

TYPED_TEST(growth, failing_upstream_leaves_the_arena_as_it_was) {
  typename TestFixture::Tested arena;
  auto* const first = arena.allocate(1000);
  auto const before = figures(arena.statistics());
  for (std::size_t bytes : {std::size_t(200000), MiB, 100 * MiB}) {
    MadeUpSpace::log().fail_above = 0;
    EXPECT_THROW(arena.allocate(bytes), ArenaExhausted);
    EXPECT_EQ(figures(arena.statistics()), before);
  }
  EXPECT_NE(arena.allocate(0), nullptr);  // there is room for this one
  MadeUpSpace::log().fail_above = unlimited;
  EXPECT_NE(arena.allocate(MiB), nullptr);
  arena.deallocate(first);
}

TYPED_TEST(growth, bounded_arena_gives_up_an_empty_block_for_a_larger_one) {
  typename TestFixture::Tested arena(ArenaOptions{.maximum_bytes = 10 * MiB});
  arena.deallocate(arena.allocate(6 * MiB));
  // It can't have both, so that it gives back before it asks.
  MadeUpSpace::log().fail_above = 9 * MiB;
  EXPECT_NO_THROW(arena.allocate(9 * MiB));
  EXPECT_LE(MadeUpSpace::log().live_bytes(), 10 * MiB);
}

TYPED_TEST(growth, upstream_that_fails_once_does_no_harm) {
  for (std::size_t n = 0; n < 30; ++n) {
    SCOPED_TRACE(n);
    MadeUpSpace::log() = UpstreamLog{};
    typename TestFixture::Tested arena;
    MadeUpSpace::log().fail_request = n;
    for (int cycle = 0; cycle < 4; ++cycle) {
      for (std::size_t i = 1; i < 20; ++i) {
        auto const before = figures(arena.statistics());
        try {
          arena.allocate(i * 30000);
        } catch (ArenaExhausted const&) {
          EXPECT_EQ(figures(arena.statistics()), before);
          EXPECT_NO_THROW(arena.allocate(i * 30000));
        }
      }
      arena.reset();
    }
    EXPECT_EQ(arena.statistics().blocks, 1u);
  }
}

TYPED_TEST(growth, exact_size_is_tried_where_the_generous_one_fails) {
  typename TestFixture::Tested arena;
  arena.allocate(10 * MiB);
  MadeUpSpace::log().fail_above = 8 * MiB;
  auto const requests           = MadeUpSpace::log().requests.size();
  EXPECT_NE(arena.allocate(4 * MiB), nullptr);
  auto const& all = MadeUpSpace::log().requests;
  ASSERT_EQ(all.size(), requests + 2);
  EXPECT_GT(all[requests], 8 * MiB);
  EXPECT_EQ(all[requests + 1], 4 * MiB);
}

TYPED_TEST(growth, message_of_a_failing_upstream_quotes_it) {
  typename TestFixture::Tested arena;
  MadeUpSpace::log().fail_above = 0;
  std::string message;
  try {
    arena.allocate(12345);
  } catch (std::bad_alloc const& e) {
    message = e.what();
  }
  EXPECT_NE(message.find("the mock refuses"), std::string::npos) << message;
  EXPECT_NE(message.find("12345"), std::string::npos) << message;
}

TYPED_TEST(growth, every_upstream_request_is_counted) {
  typename TestFixture::Tested arena;
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    random_cycle(arena, seed, 3);
    auto const s = arena.statistics();
    EXPECT_EQ(s.upstream_allocations, MadeUpSpace::log().allocations);
    EXPECT_EQ(s.blocks, MadeUpSpace::log().live.size());
    EXPECT_EQ(s.capacity_bytes, MadeUpSpace::log().live_bytes());
    std::size_t sum = 0;
    for (auto const bytes : MadeUpSpace::log().requests) sum += bytes;
    EXPECT_EQ(s.upstream_bytes, sum);
    arena.reset();
  }
}

}  // namespace
