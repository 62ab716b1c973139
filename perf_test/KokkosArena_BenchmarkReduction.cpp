// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>

#include "basic_reduction.hpp"
#include "benchmarks.hpp"
#include "exact_sum.hpp"
#include "machine.hpp"

/// \file
/// The demo's library function, on the same inputs.

namespace KokkosArena::Perf {

namespace {

template <class Space>
using View = Kokkos::View<double*, Space>;

/// \param[in] call  Gives the sum; everything it does is measured.
template <class Call>
void run(benchmark::State& state, std::size_t n, Call const& call) {
  auto const expected = exact_sum(n);
  // What happens once, and not in a program that calls it again and again.
  for (int warm_up = 0; warm_up < 3; ++warm_up) call();
  auto const faults_before = page_faults();
  for (auto _ : state) {
    if (call() != expected) {
      state.SkipWithError("wrong sum");
      break;
    }
  }
  state.counters["page_faults"] =
      benchmark::Counter(static_cast<double>(page_faults() - faults_before),
                         benchmark::Counter::kAvgIterations);
}

template <class Where>
void reduction(benchmark::State& state, Where& where, std::size_t n) {
  // From outside the arena, so that it stays when the arena starts again.
  View<typename Where::memory_space> const a = make_input(n);
  run(state, n, [&] {
    auto const sum = library::basic_reduction(a);
    where.next_cycle();
    return sum;
  });
}

std::size_t size_of(benchmark::State const& state) {
  return static_cast<std::size_t>(state.range(0));
}

void in_host_space(benchmark::State& state) {
  InHostSpace where;
  reduction(state, where, size_of(state));
}

void in_growing_arena(benchmark::State& state) {
  InArena<ThreadCached> where;
  reduction(state, where, size_of(state));
}

void in_fixed_arena(benchmark::State& state) {
  constexpr std::size_t bookkeeping = 512;
  InArena<ThreadCached> where(3 *
                              (size_of(state) * sizeof(double) + bookkeeping));
  reduction(state, where, size_of(state));
}

void preallocated(benchmark::State& state) {
  auto const n = size_of(state);
  auto const a = make_input(n);
  View<Kokkos::HostSpace> const b("b", n), c("c", n), d("d", n);
  run(state, n, [&] { return library::basic_reduction(a, b, c, d); });
}

}  // namespace

void register_benchmarks() {
  for (auto const n : {256, 100000, 1000000, 8000000}) {
    for (auto const& [name, function] :
         {std::pair("basic_reduction/HostSpace", in_host_space),
          std::pair("basic_reduction/growing_arena", in_growing_arena),
          std::pair("basic_reduction/fixed_arena", in_fixed_arena),
          std::pair("basic_reduction/preallocated", preallocated)}) {
      benchmark::RegisterBenchmark(name, function)
          ->Arg(n)
          ->UseRealTime()
          ->Unit(n < 1000000 ? benchmark::kMicrosecond
                             : benchmark::kMillisecond);
    }
  }
}

}  // namespace KokkosArena::Perf
