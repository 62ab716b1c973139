// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_VIEW_BENCHMARKS_HPP
#define KOKKOSARENA_PERF_VIEW_BENCHMARKS_HPP

#include "benchmarks.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>

/// \file
/// One temporary, made and dropped, as more than one program measures it.

namespace KokkosArena::Perf {

template <class Where>
using view_in = Kokkos::View<double*, typename Where::memory_space>;

/// \brief Measures what \c make does, a View made and dropped, after it has
/// been done some times: the first touch of fresh memory is another question.
template <class Make>
void run_temporaries(benchmark::State& state, Make const& make) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) make();
  for (auto _ : state) make();
}

template <class Where>
void view_uninitialized(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = static_cast<std::size_t>(state.range(0));
  run_temporaries(state, [&] {
    view_in<Where> const view(
        Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
  });
}

template <class Where>
void view_initialized(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = static_cast<std::size_t>(state.range(0));
  run_temporaries(state, [&] {
    view_in<Where> const view("tmp", n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
    benchmark::ClobberMemory();
  });
}

template <class Where>
void similar_to_view(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  view_in<Where> const model("tmp", static_cast<std::size_t>(state.range(0)));
  run_temporaries(state, [&] {
    auto const view = similar(model);
    auto* data      = view.data();
    benchmark::DoNotOptimize(data);
  });
}

}  // namespace KokkosArena::Perf

#endif
