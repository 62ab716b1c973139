// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <string>

#include "view_benchmarks.hpp"

/// \file
/// What it costs to make and drop memory, without using it.

namespace KokkosArena::Perf {

namespace {

constexpr std::size_t raw_allocations = 64;
constexpr std::size_t raw_bytes       = 64;

/// \brief Allocates again and again, and then gives all back.
template <class Allocate, class Restart>
void run_raw(benchmark::State& state, Allocate const& allocate,
             Restart const& restart) {
  for (auto _ : state) {
    for (std::size_t i = 0; i < raw_allocations; ++i) {
      auto* memory = allocate();
      benchmark::DoNotOptimize(memory);
    }
    restart();
  }
  // Seconds for each of them.
  state.counters["each"] = benchmark::Counter(
      raw_allocations, benchmark::Counter::kIsIterationInvariantRate |
                           benchmark::Counter::kInvert);
}

template <class Sync>
void raw_arena(benchmark::State& state) {
  Arena<Kokkos::HostSpace, Sync> arena;
  run_raw(
      state, [&] { return arena.allocate(raw_bytes); }, [&] { arena.reset(); });
}

// The standard library's bump allocator on a buffer that is large enough, as
// the arena's block is, and with the arena's alignment.

struct Monotonic {
  alignas(64) std::array<std::byte, raw_allocations * raw_bytes * 2> buffer;
  std::pmr::monotonic_buffer_resource resource{
      buffer.data(), buffer.size(), std::pmr::null_memory_resource()};
};

/// Called by its own type, as the arena is above.
void raw_monotonic(benchmark::State& state) {
  Monotonic monotonic;
  run_raw(
      state, [&] { return monotonic.resource.allocate(raw_bytes, 64); },
      [&] { monotonic.resource.release(); });
}

/// Called by its base class, as containers do.
void raw_monotonic_by_interface(benchmark::State& state) {
  Monotonic monotonic;
  std::pmr::memory_resource* resource = &monotonic.resource;
  benchmark::DoNotOptimize(resource);
  run_raw(
      state, [&] { return resource->allocate(raw_bytes, 64); },
      [&] { monotonic.resource.release(); });
}

template <class Where>
void make_view_of_type(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    auto const view = make_view<view_in<Where>>("tmp", n);
    auto* data      = view.data();
    benchmark::DoNotOptimize(data);
  }
}

void scope_entry(benchmark::State& state) {
  Arena<Kokkos::HostSpace> arena;
  for (auto _ : state) {
    ArenaScope const scope(arena);
    benchmark::ClobberMemory();
  }
}

void frame_entry(benchmark::State& state) {
  Arena<Kokkos::HostSpace> arena;
  for (auto _ : state) {
    ArenaFrame const frame(arena);
    benchmark::ClobberMemory();
  }
}

template <class Function>
auto* add(std::string const& name, Function const& function) {
  return benchmark::RegisterBenchmark(name, function);
}

template <class Where>
void register_views(std::string const& where) {
  for (auto const& [name, function] :
       {std::pair("View_uninitialized/", view_uninitialized<Where>),
        std::pair("View_initialized/", view_initialized<Where>),
        std::pair("similar/", similar_to_view<Where>),
        std::pair("make_view/", make_view_of_type<Where>)}) {
    add(name + where, function)->Arg(16)->Arg(256)->Arg(4096)->Arg(100000);
  }
  // Each thread has its own arena. To be compared by the CPU time: where there
  // are fewer idle processors than threads, the other one waits.
  add("similar_by_threads/" + where, similar_to_view<Where>)
      ->Arg(256)
      ->ThreadRange(1, 2)
      ->UseRealTime();
}

}  // namespace

void register_benchmarks() {
  add("raw/arena_Unsynchronized", raw_arena<Unsynchronized>);
  add("raw/arena_Locked", raw_arena<Locked>);
  add("raw/arena_ThreadCached", raw_arena<ThreadCached>);
  add("raw/std_pmr_monotonic", raw_monotonic);
  add("raw/std_pmr_monotonic_by_interface", raw_monotonic_by_interface);
  register_views<InHostSpace>("HostSpace");
  register_views<InArena<Locked>>("arena_Locked");
  register_views<InArena<ThreadCached>>("arena_ThreadCached");
  register_views<InArena<Unsynchronized>>("arena_Unsynchronized");
  add("ArenaScope", scope_entry);
  add("ArenaFrame", frame_entry);
}

}  // namespace KokkosArena::Perf
