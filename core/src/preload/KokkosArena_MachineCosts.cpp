// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MachineCosts.hpp"

#include "KokkosArena_LogSources.hpp"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t touched_bytes = std::size_t(2) << 20;
constexpr std::size_t repeats       = 5;
constexpr std::size_t mappings      = 4;  ///< Of a repeat.

/// Of this thread: on a machine that others use as well, a clock on the wall
/// would measure them.
double cpu_nanoseconds() noexcept {
  timespec time{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e9 +
         static_cast<double>(time.tv_nsec);
}

template <std::size_t size>
double median(std::array<double, size>& values) {
  std::sort(values.begin(), values.end());
  return values[size / 2];
}

void* map(std::size_t bytes) noexcept {
  void* const address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

/// A compiler drops writes that nobody reads.
void write(void* address, int value) noexcept {
  std::memset(address, value, touched_bytes);
  asm volatile("" : : "r"(address) : "memory");
}

}  // namespace

MachineCosts measure_machine_costs() noexcept {
  std::array<double, repeats> mapping{};
  std::array<double, repeats> fault{};
  std::array<double, repeats> bytes{};
  for (std::size_t i = 0; i < repeats; ++i) {
    auto const begin = cpu_nanoseconds();
    for (std::size_t k = 0; k < mappings; ++k) {
      void* const address = map(touched_bytes);
      if (!address) return {};
      ::munmap(address, touched_bytes);
    }
    mapping[i] = (cpu_nanoseconds() - begin) / mappings;

    auto const faults_before = thread_usage().faults;
    auto const map_begin     = cpu_nanoseconds();
    void* const address      = map(touched_bytes);
    if (!address) return {};
    write(address, 1);
    auto const again = cpu_nanoseconds();
    write(address, 2);
    auto const written = cpu_nanoseconds();
    ::munmap(address, touched_bytes);
    // What is written again costs as much without the faults.
    auto const cost =
        cpu_nanoseconds() - map_begin - 2 * (written - again) - mapping[i];
    auto const faults =
        static_cast<double>(thread_usage().faults - faults_before);
    if (faults <= 0) return {};
    fault[i] = std::max(cost, 0.0) / faults;
    bytes[i] = static_cast<double>(touched_bytes) / faults;
  }
  MachineCosts result;
  result.mapping_ns  = median(mapping);
  result.fault_ns    = median(fault);
  result.fault_bytes = median(bytes);
  return result;
}

}  // namespace KokkosArena::Impl
