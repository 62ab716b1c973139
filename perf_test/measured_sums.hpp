// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_MEASURED_SUMS_HPP
#define KOKKOSARENA_PERF_MEASURED_SUMS_HPP

#include <benchmark/benchmark.h>
#include <Kokkos_Core.hpp>

#include <cstddef>

#include "exact_sum.hpp"
#include "machine.hpp"

namespace KokkosArena::Perf {

/// \param[in] n     Of the input that the sum is of.
/// \param[in] call  Gives the sum; everything it does is measured, with its
/// page faults.
template <class Call>
void measure_sums(benchmark::State& state, std::size_t n, Call const& call,
                  int warm_ups = 3) {
  auto const expected = exact_sum(n);
  // What happens once, and not in a program that calls it again and again.
  for (int warm_up = 0; warm_up < warm_ups; ++warm_up) call();
  Kokkos::fence("benchmark: before the calls");
  auto const faults_before = page_faults();
  for (auto _ : state) {
    if (call() != expected) {
      state.SkipWithError("wrong sum");
      break;
    }
  }
  // Its last kernel is a reduction to a number, for which it has waited.
  state.counters["page_faults"] =
      benchmark::Counter(static_cast<double>(page_faults() - faults_before),
                         benchmark::Counter::kAvgIterations);
}

}  // namespace KokkosArena::Perf

#endif
