// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockSources.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <preload/KokkosArena_AllocationLog.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using KokkosArena::Impl::AllocationLog;
using KokkosArenaTest::address;
using KokkosArenaTest::heap_calls;
using KokkosArenaTest::HeapFailure;
using KokkosArenaTest::MockSources;

void step(AllocationLog& log, std::uint64_t i) {
  log.push_region("step");
  log.push_region("solve");
  log.allocated("Host", "a temporary with a long label", address(1 + i % 50),
                100'000);
  MockSources::ns += 1000;
  log.kernel();
  log.fence("fence");
  log.deallocated(address(1 + i % 50), 100'000);
  log.deallocated(address(100), 1);
  log.pop_region();
  log.pop_region();
}

TEST(log_memory, is_not_asked_for_in_a_million_events_that_repeat) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  step(log, 0);
  auto const before             = heap_calls();
  constexpr std::uint64_t steps = 100'000;
  for (std::uint64_t i = 1; i < steps; ++i) step(log, i);
  EXPECT_EQ(heap_calls().allocations, before.allocations);
  auto const record = log.finish_record();
  EXPECT_EQ(record.regions[2].own.allocations, steps);
  EXPECT_EQ(record.regions[2].own.died, steps);
  EXPECT_EQ(record.regions[2].kernels, steps);
  EXPECT_EQ(record.unknown_ends, steps);
  EXPECT_EQ(record.lost_events, 0u);
}

TEST(log_memory, without_it_events_are_lost_one_by_one) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  {
    HeapFailure const failure;
    log.allocated("Host", "a label that needs memory of its own", address(1),
                  10);
    log.push_region("a region that needs memory of its own");
    log.pop_region();
  }
  log.allocated("Host", "b", address(2), 10);
  log.deallocated(address(1), 10);
  log.deallocated(address(2), 10);
  auto const record = log.finish_record();
  EXPECT_EQ(record.lost_events, 2u);
  EXPECT_EQ(record.unbalanced_pops, 1u);
  EXPECT_EQ(record.unknown_ends, 1u);
  EXPECT_EQ(record.regions[0].own.allocations, 1u);
  EXPECT_EQ(record.regions[0].own.died, 1u);
}

// Each of the allocations that an event makes fails once.
TEST(log_memory, wherever_it_is_missing_an_event_is_whole_or_lost) {
  auto const events = [](AllocationLog& log) {
    log.push_region("a region that needs memory of its own");
    for (std::uint64_t i = 1; i <= 600; ++i) {
      log.allocated("Host", "a label that needs memory of its own", address(i),
                    100'000);
    }
    for (std::uint64_t i = 1; i <= 600; ++i) {
      log.deallocated(address(i), 100'000);
    }
    log.pop_region();
  };
  bool has_happened = true;
  for (std::uint64_t others = 0; has_happened; ++others) {
    ASSERT_LT(others, 100u);
    MockSources::reset();
    AllocationLog log(MockSources::sources());
    {
      HeapFailure const failure(others);
      events(log);
      has_happened = HeapFailure::has_happened();
    }
    auto const record = log.finish_record();
    EXPECT_EQ(record.lost_events, has_happened ? 1u : 0u);
    std::uint64_t made = 0;
    std::uint64_t died = 0;
    for (auto const& region : record.regions) {
      made += region.own.allocations;
      died += region.own.died;
      EXPECT_EQ(region.live.now, 0u);
    }
    EXPECT_EQ(made + record.unknown_ends, 600u);
    EXPECT_EQ(died, made);
    EXPECT_EQ(record.lost_events, record.unknown_ends + record.unbalanced_pops);
    for (auto const& label : record.labels) {
      EXPECT_EQ(label.sums.allocations, made);
      EXPECT_EQ(label.live.now, 0u);
    }
  }
}

}  // namespace
