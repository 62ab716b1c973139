// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestChild.hpp>
#include <engine/KokkosArena_Fork.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using KokkosArena::Impl::ForkLock;
using KokkosArena::Impl::ForkParticipant;
using KokkosArena::Impl::ForkRank;
using KokkosArenaTest::code_in_child;

/// What happened to whom, in order.
using Log = std::vector<std::pair<std::string, ForkRank>>;

/// Says what is asked of it.
class Participant final : private ForkParticipant {
 public:
  /// \param[in] may_enter  Whether it lets a fork in.
  Participant(
      ForkRank rank, Log& log,
      std::function<bool()> may_enter = [] { return true; })
      : ForkParticipant(rank),
        m_own_rank(rank),
        m_log(log),
        m_may_enter(std::move(may_enter)) {
    join();
  }
  ~Participant() { leave(); }

 private:
  bool try_enter() noexcept override {
    if (!m_may_enter()) return false;
    m_log.emplace_back("enter", m_own_rank);
    return true;
  }
  void leave_in_parent() noexcept override {
    m_log.emplace_back("parent", m_own_rank);
  }
  void leave_in_child() noexcept override {
    m_log.emplace_back("child", m_own_rank);
  }

  ForkRank m_own_rank;
  Log& m_log;
  std::function<bool()> m_may_enter;
};

std::vector<ForkRank> ranks(Log const& log, std::string const& what) {
  std::vector<ForkRank> result;
  for (auto const& [event, rank] : log) {
    if (event == what) result.push_back(rank);
  }
  return result;
}

std::vector<ForkRank> const all_ranks{ForkRank::making, ForkRank::store,
                                      ForkRank::core, ForkRank::registry,
                                      ForkRank::file};

TEST(fork_participants, are_entered_by_rank_and_left_in_both_processes) {
  Log log;
  // In another order than that of their ranks.
  Participant const file(ForkRank::file, log), store(ForkRank::store, log),
      registry(ForkRank::registry, log), making(ForkRank::making, log),
      core(ForkRank::core, log);
  auto const in_child = [&] {
    if (ranks(log, "enter") != all_ranks) return 1;
    auto left = ranks(log, "child");
    std::sort(left.begin(), left.end());
    if (left != all_ranks) return 2;
    return ranks(log, "parent").empty() ? 0 : 3;
  };
  EXPECT_EQ(code_in_child(in_child), 0);
  EXPECT_EQ(ranks(log, "enter"), all_ranks);
  auto left = ranks(log, "parent");
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, all_ranks);
  EXPECT_TRUE(ranks(log, "child").empty());
}

TEST(fork_participants, are_asked_no_more_once_they_have_left) {
  Log log;
  {
    Participant const first(ForkRank::core, log);
    Participant const second(ForkRank::core, log);
  }
  EXPECT_EQ(code_in_child([] { return 0; }), 0);
  EXPECT_TRUE(log.empty());
}

TEST(fork_participants, of_one_rank_may_leave_in_any_order) {
  Log log;
  std::vector<std::unique_ptr<Participant>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::make_unique<Participant>(ForkRank::store, log));
  }
  for (std::size_t const i : {2u, 0u, 1u}) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    log.clear();
    EXPECT_EQ(code_in_child([] { return 0; }), 0);
    EXPECT_EQ(ranks(log, "enter").size(), all.size());
    EXPECT_EQ(ranks(log, "parent").size(), all.size());
  }
}

// Who has the lock that is missing may be waiting for one that the fork has.
TEST(fork_participants, are_all_let_go_and_entered_again_if_one_is_busy) {
  Log log;
  Participant const making(ForkRank::making, log);
  Participant const core(ForkRank::core, log,
                         [&] { return !ranks(log, "parent").empty(); });
  Participant const file(ForkRank::file, log);
  EXPECT_EQ(
      code_in_child([&] { return ranks(log, "child").size() == 3 ? 0 : 1; }),
      0);
  EXPECT_EQ(log, (Log{{"enter", ForkRank::making},
                      {"parent", ForkRank::making},
                      {"enter", ForkRank::making},
                      {"enter", ForkRank::core},
                      {"enter", ForkRank::file},
                      {"parent", ForkRank::making},
                      {"parent", ForkRank::core},
                      {"parent", ForkRank::file}}));
}

/// As it is in the library: for as long as the process runs.
struct Guarded {
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  std::size_t first = 0, second = 0;
};
Guarded& guarded() {
  static auto& instance = *new Guarded;
  return instance;
}

TEST(fork_lock, leaves_a_child_whole_data_and_a_lock_that_is_free) {
  auto& data = guarded();
  std::atomic<bool> stop{false};
  std::latch started(2);
  std::vector<std::thread> team;
  for (int t = 0; t < 2; ++t) {
    team.emplace_back([&] {
      started.count_down();
      // relaxed: a flag, and nothing else is handed over by it.
      while (!stop.load(std::memory_order_relaxed)) {
        std::lock_guard const guard(data.mutex);
        ++data.first;
        ++data.second;
      }
    });
  }
  started.wait();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(code_in_child(
                  [&] {
                    std::lock_guard const guard(data.mutex);
                    return data.first == data.second ? 0 : 1;
                  },
                  20),
              0);
  }
  stop.store(true, std::memory_order_relaxed);
  for (auto& thread : team) thread.join();
  EXPECT_EQ(data.first, data.second);
}

TEST(fork_lock, lets_a_child_fork_again) {
  auto& data               = guarded();
  auto const in_grandchild = [&] { return data.mutex.try_lock() ? 0 : 1; };
  EXPECT_EQ(code_in_child([&] { return code_in_child(in_grandchild, 20); }, 20),
            0);
  EXPECT_TRUE(data.mutex.try_lock());
  data.mutex.unlock();
}

}  // namespace
