// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_LOGSOURCES_HPP
#define KOKKOSARENA_PRELOAD_LOGSOURCES_HPP

#include "KokkosArena_MachineCosts.hpp"

#include <cstdint>

namespace KokkosArena::Impl {

/// \brief Of a clock that never goes back. Cost: tens of ns.
std::uint64_t monotonic_nanoseconds() noexcept;
/// \brief What a thread has had from the system since it began.
struct ThreadUsage {
  std::uint64_t faults    = 0;  ///< Page faults that needed no disk.
  std::uint64_t system_ns = 0;  ///< Time that it was in the system.
};
/// \brief Of the calling thread. Cost: a system call.
ThreadUsage thread_usage() noexcept;
/// \brief Page faults of all threads of the process, also of those that ended.
/// Cost: a system call, which looks at each thread.
std::uint64_t process_page_faults() noexcept;
/// \brief For how long the calling thread could have run but had to wait, since
/// others had the processors; 0 where the system doesn't say. Cost: it reads a
/// file.
std::uint64_t thread_waiting_nanoseconds() noexcept;
/// \brief Threads of the process that can run at the same time now: not more
/// than the machine has processors.
unsigned parallel_threads() noexcept;

/// \brief Whom an AllocationLog asks for what it can't know from its events.
/// Tests put others in their place.
struct LogSources {
  std::uint64_t (*nanoseconds)() noexcept    = monotonic_nanoseconds;
  ThreadUsage (*thread)() noexcept           = thread_usage;
  std::uint64_t (*process_faults)() noexcept = process_page_faults;
  std::uint64_t (*waiting)() noexcept        = thread_waiting_nanoseconds;
  unsigned (*threads)() noexcept             = parallel_threads;
  MachineCosts (*costs)() noexcept           = measure_machine_costs;
  /// A thread isn't asked for its usage before so much time has passed.
  std::uint64_t usage_interval_ns = 100'000;
};

}  // namespace KokkosArena::Impl

#endif
