// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTTEAM_HPP
#define KOKKOSARENA_TESTTEAM_HPP

#include <KokkosArena_TestConfig.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <exception>
#include <latch>
#include <thread>
#include <vector>

namespace KokkosArenaTest {

/// Arenas that several threads may use at once.
using Shared      = ::testing::Types<Config<KokkosArena::Locked, false>,
                                     Config<KokkosArena::Locked, true>,
                                     Config<KokkosArena::ThreadCached, false>,
                                     Config<KokkosArena::ThreadCached, true>>;
using SharedFixed = ::testing::Types<Config<KokkosArena::Locked, true>,
                                     Config<KokkosArena::ThreadCached, true>>;

/// More threads than most machines have cores, too.
inline constexpr int team_sizes[] = {1, 2, 4, 8};

/// \brief Runs f(0), ..., f(threads - 1) at once, each on a new thread.
/// \return Whether all said true.
template <class F>
bool at_once(int threads, F const& f) {
  std::latch start(threads);
  std::atomic<int> right{0};
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t) {
    team.emplace_back([&, t] {
      SCOPED_TRACE(::testing::Message() << "thread " << t << " of " << threads);
      start.arrive_and_wait();
      try {
        if (f(t)) ++right;
      } catch (std::exception const& e) {
        ADD_FAILURE() << "thread " << t << ": " << e.what();
      }
    });
  }
  for (auto& thread : team) thread.join();
  return right == threads;
}

/// Where the threads of a team wait for each other.
class Meeting {
 public:
  explicit Meeting(int threads) : m_barrier(threads) {}
  void wait() { m_barrier.arrive_and_wait(); }
  /// Thread 0 runs \c f while all others wait.
  template <class F>
  void wait_for(int thread, F const& f) {
    wait();
    if (thread == 0) f();
    wait();
  }

 private:
  std::barrier<> m_barrier;
};

}  // namespace KokkosArenaTest

#endif
