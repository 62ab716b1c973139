// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <preload/KokkosArena_LogSources.hpp>

#include <gtest/gtest.h>

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <thread>

namespace {

using KokkosArena::Impl::LogSources;

/// Of 4 KiB, without huge ones.
constexpr std::size_t pages = 512;

void touch_fresh_pages() {
  constexpr std::size_t bytes = pages * 4096;
  void* const address         = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(address, MAP_FAILED);
#if defined(MADV_NOHUGEPAGE)
  ::madvise(address, bytes, MADV_NOHUGEPAGE);
#endif
  std::memset(address, 1, bytes);
  ::munmap(address, bytes);
}

TEST(log_sources, the_clock_does_not_go_back) {
  LogSources const sources;
  auto last = sources.nanoseconds();
  EXPECT_GT(last, 0u);
  for (int i = 0; i < 1000; ++i) {
    auto const now = sources.nanoseconds();
    ASSERT_GE(now, last);
    last = now;
  }
}

#if defined(__linux__)

TEST(log_sources, count_the_first_touches_of_the_calling_thread) {
  LogSources const sources;
  auto const of_thread  = sources.thread().faults;
  auto const of_process = sources.process_faults();
  touch_fresh_pages();
  EXPECT_GE(sources.thread().faults - of_thread, pages);
  EXPECT_GE(sources.process_faults() - of_process, pages);
}

TEST(log_sources, count_those_of_other_threads_for_the_process) {
  LogSources const sources;
  auto const of_process = sources.process_faults();
  std::thread(touch_fresh_pages).join();
  EXPECT_GE(sources.process_faults() - of_process, pages);
}

#endif

TEST(log_sources, count_at_least_the_calling_thread) {
  EXPECT_GE(LogSources().threads(), 1u);
}

TEST(log_sources, measure_costs_of_this_machine) {
  auto const costs = LogSources().costs();
  EXPECT_GT(costs.fault_ns, 0);
  EXPECT_GT(costs.fault_bytes, 0);
  EXPECT_GT(costs.mapping_ns, 0);
}

}  // namespace
