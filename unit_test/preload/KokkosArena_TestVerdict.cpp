// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockSources.hpp"

#include <preload/KokkosArena_Advice.hpp>
#include <preload/KokkosArena_AllocationLog.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

using KokkosArena::Impl::Advice;
using KokkosArena::Impl::AllocationLog;
using KokkosArenaTest::address;
using KokkosArenaTest::MockSources;

constexpr std::uint64_t page = 4096;

/// A program of which a page fault takes 1000 ns and a mapping 2000.
class verdict : public KokkosArenaTest::MockedLog {
 protected:
  void push(char const* name) { log().push_region(name); }
  void pop() { log().pop_region(); }
  void pass(std::uint64_t ns) { MockSources::ns += ns; }
  /// A View that is touched and dies, in memory that is fresh or not.
  void use(std::uint64_t pages, bool is_fresh = true) {
    log().allocated("Host", "x", address(1), pages * page);
    if (is_fresh) {
      MockSources::fault(pages);
      pass(1000 * pages);
    }
    log().deallocated(address(1), pages * page);
  }
  Advice finish() { return log().finish("./app 8"); }
};

TEST_F(verdict, expects_nothing_of_a_program_without_views) {
  pass(1000);
  auto const result = finish().verdict;
  EXPECT_FALSE(result.is_worth_it);
  EXPECT_EQ(result.sentence,
            "No gain to expect: the program made no View in the host's memory "
            "while it was watched.");
  EXPECT_EQ(result.command, "");
  EXPECT_EQ(result.malloc_command, "");
}

TEST_F(verdict, expects_nothing_of_an_empty_log_that_took_no_time) {
  auto const advice = finish();
  EXPECT_FALSE(advice.verdict.is_worth_it);
  EXPECT_EQ(advice.verdict.gain, 0);
}

TEST_F(verdict, expects_nothing_where_memory_is_touched_once) {
  push("setup");
  use(1000);
  pop();
  push("step");
  for (int i = 0; i < 100; ++i) use(1000, false);
  pass(1'000'000);
  pop();
  auto const advice = finish();
  EXPECT_FALSE(advice.verdict.is_worth_it);
  EXPECT_EQ(advice.verdict.sentence,
            "No gain to expect: an arena would save about 0.0 % of the time.");
  EXPECT_TRUE(advice.verdict.adopt.empty());
}

TEST_F(verdict, names_the_innermost_region_that_has_the_gain) {
  push("step");
  push("solve");
  for (int i = 0; i < 101; ++i) use(100);  // 100 pages are touched anyhow
  pop();
  pass(30'000'000 - 101 * 100'000);
  pop();
  pass(10'000'000);
  auto const advice = finish();
  EXPECT_TRUE(advice.verdict.is_worth_it);
  // The arena's own header needs a part of a page more.
  EXPECT_NEAR(advice.verdict.gain, 0.25, 0.0001);
  EXPECT_EQ(advice.verdict.sentence,
            "A gain of about 25 % of the time is to be expected in the region "
            "\"solve\".");
  EXPECT_EQ(advice.verdict.command,
            "kokkos-arena run --adopt 'solve' -- ./app 8");
  EXPECT_EQ(advice.verdict.adopt, std::vector<std::string>{"solve"});
  EXPECT_NEAR(advice.regions[2].first_faults, 100, 0.1);
  EXPECT_NEAR(advice.regions[2].repeated_faults, 10'000, 0.1);
  EXPECT_EQ(advice.regions[2].path, "step/solve");
}

TEST_F(verdict, names_the_outer_region_where_several_in_it_share_the_gain) {
  push("step");
  for (char const* const name : {"a", "b"}) {
    push(name);
    for (int i = 0; i < 50; ++i) use(100);
    pop();
  }
  pop();
  pass(10'000'000);
  EXPECT_EQ(finish().verdict.adopt, std::vector<std::string>{"step"});
}

TEST_F(verdict, names_several_regions_that_are_in_none) {
  for (char const* const name : {"a", "b", "a", "none"}) {
    push(name);
    if (*name != 'n') {
      for (int i = 0; i < 50; ++i) use(100);
    }
    pop();
  }
  pass(10'000'000);
  auto const result = finish().verdict;
  EXPECT_EQ(result.command,
            "kokkos-arena run --adopt 'a' --adopt 'b' -- ./app 8");
  EXPECT_NE(result.sentence.find("in the regions \"a\" and \"b\"."),
            std::string::npos);
}

TEST_F(verdict, names_a_region_once_that_is_in_two) {
  for (char const* const name : {"a", "b"}) {
    push(name);
    push("same");
    for (int i = 0; i < 50; ++i) use(100);
    pop();
    pop();
  }
  pass(10'000'000);
  EXPECT_EQ(finish().verdict.adopt, std::vector<std::string>{"same"});
}

TEST_F(verdict, proposes_all_of_the_program_where_there_are_no_regions) {
  for (int i = 0; i < 100; ++i) use(100);
  pass(10'000'000);
  auto const result = finish().verdict;
  EXPECT_EQ(result.sentence,
            "A gain of about 49 % of the time is to be expected; the program "
            "has no regions to choose from.");
  EXPECT_EQ(result.command, "kokkos-arena run --adopt '*' -- ./app 8");
}

TEST_F(verdict, proposes_all_of_the_program_where_most_is_outside_of_regions) {
  push("a");
  for (int i = 0; i < 20; ++i) use(100);
  pop();
  for (int i = 0; i < 80; ++i) use(100);
  auto const result = finish().verdict;
  EXPECT_EQ(result.adopt, std::vector<std::string>{"*"});
  EXPECT_NE(result.sentence.find("most of it not in single regions"),
            std::string::npos);
}

TEST_F(verdict, takes_off_faults_that_views_can_not_have_caused) {
  push("reads a file");
  for (int i = 0; i < 10; ++i) use(1, false);
  MockSources::fault(10'000);
  pass(10'000'000);
  pop();
  auto const advice = finish();
  EXPECT_FALSE(advice.verdict.is_worth_it);
  EXPECT_EQ(advice.regions[1].faults, 10'000u);
  EXPECT_LT(advice.regions[1].repeated_faults, 10);
}

TEST_F(verdict, expects_nothing_where_views_live_on) {
  push("build");
  for (std::uint64_t i = 1; i <= 100; ++i) {
    log().allocated("Host", "x", address(i), 100 * page);
    MockSources::fault(100);
    pass(100'000);
  }
  pop();
  EXPECT_FALSE(finish().verdict.is_worth_it);
}

TEST_F(verdict, counts_huge_pages_as_one_fault_each) {
  MockSources::costs = {100'000, 512.0 * page, 2000};
  AllocationLog other(MockSources::sources());
  for (int i = 0; i < 100; ++i) {
    other.allocated("Host", "x", address(1), 512 * page);
    MockSources::fault(1);
    pass(200'000);
    other.deallocated(address(1), 512 * page);
  }
  EXPECT_NEAR(other.finish().verdict.gain, 0.5, 0.01);
}

TEST_F(verdict, takes_a_fault_for_more_where_the_system_took_longer) {
  for (int i = 0; i < 100; ++i) use(100);
  pass(30'000'000);
  MockSources::thread.system_ns += 15'000'000;
  EXPECT_NEAR(finish().verdict.gain, 0.375, 0.005);
}

TEST_F(verdict, takes_it_for_twice_as_much_at_most) {
  for (int i = 0; i < 100; ++i) use(100);
  pass(30'000'000);
  MockSources::thread.system_ns += 35'000'000;
  EXPECT_NEAR(finish().verdict.gain, 0.5, 0.006);
}

TEST_F(verdict, counts_a_fault_of_a_worker_for_a_part_of_one) {
  MockSources::threads = 4;
  AllocationLog other(MockSources::sources());
  for (int i = 0; i < 101; ++i) {
    other.allocated("Host", "x", address(1), 100 * page);
    MockSources::fault(25);
    MockSources::process_faults += 75;
    pass(25'000);
    other.deallocated(address(1), 100 * page);
  }
  pass(10'100'000 - 101 * 25'000);
  EXPECT_NEAR(other.finish().verdict.gain, 0.25 + 0.25 * 0.25, 0.005);
}

TEST_F(verdict, shares_the_faults_of_workers_where_the_host_has_none) {
  MockSources::threads = 4;
  AllocationLog other(MockSources::sources());
  for (int i = 0; i < 101; ++i) {
    other.allocated("Host", "x", address(1), 100 * page);
    MockSources::process_faults += 100;
    other.deallocated(address(1), 100 * page);
  }
  pass(10'100'000);
  EXPECT_NEAR(other.finish().verdict.gain, 0.25, 0.01);
}

TEST_F(verdict, leaves_out_the_time_that_others_had_the_processor) {
  for (int i = 0; i < 100; ++i) use(100);
  pass(90'000'000);
  MockSources::waiting += 80'000'000;
  EXPECT_NEAR(finish().verdict.gain, 0.5, 0.01);
}

TEST_F(verdict, proposes_a_malloc_that_keeps_its_memory_for_page_faults) {
  for (int i = 0; i < 100; ++i) use(100);
  auto const result = finish().verdict;
  EXPECT_EQ(result.malloc_command,
            "GLIBC_TUNABLES=glibc.malloc.mmap_max=0:"
            "glibc.malloc.trim_threshold=1099511627776 ./app 8");
  EXPECT_EQ(result.malloc_sentence.find("above 32 MiB"), std::string::npos);
}

TEST_F(verdict, says_so_of_arrays_that_glibc_gives_back_each_time) {
  constexpr std::uint64_t pages = (std::uint64_t(40) << 20) / page;
  for (int i = 0; i < 10; ++i) use(pages);
  auto const advice = finish();
  EXPECT_EQ(advice.record.regions[0].own.large, 10u);
  EXPECT_NE(advice.verdict.malloc_sentence.find("arrays above 32 MiB"),
            std::string::npos);
}

TEST_F(verdict, counts_the_mappings_of_such_arrays) {
  for (int i = 0; i < 10; ++i) {
    log().allocated("Host", "x", address(1), std::uint64_t(40) << 20);
    pass(4000);
    log().deallocated(address(1), std::uint64_t(40) << 20);
  }
  EXPECT_DOUBLE_EQ(finish().verdict.gain, 0.5);
}

TEST_F(verdict, quotes_names_for_the_shell_in_one_line) {
  push("it's \"$x\"\nnext");
  for (int i = 0; i < 100; ++i) use(100);
  pop();
  auto const result = finish().verdict;
  EXPECT_EQ(result.command,
            "kokkos-arena run --adopt 'it'\\''s \"$x\"?next' -- ./app 8");
  EXPECT_EQ(result.sentence.find('\n'), std::string::npos);
}

TEST_F(verdict, of_an_outer_region_has_the_deaths_in_the_regions_in_it) {
  push("outer");
  log().allocated("Host", "x", address(2), 10);
  push("inner");
  log().allocated("Host", "x", address(3), 10);
  log().allocated("Host", "x", address(4), 10);
  log().deallocated(address(4), 10);
  pop();
  log().deallocated(address(3), 10);
  pop();
  log().deallocated(address(2), 10);
  auto const advice = finish();
  ASSERT_EQ(advice.regions.size(), 3u);
  EXPECT_EQ(advice.regions[0].sums.died_in_entry, 3u);
  EXPECT_EQ(advice.regions[1].sums.died_in_entry, 2u);
  EXPECT_EQ(advice.regions[2].sums.died_in_entry, 1u);
  EXPECT_EQ(advice.regions[0].sums.allocations, 3u);
  EXPECT_EQ(advice.regions[1].sums.allocations, 3u);
  EXPECT_EQ(advice.regions[2].sums.allocations, 2u);
}

}  // namespace
