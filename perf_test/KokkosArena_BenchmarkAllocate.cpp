// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "peers.hpp"
#include "view_benchmarks.hpp"

/// \file
/// What it costs to make and drop memory, without using it.

namespace KokkosArena::Perf {

namespace {

constexpr std::size_t raw_allocations = 64;
constexpr std::size_t raw_bytes       = 64;

/// \brief Takes what the demand says and gives it back, some times.
/// \return Whether all was there.
template <class Allocator>
bool warm_up(Allocator& allocator, Demand const& demand) {
  bool all = true;
  std::vector<void*> blocks(demand.blocks);
  for (int i = 0; i < 3; ++i) {
    for (auto& block : blocks) {
      block = allocator.allocate(demand.bytes);
      all   = all && block;
    }
    if constexpr (FreesBlocks<Allocator>) {
      for (auto* block : blocks) allocator.deallocate(block, demand.bytes);
    } else {
      allocator.reset();
    }
  }
  return all;
}

constexpr char const* no_memory = "the allocator has no memory";

/// \brief Allocates again and again, and then gives all back.
template <class Allocator>
void raw(benchmark::State& state) {
  constexpr Demand demand{.bytes = raw_bytes, .blocks = raw_allocations};
  Allocator allocator(demand);
  if (!warm_up(allocator, demand)) state.SkipWithError(no_memory);
  std::array<void*, raw_allocations> blocks{};
  for (auto _ : state) {
    for (auto& block : blocks) {
      auto* memory = allocator.allocate(raw_bytes);
      benchmark::DoNotOptimize(memory);
      if constexpr (FreesBlocks<Allocator>) block = memory;
    }
    if constexpr (FreesBlocks<Allocator>) {
      for (auto* block : blocks) allocator.deallocate(block, raw_bytes);
    } else {
      allocator.reset();
    }
  }
  // Seconds for each of them.
  state.counters["each"] = benchmark::Counter(
      raw_allocations, benchmark::Counter::kIsIterationInvariantRate |
                           benchmark::Counter::kInvert);
}

using UnmanagedView = Kokkos::View<double*, Kokkos::HostSpace,
                                   Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// \brief An unmanaged View over raw memory, which is given back after a batch
/// that fits into a core's own cache, or after each one that doesn't.
template <class Allocator>
void unmanaged(benchmark::State& state) {
  auto const n     = static_cast<std::size_t>(state.range(0));
  auto const bytes = n * sizeof(double);
  auto const batch = std::clamp<std::size_t>(65536 / bytes, 1, 64);
  Demand const demand{.bytes = bytes, .blocks = batch};
  Allocator allocator(demand);
  if (!warm_up(allocator, demand)) state.SkipWithError(no_memory);
  std::size_t alive = 0;
  for (auto _ : state) {
    UnmanagedView const view(static_cast<double*>(allocator.allocate(bytes)),
                             n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
    if constexpr (FreesBlocks<Allocator>) {
      allocator.deallocate(data, bytes);
    } else if (++alive == batch) {
      alive = 0;
      allocator.reset();
    }
  }
}

/// The limit: a View of memory that was there beforehand.
void preallocated(benchmark::State& state) {
  auto const n = static_cast<std::size_t>(state.range(0));
  std::vector<double> buffer(n);
  auto* memory = buffer.data();
  for (auto _ : state) {
    benchmark::DoNotOptimize(memory);
    UnmanagedView const view(memory, n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
  }
}

/// From the handle, as kernels do it.
template <class Sync>
void handle_view(benchmark::State& state) {
  auto const n     = static_cast<std::size_t>(state.range(0));
  auto const batch = std::clamp<std::size_t>(8192 / n, 1, 64);
  Arena<Kokkos::HostSpace, Sync> arena;
  auto const handle = arena.handle();
  std::size_t alive = 0;
  for (auto _ : state) {
    auto const view = handle.template view<double*>(n);
    auto* data      = view.data();
    benchmark::DoNotOptimize(data);
    if (++alive == batch) {
      alive = 0;
      arena.reset();
    }
  }
}

template <class Where>
void make_view_of_type(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = static_cast<std::size_t>(state.range(0));
  run_temporaries(state, [&] {
    auto const view = make_view<view_in<Where>>("tmp", n);
    auto* data      = view.data();
    benchmark::DoNotOptimize(data);
  });
}

template <class Function>
auto* add(std::string const& name, Function const& function) {
  return benchmark::RegisterBenchmark(name, function);
}

constexpr std::array<std::int64_t, 6> sizes = {16,     256,     4096,
                                               100000, 1000000, 8000000};

template <class Function>
void add_sizes(std::string const& name, Function const& function) {
  auto* const benchmark = add(name, function);
  for (auto const n : sizes) benchmark->Arg(n);
  // Of which threads of the backend may do a part.
  if (name.starts_with("View_initialized")) benchmark->UseRealTime();
}

template <class Where>
void register_views(std::string const& where) {
  for (auto const& [name, function] :
       {std::pair("View_uninitialized/", view_uninitialized<Where>),
        std::pair("View_initialized/", view_initialized<Where>),
        std::pair("similar/", similar_to_view<Where>),
        std::pair("make_view/", make_view_of_type<Where>)}) {
    add_sizes(name + where, function);
  }
  // Each thread has its own arena. To be compared by the CPU time: where there
  // are fewer idle processors than threads, the other one waits.
  add("similar_by_threads/" + where, similar_to_view<Where>)
      ->Arg(256)
      ->ThreadRange(1, 2)
      ->UseRealTime();
}

template <class Allocator>
void register_raw(std::string const& name) {
  add("raw/" + name, raw<Allocator>);
}

template <class Allocator>
void register_peer(std::string const& name) {
  register_raw<Allocator>(name);
  add_sizes("unmanaged/" + name, unmanaged<Allocator>);
}

template <class Sync>
void register_arena(std::string const& name) {
  register_raw<SharedArena<Sync>>(name);
  add_sizes("handle/" + name, handle_view<Sync>);
  register_views<InArena<Sync>>(name);
}

}  // namespace

void register_benchmarks() {
  register_arena<Unsynchronized>("arena_Unsynchronized");
  register_arena<ThreadCached>("arena_ThreadCached");
  register_arena<Locked>("arena_Locked");
  register_views<InHostSpace>("HostSpace");
  add_sizes("unmanaged/preallocated", preallocated);
  register_peer<Malloc>("malloc");
  register_peer<PmrMonotonic>("std_pmr_monotonic");
  register_raw<PmrMonotonicByInterface>("std_pmr_monotonic_by_interface");
  register_peer<PmrSynchronizedPool>("std_pmr_synchronized_pool");
  register_peer<KokkosMemoryPool>("Kokkos_MemoryPool");
#ifdef KOKKOSARENA_PERF_HAS_UMPIRE
  register_peer<UmpireQuickPool>("Umpire_QuickPool");
  add("raw/Umpire_Monotonic", raw<UmpireMonotonic>)
      ->Iterations(UmpireMonotonic::batches);
#endif
}

}  // namespace KokkosArena::Perf
