// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_LogSources.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>

namespace KokkosArena::Impl {

namespace {

ThreadUsage usage_of(int whom) noexcept {
  rusage usage{};
  if (::getrusage(whom, &usage) != 0) return {};
  auto const seconds      = static_cast<std::uint64_t>(usage.ru_stime.tv_sec);
  auto const microseconds = static_cast<std::uint64_t>(usage.ru_stime.tv_usec);
  return {static_cast<std::uint64_t>(usage.ru_minflt),
          1000 * (1'000'000 * seconds + microseconds)};
}

unsigned process_threads() noexcept {
  unsigned count = 0;
  if (DIR* const directory = ::opendir("/proc/self/task")) {
    while (dirent const* const entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(directory);
  }
  return std::max(count, 1u);
}

}  // namespace

std::uint64_t monotonic_nanoseconds() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

ThreadUsage thread_usage() noexcept {
#if defined(RUSAGE_THREAD)
  return usage_of(RUSAGE_THREAD);
#else
  return usage_of(RUSAGE_SELF);
#endif
}

std::uint64_t process_page_faults() noexcept {
  return usage_of(RUSAGE_SELF).faults;
}

std::uint64_t thread_waiting_nanoseconds() noexcept {
  std::uint64_t result = 0;
  if (auto* const file = std::fopen("/proc/thread-self/schedstat", "r")) {
    // Behind the time for which it ran.
    if (std::fscanf(file, "%*u %" SCNu64, &result) != 1) result = 0;
    std::fclose(file);
  }
  return result;
}

unsigned parallel_threads() noexcept {
  // Not those that the calling thread may run on: OpenMP may have bound it to
  // one.
  auto const processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  return std::min(process_threads(),
                  static_cast<unsigned>(std::max(processors, 1l)));
}

}  // namespace KokkosArena::Impl
