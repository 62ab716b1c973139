// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The timeline of an arena: that the file is one array of JSON, in which all
// that the arena did is found once.

#include <KokkosArena_HostSpaceAdoption.hpp>
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTeam.hpp>
#include <KokkosArena_TestTraceFile.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

namespace {

using namespace KokkosArenaTest;
using Vector = Kokkos::View<double*, Scoped>;

/// The event of a View that is alive at a reset.
constexpr char const* outliving = is_checked ? "escape" : "survivor";

template <class C>
class trace : public ::testing::Test {
 protected:
  using arena_type = typename C::template arena_type<Host>;
  KokkosArena::ArenaOptions options(std::string path) const {
    auto result  = C::options(std::size_t(4) << 20);
    result.trace = std::move(path);
    return result;
  }
};
TYPED_TEST_SUITE(trace, All, ConfigName);

/// Some of everything that doesn't depend on the number of threads.
template <class ArenaType>
KokkosArena::ArenaStatistics work(ArenaType& arena) {
  for (int cycle = 0; cycle < 5; ++cycle) {
    Vector kept;
    {
      KokkosArena::ArenaScope const scope(arena);
      Vector const a("a", 100);
      auto const b = KokkosArena::make_view<Vector>("b", 20'000);
      fill_pattern(b, 7);
      {
        KokkosArena::ArenaFrame const frame(arena);
        arena.allocate(64);
        Vector const c("c", 3000);
      }
      auto const d = KokkosArena::similar(a);
      if (!is_checked && cycle == 2) kept = d;
      EXPECT_TRUE(has_pattern(b, 7));
    }
    auto* const raw = arena.allocate(1000);
    arena.allocate(0);
    arena.deallocate(raw);
    arena.reset();
  }
  return arena.statistics();
}

TYPED_TEST(trace, has_all_that_happened) {
  TemporaryFile const file;
  std::uint64_t escaped = 0;
  {
    typename TestFixture::arena_type arena(this->options(file.path()));
    escaped = work(arena).escaped_views;
  }
  auto const events = file.events();
  // Views a, b, c, d and three raw allocations in each cycle.
  expect_pairs(events, 5 * 7);
  // similar() keeps the label.
  EXPECT_EQ(count(events, "b", "a"), 10u);
  EXPECT_EQ(count(events, "b", "b"), 5u);
  EXPECT_EQ(count(events, "b", "c"), 5u);
  EXPECT_EQ(count(events, "b", "untracked"), 15u);
  EXPECT_EQ(count(events, "i", "reset"), 5u);
  EXPECT_EQ(count(events, "i", "rewind"), 5u);
  EXPECT_EQ(count(events, "i", "arena made"), 1u);
  EXPECT_EQ(count(events, "i", "arena ended"), 1u);
  EXPECT_EQ(count(events, "i", outliving), escaped);
  EXPECT_GE(count(events, "i", "block taken"), 1u);
  EXPECT_EQ(count(events, "i", "block taken"),
            count(events, "i", "block returned"));
  EXPECT_GE(count(events, "C",
                  is_checked ? "arena tested arena, checked memory"
                             : "arena tested arena"),
            10u);
  for (auto const& e : events) {
    EXPECT_EQ(e["pid"].number, static_cast<double>(::getpid()));
    EXPECT_EQ(e["tid"].number, static_cast<double>(::getpid()));
    if (e["ph"].text == "b" && e["name"].text == "b") {
      EXPECT_GE(e["args"]["bytes"].number, 160'000.0);
      EXPECT_EQ(e["args"]["arena"].text, "tested arena");
    }
  }
}

TYPED_TEST(trace, changes_no_figure) {
  using sync = typename TypeParam::sync_policy;
  // Which has no chunks then, so that it is as Locked.
  using reference_config =
      std::conditional_t<std::is_same_v<sync, KokkosArena::ThreadCached>,
                         Config<KokkosArena::Locked, TypeParam::is_fixed>,
                         TypeParam>;
  TemporaryFile const file;
  typename TestFixture::arena_type traced(this->options(file.path()));
  typename reference_config::template arena_type<Host> plain(this->options(""));
  EXPECT_EQ(figures(work(traced)), figures(work(plain)));
}

TYPED_TEST(trace, views_outlive_the_arena) {
  TemporaryFile const file;
  {
    Vector kept;
    {
      typename TestFixture::arena_type arena(this->options(file.path()));
      KokkosArena::ArenaScope const scope(arena);
      kept = KokkosArena::make_view<Vector>("kept", 10);
    }
  }
  auto const events = file.events();
  expect_pairs(events, 1);
  EXPECT_EQ(count(events, "i", outliving), 1u);
}

TYPED_TEST(trace, exhaustion_leaves_the_file_whole) {
  if (!TypeParam::is_fixed) GTEST_SKIP();
  TemporaryFile const file;
  {
    typename TestFixture::arena_type arena(this->options(file.path()));
    EXPECT_THROW(arena.allocate(std::size_t(1) << 30),
                 KokkosArena::ArenaExhausted);
  }
  EXPECT_EQ(count(file.events(), "i", "exhausted"), 1u);
}

TYPED_TEST(trace, shows_views_that_outlive_a_reset) {
  TemporaryFile const file;
  {
    typename TestFixture::arena_type arena(this->options(file.path()));
    Vector kept;
    {
      KokkosArena::ArenaScope const scope(arena);
      kept = KokkosArena::make_view<Vector>("kept", 10);
    }
    arena.reset();
    kept = {};
  }
  auto const events = file.events();
  expect_pairs(events, 1);
  EXPECT_EQ(count(events, "i", outliving), 1u);
  for (auto const& e : events) {
    if (e["name"].text == outliving) {
      EXPECT_EQ(e["args"]["label"].text, "kept");
      EXPECT_GE(e["args"]["bytes"].number, 80.0);
    }
  }
}

TYPED_TEST(trace, shows_adopted_memory) {
  TemporaryFile const file;
  {
    typename TestFixture::arena_type arena(this->options(file.path()));
    KokkosArena::HostSpaceAdoption const adoption(arena);
    for (int i = 0; i < 3; ++i) {
      Kokkos::View<double*, Host> const view("view", 1000);
    }
  }
  auto const events = file.events();
  expect_pairs(events, 3);
  for (auto const& e : events) {
    if (e["ph"].text != "b") continue;
    EXPECT_GE(e["args"]["bytes"].number, 8000.0);
  }
}

template <class C>
class trace_of_kernels : public trace<C> {};
TYPED_TEST_SUITE(trace_of_kernels, Shared, ConfigName);

TYPED_TEST(trace_of_kernels, shows_handles) {
  TemporaryFile const file;
  {
    typename TestFixture::arena_type arena(this->options(file.path()));
    auto const handle = arena.handle();
    Kokkos::parallel_for(
        Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, 10),
        [=](int i) { handle.template view<double*>(i + 1)(i) = 1; });
    arena.reset();
  }
  expect_pairs(file.events(), 10);
}

template <class Sync>
void run_threads() {
  TemporaryFile const file;
  constexpr int threads = 4;
  constexpr int views   = 300;
  {
    KokkosArena::ArenaOptions options;
    options.trace = file.path();
    KokkosArena::Arena<Host, Sync> arena(options);
    std::vector<std::thread> team;
    for (int t = 0; t < threads; ++t) {
      team.emplace_back([&, t] {
        KokkosArena::ArenaScope const scope(arena);
        std::vector<Vector> mine;
        for (int i = 0; i < views; ++i) {
          mine.push_back(KokkosArena::make_view<Vector>(
              "thread" + std::to_string(t), 1 + i % 50));
          fill_pattern(mine.back(), static_cast<std::uint64_t>(1000 * t + i));
          arena.deallocate(arena.allocate(128));
        }
        for (int i = 0; i < views; ++i) {
          EXPECT_TRUE(has_pattern(mine[static_cast<std::size_t>(i)],
                                  static_cast<std::uint64_t>(1000 * t + i)));
        }
      });
    }
    for (auto& thread : team) thread.join();
  }
  auto const events = file.events();
  expect_pairs(events, 2 * threads * views);
  std::map<std::string, std::set<double>> ids;
  for (auto const& e : events) {
    if (e["cat"].text == "view") ids[e["name"].text].insert(e["tid"].number);
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(threads));
  for (auto const& [label, tids] : ids) EXPECT_EQ(tids.size(), 1u) << label;
  EXPECT_EQ(count(events, "M", "thread_name"),
            static_cast<std::size_t>(threads) + 1);
}

TEST(trace_threads, locked) { run_threads<KokkosArena::Locked>(); }
TEST(trace_threads, thread_cached) { run_threads<KokkosArena::ThreadCached>(); }

// An exception that nobody throws ends such a thread; it must not begin below
// what can't throw, nor leave a line in pieces.
TEST(trace_threads, that_are_cancelled_end_and_leave_the_file_whole) {
  TemporaryFile const file;
  Random random(1);
  {
    KokkosArena::ArenaOptions options;
    options.trace = file.path();
    KokkosArena::Arena<Host> arena(options);
    for (int wave = 0; wave < 10; ++wave) {
      std::vector<std::thread> team;
      for (int t = 0; t < 4; ++t) {
        // Some are nearly always in the middle of a write when they look.
        int const views = t % 2 == 0 ? 500 : 5;
        team.emplace_back([&arena, views] {
          for (;;) {
            {
              KokkosArena::ArenaScope const scope(arena);
              Vector kept;
              for (int i = 0; i < views; ++i) {
                kept    = KokkosArena::make_view<Vector>("of a thread", 100);
                kept(0) = i;
              }
              pthread_testcancel();
            }
            pthread_testcancel();
          }
        });
      }
      for (auto& thread : team) {
        std::this_thread::sleep_for(
            std::chrono::microseconds(random.below(2000)));
        EXPECT_EQ(pthread_cancel(thread.native_handle()), 0);
      }
      for (auto& thread : team) thread.join();
    }
    EXPECT_EQ(arena.statistics().live_allocations, 0u);
  }
  auto const events = file.events();
  auto const begun  = static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(),
                     [](Json const& e) { return e["ph"].text == "b"; }));
  EXPECT_GT(begun, 1000u);
  expect_pairs(events, begun);
}

TEST(trace_environment, is_used_where_the_option_is_empty) {
  TemporaryFile const file, other;
  {
    TraceEnvironment const environment(file.path());
    KokkosArena::ArenaOptions options;
    options.trace = other.path();
    KokkosArena::Arena<Host> asked(options);
    KokkosArena::Arena<Host> silent;
    silent.allocate(1);
  }
  expect_pairs(file.events(), 1);
  expect_pairs(other.events(), 0);
}

}  // namespace
