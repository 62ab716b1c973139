// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A process that is forked while other threads are in the middle of using
// arenas: the child has one thread, and arenas that work.
#include <KokkosArena_TestConfig.hpp>

#if defined(__linux__)

#include <KokkosArena_TestChild.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::InvalidViewAccess;
using KokkosArena::Locked;
using KokkosArena::make_view;
using KokkosArena::ThreadCached;

using Plain   = Kokkos::View<int*, KokkosArena::ScopedSpace<Host>>;
using Checked = Kokkos::View<int*, KokkosArena::CheckedSpace<Host>>;

#define KOKKOSARENA_TEST_NEEDS_FORK()                                 \
  if (is_thread_sanitized)                                            \
  GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads " \
                  "when its parent had some"

template <class ViewType>
ViewType filled(std::size_t n, std::uint64_t seed) {
  auto const view = make_view<ViewType>("view", n);
  fill_pattern(view, seed);
  return view;
}

/// \brief Makes and drops Views and raw memory. \return Whether all was right.
template <class ViewType, class A>
bool use(A& arena, std::uint64_t seed) {
  ArenaScope const scope(arena);
  bool right = true;
  for (std::size_t const n : {10u, 300u, 5000u, 40u}) {
    auto const a = filled<ViewType>(n, seed);
    auto const b = filled<ViewType>(n + 7, seed + 1);
    right        = right && has_pattern(a, seed) && has_pattern(b, seed + 1);
    // Which the frame of another thread would drop.
    if constexpr (std::is_same_v<ViewType, Plain>) {
      auto* const raw = static_cast<unsigned char*>(arena.allocate(n));
      raw[n - 1]      = 1;
      arena.deallocate(raw);
    }
  }
  return right;
}

/// Threads that run f(thread) again and again while this exists.
class Busy {
 public:
  Busy(int threads, std::function<void(int)> const& f) : m_started(threads) {
    for (int t = 0; t < threads; ++t) {
      m_threads.emplace_back([this, f, t] {
        f(t);
        m_started.count_down();
        // relaxed: a flag, and nothing else is handed over by it.
        while (!m_stop.load(std::memory_order_relaxed)) f(t);
      });
    }
    m_started.wait();
  }
  Busy(Busy const&)            = delete;
  Busy& operator=(Busy const&) = delete;
  ~Busy() {
    m_stop.store(true, std::memory_order_relaxed);
    for (auto& thread : m_threads) thread.join();
  }

 private:
  std::latch m_started;
  std::atomic<bool> m_stop{false};
  std::vector<std::thread> m_threads;
};

/// \brief Forks again and again, and has each child run f().
/// \return How many children were right, hung, or something else.
struct Outcome {
  int right = 0, hung = 0, wrong = 0, code = 0;
};
template <class F>
Outcome fork_often(int forks, F const& f) {
  Outcome result;
  for (int i = 0; i < forks; ++i) {
    auto const code = code_in_child(f, 20);
    if (code == 0) {
      ++result.right;
    } else if (code == 1014) {
      // One is enough, and each takes its time.
      ++result.hung;
      if (result.hung > 2) break;
    } else {
      ++result.wrong;
      result.code = code;
    }
  }
  return result;
}
#define KOKKOSARENA_TEST_EXPECT_RIGHT(outcome, forks)                 \
  {                                                                   \
    auto const o = outcome;                                           \
    EXPECT_EQ(o.right, forks) << o.hung << " hung, " << o.wrong       \
                              << " went wrong, with code " << o.code; \
  }

constexpr int forks = is_sanitized ? 20 : 60;

// ------------------------------------------------------- one kind at a time

template <class Sync>
class fork_of_threads : public ::testing::Test {};
using Policies = ::testing::Types<Locked, ThreadCached>;
TYPED_TEST_SUITE(fork_of_threads, Policies, SyncName);

TYPED_TEST(fork_of_threads, leaves_the_child_an_arena_that_works) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  Arena<Host, TypeParam> arena(labelled("forked"));
  constexpr int threads = 4;
  std::vector<Plain> kept(threads + 1);
  auto const keep = [&](int i) {
    auto& view = kept[static_cast<std::size_t>(i)];
    if (view.data()) return;
    ArenaScope const scope(arena);
    view = filled<Plain>(200, static_cast<std::uint64_t>(i));
  };
  keep(threads);
  {
    Busy const busy(threads, [&](int t) {
      keep(t);
      use<Plain>(arena, static_cast<std::uint64_t>(t));
      if (t == 0) static_cast<void>(arena.statistics());
    });
    auto const all_kept = [&] {
      for (std::size_t i = 0; i < kept.size(); ++i) {
        if (!has_pattern(kept[i], i)) return false;
      }
      return true;
    };
    auto const in_child = [&] {
      if (!all_kept()) return 1;
      if (arena.statistics().live_allocations < kept.size()) return 2;
      for (int i = 0; i < 20; ++i) {
        if (!use<Plain>(arena, 17)) return 3;
        if (i % 5 == 4) arena.reset();
      }
      if (!all_kept()) return 4;
      // They get the slots, and what goes with these, of the parent's threads.
      std::atomic<int> right{0};
      std::vector<std::thread> team;
      for (std::uint64_t t = 0; t < threads; ++t) {
        team.emplace_back([&, t] {
          bool all = true;
          for (int i = 0; i < 20; ++i) all = use<Plain>(arena, t) && all;
          right += all;
        });
      }
      for (auto& thread : team) thread.join();
      if (right != threads) return 5;
      if (!all_kept()) return 6;
      arena.reset();
      for (auto& view : kept) view = {};
      arena.release();
      return all_kept() ? 0 : 7;
    };
    KOKKOSARENA_TEST_EXPECT_RIGHT(fork_often(forks, in_child), forks);
  }
  kept.clear();
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TEST(fork_of_threads_with_checked_views, leaves_the_child_an_arena_that_works) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  Arena<Host> arena(labelled("forked"));
  Checked kept;
  {
    ArenaScope const scope(arena);
    kept = filled<Checked>(1000, 3);
  }
  Busy const busy(4, [&](int t) {
    ArenaFrame const frame(arena);
    use<Checked>(arena, static_cast<std::uint64_t>(t));
  });
  auto const in_child = [&] {
    if (!has_pattern(kept, 3)) return 1;
    for (int i = 0; i < 20; ++i) {
      ArenaFrame const frame(arena);
      if (!use<Checked>(arena, 17)) return 2;
    }
    if (arena.statistics().live_allocations == 0) return 3;
    if (!has_pattern(kept, 3)) return 4;
    arena.reset();
    try {
      kept(0) = 1;
      return 5;
    } catch (InvalidViewAccess const&) {
    }
    return use<Checked>(arena, 17) ? 0 : 6;
  };
  KOKKOSARENA_TEST_EXPECT_RIGHT(fork_often(forks, in_child), forks);
}

std::string content(std::filesystem::path const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}
std::size_t count_of(std::string const& part, std::string const& text) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(fork_of_threads_with_a_trace, leaves_it_to_the_parent) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  auto const path = std::filesystem::temp_directory_path() /
                    ("kokkos_arena_fork_" + std::to_string(getpid()) + ".json");
  {
    auto options  = labelled("traced");
    options.trace = path.string();
    Arena<Host> arena(options);
    Busy const busy(4, [&](int t) {
      use<Plain>(arena, static_cast<std::uint64_t>(t));
      use<Checked>(arena, static_cast<std::uint64_t>(t));
    });
    auto const in_child = [&] {
      for (int i = 0; i < 20; ++i) {
        if (!use<Plain>(arena, 17) || !use<Checked>(arena, 17)) return 1;
      }
      arena.reset();
      Arena<Host> another(options);
      return use<Plain>(another, 17) ? 0 : 2;
    };
    KOKKOSARENA_TEST_EXPECT_RIGHT(fork_often(forks / 3, in_child), forks / 3);
  }
  auto const text = content(path);
  std::filesystem::remove(path);
  ASSERT_GT(text.size(), 4u);
  EXPECT_EQ(text.substr(text.size() - 3), "\n]\n");
  EXPECT_EQ(count_of("\n]\n", text), 1u);
  EXPECT_EQ(count_of("\"pid\":", text),
            count_of("\"pid\":" + std::to_string(getpid()) + ",", text));
}

// --------------------------------------------------------------- all at once

TEST(fork_of_threads_with_all, leaves_the_child_arenas_that_work) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  Arena<Host, Locked> locked(labelled("locked"));
  Arena<Host, ThreadCached> cached(labelled("cached"));
  Arena<Host, ThreadCached> checked(labelled("checked"));
  Busy const busy(4, [&](int t) {
    auto const seed = static_cast<std::uint64_t>(t);
    use<Plain>(locked, seed);
    use<Plain>(cached, seed);
    use<Checked>(checked, seed);
    if (t == 0) {
      // Arenas, stores and threads that come and go.
      Arena<Host> brief(labelled("brief"));
      use<Plain>(brief, seed);
      use<Checked>(brief, seed);
    }
    if (t == 1) {
      std::thread([&] { use<Plain>(cached, seed); }).join();
    }
  });
  auto const in_child = [&] {
    for (int i = 0; i < 10; ++i) {
      if (!use<Plain>(locked, 17)) return 1;
      if (!use<Plain>(cached, 17)) return 2;
      if (!use<Checked>(checked, 17)) return 3;
      Arena<Host> brief(labelled("brief"));
      if (!use<Plain>(brief, 17) || !use<Checked>(brief, 17)) return 4;
    }
    static_cast<void>(locked.statistics());
    static_cast<void>(cached.statistics());
    static_cast<void>(checked.statistics());
    locked.reset();
    cached.reset();
    checked.reset();
    return 0;
  };
  KOKKOSARENA_TEST_EXPECT_RIGHT(fork_often(forks, in_child), forks);
}

// Two threads that fork wait for each other, and children fork as well.
TEST(fork_of_threads_with_all, may_be_called_by_several_threads) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  Arena<Host> arena(labelled("forked"));
  std::atomic<int> right{0};
  constexpr int each   = 15;
  auto const fork_each = [&] {
    for (int i = 0; i < each; ++i) {
      right += code_in_child(
                   [&] {
                     if (!use<Plain>(arena, 17)) return 1;
                     return code_in_child(
                         [&] { return use<Checked>(arena, 17) ? 0 : 2; }, 20);
                   },
                   20) == 0;
    }
  };
  std::thread other(fork_each);
  fork_each();
  other.join();
  EXPECT_EQ(right, 2 * each);
}

// ------------------------------------------------------------- the small print

// Scopes of threads that the child doesn't have are not open there.
TEST(fork_in_a_child, arena_ends_that_another_thread_had_a_scope_on) {
  KOKKOSARENA_TEST_NEEDS_FORK();
  auto arena = std::make_unique<Arena<Host>>(labelled("with scope"));
  std::latch opened(1), forked(1);
  std::thread other([&] {
    ArenaScope const scope(*arena);
    opened.count_down();
    forked.wait();
  });
  opened.wait();
  EXPECT_EQ(code_in_child(
                [&] {
                  arena.reset();
                  return 0;
                },
                20),
            0);
  forked.count_down();
  other.join();
}

// That of the thread that forks is.
TEST(fork_in_a_child, own_scope_goes_on) {
  Arena<Host> arena(labelled("with scope"));
  ArenaScope const scope(arena);
  auto const kept = filled<Plain>(100, 1);
  EXPECT_EQ(code_in_child(
                [&] {
                  auto const more = filled<Plain>(100, 2);
                  auto const s    = arena.statistics();
                  return has_pattern(kept, 1) && s.live_allocations == 2 ? 0
                                                                         : 1;
                },
                20),
            0);
}

/// Forks when it ends, in the middle of what ends it.
struct Forking {
  int* code          = nullptr;
  Arena<Host>* arena = nullptr;
  ~Forking() {
    if (!code) return;
    *code = code_in_child(
        [&] {
          return use<Checked>(*arena, 5) && use<Plain>(*arena, 5) ? 0 : 1;
        },
        20);
    code = nullptr;
  }
};

TEST(fork_in_a_child, may_come_from_an_element_that_ends) {
  Arena<Host> arena(labelled("re-entered"));
  int code = -1;
  {
    ArenaScope const scope(arena);
    auto const view =
        make_view<Kokkos::View<Forking*, KokkosArena::CheckedSpace<Host>>>("v",
                                                                           1);
    new (view.data()) Forking;
    view.data()->code  = &code;
    view.data()->arena = &arena;
    view.data()->~Forking();
    EXPECT_EQ(code, 0);
  }
  ArenaScope const scope(arena);
  EXPECT_TRUE(use<Checked>(arena, 6));
}

}  // namespace

#endif
