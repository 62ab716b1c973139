// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MachineCosts.hpp"

#include "KokkosArena_LogSources.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t touched_bytes    = std::size_t(4) << 20;
constexpr std::size_t touching_repeats = 3;
constexpr std::size_t mapping_repeats  = 15;

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
  auto const sources = LogSources();
  auto const now = [&] { return static_cast<double>(sources.nanoseconds()); };
  MachineCosts result;

  std::array<double, mapping_repeats> mappings{};
  for (auto& mapping : mappings) {
    auto const begin    = now();
    void* const address = map(touched_bytes);
    if (!address) return {};
    ::munmap(address, touched_bytes);
    mapping = now() - begin;
  }
  result.mapping_ns = median(mappings);

  std::array<double, touching_repeats> faults{};
  std::array<double, touching_repeats> bytes{};
  for (std::size_t i = 0; i < touching_repeats; ++i) {
    auto const faults_before = sources.thread_faults();
    auto const begin         = now();
    void* const address      = map(touched_bytes);
    if (!address) return {};
    write(address, 1);
    auto const again = now();
    write(address, 2);
    auto const written = now();
    ::munmap(address, touched_bytes);
    // What is written again costs as much without the faults.
    auto const cost = now() - begin - 2 * (written - again) - result.mapping_ns;
    auto const count =
        static_cast<double>(sources.thread_faults() - faults_before);
    if (count <= 0) return {};
    faults[i] = std::max(cost, 0.0) / count;
    bytes[i]  = static_cast<double>(touched_bytes) / count;
  }
  result.fault_ns    = median(faults);
  result.fault_bytes = median(bytes);
  return result;
}

}  // namespace KokkosArena::Impl
