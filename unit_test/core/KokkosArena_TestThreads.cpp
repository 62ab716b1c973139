// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host threads that share a Locked arena, or have one each.
#include <KokkosArena_TestConfig.hpp>

#include <array>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaScope;
using KokkosArena::Locked;
using KokkosArena::make_view;
using KokkosArena::Unsynchronized;

using View = Kokkos::View<int*, Scoped>;

constexpr int rounds = 5000;

/// Makes and drops Views in a scope on the arena.
/// \return Whether each kept its contents until it was dropped.
template <class A>
bool make_and_drop(A& arena, std::uint64_t seed) {
  ArenaScope const scope(arena);
  Random random(seed);
  std::vector<std::pair<View, std::uint64_t>> held;
  bool intact     = true;
  auto const drop = [&](std::size_t i) {
    std::swap(held[i], held.back());
    intact = intact && has_pattern(held.back().first, held.back().second);
    held.pop_back();
  };
  for (int i = 0; i < rounds; ++i) {
    if (held.size() < 30 && random.below(2)) {
      held.emplace_back(make_view<View>("v", random.below(300)), random());
      fill_pattern(held.back().first, held.back().second);
    } else if (!held.empty()) {
      drop(random.below(held.size()));
    }
  }
  while (!held.empty()) drop(held.size() - 1);
  return intact;
}

/// Runs \c f(0) and \c f(1) at the same time. \return Whether both say true.
template <class F>
bool by_two_threads(F const& f) {
  std::array<bool, 2> result{};
  std::thread first([&] { result[0] = f(0); });
  std::thread second([&] { result[1] = f(1); });
  first.join();
  second.join();
  return result[0] && result[1];
}

TEST(locked_arena, serves_two_threads_at_once) {
  Arena<Host, Locked> arena;
  EXPECT_TRUE(by_two_threads(
      [&](std::uint64_t thread) { return make_and_drop(arena, thread + 1); }));
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_GT(s.total_allocations, std::uint64_t(rounds) / 2);
}

TEST(locked_arena, counts_every_allocation_of_two_threads) {
  Arena<Host, Locked> arena;
  by_two_threads([&](int) {
    for (int i = 0; i < rounds; ++i) arena.deallocate(arena.allocate(100));
    return true;
  });
  EXPECT_EQ(arena.statistics().total_allocations, 2u * rounds);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(locked_arena, takes_back_what_another_thread_drops) {
  Arena<Host, Locked> arena;
  std::vector<View> views;
  {
    ArenaScope const scope(arena);
    for (int i = 0; i < 100; ++i) views.emplace_back("v", 100);
  }
  std::thread([&] { views.clear(); }).join();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(locked_arena, keeps_views_that_another_thread_holds_over_resets) {
  Arena<Host, Locked> arena;
  EXPECT_TRUE(by_two_threads([&](int thread) {
    if (thread == 0) return make_and_drop(arena, 3);
    for (int i = 0; i < 500; ++i) arena.reset();
    return true;
  }));
  EXPECT_EQ(arena.statistics().resets, 500u);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  arena.reset();
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
}

TEST(unsynchronized_arena, serves_each_thread_that_has_its_own) {
  EXPECT_TRUE(by_two_threads([](std::uint64_t thread) {
    Arena<Host, Unsynchronized> arena;
    bool const intact = make_and_drop(arena, thread + 1);
    return intact && arena.statistics().used_bytes == 0 &&
           arena.statistics().total_allocations > 0;
  }));
}

TEST(unsynchronized_arena, may_be_handed_from_thread_to_thread) {
  Arena<Host, Unsynchronized> arena;
  std::vector<View> views;
  for (std::uint64_t turn = 0; turn < 4; ++turn) {
    std::thread([&] {
      EXPECT_TRUE(make_and_drop(arena, turn + 1));
      // Some of these end on the next thread.
      ArenaScope const scope(arena);
      views.resize(turn);
      views.push_back(make_view<View>("v", 100));
      arena.deallocate(arena.allocate(100));
    }).join();
  }
  views.clear();
  arena.reset();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(unsynchronized_arena, serves_on_after_an_error) {
  Arena<Host, Unsynchronized> arena(6400);
  EXPECT_THROW(arena.allocate(6401), KokkosArena::ArenaExhausted);
  EXPECT_THROW(arena.allocate(64, 3), std::invalid_argument);
  EXPECT_THROW(arena.deallocate(&arena), std::invalid_argument);
  EXPECT_NE(arena.allocate(6400), nullptr);
}

/// Each dies in a program of its own, with Kokkos initialised afresh.
struct unsynchronized_arena_death_test : WithUpstream<CountingSpace> {
  unsynchronized_arena_death_test() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }

  /// Another thread calls the arena while this one waits for its memory space.
  template <class F>
  static void meet(F const& f) {
    KokkosArena::ArenaOptions options;
    options.label = "met in";
    Arena<CountingSpace, Unsynchronized> arena(options);
    CountingSpace::log().during_request = [&] {
      std::thread([&] { f(arena); }).join();
    };
    arena.allocate(100);
  }
};

#if defined(KOKKOSARENA_ENABLE_DEBUG)
constexpr char const* where_threads_meet =
    "arena \"met in\" is Unsynchronized.*Locked or ThreadCached, or give each "
    "thread an arena of its own";

TEST_F(unsynchronized_arena_death_test, allocate_during_allocate_aborts) {
  EXPECT_DEATH(meet([](auto& arena) { arena.allocate(100); }),
               where_threads_meet);
}

TEST_F(unsynchronized_arena_death_test, statistics_during_allocate_abort) {
  EXPECT_DEATH(meet([](auto& arena) { arena.statistics(); }),
               where_threads_meet);
}

TEST_F(unsynchronized_arena_death_test, reset_during_allocate_aborts) {
  EXPECT_DEATH(meet([](auto& arena) { arena.reset(); }), where_threads_meet);
}

TEST_F(unsynchronized_arena_death_test, view_during_allocate_aborts) {
  EXPECT_DEATH(meet([](auto& arena) {
                 KokkosArena::ScopedSpace<CountingSpace>(arena).allocate(100);
               }),
               where_threads_meet);
}
#else
TEST_F(unsynchronized_arena_death_test, threads_that_meet_abort) {
  GTEST_SKIP() << "only found out with KokkosArena_ENABLE_DEBUG";
}

TEST(unsynchronized_arena, pays_for_no_lock) {
  EXPECT_TRUE(std::is_empty_v<Unsynchronized::mutex_type>);
}
#endif

}  // namespace
