// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host threads that share a Locked arena, or have one each.
#include <KokkosArena_TestConfig.hpp>

#include <array>
#include <thread>
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

}  // namespace
