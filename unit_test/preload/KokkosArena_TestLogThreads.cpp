// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockSources.hpp"

#include <preload/KokkosArena_AllocationLog.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using KokkosArena::Impl::AllocationLog;
using KokkosArenaTest::address;
using KokkosArenaTest::MockSources;

constexpr unsigned threads     = 4;
constexpr std::uint64_t rounds = 5000;

/// Views that somebody else is to drop.
class Handover {
 public:
  struct View {
    std::uint64_t number = 0;
    std::uint64_t bytes  = 0;
  };
  void give(View view) {
    std::lock_guard const guard(m_mutex);
    m_views.push_back(view);
  }
  View take() {
    std::lock_guard const guard(m_mutex);
    if (m_views.empty()) return {};
    auto const result = m_views.back();
    m_views.pop_back();
    return result;
  }

 private:
  std::mutex m_mutex;
  std::vector<View> m_views;
};

struct Totals {
  std::uint64_t made  = 0;
  std::uint64_t bytes = 0;
  std::uint64_t died  = 0;
  std::uint64_t dead  = 0;
};

/// In nested regions; some Views die at once, some on another thread, some not
/// at all.
Totals work(AllocationLog& log, Handover& handover, unsigned thread) {
  Totals totals;
  std::mt19937 random(thread);
  std::uint64_t number = 1 + thread * rounds;
  auto const drop      = [&](Handover::View view) {
    if (view.number == 0) return;
    log.deallocated(address(view.number), view.bytes);
    ++totals.died;
    totals.dead += view.bytes;
  };
  for (std::uint64_t i = 0; i < rounds; ++i) {
    log.push_region(i % 2 == 0 ? "even" : "odd");
    auto const own = "of " + std::to_string(thread);
    if (i % 3 == 0) log.push_region(own.c_str());
    MockSources::fault(1);
    ++MockSources::ns;
    Handover::View const view{number++, 1 + random() % 10'000};
    log.allocated("Host", own.c_str(), address(view.number), view.bytes);
    ++totals.made;
    totals.bytes += view.bytes;
    log.fence("HostSpace::impl_deallocate before free");
    switch (random() % 3) {
      case 0:
        drop(view);
        break;
      case 1:
        handover.give(view);
        break;
      default:
        break;
    }
    if (i % 3 == 0) log.pop_region();
    drop(handover.take());
    log.pop_region();
  }
  return totals;
}

TEST(log_threads, add_up_with_views_that_die_on_others) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  Handover handover;
  std::vector<Totals> totals(threads);
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i) {
    workers.emplace_back([&, i] { totals[i] = work(log, handover, i); });
  }
  totals[0] = work(log, handover, 0);
  for (auto& worker : workers) worker.join();
  auto const record = log.finish_record();

  Totals all;
  for (auto const& of_thread : totals) {
    all.made += of_thread.made;
    all.bytes += of_thread.bytes;
    all.died += of_thread.died;
    all.dead += of_thread.dead;
  }
  KokkosArena::Impl::AllocationSums regions;
  std::uint64_t entries = 0;
  std::uint64_t within  = 0;
  std::uint64_t fences  = 0;
  std::int64_t faults   = 0;
  for (auto const& region : record.regions) {
    regions += region.own;
    entries += region.entries;
    within += region.died_within;
    fences += region.end_fences;
    faults += region.own_faults;
  }
  EXPECT_EQ(regions.allocations, all.made);
  EXPECT_EQ(regions.allocations, threads * rounds);
  EXPECT_EQ(regions.bytes, all.bytes);
  EXPECT_EQ(regions.died, all.died);
  EXPECT_EQ(regions.dead_bytes, all.dead);
  EXPECT_EQ(within, all.died);
  EXPECT_EQ(entries, 1 + threads * (rounds + (rounds + 2) / 3));
  EXPECT_EQ(fences, threads * rounds);
  // Each thread's are counted once, for the regions in which they happened.
  EXPECT_EQ(record.faults, threads * rounds);
  EXPECT_EQ(faults, static_cast<std::int64_t>(threads * rounds));
  EXPECT_EQ(record.alive_at_end, all.made - all.died);
  EXPECT_EQ(record.regions[0].live.now, all.bytes - all.dead);
  EXPECT_GE(record.regions[0].live.most, record.regions[0].live.now);
  EXPECT_EQ(record.unknown_ends, 0u);
  EXPECT_EQ(record.missed_ends, 0u);
  EXPECT_EQ(record.unbalanced_pops, 0u);
  EXPECT_EQ(record.unbalanced_pushes, 0u);
  ASSERT_EQ(record.labels.size(), threads);
  for (auto const& label : record.labels) {
    EXPECT_EQ(label.sums.allocations, rounds);
  }
}

// Their slots are given to the next ones.
TEST(log_threads, add_up_where_threads_come_and_go) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  constexpr std::uint64_t generations = 300;
  for (std::uint64_t i = 0; i < generations; ++i) {
    auto const live = [&log](std::uint64_t number) {
      log.push_region("left");
      log.pop_region();
      log.push_region("not left");
      log.allocated("Host", "x", address(number), 10);
    };
    std::thread one(live, 1 + 2 * i);
    std::thread other(live, 2 + 2 * i);
    one.join();
    other.join();
  }
  for (std::uint64_t i = 1; i <= 2 * generations; ++i) {
    log.deallocated(address(i), 10);
  }
  auto const record = log.finish_record();
  ASSERT_EQ(record.regions.size(), 3u);
  EXPECT_EQ(record.regions[1].entries, 2 * generations);
  EXPECT_EQ(record.regions[2].entries, 2 * generations);
  EXPECT_EQ(record.regions[2].own.died, 2 * generations);
  EXPECT_EQ(record.unbalanced_pushes, 2 * generations);
  EXPECT_EQ(record.alive_at_end, 0u);
}

}  // namespace
