// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockSources.hpp"

#include <preload/KokkosArena_AllocationLog.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace {

using KokkosArena::Impl::AllocationLog;
using KokkosArena::Impl::arena_bytes_of;
using KokkosArenaTest::address;
using KokkosArenaTest::MockSources;
using KokkosArenaTest::region;
using KokkosArenaTest::region_number;

class allocation_log : public KokkosArenaTest::MockedLog {
 protected:
  auto finish() { return log().finish_record(); }
  void make(std::uint64_t number, std::uint64_t bytes,
            char const* label = "x") {
    log().allocated("Host", label, address(number), bytes);
  }
  void drop(std::uint64_t number, std::uint64_t bytes) {
    log().deallocated(address(number), bytes);
  }
};

TEST_F(allocation_log, without_events_has_the_program_alone) {
  MockSources::ns += 500;
  MockSources::fault(4);
  MockSources::waiting += 100;
  auto const record = finish();
  ASSERT_EQ(record.regions.size(), 1u);
  EXPECT_EQ(record.regions[0].name, "(no region)");
  EXPECT_EQ(record.regions[0].own.allocations, 0u);
  EXPECT_EQ(record.regions[0].own_ns, 500u);
  EXPECT_EQ(record.regions[0].own_faults, 4);
  EXPECT_EQ(record.total_ns, 500u);
  EXPECT_EQ(record.waiting_ns, 100u);
  EXPECT_EQ(record.faults, 4u);
  EXPECT_TRUE(record.labels.empty());
  EXPECT_TRUE(record.samples.empty());
}

TEST_F(allocation_log, counts_bytes_lifetimes_and_peaks_of_a_label) {
  make(1, 1000, "a");
  MockSources::ns += 10;
  make(2, 5000, "b");
  make(3, 2000, "a");
  drop(1, 1000);
  MockSources::ns += 20;
  drop(3, 2000);
  make(4, 100, "a");
  auto const record = finish();
  ASSERT_EQ(record.labels.size(), 2u);
  auto const& a = record.labels[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.sums.allocations, 3u);
  EXPECT_EQ(a.sums.bytes, 3100u);
  EXPECT_EQ(a.sums.died, 2u);
  EXPECT_EQ(a.sums.dead_bytes, 3000u);
  EXPECT_EQ(a.sums.died_in_entry, 2u);
  EXPECT_EQ(a.sums.lifetimes_ns, 30u);
  EXPECT_EQ(a.sums.longest_ns, 20u);
  EXPECT_EQ(a.sums.adopted, 0u);
  EXPECT_EQ(a.live.now, 100u);
  EXPECT_EQ(a.live.most, 3000u);
  EXPECT_EQ(a.live.arena_most, arena_bytes_of(1000) + arena_bytes_of(2000));
  EXPECT_EQ(record.labels[1].sums.adopted_bytes, 5000u);
  EXPECT_EQ(record.regions[0].live.most, 8000u);
  EXPECT_EQ(record.alive_at_end, 2u);
}

TEST_F(allocation_log, an_arena_needs_headers_in_multiples_of_64) {
  EXPECT_EQ(arena_bytes_of(0), 256u);
  EXPECT_EQ(arena_bytes_of(28), 256u);
  EXPECT_EQ(arena_bytes_of(29), 320u);
}

TEST_F(allocation_log, tells_arrays_that_malloc_never_keeps) {
  constexpr std::uint64_t most = std::uint64_t(32) << 20;
  make(1, most);
  make(2, most + 1);
  auto const record = finish();
  EXPECT_EQ(record.regions[0].own.large, 1u);
  EXPECT_EQ(record.regions[0].own.large_bytes, most + 1);
}

TEST_F(allocation_log, tells_in_which_of_nested_regions_a_view_died) {
  log().push_region("outer");
  make(1, 100);  // dies in the inner one
  make(2, 100);  // dies in a later entry of outer
  log().push_region("inner");
  make(3, 10);  // dies at once
  make(4, 10);  // dies in outer, after inner
  make(5, 10);  // dies in another entry of inner, in the same of outer
  make(6, 10);  // dies outside
  drop(1, 100);
  drop(3, 10);
  log().pop_region();
  drop(4, 10);
  log().push_region("inner");
  drop(5, 10);
  log().pop_region();
  log().pop_region();
  drop(6, 10);
  log().push_region("outer");
  drop(2, 100);
  log().pop_region();
  auto const record = finish();
  auto const& outer = region(record, "outer");
  auto const& inner = region(record, "outer/inner");
  EXPECT_EQ(outer.entries, 2u);
  EXPECT_EQ(inner.entries, 2u);
  EXPECT_EQ(outer.own.allocations, 2u);
  EXPECT_EQ(outer.own.died, 2u);
  EXPECT_EQ(outer.own.died_in_entry, 1u);
  EXPECT_EQ(inner.own.allocations, 4u);
  EXPECT_EQ(inner.own.died, 4u);
  EXPECT_EQ(inner.own.died_in_entry, 1u);
  EXPECT_EQ(inner.died_within, 1u);
  EXPECT_EQ(outer.died_within, 3u);  // 1, 4 and 5
  EXPECT_EQ(record.regions[0].died_within, 2u);
  EXPECT_EQ(inner.live.most, 40u);
  EXPECT_EQ(outer.live.most, 240u);
  EXPECT_EQ(inner.live.now, 0u);
  EXPECT_EQ(record.regions[0].live.now, 0u);
  EXPECT_EQ(record.regions[0].live.most, 240u);
  EXPECT_EQ(record.labels[0].sums.died_in_entry, 2u);
}

TEST_F(allocation_log, tells_apart_a_region_by_those_that_it_is_in) {
  log().push_region("a");
  log().push_region("x");
  make(1, 10);
  log().pop_region();
  log().pop_region();
  log().push_region("x");
  make(2, 20);
  log().push_region("x");
  make(3, 40);
  log().pop_region();
  log().pop_region();
  auto const record = finish();
  EXPECT_EQ(region(record, "a/x").own.bytes, 10u);
  EXPECT_EQ(region(record, "x").own.bytes, 20u);
  EXPECT_EQ(region(record, "x/x").own.bytes, 40u);
}

TEST_F(allocation_log, shares_time_and_faults_among_regions_without_rest) {
  MockSources::ns += 1;
  MockSources::fault(1);
  log().push_region("a");
  MockSources::ns += 10;
  MockSources::fault(10);
  MockSources::thread.system_ns += 70;
  log().push_region("b");
  MockSources::ns += 100;
  MockSources::process_faults += 100;  // on a worker
  log().pop_region();
  MockSources::ns += 1000;
  MockSources::fault(1000);
  log().pop_region();
  MockSources::ns += 10000;
  auto const record = finish();
  auto const& a     = region(record, "a");
  auto const& b     = region(record, "a/b");
  EXPECT_EQ(record.regions[0].own_ns, 10001u);
  EXPECT_EQ(a.own_ns, 1010u);
  EXPECT_EQ(b.own_ns, 100u);
  EXPECT_EQ(record.regions[0].own_faults, 1);
  EXPECT_EQ(a.own_faults, 1010);
  EXPECT_EQ(b.own_faults, 100);
  EXPECT_EQ(a.own_host_faults, 1010u);
  EXPECT_EQ(a.own_system_ns, 70u);
  EXPECT_EQ(b.own_host_faults, 0u);
  EXPECT_EQ(record.total_ns, 11111u);
  EXPECT_EQ(record.faults, 1111u);
}

TEST_F(allocation_log, counts_the_faults_of_another_threads_region_once) {
  log().push_region("main");
  std::thread([&] {
    MockSources::fault(5);  // outside of its regions: the host's
    log().push_region("other");
    MockSources::fault(50);
    MockSources::ns += 20;
    log().pop_region();
    MockSources::fault(500);
  }).join();
  log().pop_region();
  auto const record = finish();
  EXPECT_EQ(region(record, "other").own_faults, 50);
  EXPECT_EQ(region(record, "other").own_host_faults, 50u);
  EXPECT_EQ(region(record, "other").own_ns, 20u);
  EXPECT_EQ(region(record, "main").own_faults, 505);
  EXPECT_EQ(region(record, "main").own_host_faults, 0u);
  EXPECT_EQ(record.regions[0].own_faults, 0);
}

TEST_F(allocation_log, has_the_time_of_a_region_that_is_open_at_the_end) {
  log().push_region("a");
  MockSources::ns += 30;
  MockSources::fault(3);
  auto const record = finish();
  EXPECT_EQ(region(record, "a").own_ns, 30u);
  EXPECT_EQ(region(record, "a").own_faults, 3);
  EXPECT_EQ(record.unbalanced_pushes, 1u);
}

TEST_F(allocation_log, has_the_hosts_time_and_faults_when_another_ends_it) {
  log().push_region("a");
  MockSources::ns += 30;
  MockSources::fault(3);
  std::thread([&] {
    auto const record = finish();
    EXPECT_EQ(region(record, "a").own_ns, 30u);
    EXPECT_EQ(region(record, "a").own_faults, 3);
    EXPECT_EQ(record.waiting_ns, 0u);
  }).join();
}

TEST_F(allocation_log, counts_a_pop_without_a_push_and_goes_on) {
  log().pop_region();
  log().push_region("a");
  log().pop_region();
  log().pop_region();
  log().push_region("a");
  make(1, 10);
  log().pop_region();
  auto const record = finish();
  EXPECT_EQ(record.unbalanced_pops, 2u);
  EXPECT_EQ(record.unbalanced_pushes, 0u);
  EXPECT_EQ(region(record, "a").entries, 2u);
  EXPECT_EQ(region(record, "a").own.allocations, 1u);
}

TEST_F(allocation_log,
       counts_a_view_that_dies_on_another_thread_for_its_maker) {
  log().push_region("maker");
  make(1, 10);
  make(2, 20);
  std::thread([&] {
    log().push_region("other");
    drop(1, 10);
    log().pop_region();
  }).join();
  log().pop_region();
  std::thread([&] { drop(2, 20); }).join();
  auto const record = finish();
  auto const& maker = region(record, "maker");
  EXPECT_EQ(maker.own.died, 2u);
  EXPECT_EQ(maker.own.died_in_entry, 1u);
  EXPECT_EQ(maker.live.now, 0u);
  EXPECT_EQ(region(record, "other").own.died, 0u);
  EXPECT_EQ(region(record, "other").died_within, 0u);
}

TEST_F(allocation_log, knows_no_entry_of_a_thread_that_has_ended) {
  std::thread([&] {
    log().push_region("a");
    make(1, 10);
  }).join();
  // It has the slot of the first.
  std::thread([&] {
    log().push_region("a");
    drop(1, 10);
    log().pop_region();
  }).join();
  auto const record = finish();
  EXPECT_EQ(region(record, "a").entries, 2u);
  EXPECT_EQ(region(record, "a").own.died, 1u);
  EXPECT_EQ(region(record, "a").own.died_in_entry, 0u);
  EXPECT_EQ(record.unbalanced_pushes, 1u);
  EXPECT_EQ(record.unbalanced_pops, 0u);
}

TEST_F(allocation_log, counts_unknown_addresses_and_nothing_else_of_them) {
  drop(1, 10);
  log().deallocated(nullptr, 10);
  make(1, 20);
  drop(1, 20);
  drop(1, 20);
  auto const record = finish();
  EXPECT_EQ(record.unknown_ends, 2u);
  EXPECT_EQ(record.regions[0].own.allocations, 1u);
  EXPECT_EQ(record.regions[0].own.died, 1u);
  EXPECT_EQ(record.regions[0].live.now, 0u);
}

TEST_F(allocation_log, balances_addresses_that_come_again) {
  for (int i = 0; i < 3; ++i) {
    make(1, 10);
    drop(1, 10);
  }
  make(1, 100);
  make(1, 1000);  // nobody said that the other one has ended
  drop(1, 999);
  auto const record = finish();
  EXPECT_EQ(record.regions[0].own.allocations, 5u);
  EXPECT_EQ(record.regions[0].own.bytes, 1130u);
  EXPECT_EQ(record.regions[0].own.died, 5u);
  EXPECT_EQ(record.regions[0].own.dead_bytes, 1130u);
  EXPECT_EQ(record.regions[0].live.now, 0u);
  EXPECT_EQ(record.regions[0].live.most, 1000u);
  EXPECT_EQ(record.missed_ends, 1u);
  EXPECT_EQ(record.other_sizes, 1u);
  EXPECT_EQ(record.alive_at_end, 0u);
}

TEST_F(allocation_log, counts_other_spaces_apart) {
  log().allocated("Cuda", "d", address(1), 10);
  log().allocated("Cuda", "e", address(2), 30);
  log().allocated("HostPinned", "f", address(3), 5);
  drop(1, 10);
  make(4, 1);
  auto const record = finish();
  ASSERT_EQ(record.other_spaces.size(), 2u);
  EXPECT_EQ(record.other_spaces[0].name, "Cuda");
  EXPECT_EQ(record.other_spaces[0].sums.allocations, 2u);
  EXPECT_EQ(record.other_spaces[0].sums.bytes, 40u);
  EXPECT_EQ(record.other_spaces[0].sums.died, 1u);
  EXPECT_EQ(record.other_spaces[0].live.now, 30u);
  EXPECT_EQ(record.other_spaces[1].name, "HostPinned");
  ASSERT_EQ(record.labels.size(), 1u);
  EXPECT_EQ(record.regions[0].own.allocations, 1u);
  EXPECT_EQ(record.unknown_ends, 0u);
  EXPECT_EQ(record.alive_at_end, 1u);
}

TEST_F(allocation_log, counts_fences_and_kernels_for_the_region) {
  log().push_region("a");
  log().fence("HostSpace::impl_deallocate before free");
  log().fence("my fence");
  log().kernel();
  log().kernel();
  log().pop_region();
  log().kernel();
  log().fence(nullptr);
  auto const record = finish();
  auto const& a     = region(record, "a");
  EXPECT_EQ(a.fences, 2u);
  EXPECT_EQ(a.end_fences, 1u);
  EXPECT_EQ(a.kernels, 2u);
  EXPECT_EQ(record.regions[0].fences, 1u);
  EXPECT_EQ(record.regions[0].kernels, 1u);
}

TEST_F(allocation_log, keeps_names_of_any_bytes) {
  std::string const name = "a \"quote\"\n\xc3\xa4 \xff";
  log().push_region(name.c_str());
  make(1, 10, name.c_str());
  make(2, 10, nullptr);
  log().pop_region();
  auto const record = finish();
  EXPECT_EQ(record.regions[1].name, name);
  EXPECT_EQ(record.labels[0].name, name);
  EXPECT_EQ(record.labels[1].name, "(unnamed)");
}

TEST_F(allocation_log, has_the_bytes_of_each_region_over_time) {
  constexpr std::uint64_t worth = 64 << 10;
  make(1, worth);
  log().push_region("small");
  make(2, worth - 1);
  log().pop_region();
  log().push_region("big");
  make(3, worth);
  MockSources::ns += 1'000'000;
  drop(3, worth);
  log().pop_region();
  auto const record = finish();
  ASSERT_EQ(record.series.size(), 2u);
  EXPECT_EQ(record.series[1], region_number(record, "big"));
  ASSERT_EQ(record.samples.size(), 2u);
  EXPECT_EQ(record.samples[0].live[0], 2 * worth - 1);
  EXPECT_EQ(record.samples[0].live[1], worth);
  EXPECT_EQ(record.samples[1].ns, 1'000'000u);
  EXPECT_EQ(record.samples[1].live[1], 0u);
}

TEST_F(allocation_log, counts_regions_beyond_the_most_for_their_parent) {
  log().push_region("p");
  for (std::size_t i = 0; i < 2 * AllocationLog::most_regions; ++i) {
    log().push_region(std::to_string(i).c_str());
    make(1, 10);
    drop(1, 10);
    log().pop_region();
  }
  log().pop_region();
  auto const record = finish();
  EXPECT_EQ(record.regions.size(), AllocationLog::most_regions);
  auto const own = AllocationLog::most_regions - 2;
  EXPECT_EQ(record.merged_regions, 2 * AllocationLog::most_regions - own);
  EXPECT_EQ(region(record, "p").entries, 1u);
  EXPECT_EQ(region(record, "p").own.allocations, record.merged_regions);
  EXPECT_EQ(record.unbalanced_pops, 0u);
}

TEST_F(allocation_log, is_bounded_where_regions_are_never_left) {
  constexpr std::size_t pushes = 100'000;
  for (std::size_t i = 0; i < pushes; ++i) log().push_region("a");
  for (std::size_t i = 0; i < pushes; ++i) log().pop_region();
  log().push_region("b");
  auto const record = finish();
  EXPECT_EQ(record.regions.size(), AllocationLog::most_depth + 2);
  EXPECT_EQ(region(record, "b").entries, 1u);
  EXPECT_EQ(record.unbalanced_pops, 0u);
  EXPECT_EQ(record.unbalanced_pushes, 1u);
}

TEST_F(allocation_log, counts_labels_beyond_the_most_together) {
  for (std::size_t i = 0; i < AllocationLog::most_labels + 10; ++i) {
    make(1, 1, std::to_string(i).c_str());
    drop(1, 1);
  }
  auto const record = finish();
  ASSERT_EQ(record.labels.size(), AllocationLog::most_labels);
  EXPECT_EQ(record.labels.back().name, "(others)");
  EXPECT_EQ(record.labels.back().sums.allocations, 11u);
  EXPECT_EQ(record.labels.back().sums.died, 11u);
}

TEST_F(allocation_log, takes_no_events_after_its_end) {
  make(1, 10);
  EXPECT_EQ(finish().labels.size(), 1u);
  make(2, 10);
  drop(1, 10);
  log().push_region("a");
  log().pop_region();
  EXPECT_TRUE(log().is_own());
}

TEST_F(allocation_log, does_nothing_in_a_child_process) {
  auto const child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    make(1, 10);
    log().push_region("a");
    ::_exit(log().is_own() ? 1 : 0);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(log().is_own());
  EXPECT_EQ(finish().regions.size(), 1u);
}

}  // namespace
