// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "basic_reduction.hpp"
#include "benchmarks.hpp"
#include "exact_sum.hpp"
#include "measured_sums.hpp"

/// \file
/// The demo's library function, on the same inputs; and the same computation in
/// plain loops of one thread, where a temporary's own cost is not hidden by the
/// start of parallel regions.

namespace KokkosArena::Perf {

namespace {

template <class Space>
using View = Kokkos::View<double*, Space>;

template <class Where>
void reduction(benchmark::State& state, Where& where, std::size_t n) {
  // From outside the arena, so that it stays when the arena starts again.
  View<typename Where::memory_space> const a = make_input(n);
  measure_sums(state, n, [&] {
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
  measure_sums(state, n, [&] { return library::basic_reduction(a, b, c, d); });
}

// Plain loops. What makes a temporary says how.

/// Eight sums, since a single one would have each addition wait for the one
/// before.
double sum_in_plain_loop(double const* data, std::size_t n) {
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= n; i += sums.size()) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += data[i + j];
  }
  for (; i < n; ++i) sums[0] += data[i];
  return std::accumulate(sums.begin(), sums.end(), 0.);
}

/// The sum of a + a, by way of three temporaries.
template <class Make>
double reduction_in_plain_loops(double const* a, std::size_t n,
                                Make const& make) {
  auto const b = make(0);
  auto const c = make(1);
  std::copy_n(a, n, b.data());
  std::copy_n(a, n, c.data());
  auto const d   = make(2);
  auto* const bs = b.data();
  auto* const cs = c.data();
  auto* const ds = d.data();
  for (std::size_t i = 0; i < n; ++i) ds[i] = bs[i] + cs[i];
  return sum_in_plain_loop(ds, n);
}

template <class Make>
void run_plain_loops(benchmark::State& state,
                     View<Kokkos::HostSpace> const& input, Make const& make) {
  auto* data = input.data();
  measure_sums(state, size_of(state), [&] {
    benchmark::DoNotOptimize(data);
    return reduction_in_plain_loops(data, size_of(state), make);
  });
}

template <class Where>
void plain_loops_constructor(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = size_of(state);
  run_plain_loops(state, make_input(n), [&](int) {
    return View<typename Where::memory_space>(
        Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), n);
  });
}

template <class Where>
void plain_loops_similar(benchmark::State& state) {
  auto const input = make_input(size_of(state));
  [[maybe_unused]] Where const where;
  View<typename Where::memory_space> const model = input;
  run_plain_loops(state, input, [&](int) { return similar(model); });
}

/// With a reset for each three.
template <class Sync>
void plain_loops_handle(benchmark::State& state) {
  auto const n = size_of(state);
  Arena<Kokkos::HostSpace, Sync> arena;
  auto const handle = arena.handle();
  run_plain_loops(state, make_input(n), [&](int i) {
    if (i == 0) arena.reset();
    return handle.template view<double*>(n);
  });
}

void plain_loops_preallocated(benchmark::State& state) {
  auto const n = size_of(state);
  std::array<View<Kokkos::HostSpace>, 3> const temporaries{
      View<Kokkos::HostSpace>("b", n), View<Kokkos::HostSpace>("c", n),
      View<Kokkos::HostSpace>("d", n)};
  run_plain_loops(state, make_input(n),
                  [&](int i) -> View<Kokkos::HostSpace> const& {
                    return temporaries[static_cast<std::size_t>(i)];
                  });
}

}  // namespace

void register_benchmarks() {
  for (auto const& [name, function] :
       {std::pair("plain_loops/HostSpace",
                  plain_loops_constructor<InHostSpace>),
        std::pair("plain_loops/arena_constructor",
                  plain_loops_constructor<InArena<ThreadCached>>),
        std::pair("plain_loops/arena_similar",
                  plain_loops_similar<InArena<ThreadCached>>),
        std::pair("plain_loops/arena_similar_Unsynchronized",
                  plain_loops_similar<InArena<Unsynchronized>>),
        std::pair("plain_loops/arena_handle", plain_loops_handle<ThreadCached>),
        std::pair("plain_loops/arena_handle_Unsynchronized",
                  plain_loops_handle<Unsynchronized>),
        std::pair("plain_loops/preallocated", plain_loops_preallocated)}) {
    benchmark::RegisterBenchmark(name, function)->Arg(256);
  }
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
