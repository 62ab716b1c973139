// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_BENCHMARKS_HPP
#define KOKKOSARENA_PERF_BENCHMARKS_HPP

#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>

/// \file
/// What the benchmark programs share.

namespace KokkosArena::Perf {

/// \brief Each program defines it; main() calls it once Kokkos is there.
void register_benchmarks();

// Where temporaries come from, as a benchmark's template argument: an object
// of it exists while the benchmark runs.

struct InHostSpace {
  using memory_space = Kokkos::HostSpace;
  void next_cycle() {}
};

template <class Sync, class Space = ScopedSpace<Kokkos::HostSpace>>
struct InArena {
  using memory_space = Space;

  InArena() = default;
  explicit InArena(std::size_t bytes) : arena(bytes) {}
  void next_cycle() { arena.reset(); }

  Arena<Kokkos::HostSpace, Sync> arena;
  ArenaScope scope{arena};
};

}  // namespace KokkosArena::Perf

#endif
