// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a sync policy for several threads owes its users, whatever its own way
// to share the memory out; and threads that have an arena each.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTeam.hpp>
#include <KokkosArena_TestTools.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaScope;
using KokkosArena::Locked;
using KokkosArena::make_view;
using KokkosArena::ThreadCached;
using KokkosArena::Unsynchronized;

constexpr std::size_t KiB = std::size_t(1) << 10;
constexpr std::size_t MiB = std::size_t(1) << 20;

/// Enough for eight threads, where the arena is fixed.
constexpr std::size_t arena_bytes = 16 * MiB;

/// A sanitizer needs fewer to see as much, and each takes longer.
constexpr int scaled(int count) { return is_sanitized ? count / 10 : count; }

/// What each thread makes in most tests.
constexpr int rounds = scaled(20000);

/// Hands things from thread to thread, at most so many at a time.
template <class T>
class Channel {
 public:
  explicit Channel(std::size_t most) : m_most(most) {}
  void put(T thing) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return m_things.size() < m_most; });
    m_things.push_back(std::move(thing));
    m_changed.notify_all();
  }
  T take() {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return !m_things.empty(); });
    T thing = std::move(m_things.front());
    m_things.pop_front();
    m_changed.notify_all();
    return thing;
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<T> m_things;
  std::size_t m_most;
};

// -------------------------------------------------------------- allocations

enum class Kind {
  view,         ///< By make_view.
  constructed,  ///< By View's own constructor.
  raw           ///< By allocate().
};

/// \brief Memory of an arena with contents of its own.
/// \pre The thread that makes it is in a scope on the arena.
template <class A>
class Allocation {
 public:
  Allocation(A& arena, Kind kind, std::size_t bytes, std::uint64_t seed)
      : m_arena(&arena), m_kind(kind), m_seed(seed) {
    if (kind == Kind::raw) {
      m_data = Data(static_cast<unsigned char*>(arena.allocate(bytes)), bytes);
    } else {
      m_view = kind == Kind::view ? make_view<View>("made", bytes)
                                  : View("constructed", bytes);
      m_data = m_view;
    }
    if (kind == Kind::constructed) {
      m_was_zero =
          std::all_of(m_data.data(), m_data.data() + bytes,
                      [](unsigned char element) { return element == 0; });
    }
    fill_pattern(m_data, seed);
  }
  bool is_intact() const { return m_was_zero && has_pattern(m_data, m_seed); }
  /// \brief Gives the memory back, once. \return Whether it was intact.
  bool drop() {
    bool const result = is_intact();
    if (m_kind == Kind::raw) m_arena->deallocate(m_data.data());
    m_view = View();
    return result;
  }
  /// \brief The same for a View that has seen a reset, a rewind or the end of
  /// its frame or arena: CheckedSpace knows then that it is invalid.
  bool drop_escaped() {
    if constexpr (!is_checked) return drop();
    bool is_known = false;
    try {
      (void)m_view(0);
    } catch (KokkosArena::InvalidViewAccess const&) {
      is_known = true;
    }
    m_view = View();
    return is_known;
  }

 private:
  using View = Kokkos::View<unsigned char*, Scoped>;
  using Data = Kokkos::View<unsigned char*, Host, Kokkos::MemoryUnmanaged>;

  A* m_arena;
  Kind m_kind;
  std::uint64_t m_seed;
  View m_view;
  Data m_data;
  bool m_was_zero = true;
};

template <class A>
using Allocations = std::vector<Allocation<A>>;

/// So many, of small and different sizes.
template <class A>
Allocations<A> make_some(A& arena, Kind kind, int count, std::uint64_t seed) {
  ArenaScope const scope(arena);
  Random random(seed);
  Allocations<A> result;
  result.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    result.emplace_back(arena, kind, 1 + random.below(1000), random());
  }
  return result;
}

template <class A>
bool are_intact(Allocations<A> const& all) {
  return std::all_of(all.begin(), all.end(),
                     [](auto const& one) { return one.is_intact(); });
}

/// The oldest first. \return Whether all were intact.
template <class A>
bool drop_all(Allocations<A>& all) {
  bool intact = true;
  for (auto& one : all) intact = one.drop() && intact;
  all.clear();
  return intact;
}

template <class A>
bool drop_all_escaped(Allocations<A>& all) {
  bool right = true;
  for (auto& one : all) right = one.drop_escaped() && right;
  all.clear();
  return right;
}

/// The newest first.
template <class A>
bool drop_all_backwards(Allocations<A>& all) {
  std::reverse(all.begin(), all.end());
  return drop_all(all);
}

/// \brief Makes as many Views as there are rounds and drops them, some early
/// and some late, and calls \c between in every hundredth round.
/// \return Whether each kept its contents.
template <class A, class F>
bool make_and_drop(A& arena, int seed, F const& between) {
  ArenaScope const scope(arena);
  Random random(static_cast<std::uint64_t>(seed));
  Allocations<A> held;
  bool intact          = true;
  auto const drop_some = [&](std::size_t left) {
    while (held.size() > left) {
      std::swap(held[random.below(held.size())], held.back());
      intact = held.back().drop() && intact;
      held.pop_back();
    }
  };
  for (int i = 0; i < rounds; ++i) {
    held.emplace_back(arena, random.below(4) ? Kind::view : Kind::constructed,
                      random.below(1200), random());
    drop_some(random.below(30));
    if (i % 100 == 50) between();
  }
  drop_some(0);
  return intact;
}
template <class A>
bool make_and_drop(A& arena, int seed) {
  return make_and_drop(arena, seed, [] {});
}

/// \brief Runs \c f again and again while each of the threads makes and drops
/// Views. \return How often.
template <class A, class F>
std::uint64_t while_views_come_and_go(A& arena, int threads, F const& f) {
  struct Departure {
    std::atomic<int>& present;
    ~Departure() { --present; }
  };
  std::atomic<int> present{threads};
  std::uint64_t times = 0;
  EXPECT_TRUE(at_once(threads + 1, [&](int t) {
    if (t < threads) {
      Departure const departure{present};
      return make_and_drop(arena, t + 1);
    }
    do {
      f();
      ++times;
      std::this_thread::yield();
    } while (present > 0);
    return true;
  }));
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  return times;
}

constexpr std::uint64_t made_by(int threads) {
  return static_cast<std::uint64_t>(threads) * rounds;
}

template <class A>
void expect_nothing_in_use(A const& arena) {
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.retired_blocks, 0u);
}

template <class A>
void expect_release_gives_all_back(A& arena) {
  arena.release();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_EQ(arena.statistics().retired_bytes, 0u);
}

template <class C>
struct sync_policy : ::testing::Test {
  using Arena = typename C::template arena_type<Host>;
  /// Of the arena, if only Views have used it.
  static constexpr auto blocks = blocks_with_views<C>();

  /// Runs f(arena, threads) for teams of all sizes, each with a new arena, in
  /// which it leaves nothing.
  template <class F>
  static void for_each_team(F const& f, std::size_t bytes = arena_bytes) {
    for (int const threads : team_sizes) {
      SCOPED_TRACE(threads);
      Arena arena(C::options(bytes));
      f(arena, threads);
      expect_nothing_in_use(arena);
      expect_release_gives_all_back(arena);
    }
  }
};
TYPED_TEST_SUITE(sync_policy, Shared, ConfigName);

// ------------------------------------------------------------- make and drop

TYPED_TEST(sync_policy, views_of_all_threads_keep_their_contents) {
  this->for_each_team([](auto& arena, int threads) {
    EXPECT_TRUE(
        at_once(threads, [&](int t) { return make_and_drop(arena, t + 1); }));
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, raw_allocations_of_all_threads_keep_their_contents) {
  this->for_each_team([](auto& arena, int threads) {
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (int i = 0; i < rounds / 10; ++i) {
        auto some = make_some(arena, Kind::raw, 10, made_by(t) + unsigned(i));
        intact = (i % 2 ? drop_all(some) : drop_all_backwards(some)) && intact;
      }
      return intact;
    }));
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

/// Mostly small, 100 KiB at most.
std::size_t mixed_bytes(Random& random) {
  auto const dice = random.below(100);
  return 1 + random.below(dice < 90 ? 256 : dice < 99 ? 4 * KiB : 100 * KiB);
}

TYPED_TEST(sync_policy, stress_with_frees_by_any_thread_loses_nothing) {
  using A = typename TestFixture::Arena;
  A arena(TypeParam::options(2 * arena_bytes));
  constexpr int threads    = 8;
  constexpr int per_thread = scaled(150'000);
  // Whoever puts an allocation into a slot drops the one that was there.
  std::vector<std::atomic<Allocation<A>*>> slots(256);
  auto const drop = [](Allocation<A>* one) {
    std::unique_ptr<Allocation<A>> const owner(one);
    return !owner || owner->drop();
  };
  EXPECT_TRUE(at_once(threads, [&](int t) {
    ArenaScope const scope(arena);
    Random random(static_cast<std::uint64_t>(t));
    bool intact = true;
    for (int i = 0; i < per_thread; ++i) {
      auto const kind = random.below(16) ? Kind::view : Kind::raw;
      auto one        = std::make_unique<Allocation<A>>(arena, kind,
                                                        mixed_bytes(random), random());
      if (random.below(2)) {
        intact = one->drop() && intact;
      } else {
        auto& slot = slots[random.below(slots.size())];
        intact     = drop(slot.exchange(one.release())) && intact;
      }
    }
    return intact;
  }));
  for (auto& slot : slots) EXPECT_TRUE(drop(slot.exchange(nullptr)));
  EXPECT_EQ(arena.statistics().total_allocations,
            std::uint64_t(threads) * per_thread);
  expect_nothing_in_use(arena);
  expect_release_gives_all_back(arena);
}

template <class Fixture>
void expect_bounded_if_others_drop(Kind kind) {
  using A = typename Fixture::Arena;
  Fixture::for_each_team(
      [=](A& arena, int pairs) {
        int const count = scaled(100'000) / pairs;
        std::vector<std::unique_ptr<Channel<Allocation<A>>>> channels;
        for (int i = 0; i < pairs; ++i) {
          channels.push_back(std::make_unique<Channel<Allocation<A>>>(64));
        }
        EXPECT_TRUE(at_once(2 * pairs, [&](int t) {
          auto& channel = *channels[static_cast<std::size_t>(t / 2)];
          ArenaScope const scope(arena);
          Random random(static_cast<std::uint64_t>(t));
          bool intact = true;
          for (int i = 0; i < count; ++i) {
            if (t % 2) {
              intact = channel.take().drop() && intact;
            } else {
              channel.put({arena, kind, 1 + random.below(1200), random()});
            }
          }
          return intact;
        }));
        auto const s = arena.statistics();
        EXPECT_EQ(s.total_allocations, static_cast<std::uint64_t>(pairs) *
                                           static_cast<std::uint64_t>(count));
        EXPECT_LE(s.capacity_bytes, Fixture::blocks * 4 * MiB);
      },
      4 * MiB);
}

TYPED_TEST(sync_policy, is_bounded_if_others_drop_the_views_that_some_make) {
  expect_bounded_if_others_drop<TestFixture>(Kind::view);
}
TYPED_TEST(sync_policy, is_bounded_if_others_free_what_some_allocate) {
  expect_bounded_if_others_drop<TestFixture>(Kind::raw);
}

TYPED_TEST(sync_policy, is_bounded_if_makers_are_idle_when_others_drop) {
  using A = typename TestFixture::Arena;
  this->for_each_team(
      [](A& arena, int threads) {
        // Each thread in turn makes, and its neighbour drops.
        Meeting meeting(threads);
        Allocations<A> all;
        EXPECT_TRUE(at_once(threads, [&](int t) {
          bool intact = true;
          for (int i = 0; i < 10 * threads; ++i) {
            meeting.wait();
            if (t == i % threads) all = make_some(arena, Kind::view, 500, 1);
            meeting.wait();
            if (t == (i + 1) % threads) intact = drop_all(all) && intact;
          }
          return intact;
        }));
        EXPECT_LE(arena.statistics().capacity_bytes,
                  TestFixture::blocks * 4 * MiB);
      },
      4 * MiB);
}

// ------------------------------------------------- reset, rewind and release

/// Nobody may use a View meanwhile that was made in CheckedSpace.
#define SKIP_IF_CHECKED() \
  if (is_checked) GTEST_SKIP() << "it drops CheckedSpace Views in use"

TYPED_TEST(sync_policy, reset_keeps_views_of_busy_threads) {
  SKIP_IF_CHECKED();
  this->for_each_team([](auto& arena, int threads) {
    auto const resets =
        while_views_come_and_go(arena, threads, [&] { arena.reset(); });
    EXPECT_EQ(arena.statistics().resets, resets);
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, reset_by_each_thread_keeps_views_of_all) {
  SKIP_IF_CHECKED();
  this->for_each_team([](auto& arena, int threads) {
    EXPECT_TRUE(at_once(threads, [&](int t) {
      return make_and_drop(arena, t + 1, [&] { arena.reset(); });
    }));
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, release_keeps_views_of_busy_threads) {
  SKIP_IF_CHECKED();
  this->for_each_team([](auto& arena, int threads) {
    while_views_come_and_go(arena, threads, [&] { arena.release(); });
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, rewind_keeps_views_of_busy_threads) {
  SKIP_IF_CHECKED();
  this->for_each_team([](auto& arena, int threads) {
    auto const rewinds = while_views_come_and_go(arena, threads, [&] {
      auto const mark = arena.mark();
      auto some       = make_some(arena, Kind::raw, 5, 1);
      EXPECT_TRUE(are_intact(some));
      arena.rewind(mark);
    });
    EXPECT_EQ(arena.statistics().total_allocations,
              made_by(threads) + 5 * rewinds);
  });
}

TYPED_TEST(sync_policy, frame_keeps_views_of_busy_threads) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    auto const frames = while_views_come_and_go(arena, threads, [&] {
      Allocations<A> escaped;
      {
        ArenaFrame const frame(arena);
        escaped = make_some(arena, Kind::view, 5, 1);
        EXPECT_TRUE(are_intact(make_some(arena, Kind::raw, 5, 2)));
      }
      EXPECT_TRUE(drop_all_escaped(escaped));
    });
    EXPECT_EQ(arena.statistics().total_allocations,
              made_by(threads) + 10 * frames);
  });
}

TYPED_TEST(sync_policy, frame_of_each_thread_keeps_views_of_all) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (int i = 0; i < rounds / 20; ++i) {
        Allocations<A> escaped;
        {
          ArenaFrame const frame(arena);
          auto some = make_some(arena, Kind::view, 10, made_by(t));
          escaped   = make_some(arena, Kind::view, 10, made_by(t) + 1);
          intact    = drop_all(some) && intact;
        }
        std::reverse(escaped.begin(), escaped.end());
        intact = drop_all_escaped(escaped) && intact;
      }
      return intact;
    }));
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, statistics_are_plausible_while_threads_are_busy) {
  this->for_each_team([](auto& arena, int threads) {
    std::uint64_t total = 0;
    while_views_come_and_go(arena, threads, [&] {
      auto const s = arena.statistics();
      // A few counts may be late, but none wraps around or runs backwards.
      EXPECT_LE(s.live_allocations, made_by(threads));
      EXPECT_LE(s.live_bytes, made_by(threads) * 2048);
      EXPECT_LE(s.used_bytes, s.capacity_bytes);
      EXPECT_GE(s.total_allocations, total);
      total = s.total_allocations;
    });
    EXPECT_EQ(arena.statistics().total_allocations, made_by(threads));
  });
}

TYPED_TEST(sync_policy, reset_drops_what_waiting_threads_hold_untracked) {
  this->for_each_team([](auto& arena, int threads) {
    Meeting meeting(threads);
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (unsigned cycle = 0; cycle < 5; ++cycle) {
        auto const raw = make_some(arena, Kind::raw, 100, made_by(t) + cycle);
        meeting.wait();
        intact = are_intact(raw) && intact;
        meeting.wait_for(t, [&] {
          arena.reset();
          expect_nothing_in_use(arena);
        });
      }
      return intact;
    }));
  });
}

TYPED_TEST(sync_policy, reset_drops_what_ended_threads_left_untracked) {
  this->for_each_team([](auto& arena, int threads) {
    for (int cycle = 0; cycle < 5; ++cycle) {
      at_once(threads, [&](int t) {
        make_some(arena, Kind::raw, 100, made_by(t));
        return true;
      });
      EXPECT_GT(arena.statistics().used_bytes, 0u);
      arena.reset();
      expect_nothing_in_use(arena);
    }
  });
}

TYPED_TEST(sync_policy, rewind_drops_what_waiting_threads_got_after_the_mark) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    Meeting meeting(threads);
    std::optional<KokkosArena::ArenaMark> mark;
    std::uint64_t used = 0;
    EXPECT_TRUE(at_once(threads, [&](int t) {
      auto older = make_some(arena, Kind::raw, 50, made_by(t));
      meeting.wait_for(t, [&] {
        mark = arena.mark();
        used = arena.statistics().used_bytes;
      });
      bool intact = true;
      for (unsigned i = 1; i < 5; ++i) {
        auto const newer = make_some(arena, Kind::raw, 50, made_by(t) + i);
        auto views       = make_some(arena, Kind::view, 20, made_by(t) + i);
        meeting.wait();
        intact = are_intact(newer) && intact;
        meeting.wait();
        if (t == threads - 1) arena.rewind(*mark);
        meeting.wait();
        intact = drop_all_escaped(views) && intact;
        meeting.wait_for(
            t, [&] { EXPECT_EQ(arena.statistics().used_bytes, used); });
      }
      return drop_all(older) && intact;
    }));
  });
}

TYPED_TEST(sync_policy, rewind_drops_what_ended_threads_got_after_the_mark) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    std::vector<Allocations<A>> older(static_cast<std::size_t>(threads));
    at_once(threads, [&](int t) {
      older[static_cast<std::size_t>(t)] =
          make_some(arena, Kind::raw, 50, made_by(t));
      return true;
    });
    std::optional<KokkosArena::ArenaMark> mark;
    std::thread([&] { mark = arena.mark(); }).join();
    auto const used = arena.statistics().used_bytes;
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(at_once(threads, [&](int t) {
        return are_intact(make_some(arena, Kind::raw, 100, made_by(t) + 1));
      }));
      std::thread([&] { arena.rewind(*mark); }).join();
      EXPECT_EQ(arena.statistics().used_bytes, used);
    }
    for (auto& some : older) EXPECT_TRUE(drop_all(some));
  });
}

TYPED_TEST(sync_policy, memory_after_a_reset_overlaps_no_view_of_any_thread) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    Meeting meeting(threads);
    EXPECT_TRUE(at_once(threads, [&](int t) {
      Allocations<A> kept;
      bool intact = true;
      for (unsigned cycle = 0; cycle < 5; ++cycle) {
        auto more = make_some(arena, Kind::view, 5, made_by(t) + cycle);
        auto temporaries =
            make_some(arena, Kind::view, 50, made_by(t) + 10 + cycle);
        std::move(more.begin(), more.end(), std::back_inserter(kept));
        intact = drop_all(temporaries) && intact;
        meeting.wait_for(t, [&] { arena.reset(); });
        auto fresh = make_some(arena, Kind::view, 50, made_by(t) + 20 + cycle);
        meeting.wait();
        if constexpr (!is_checked) intact = are_intact(kept) && intact;
        intact = drop_all(fresh) && intact;
      }
      return drop_all_escaped(kept) && intact;
    }));
    // Those in CheckedSpace are dropped by the first reset and for good.
    EXPECT_EQ(arena.statistics().escaped_views,
              static_cast<std::uint64_t>(threads) * 5 *
                  (is_checked ? 5 : 1 + 2 + 3 + 4 + 5));
  });
}

// ----------------------------------------------------- ends and new beginnings

TYPED_TEST(sync_policy, views_of_ended_threads_outlive_the_arena) {
  using A = typename TestFixture::Arena;
  for (int const threads : team_sizes) {
    SCOPED_TRACE(threads);
    ToolsObserver tools;
    std::vector<Allocations<A>> kept(static_cast<std::size_t>(threads));
    {
      A arena(TypeParam::options(arena_bytes));
      at_once(threads, [&](int t) {
        make_some(arena, Kind::raw, 20, 1);
        auto some = make_some(arena, Kind::view, 50, made_by(t));
        kept[static_cast<std::size_t>(t)] =
            make_some(arena, Kind::view, 50, made_by(t) + 1);
        return drop_all(some);
      });
    }
    if constexpr (is_checked) {
      EXPECT_EQ(tools.live_bytes("Host"), 0u);
    } else {
      EXPECT_GT(tools.live_bytes("Host"), 0u);
      for (auto const& some : kept) EXPECT_TRUE(are_intact(some));
    }
    // By others than have made them.
    EXPECT_TRUE(at_once(threads, [&](int t) {
      return drop_all_escaped(kept[static_cast<std::size_t>(threads - 1 - t)]);
    }));
    EXPECT_EQ(tools.live_bytes("Host"), 0u);
  }
}

TYPED_TEST(sync_policy, threads_outlive_arenas_and_meet_new_ones) {
  using A = typename TestFixture::Arena;
  for (int const threads : team_sizes) {
    SCOPED_TRACE(threads);
    ToolsObserver tools;
    // A new one is likely to be where one before it was.
    std::optional<A> arena;
    Meeting meeting(threads);
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      Allocations<A> kept;
      for (unsigned i = 0; i < 20; ++i) {
        meeting.wait_for(
            t, [&] { arena.emplace(TypeParam::options(arena_bytes)); });
        auto some = make_some(*arena, Kind::view, 20, made_by(t) + i);
        make_some(*arena, Kind::raw, 20, made_by(t) + i);
        // Every third arena keeps none of this thread's Views.
        if (i % 3 != unsigned(t) % 3) {
          intact = drop_all_escaped(kept) && intact;
          kept   = make_some(*arena, Kind::view, 5, made_by(t) + 50 + i);
        }
        intact = drop_all(some) && intact;
        meeting.wait_for(t, [&] { arena = std::nullopt; });
      }
      return drop_all_escaped(kept) && intact;
    }));
    EXPECT_EQ(tools.live_bytes("Host"), 0u);
  }
}

TYPED_TEST(sync_policy, threads_use_many_arenas_in_turn) {
  using A = typename TestFixture::Arena;
  std::vector<std::unique_ptr<A>> arenas;
  for (int i = 0; i < 40; ++i) {
    arenas.push_back(std::make_unique<A>(TypeParam::options(4 * MiB)));
  }
  EXPECT_TRUE(at_once(4, [&](int t) {
    bool intact = true;
    std::vector<Allocations<A>> kept(arenas.size());
    for (unsigned round = 0; round < 5; ++round) {
      for (std::size_t i = 0; i < arenas.size(); ++i) {
        intact  = drop_all(kept[i]) && intact;
        kept[i] = make_some(*arenas[i], Kind::view, 10, made_by(t) + round);
      }
    }
    for (auto& some : kept) intact = drop_all_backwards(some) && intact;
    return intact;
  }));
  for (auto const& arena : arenas) {
    expect_nothing_in_use(*arena);
    EXPECT_EQ(arena->statistics().total_allocations, 4u * 5 * 10);
    expect_release_gives_all_back(*arena);
  }
}

TYPED_TEST(sync_policy, threads_one_after_the_other_do_not_grow_the_arena) {
  typename TestFixture::Arena arena(TypeParam::options(arena_bytes));
  std::uint64_t capacity = 0;
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(at_once(1, [&](int) {
      auto some = make_some(arena, Kind::view, 50, 1);
      return i % 2 ? drop_all(some) : drop_all_backwards(some);
    }));
    expect_nothing_in_use(arena);
    if (i == 0) capacity = arena.statistics().capacity_bytes;
    EXPECT_EQ(arena.statistics().capacity_bytes, capacity) << i;
  }
  EXPECT_EQ(arena.statistics().total_allocations, 200u * 50);
  expect_release_gives_all_back(arena);
}

TYPED_TEST(sync_policy, views_of_ended_threads_keep_only_their_own_memory) {
  using A = typename TestFixture::Arena;
  A arena(TypeParam::options(4 * MiB));
  Allocations<A> kept;
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(at_once(1, [&](int) {
      auto some = make_some(arena, Kind::view, 20, i);
      kept.push_back(make_some(arena, Kind::view, 1, 1000 + i)[0]);
      return drop_all(some);
    }));
    EXPECT_EQ(arena.statistics().live_allocations, i + 1);
  }
  EXPECT_LE(arena.statistics().capacity_bytes, TestFixture::blocks * 4 * MiB);
  EXPECT_TRUE(drop_all(kept));
  expect_nothing_in_use(arena);
  expect_release_gives_all_back(arena);
}

TYPED_TEST(sync_policy, release_gives_back_what_idle_threads_have_used) {
  this->for_each_team([](auto& arena, int threads) {
    ToolsObserver tools;
    Meeting meeting(threads);
    // The tools haven't seen what a fixed arena takes at its beginning.
    auto const unseen = arena.statistics().capacity_bytes;
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (unsigned i = 0; i < 5; ++i) {
        auto some = make_some(arena, Kind::view, 50, made_by(t) + i);
        make_some(arena, Kind::raw, 50, made_by(t) + i);
        intact = drop_all(some) && intact;
        meeting.wait_for(t, [&] {
          expect_release_gives_all_back(arena);
          EXPECT_EQ(arena.statistics().blocks, 0u);
          EXPECT_EQ(unseen + tools.live_bytes("Host"), 0u);
        });
      }
      return intact;
    }));
  });
}

/// Uses an arena when its thread ends: after the end of all that the thread has
/// got later.
template <class A>
struct LateUser {
  A* arena = nullptr;
  Allocations<A> kept;
  ~LateUser() {
    if (!arena) return;
    EXPECT_TRUE(drop_all(kept));
    for (auto const kind : {Kind::view, Kind::raw}) {
      auto some = make_some(*arena, kind, 20, 1);
      EXPECT_TRUE(drop_all(some));
    }
  }
};

TYPED_TEST(sync_policy, threads_use_the_arena_at_their_very_end) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(at_once(threads, [&](int t) {
        // Whether the thread knows the arena before.
        auto early = make_some(arena, Kind::view, i % 2 * 20, 1);
        drop_all(early);
        thread_local LateUser<A> late;
        late.arena = &arena;
        late.kept  = make_some(arena, Kind::view, 20, made_by(t));
        return true;
      }));
      expect_nothing_in_use(arena);
    }
    EXPECT_EQ(arena.statistics().total_allocations,
              static_cast<std::uint64_t>(threads) * (5 * 60 + 2 * 20));
  });
}

TYPED_TEST(sync_policy, reset_after_a_thread_has_ended_drops_nothing_newer) {
  this->for_each_team([](auto& arena, int) {
    constexpr std::size_t bytes = 64;
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(
          at_once(1, [&](int) { return arena.allocate(bytes) != nullptr; }));
      arena.reset();
      // It may take over what the first one has left.
      EXPECT_TRUE(at_once(1, [&](int) {
        std::set<void*> distinct;
        for (int k = 0; k < 4; ++k) distinct.insert(arena.allocate(bytes));
        return distinct.size() == 4;
      }));
      arena.reset();
    }
  });
}

// ------------------------------------------------------- cycles and figures

TYPED_TEST(sync_policy, asks_upstream_for_nothing_from_third_cycle_on) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    Meeting meeting(threads);
    std::uint64_t requests = 0;
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (int cycle = 0; cycle < 8; ++cycle) {
        // All are alive at the same time, so that each cycle has one peak.
        auto some = make_some(arena, Kind::view, 200, made_by(t));
        {
          ArenaScope const scope(arena);
          some.emplace_back(arena, Kind::view, 100 * KiB, 1);
          some.emplace_back(arena, Kind::raw, 100 * KiB, 2);
        }
        meeting.wait_for(t, [&] {
          if (cycle < 2) return;
          EXPECT_EQ(arena.statistics().upstream_allocations, requests) << cycle;
          // What isn't tracked has the arena's own block.
          EXPECT_EQ(arena.statistics().blocks, is_checked ? 2u : 1u) << cycle;
        });
        intact = drop_all(some) && intact;
        meeting.wait_for(t, [&] {
          arena.reset();
          if (cycle == 1) requests = arena.statistics().upstream_allocations;
        });
      }
      return intact;
    }));
  });
}

TYPED_TEST(sync_policy,
           asks_upstream_for_nothing_when_each_cycle_has_its_team) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    std::uint64_t requests = 0;
    for (int cycle = 0; cycle < 8; ++cycle) {
      std::vector<Allocations<A>> all(static_cast<std::size_t>(threads));
      EXPECT_TRUE(at_once(threads, [&](int t) {
        auto& some = all[static_cast<std::size_t>(t)];
        some       = make_some(arena, Kind::view, 200, made_by(t));
        return are_intact(some);
      }));
      for (auto& some : all) EXPECT_TRUE(drop_all(some));
      if (cycle >= 2) {
        EXPECT_EQ(arena.statistics().upstream_allocations, requests) << cycle;
        EXPECT_EQ(arena.statistics().blocks, TestFixture::blocks) << cycle;
      }
      arena.reset();
      if (cycle == 1) requests = arena.statistics().upstream_allocations;
    }
  });
}

TYPED_TEST(sync_policy, asks_upstream_for_nothing_from_second_reset_on) {
  using A = typename TestFixture::Arena;
  this->for_each_team([](A& arena, int threads) {
    Meeting meeting(threads);
    std::uint64_t requests = 0;
    EXPECT_TRUE(at_once(threads, [&](int t) {
      bool intact = true;
      for (int cycle = 0; cycle < 8; ++cycle) {
        auto some = make_some(arena, Kind::view, 1, made_by(t));
        meeting.wait_for(t, [&] {
          ArenaScope const scope(arena);
          Allocation<A> large(arena, Kind::view, 2 * MiB, 1);
          intact = large.drop() && intact;
        });
        intact = drop_all(some) && intact;
        meeting.wait_for(t, [&] {
          if (cycle >= 2) {
            EXPECT_EQ(arena.statistics().upstream_allocations, requests);
          }
          arena.reset();
          if (cycle == 1) requests = arena.statistics().upstream_allocations;
        });
      }
      return intact;
    }));
  });
}

TYPED_TEST(sync_policy, each_cycle_counts_once_in_the_history) {
  if (TypeParam::is_fixed) GTEST_SKIP() << "a fixed arena keeps its block";
  KokkosArena::ArenaOptions options;
  options.history_length = 3;
  typename TestFixture::Arena arena(options);
  for (std::size_t const large : {10 * MiB, 100 * KiB}) {
    for (int cycle = 0; cycle < 3; ++cycle) {
      arena.allocate(64);
      arena.allocate(large);
      arena.reset();
    }
  }
  EXPECT_LT(arena.statistics().capacity_bytes, MiB);
}

TYPED_TEST(sync_policy, block_shrinks_while_threads_that_used_it_are_idle) {
  using A = typename TestFixture::Arena;
  if (TypeParam::is_fixed) GTEST_SKIP() << "a fixed arena keeps its block";
  constexpr int threads = 3;
  A arena;
  Meeting meeting(threads);
  EXPECT_TRUE(at_once(threads, [&](int t) {
    bool intact    = true;
    auto const use = [&](std::size_t bytes) {
      ArenaScope const scope(arena);
      Allocation<A> one(arena, Kind::view, bytes, 1);
      // The others' chunks lie behind it.
      meeting.wait();
      meeting.wait();
      intact = one.drop() && intact;
    };
    for (int cycle = 0; cycle < 3; ++cycle) {
      if (t == 0) {
        use(20 * MiB);
        arena.reset();
      } else {
        meeting.wait();
        auto some = make_some(arena, Kind::view, 10, made_by(t));
        intact    = drop_all(some) && intact;
        meeting.wait();
      }
    }
    meeting.wait_for(t, [&] {
      for (int cycle = 0; cycle < 20; ++cycle) {
        ArenaScope const scope(arena);
        Allocation<A> one(arena, Kind::view, MiB, 1);
        intact = one.drop() && intact;
        arena.reset();
      }
      EXPECT_LE(arena.statistics().capacity_bytes, 4 * MiB);
    });
    return intact;
  }));
  expect_nothing_in_use(arena);
}

/// What the Views of \c make_some(arena, Kind::view, 100, 1) take.
std::uint64_t bytes_of_a_hundred() {
  KokkosArena::Arena<Host, Unsynchronized> arena;
  auto some         = make_some(arena, Kind::view, 100, 1);
  auto const result = arena.statistics().live_bytes;
  EXPECT_TRUE(drop_all(some));
  return result;
}

TYPED_TEST(sync_policy, peak_figures_are_exact_for_one_thread) {
  typename TestFixture::Arena arena(TypeParam::options(arena_bytes));
  EXPECT_TRUE(at_once(1, [&](int) {
    auto some         = make_some(arena, Kind::view, 100, 1);
    bool const intact = drop_all(some);
    some              = make_some(arena, Kind::view, 50, 1);
    return drop_all_backwards(some) && intact;
  }));
  EXPECT_EQ(arena.statistics().peak_live_bytes, bytes_of_a_hundred());
  EXPECT_GE(arena.statistics().peak_bytes, bytes_of_a_hundred());
}

TYPED_TEST(sync_policy,
           peak_figures_lie_between_those_of_one_thread_and_of_all) {
  auto const one = bytes_of_a_hundred();
  this->for_each_team([=](auto& arena, int threads) {
    auto const all = static_cast<std::uint64_t>(threads) * one;
    EXPECT_TRUE(at_once(threads, [&](int) {
      auto some = make_some(arena, Kind::view, 100, 1);
      return drop_all(some);
    }));
    EXPECT_GE(arena.statistics().peak_live_bytes, one);
    EXPECT_LE(arena.statistics().peak_live_bytes, all);
    EXPECT_GE(arena.statistics().peak_bytes, one);
    // Whoever reads them at the peak gets it.
    Meeting meeting(threads);
    EXPECT_TRUE(at_once(threads, [&](int t) {
      auto some = make_some(arena, Kind::view, 100, 1);
      meeting.wait_for(t, [&] {
        auto const s = arena.statistics();
        EXPECT_EQ(s.live_allocations, static_cast<unsigned>(threads) * 100);
        EXPECT_EQ(s.live_bytes, all);
        EXPECT_EQ(s.peak_live_bytes, all);
        EXPECT_GE(s.peak_bytes, s.used_bytes);
        EXPECT_GE(s.used_bytes, all);
      });
      return drop_all(some);
    }));
    EXPECT_EQ(arena.statistics().peak_live_bytes, all);
  });
}

// ------------------------------------------------------------ a fixed arena

constexpr std::size_t fixed_bytes = 4 * MiB;

template <class C>
struct sync_policy_fixed : sync_policy<C> {};
TYPED_TEST_SUITE(sync_policy_fixed, SharedFixed, ConfigName);

/// Views of 1000 bytes until there is no room.
template <class A>
Allocations<A> fill(A& arena, std::uint64_t seed) {
  ArenaScope const scope(arena);
  Allocations<A> result;
  try {
    while (result.size() < fixed_bytes / 1000) {
      result.emplace_back(arena, Kind::view, 1000, ++seed);
    }
    ADD_FAILURE() << "more room than the arena has";
  } catch (ArenaExhausted const&) {
  }
  return result;
}

TYPED_TEST(sync_policy_fixed,
           serves_one_thread_all_that_idle_ones_have_dropped) {
  using A = typename TestFixture::Arena;
  this->for_each_team(
      [](A& arena, int threads) {
        Meeting meeting(threads);
        std::vector<Allocations<A>> others(static_cast<std::size_t>(threads));
        EXPECT_TRUE(at_once(threads, [&](int t) {
          bool intact = true;
          for (unsigned i = 0; i < 3; ++i) {
            auto own = make_some(arena, Kind::view, 100, made_by(t));
            others[static_cast<std::size_t>(t)] =
                make_some(arena, Kind::view, 100, made_by(t) + 1);
            intact = drop_all(own) && intact;
            meeting.wait_for(t, [&] {
              for (auto& some : others) EXPECT_TRUE(drop_all(some));
              EXPECT_EQ(arena.statistics().used_bytes, 0u);
              {
                ArenaScope const scope(arena);
                for (auto const kind : {Kind::raw, Kind::view}) {
                  Allocation<A> most(arena, kind, fixed_bytes / 8 * 7, 1);
                  EXPECT_TRUE(most.drop());
                }
              }
              auto all = fill(arena, 1);
              EXPECT_GE(arena.statistics().live_bytes, fixed_bytes / 8 * 7);
              EXPECT_TRUE(drop_all(all));
            });
          }
          return intact;
        }));
      },
      fixed_bytes);
}

TYPED_TEST(sync_policy_fixed, serves_one_thread_most_of_what_idle_ones_leave) {
  using A = typename TestFixture::Arena;
  this->for_each_team(
      [](A& arena, int threads) {
        Meeting meeting(threads);
        EXPECT_TRUE(at_once(threads, [&](int t) {
          auto one = make_some(arena, Kind::view, 1, 1);
          meeting.wait_for(t, [&] {
            auto all = fill(arena, 1);
            EXPECT_GE(arena.statistics().live_bytes, fixed_bytes / 2);
            EXPECT_TRUE(drop_all(all));
          });
          return drop_all(one);
        }));
      },
      fixed_bytes);
}

TYPED_TEST(sync_policy_fixed,
           exhausts_every_thread_when_full_and_is_as_before) {
  using A = typename TestFixture::Arena;
  this->for_each_team(
      [](A& arena, int threads) {
        Meeting meeting(threads);
        void* all = nullptr;
        // Checked memory is apart from what the arena allocates itself.
        Allocations<A> all_checked;
        decltype(figures(arena.statistics())) before;
        EXPECT_TRUE(at_once(threads, [&](int t) {
          auto some   = make_some(arena, Kind::view, 50, made_by(t));
          bool intact = drop_all(some);
          meeting.wait_for(t, [&] {
            all = arena.allocate(fixed_bytes);
            if constexpr (is_checked) {
              ArenaScope const scope(arena);
              all_checked.emplace_back(arena, Kind::view, fixed_bytes - 128, 1);
            }
            before = figures(arena.statistics());
          });
          for (auto const kind : {Kind::view, Kind::constructed, Kind::raw}) {
            for (std::size_t const bytes : {1u, 1000u, 100'000u, 10'000'000u}) {
              ArenaScope const scope(arena);
              EXPECT_THROW(Allocation<A>(arena, kind, bytes, 1),
                           ArenaExhausted);
            }
          }
          meeting.wait_for(
              t, [&] { EXPECT_EQ(figures(arena.statistics()), before); });
          if (t == threads - 1) {
            arena.deallocate(all);
            intact = drop_all(all_checked) && intact;
          }
          meeting.wait();
          some = make_some(arena, Kind::view, 50, made_by(t) + 1);
          return drop_all(some) && intact;
        }));
        EXPECT_EQ(arena.statistics().total_allocations,
                  static_cast<unsigned>(threads) * 100 + 1 + is_checked);
      },
      fixed_bytes);
}

TYPED_TEST(sync_policy_fixed, is_filled_by_small_views_of_all_threads) {
  using A = typename TestFixture::Arena;
  this->for_each_team(
      [](A& arena, int threads) {
        Meeting meeting(threads);
        std::vector<Allocations<A>> all(static_cast<std::size_t>(threads));
        EXPECT_TRUE(at_once(threads, [&](int t) {
          all[static_cast<std::size_t>(t)] = fill(arena, made_by(t));
          bool intact                      = true;
          meeting.wait_for(t, [&] {
            EXPECT_GE(arena.statistics().live_bytes, fixed_bytes / 8 * 7);
            // Room for others, from one who had his share at least.
            auto const most = std::max_element(
                all.begin(), all.end(), [](auto const& a, auto const& b) {
                  return a.size() < b.size();
                });
            intact = drop_all(*most);
          });
          auto some = make_some(arena, Kind::view, 10, made_by(t));
          meeting.wait();
          intact = drop_all(some) && intact;
          return drop_all(all[static_cast<std::size_t>((t + 1) % threads)]) &&
                 intact;
        }));
      },
      fixed_bytes);
}

// ------------------------------------------------------- an arena for each

TEST(unsynchronized_arena, serves_each_thread_that_has_its_own) {
  for (int const threads : team_sizes) {
    EXPECT_TRUE(at_once(threads, [](int t) {
      KokkosArena::Arena<Host, Unsynchronized> arena;
      bool const intact = make_and_drop(arena, t + 1);
      expect_nothing_in_use(arena);
      return intact && arena.statistics().total_allocations == made_by(1);
    }));
  }
}

TEST(unsynchronized_arena, may_be_handed_from_thread_to_thread) {
  Arena<Host, Unsynchronized> arena;
  std::vector<Kokkos::View<int*, Scoped>> views;
  for (int turn = 0; turn < 4; ++turn) {
    std::thread([&] {
      EXPECT_TRUE(make_and_drop(arena, turn + 1));
      // Some of these end on the next thread.
      ArenaScope const scope(arena);
      views.resize(static_cast<std::size_t>(turn));
      views.emplace_back("v", 100);
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
  EXPECT_THROW(arena.allocate(6401), ArenaExhausted);
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
  EXPECT_DEATH(
      meet([](auto& arena) {
        KokkosArenaTest::ArenaSpace<CountingSpace>(arena).allocate(100);
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
