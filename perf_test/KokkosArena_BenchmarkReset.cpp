// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks.hpp"
#include "machine.hpp"

/// \file
/// What it costs to begin: the first cycle of an arena, those until it has its
/// size, and what is done at the borders of every cycle.

namespace KokkosArena::Perf {

namespace {

template <class Space>
using Bytes = Kokkos::View<std::byte*, Space>;

template <class Space>
Bytes<Space> uninitialized(std::size_t bytes) {
  return Bytes<Space>(Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing),
                      bytes);
}

/// \brief A write to each page: what the first touch costs and nothing else.
/// \return Seconds.
double seconds_to_touch(std::byte* data, std::size_t bytes) {
  constexpr std::size_t page = 4096;
  using clock                = std::chrono::steady_clock;
  auto const start           = clock::now();
  for (std::size_t i = 0; i < bytes; i += page) data[i] = std::byte(1);
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(clock::now() - start).count();
}

// Where a first large temporary comes from.

struct FreshHostSpace {
  using memory_space = Kokkos::HostSpace;
};

template <bool HugePages>
struct FreshArena {
  using memory_space = ScopedSpace<Kokkos::HostSpace>;
  Arena<Kokkos::HostSpace> arena{ArenaOptions{.huge_pages = HugePages}};
  ArenaScope scope{arena};
};

/// \brief The time of the first touch of a temporary's pages; that the memory
/// is had and given back is not timed.
template <class Where>
void first_touch(benchmark::State& state) {
  auto const bytes = static_cast<std::size_t>(state.range(0));
  long faults      = 0;
  for (auto _ : state) {
    [[maybe_unused]] Where const where;
    auto const view   = uninitialized<typename Where::memory_space>(bytes);
    auto const before = page_faults();
    state.SetIterationTime(seconds_to_touch(view.data(), bytes));
    faults += page_faults() - before;
  }
  state.counters["page_faults"] = benchmark::Counter(
      static_cast<double>(faults), benchmark::Counter::kAvgIterations);
}

/// \brief All of a temporary's life in a place of its own: to have it, to touch
/// it and to give it back.
template <class Where>
void first_cycle(benchmark::State& state) {
  auto const bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    [[maybe_unused]] Where const where;
    auto const view = uninitialized<typename Where::memory_space>(bytes);
    seconds_to_touch(view.data(), bytes);
  }
}

/// \brief Cycles of many temporaries that are alive together, from an arena's
/// first on: which of them asks upstream for memory, and for how much.
void convergence(benchmark::State& state) {
  constexpr int cycles          = 8;
  constexpr int temporaries     = 64;
  constexpr std::size_t bytes   = std::size_t(1) << 20;
  using memory_space            = ScopedSpace<Kokkos::HostSpace>;
  std::uint64_t last_cycle      = 0;
  std::uint64_t taken_in_second = 0;
  ArenaStatistics last;
  for (auto _ : state) {
    Arena<Kokkos::HostSpace> arena;
    last_cycle = 0;
    for (std::uint64_t cycle = 1; cycle <= cycles; ++cycle) {
      auto const before = arena.statistics().upstream_allocations;
      {
        ArenaScope const scope(arena);
        std::vector<Bytes<memory_space>> alive;
        for (int i = 0; i < temporaries; ++i) {
          alive.push_back(uninitialized<memory_space>(bytes));
        }
        benchmark::DoNotOptimize(alive.data());
      }
      arena.reset();
      auto const taken = arena.statistics().upstream_allocations - before;
      if (taken > 0) last_cycle = cycle;
      if (cycle == 2) taken_in_second = taken;
    }
    last = arena.statistics();
  }
  state.counters["last_cycle_with_upstream"] = static_cast<double>(last_cycle);
  state.counters["upstream_in_second_cycle"] =
      static_cast<double>(taken_in_second);
  state.counters["upstream_allocations_in_all"] =
      static_cast<double>(last.upstream_allocations);
  state.counters["blocks"] = static_cast<double>(last.blocks);
  state.counters["capacity_over_live"] =
      static_cast<double>(last.capacity_bytes) /
      static_cast<double>(last.peak_live_bytes);
}

/// \brief A buffer that is larger by a percentage in each step, 80 KB to 16 MB:
/// only bytes that no step had before may be touched for the first time.
void growing_buffer(benchmark::State& state) {
  using memory_space        = ScopedSpace<Kokkos::HostSpace>;
  auto const percentage     = static_cast<std::size_t>(100 + state.range(0));
  double faults             = 0;
  int moves                 = 0;
  std::uint64_t most_blocks = 0;
  std::size_t capacity      = 0;
  for (auto _ : state) {
    Arena<Kokkos::HostSpace> arena{ArenaOptions{.huge_pages = false}};
    ArenaScope const scope(arena);
    std::byte const* place = nullptr;
    auto const before      = page_faults();
    moves                  = -1;
    for (std::size_t bytes = 80'000; bytes < 16'000'000;
         bytes             = bytes * percentage / 100) {
      {
        auto const buffer = uninitialized<memory_space>(bytes);
        seconds_to_touch(buffer.data(), buffer.size());
        moves += buffer.data() != place;
        place       = buffer.data();
        most_blocks = std::max(most_blocks, arena.statistics().blocks);
      }
      arena.reset();
    }
    faults += static_cast<double>(page_faults() - before);
    capacity = arena.statistics().capacity_bytes;
  }
  state.counters["faults_over_pages"] =
      benchmark::Counter(faults * 4096 / static_cast<double>(capacity),
                         benchmark::Counter::kAvgIterations);
  state.counters["most_blocks"] = static_cast<double>(most_blocks);
  state.counters["moves"]       = moves;
}

template <class Sync>
using HostArenaOf = Arena<Kokkos::HostSpace, Sync>;

/// \brief The reset of an arena that is in use, without what was before it: the
/// difference of two sizes is what allocations cost.
template <class Sync>
void reset(benchmark::State& state) {
  HostArenaOf<Sync> arena;
  auto const allocations = state.range(0);
  for (auto _ : state) {
    for (int i = 0; i < allocations; ++i) {
      benchmark::DoNotOptimize(arena.allocate(64));
    }
    arena.reset();
  }
}

/// \brief A mark, so many allocations, and back.
template <class Sync>
void mark_and_rewind(benchmark::State& state) {
  HostArenaOf<Sync> arena;
  auto const allocations = state.range(0);
  for (auto _ : state) {
    auto const mark = arena.mark();
    for (int i = 0; i < allocations; ++i) {
      benchmark::DoNotOptimize(arena.allocate(64));
    }
    arena.rewind(mark);
  }
}

/// \brief A scope or a frame, and nothing in it.
template <class Scope, class Sync>
void entry(benchmark::State& state) {
  HostArenaOf<Sync> arena;
  for (auto _ : state) {
    Scope const scope(arena);
    benchmark::ClobberMemory();
  }
}

template <class Where>
void register_first(std::string const& where) {
  // The time of touching is all that is measured there, and the smaller part
  // of what is done: hence a number of iterations.
  benchmark::RegisterBenchmark("first_touch/" + where, first_touch<Where>)
      ->Arg(64 << 20)
      ->UseManualTime()
      ->Iterations(8)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("first_cycle/" + where, first_cycle<Where>)
      ->Arg(64 << 20)
      ->Unit(benchmark::kMillisecond);
}

template <class Sync>
void register_borders(std::string const& where) {
  for (auto const& [name, function] :
       {std::pair("reset/", reset<Sync>),
        std::pair("mark_and_rewind/", mark_and_rewind<Sync>)}) {
    benchmark::RegisterBenchmark(name + where, function)
        ->Arg(0)
        ->Arg(1)
        ->Arg(64);
  }
  benchmark::RegisterBenchmark("ArenaScope/" + where, entry<ArenaScope, Sync>);
  benchmark::RegisterBenchmark("ArenaFrame/" + where, entry<ArenaFrame, Sync>);
}

}  // namespace

void register_benchmarks() {
  register_first<FreshHostSpace>("HostSpace");
  register_first<FreshArena<true>>("arena");
  register_first<FreshArena<false>>("arena_small_pages");
  benchmark::RegisterBenchmark("convergence/arena", convergence)
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("growing_buffer/arena", growing_buffer)
      ->Arg(5)
      ->Arg(2)
      ->Arg(1)
      ->Unit(benchmark::kMillisecond);
  register_borders<Unsynchronized>("arena_Unsynchronized");
  register_borders<ThreadCached>("arena_ThreadCached");
  register_borders<Locked>("arena_Locked");
}

}  // namespace KokkosArena::Perf
