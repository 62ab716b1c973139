// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_MOCKSOURCES_HPP
#define KOKKOSARENA_MOCKSOURCES_HPP

#include <gtest/gtest.h>
#include <preload/KokkosArena_AllocationLog.hpp>
#include <preload/KokkosArena_AllocationRecord.hpp>
#include <preload/KokkosArena_LogSources.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace KokkosArenaTest {

/// What the log asks for, as the test says.
struct MockSources {
  static inline std::atomic<std::uint64_t> ns{0};
  static inline std::atomic<std::uint64_t> process_faults{0};
  static inline thread_local KokkosArena::Impl::ThreadUsage thread;
  static inline std::uint64_t waiting = 0;
  static inline unsigned threads      = 1;
  static inline KokkosArena::Impl::MachineCosts costs;

  static void reset() {
    ns             = 1000;
    process_faults = 7;
    thread         = {3, 11};
    waiting        = 5;
    threads        = 1;
    costs          = {1000, 4096, 2000};
  }
  /// The calling thread touches fresh pages.
  static void fault(std::uint64_t count) {
    thread.faults += count;
    process_faults += count;
  }
  static KokkosArena::Impl::LogSources sources() {
    KokkosArena::Impl::LogSources result;
    result.usage_interval_ns = 0;
    result.nanoseconds       = []() noexcept { return ns.load(); };
    result.thread            = []() noexcept { return thread; };
    result.process_faults    = []() noexcept { return process_faults.load(); };
    result.waiting           = []() noexcept { return waiting; };
    result.threads           = []() noexcept { return threads; };
    result.costs             = []() noexcept { return costs; };
    return result;
  }
};

inline void const* address(std::uint64_t number) {
  return reinterpret_cast<void const*>(std::uintptr_t(number) * 64);
}

/// A log that asks them, as they are at the beginning of each test.
class MockedLog : public ::testing::Test {
 protected:
  KokkosArena::Impl::AllocationLog& log() { return *m_log; }

 private:
  struct Reset {
    Reset() { MockSources::reset(); }
  };
  Reset m_reset;
  std::unique_ptr<KokkosArena::Impl::AllocationLog> m_log =
      std::make_unique<KokkosArena::Impl::AllocationLog>(
          MockSources::sources());
};

/// Throws where the path isn't one of the record's.
inline std::size_t region_number(
    KokkosArena::Impl::AllocationRecord const& record, std::string_view path) {
  for (std::size_t i = 0; i < record.regions.size(); ++i) {
    auto region = record.regions[i];
    auto found  = region.name;
    while (region.parent != 0) {
      region = record.regions[region.parent];
      found  = region.name + "/" + found;
    }
    if (found == path) return i;
  }
  throw std::runtime_error("no region " + std::string(path));
}

inline KokkosArena::Impl::RecordedRegion const& region(
    KokkosArena::Impl::AllocationRecord const& record, std::string_view path) {
  return record.regions[region_number(record, path)];
}

}  // namespace KokkosArenaTest

#endif
