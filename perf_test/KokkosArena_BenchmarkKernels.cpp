// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <KokkosArena_Blas.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <utility>

#include "benchmarks.hpp"

/// \file
/// Calls of Kokkos Kernels with Views in HostSpace, with arena Views through
/// the front doors, and with arena Views as they are.

namespace KokkosArena::Perf {

namespace {

using Scoped = ScopedSpace<Kokkos::HostSpace>;

template <class Space>
using Matrix = Kokkos::View<double**, Kokkos::LayoutLeft, Space>;
template <class Space>
using Vector = Kokkos::View<double*, Space>;

std::size_t size_of(benchmark::State const& state) {
  return static_cast<std::size_t>(state.range(0));
}

struct Directly {
  static void gemm(auto const&... args) { KokkosBlas::gemm(args...); }
  static double dot(auto const&... args) { return KokkosBlas::dot(args...); }
};
struct ByFrontDoor {
  static void gemm(auto const&... args) { blas::gemm(args...); }
  static double dot(auto const&... args) { return blas::dot(args...); }
};

template <class Call, class Space>
void gemm(benchmark::State& state) {
  Arena<Kokkos::HostSpace> arena;
  ArenaScope const scope(arena);
  auto const n = size_of(state);
  Matrix<Space> const a("a", n, n), b("b", n, n), c("c", n, n);
  Kokkos::deep_copy(a, 2);
  Kokkos::deep_copy(b, 0.25);
  for (auto _ : state) {
    Call::gemm("N", "N", 1., a, b, 0., c);
    benchmark::ClobberMemory();
  }
  Kokkos::fence("gemm: after the calls");
  if (c(n / 2, n - 1) != 0.5 * static_cast<double>(n)) {
    state.SkipWithError("wrong product");
  }
}

template <class Call, class Space>
void dot(benchmark::State& state) {
  Arena<Kokkos::HostSpace> arena;
  ArenaScope const scope(arena);
  auto const n = size_of(state);
  Vector<Space> const x("x", n), y("y", n);
  Kokkos::deep_copy(x, 2);
  Kokkos::deep_copy(y, 0.25);
  double sum = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sum = Call::dot(x, y));
  if (sum != 0.5 * static_cast<double>(n)) state.SkipWithError("wrong sum");
}

}  // namespace

void register_benchmarks() {
  using Host = Kokkos::HostSpace;
  for (auto const n : {16, 400}) {
    for (auto const& [name, function] :
         {std::pair("gemm/HostSpace", gemm<Directly, Host>),
          std::pair("gemm/front_door", gemm<ByFrontDoor, Scoped>),
          std::pair("gemm/arena_directly", gemm<Directly, Scoped>)}) {
      benchmark::RegisterBenchmark(name, function)
          ->Arg(n)
          ->UseRealTime()
          ->Unit(n < 100 ? benchmark::kNanosecond : benchmark::kMicrosecond);
    }
  }
  for (auto const& [name, function] :
       {std::pair("dot/HostSpace", dot<Directly, Host>),
        std::pair("dot/front_door", dot<ByFrontDoor, Scoped>),
        std::pair("dot/arena_directly", dot<Directly, Scoped>)}) {
    benchmark::RegisterBenchmark(name, function)->Arg(256)->UseRealTime();
  }
}

}  // namespace KokkosArena::Perf
