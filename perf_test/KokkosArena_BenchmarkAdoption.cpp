// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena_HostSpaceAdoption.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <new>

#include "view_benchmarks.hpp"

/// \file
/// What adopted memory costs, and what adoptions cost all other users of the
/// operators that they replace. A program of its own, since linking the library
/// replaces them.

namespace KokkosArena::Perf {

namespace {

template <class Sync>
struct Adopted {
  using memory_space = Kokkos::HostSpace;

  Arena<Kokkos::HostSpace, Sync> arena;
  HostSpaceAdoption adoption{arena};
};

/// Somebody else keeps something adopted.
struct BesideAdopted {
  Arena<Kokkos::HostSpace> arena;
  Kokkos::View<double*, Kokkos::HostSpace> kept = [&] {
    HostSpaceAdoption const adoption(arena);
    return Kokkos::View<double*, Kokkos::HostSpace>("kept", 1000);
  }();
};

/// All of the arena is taken.
struct Full {
  Arena<Kokkos::HostSpace> arena{std::size_t(64)};
  HostSpaceAdoption adoption{arena};
};

/// As Kokkos takes and frees HostSpace memory.
template <class Where>
void host_space_memory(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* memory = ::operator new(bytes, std::align_val_t(64), std::nothrow);
    benchmark::DoNotOptimize(memory);
    ::operator delete(memory, std::align_val_t(64), std::nothrow);
  }
  if constexpr (requires { where.adoption; }) {
    state.counters["from_arena"] = benchmark::Counter(
        static_cast<double>(where.arena.statistics().total_allocations),
        benchmark::Counter::kAvgIterations);
  }
}

void adoption_entry(benchmark::State& state) {
  Arena<Kokkos::HostSpace> arena;
  for (auto _ : state) {
    HostSpaceAdoption const adoption(arena);
    benchmark::ClobberMemory();
  }
}

}  // namespace

void register_benchmarks() {
  using benchmark::RegisterBenchmark;
  // First: from the first adoption of the process on, each address is looked
  // up.
  RegisterBenchmark("memory/not_adopted", host_space_memory<InHostSpace>)
      ->Arg(1000)
      ->Arg(8000)
      ->ThreadRange(1, 2)
      ->UseRealTime();
  for (auto const& [name, function] :
       {std::pair("View/HostSpace", view_uninitialized<InHostSpace>),
        std::pair("View/ScopedSpace",
                  view_uninitialized<InArena<ThreadCached>>),
        std::pair("View/adopted_ThreadCached",
                  view_uninitialized<Adopted<ThreadCached>>),
        std::pair("View/adopted_Locked", view_uninitialized<Adopted<Locked>>),
        std::pair("View/adopted_Unsynchronized",
                  view_uninitialized<Adopted<Unsynchronized>>)}) {
    RegisterBenchmark(name, function)->Arg(600)->Arg(100000);
  }
  // Each thread has its own arena.
  RegisterBenchmark("memory/adopted", host_space_memory<Adopted<ThreadCached>>)
      ->Arg(8000)
      ->Arg(80000)
      ->ThreadRange(1, 2)
      ->UseRealTime();
  RegisterBenchmark("memory/not_adopted_beside_adopted",
                    host_space_memory<BesideAdopted>)
      ->Arg(1000)
      ->ThreadRange(1, 2)
      ->UseRealTime();
  RegisterBenchmark("memory/below_threshold",
                    host_space_memory<Adopted<ThreadCached>>)
      ->Arg(1000);
  RegisterBenchmark("memory/does_not_fit", host_space_memory<Full>)->Arg(8000);
  RegisterBenchmark("HostSpaceAdoption", adoption_entry);
}

}  // namespace KokkosArena::Perf
