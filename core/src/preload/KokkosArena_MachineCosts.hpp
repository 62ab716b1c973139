// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_MACHINECOSTS_HPP
#define KOKKOSARENA_PRELOAD_MACHINECOSTS_HPP

namespace KokkosArena::Impl {

/// \brief What fresh memory costs on this machine.
struct MachineCosts {
  /// Of a first touch, and of giving the page back, beyond writing it again.
  double fault_ns = 0;
  /// Memory that one fault provides: a page, or more where the system gives
  /// huge ones by itself.
  double fault_bytes = 4096;
  /// Of asking the system for a mapping and giving it back untouched.
  double mapping_ns = 0;
};

/// \brief Measures them: the medians of a few repeats on the calling thread.
/// Cost: some 2 MiB of memory for a while; under 10 ms on most machines. All
/// costs are zero where there is no mmap(), or no memory.
MachineCosts measure_machine_costs() noexcept;

}  // namespace KokkosArena::Impl

#endif
