// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_MACHINE_HPP
#define KOKKOSARENA_PERF_MACHINE_HPP

#include <string>

namespace KokkosArena::Perf {

/// \brief What ran where: what a figure means nothing without.
struct Machine {
  std::string kokkos;      ///< Version of Kokkos, as "5.2.2".
  std::string backend;     ///< Name of the default host execution space.
  int threads;             ///< Its concurrency.
  std::string malloc;      ///< The allocator in use, and how it is tuned.
  std::string compiler;    ///< Name and version.
  std::string processor;   ///< Model and number of processors.
  std::string huge_pages;  ///< Mode of transparent huge pages.
  std::string device;      ///< Model and driver, or "none".
  long processors;         ///< That are online.
  double memory_bytes;     ///< Physical memory, 0 if not known.
  double load;             ///< Average of the last minute, 0 if not known.
};

/// \pre Kokkos is initialised.
Machine this_machine();

/// \return Why Kokkos::initialize would find no device and abort; empty where
/// it finds one, or needs none.
std::string why_no_device();

/// \return Whether other programs are likely to disturb what is measured.
bool is_busy(Machine const& machine);

/// \return How many this process has had.
long page_faults();

}  // namespace KokkosArena::Perf

#endif
