// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An arena's core by itself: random operations of one thread and of many, with
// contents that are verified, over host memory and over blocks.
#include <KokkosArena_Error.hpp>
#include <KokkosArena_MockUpstream.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <KokkosArena_TestSeed.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "KokkosArena_TestCore.hpp"

namespace {

using namespace KokkosArena;
using Impl::HostUpstream;
using Impl::SynchronizedCore;
using KokkosArenaTest::make_core;
using KokkosArenaTest::MockLog;
using KokkosArenaTest::MockUpstream;
using KokkosArenaTest::Random;
using KokkosArenaTest::seed;
using KokkosArenaTest::unlimited;

/// Host memory without runs of addresses.
class BlockUpstream final : public HostUpstream {
 public:
  using HostUpstream::HostUpstream;
  Impl::AddressRun begin_run(std::size_t, std::size_t) override { return {}; }
};

/// Bytes that are somebody's.
struct Piece {
  unsigned char* address;
  std::size_t bytes;
  std::uint64_t pattern;
  std::uint64_t epoch = 0;  ///< Of what is untracked.

  void write() const {
    for (std::size_t i = 0; i < bytes; ++i) address[i] = at(i);
  }
  bool intact() const {
    for (std::size_t i = 0; i < bytes; ++i) {
      if (address[i] != at(i)) return false;
    }
    return true;
  }

 private:
  unsigned char at(std::size_t i) const {
    return static_cast<unsigned char>((pattern + i) * 0x9e37u >> 8);
  }
};

/// \brief What one thread does with a core, and what it has of it.
template <class Sync>
class Player {
 public:
  Player(SynchronizedCore<Sync>& core, std::uint64_t seed_)
      : m_core(core), m_random(seed_) {}
  ~Player() { end(); }

  /// \param[in] alone  Whether it may drop what is untracked, as nobody else
  ///                   has any.
  void step(bool alone) {
    auto const what = m_random.below(100);
    if (what < 45) {
      take(m_views, true);
    } else if (what < 65) {
      take(m_untracked, false);
    } else if (what < 85) {
      if (!m_views.empty()) give_back_view(m_random.below(m_views.size()));
    } else if (what < 95) {
      if (!m_untracked.empty()) {
        give_back_untracked(m_random.below(m_untracked.size()));
      }
    } else if (alone) {
      drop(what);
    }
    if (m_views.size() > 60) give_back_view(0);
    if (m_untracked.size() > 60) give_back_untracked(0);
  }
  void end() {
    while (!m_views.empty()) give_back_view(0);
    while (!m_untracked.empty()) give_back_untracked(0);
  }

 private:
  void take(std::vector<Piece>& pieces, bool view) {
    auto const bytes = m_random.below(8) == 0 ? m_random.below(100'000)
                                              : m_random.below(2'000);
    auto const alignment =
        std::size_t(1) << (m_random.below(16) == 0 ? m_random.below(14) : 6);
    auto* const address = static_cast<unsigned char*>(
        view ? m_core.allocate_tracked(bytes, alignment, "some")
             : m_core.allocate(bytes, alignment));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(address) % alignment, 0u);
    pieces.push_back({address, bytes, m_random(), m_core.current_epoch()});
    pieces.back().write();
  }
  Piece remove(std::vector<Piece>& pieces, std::size_t i) {
    auto const piece = pieces[i];
    EXPECT_TRUE(piece.intact());
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
    return piece;
  }
  void give_back_view(std::size_t i) {
    auto const piece = remove(m_views, i);
    m_core.deallocate_tracked(piece.address, piece.bytes);
  }
  void give_back_untracked(std::size_t i) {
    m_core.deallocate(remove(m_untracked, i).address);
  }
  void drop(std::size_t what) {
    auto const is_newer = [&](Piece const& p) {
      return p.epoch > m_mark.epoch();
    };
    switch (what) {
      case 95:
        m_mark = m_core.mark();
        return;
      case 96:
        if (m_mark.core() == nullptr) return;
        m_core.rewind(m_mark);
        std::erase_if(m_untracked, is_newer);
        break;
      case 97:
        m_core.release();
        m_untracked.clear();
        break;
      default:
        m_core.reset();
        m_untracked.clear();
        break;
    }
    for (auto const& piece : m_views) ASSERT_TRUE(piece.intact());
    for (auto const& piece : m_untracked) ASSERT_TRUE(piece.intact());
    auto const s = m_core.statistics();
    EXPECT_EQ(s.live_allocations, m_views.size());
    EXPECT_LE(s.live_bytes, s.used_bytes + s.retired_bytes);
    EXPECT_GE(s.free_bytes, s.largest_free_bytes);
  }

  SynchronizedCore<Sync>& m_core;
  Random m_random;
  std::vector<Piece> m_views;
  std::vector<Piece> m_untracked;
  ArenaMark m_mark{nullptr, 0};
};

template <class Sync>
class AnyCore : public ::testing::Test {};
using Policies = ::testing::Types<Unsynchronized, Locked, ThreadCached>;
struct PolicyName {
  template <class Sync>
  static std::string GetName(int) {
    return std::is_same_v<Sync, Unsynchronized> ? "unsynchronized"
           : std::is_same_v<Sync, Locked>       ? "locked"
                                                : "thread_cached";
  }
};
TYPED_TEST_SUITE(AnyCore, Policies, PolicyName);

TYPED_TEST(AnyCore, random_operations_lose_nothing) {
  std::cout << "seed " << seed() << '\n';
  for (bool const in_runs : {true, false}) {
    for (unsigned arena = 0; arena < 8; ++arena) {
      std::unique_ptr<Impl::Upstream> upstream;
      if (in_runs) {
        upstream = std::make_unique<HostUpstream>(false);
      } else {
        upstream = std::make_unique<BlockUpstream>(false);
      }
      auto const core = make_core<TypeParam>({}, std::move(upstream));
      {
        Player<TypeParam> player(*core, seed() + arena);
        for (int i = 0; i < 2'000; ++i) {
          player.step(true);
          ASSERT_FALSE(this->HasFatalFailure()) << "step " << i;
        }
      }
      auto const s = core->statistics();
      EXPECT_EQ(s.live_allocations, 0u);
      EXPECT_EQ(s.live_bytes, 0u);
    }
  }
}

TYPED_TEST(AnyCore, exhaustion_changes_nothing_and_says_what_would_fit) {
  MockLog log;
  {
    auto const core = make_core<TypeParam>(
        {.label = "small", .initial_bytes = 4096, .maximum_bytes = 4096},
        std::make_unique<MockUpstream>(log));
    auto* const first = core->allocate(1024, 64);
    auto const before = core->statistics();
    auto const asks   = [&] { core->allocate_tracked(8192, 64, "big one"); };
    std::string text;
    try {
      asks();
    } catch (ArenaExhausted const& e) {
      text = e.what();
    }
    for (auto const* const part :
         {"\"small\"", "8192 bytes", "\"big one\"", "4096"}) {
      EXPECT_NE(text.find(part), text.npos) << part << " in " << text;
    }
    auto const after = core->statistics();
    EXPECT_EQ(after.used_bytes, before.used_bytes);
    EXPECT_EQ(after.total_allocations, before.total_allocations);
    EXPECT_THROW(core->allocate(64, 3), std::invalid_argument);
    core->deallocate(first);
    EXPECT_THROW(core->deallocate(first), std::invalid_argument);
  }
  EXPECT_TRUE(log.live.empty());
}

TYPED_TEST(AnyCore, view_that_outlives_the_arena_keeps_its_memory) {
  MockLog log;
  Impl::Core* alive = nullptr;
  void* view        = nullptr;
  {
    auto const core =
        make_core<TypeParam>({}, std::make_unique<MockUpstream>(log));
    view  = core->allocate_tracked(1000, 64, "survivor");
    alive = core.get();
  }
  EXPECT_TRUE(alive->has_ended());
  EXPECT_EQ(log.live.size(), 1u);
  EXPECT_THROW(alive->allocate_tracked(64, 64, "late"), std::logic_error);
  alive->deallocate_tracked(view, 1000);
  EXPECT_TRUE(log.live.empty());
}

TYPED_TEST(AnyCore, rewind_to_another_arenas_mark_is_refused) {
  auto const one   = make_core<TypeParam>();
  auto const other = make_core<TypeParam>();
  EXPECT_THROW(one->rewind(other->mark()), std::invalid_argument);
}

template <class Sync>
void play_on_many_threads() {
  auto const core = make_core<Sync>();
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      Player<Sync> player(*core, seed() + t);
      for (int i = 0; i < 5'000; ++i) player.step(false);
    });
  }
  for (auto& thread : threads) thread.join();
  auto const s = core->statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
}

TEST(threads_of_a_core, lose_nothing_of_each_other_under_locked) {
  play_on_many_threads<Locked>();
}
TEST(threads_of_a_core, lose_nothing_of_each_other_under_thread_cached) {
  play_on_many_threads<ThreadCached>();
}

/// Of 60 Views every third has ended, so that what is free is in pieces.
TEST(exhausted_core, says_what_is_alive_and_the_largest_free_piece) {
  MockLog log;
  {
    auto const core =
        make_core<Locked>({.initial_bytes = 1 << 20, .maximum_bytes = 1 << 20},
                          std::make_unique<MockUpstream>(log));
    std::vector<void*> views;
    for (int i = 0; i < 60; ++i) {
      views.push_back(core->allocate_tracked(17'280, 64, "v"));
    }
    for (std::size_t i = 0; i < 60; i += 3) {
      core->deallocate_tracked(std::exchange(views[i], nullptr), 17'280);
    }
    std::string message;
    try {
      core->allocate_tracked(300'000, 64, "large");
    } catch (ArenaExhausted const& e) {
      message = e.what();
    }
    EXPECT_NE(message.find("691200 of its 1048576 bytes are used, 357376 are "
                           "available, 17280 of them in one piece, Views that "
                           "are alive have 691200, and its maximum"),
              std::string::npos)
        << message;
    EXPECT_EQ(message.find("drop Views earlier"), std::string::npos) << message;
    for (auto* const view : views) {
      if (view) core->deallocate_tracked(view, 17'280);
    }
  }
  EXPECT_EQ(log.wrong_deallocations, 0u);
}

/// \brief A thread that does what it is told, and then waits.
class Worker {
 public:
  ~Worker() {
    {
      std::lock_guard const guard(m_mutex);
      m_ends = true;
    }
    m_changed.notify_all();
    m_thread.join();
  }
  void tell(std::function<void()> task) {
    std::unique_lock lock(m_mutex);
    m_task = std::move(task);
    m_changed.notify_all();
    m_changed.wait(lock, [&] { return !m_task; });
  }

 private:
  void run() {
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_changed.wait(lock, [&] { return m_ends || m_task; });
      if (!m_task) return;
      m_task();
      m_task = nullptr;
      m_changed.notify_all();
    }
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::function<void()> m_task;
  bool m_ends = false;
  std::thread m_thread{[this] { run(); }};
};

/// The arena has one block, around which its cycles begin.
TEST(thread_with_a_chunk, begins_it_again_after_the_reset_of_another) {
  auto const core = make_core<ThreadCached>({.initial_bytes = 4 << 20});
  Worker worker;
  void* first = nullptr;
  worker.tell([&] {
    first = core->allocate(1'000, 64);
    core->allocate(1'000, 64);
  });
  core->reset();
  worker.tell([&] {
    EXPECT_EQ(core->allocate(1'000, 64), first);
    core->deallocate(first);
    EXPECT_THROW(core->deallocate(first), std::invalid_argument)
        << "noted before the reset";
  });
}

TEST(thread_with_a_chunk, keeps_its_views_in_the_reset_of_another) {
  if (!Impl::has_heavy_fence()) GTEST_SKIP() << "threads have no chunks";
  auto const core = make_core<ThreadCached>({.initial_bytes = 4 << 20});
  Worker worker;
  void* before = nullptr;
  void* view   = nullptr;
  worker.tell([&] {
    before = core->allocate(1'000, 64);
    view   = core->allocate_tracked(1'000, 64, "view");
  });
  core->reset();
  worker.tell([&] {
    EXPECT_EQ(core->allocate(1'000, 64), before);
    EXPECT_GT(core->allocate(1'000, 64), view);
    core->deallocate_tracked(view, 1'000);
  });
}

/// What one thread makes another ends, while a third resets.
TEST(threads_of_a_core, hand_views_on_while_another_resets) {
  auto const core = make_core<ThreadCached>();
  std::mutex mutex;
  std::vector<Piece> handed_on;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      Random random(seed() + t);
      for (int i = 0; i < 3'000; ++i) {
        auto const bytes = 1 + random.below(3'000);
        Piece const made{static_cast<unsigned char*>(
                             core->allocate_tracked(bytes, 64, "handed on")),
                         bytes, random()};
        made.write();
        std::lock_guard const guard(mutex);
        handed_on.push_back(made);
      }
    });
  }
  threads.emplace_back([&] {
    for (int ended = 0; ended < 6'000;) {
      std::vector<Piece> mine;
      {
        std::lock_guard const guard(mutex);
        mine.swap(handed_on);
      }
      for (auto const& piece : mine) {
        EXPECT_TRUE(piece.intact());
        core->deallocate_tracked(piece.address, piece.bytes);
        ++ended;
      }
    }
  });
  threads.emplace_back([&] {
    for (int i = 0; i < 300; ++i) {
      core->reset();
      std::this_thread::yield();
    }
  });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(core->statistics().live_allocations, 0u);
}

// Where each survivor lies is what the next cycle has to go around, so cycles
// that are alike need different amounts of room.
TEST(core, repeated_cycle_with_a_survivor_stops_growing_with_a_short_history) {
  constexpr std::size_t small = 6'720, middle = 264'832, large = 819'328;
  constexpr std::size_t kept = 50'240;
  auto const core            = make_core<Unsynchronized>({.history_length = 1});
  auto const take            = [&](std::size_t bytes) {
    return core->allocate_tracked(bytes, 64, "some");
  };
  auto* survivor      = take(kept);
  std::uint64_t taken = 0;
  for (int cycle = 0; cycle < 200; ++cycle) {
    auto* const first  = take(small);
    auto* const second = take(middle);
    auto* const next   = take(kept);
    core->deallocate_tracked(std::exchange(survivor, next), kept);
    core->deallocate_tracked(second, middle);
    auto* const third = take(large);
    core->deallocate_tracked(first, small);
    core->deallocate_tracked(third, large);
    core->reset();
    if (cycle == 99) taken = core->statistics().upstream_allocations;
  }
  EXPECT_EQ(core->statistics().upstream_allocations, taken);
  core->deallocate_tracked(survivor, kept);
}

}  // namespace
