// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_BiasedMutex.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using KokkosArena::Impl::BiasedMutex;
using KokkosArena::Impl::has_heavy_fence;
using KokkosArena::Impl::heavy_fence;

TEST(biased_mutex, is_its_owners_while_nobody_else_wants_it) {
  BiasedMutex mutex;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(mutex.try_lock());
    mutex.unlock();
  }
}

TEST(biased_mutex, fails_until_its_owner_has_attended) {
  BiasedMutex mutex;
  mutex.ask_for_attention();
  EXPECT_FALSE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
  mutex.attend();
  EXPECT_TRUE(mutex.try_lock());
}

TEST(biased_mutex, fails_while_it_is_revoked) {
  BiasedMutex mutex;
  mutex.revoke();
  EXPECT_FALSE(mutex.try_lock());
  mutex.wait();  // since a failure leaves it free
  mutex.resume();
  EXPECT_TRUE(mutex.try_lock());
}

TEST(biased_mutex, revocation_and_attention_do_not_end_each_other) {
  BiasedMutex mutex;
  mutex.ask_for_attention();
  mutex.revoke();
  mutex.resume();
  EXPECT_FALSE(mutex.try_lock());
  mutex.revoke();
  mutex.attend();
  EXPECT_FALSE(mutex.try_lock());
  mutex.resume();
  EXPECT_TRUE(mutex.try_lock());
}

TEST(biased_mutex, who_waits_sees_what_its_owner_did) {
  if (!has_heavy_fence()) GTEST_SKIP();
  for (int i = 0; i < 50; ++i) {
    BiasedMutex mutex;
    int data = 0;
    std::latch locked(1);
    std::atomic<bool> revoked{false};
    std::thread owner([&] {
      EXPECT_TRUE(mutex.try_lock());
      locked.count_down();
      // relaxed: it hands nothing over.
      while (!revoked.load(std::memory_order_relaxed)) {
        std::this_thread::yield();
      }
      data = 1;
      mutex.unlock();
    });
    locked.wait();
    mutex.revoke();
    heavy_fence();
    revoked.store(true, std::memory_order_relaxed);
    mutex.wait();
    EXPECT_EQ(data, 1);
    owner.join();
  }
}

/// What one thread owns and others visit: the numbers are the same whenever
/// nobody is in the middle of a change.
struct Owned {
  BiasedMutex mutex;
  std::size_t first = 0, second = 0;
  std::size_t owners_share = 0;

  void add() {
    ++first;
    ++second;
  }
};

TEST(biased_mutex, lets_one_thread_in_at_a_time) {
  if (!has_heavy_fence()) GTEST_SKIP();
  constexpr std::size_t owners = 2, visitors = 2;
  constexpr std::size_t least_visits = 1000, least_attended = 20;
  std::array<Owned, owners> all;
  std::mutex ordinary;
  std::atomic<std::size_t> visiting{visitors};
  std::size_t torn = 0, visits = 0, attended = 0;  // under the ordinary one
  std::vector<std::thread> team;
  for (auto& owned : all) {
    team.emplace_back([&] {
      // relaxed: it hands nothing over.
      while (visiting.load(std::memory_order_relaxed) > 0) {
        ++owned.owners_share;
        if (owned.mutex.try_lock()) {
          owned.add();
          owned.mutex.unlock();
          continue;
        }
        std::lock_guard const guard(ordinary);
        owned.add();
        owned.mutex.attend();
        ++attended;
      }
    });
  }
  for (std::size_t v = 0; v < visitors; ++v) {
    team.emplace_back([&] {
      for (bool enough = false; !enough; std::this_thread::yield()) {
        std::lock_guard const guard(ordinary);
        for (auto& owned : all) owned.mutex.revoke();
        heavy_fence();
        for (auto& owned : all) {
          owned.mutex.wait();
          torn += owned.first != owned.second;
          owned.add();
          if (visits % 10 == 0) owned.mutex.ask_for_attention();
          owned.mutex.resume();
        }
        ++visits;
        enough = visits >= least_visits && attended >= least_attended;
      }
      --visiting;
    });
  }
  for (auto& thread : team) thread.join();
  EXPECT_EQ(torn, 0u);
  for (auto const& owned : all) {
    EXPECT_EQ(owned.first, owned.owners_share + visits);
    EXPECT_EQ(owned.second, owned.first);
  }
}

}  // namespace
