// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks.hpp"

/// \file
/// How much memory an arena needs for a chain of layers, each of which makes
/// its output while its input is alive, and drops the input then.

namespace KokkosArena::Perf {

namespace {

/// Elements of the outputs, one after the other.
using Sizes = std::vector<std::size_t>;

constexpr int layers = 10;

/// \return Ten times what \c size says of the layer's number.
template <class Size>
Sizes ten(Size const& size) {
  Sizes sizes;
  for (int layer = 0; layer < layers; ++layer) {
    sizes.push_back(static_cast<std::size_t>(size(layer)));
  }
  return sizes;
}

/// From 1e3 to 1e5 elements, each order of magnitude as often as the other.
Sizes random_sizes(unsigned seed) {
  std::mt19937 generator(seed);
  return ten([&](int) {
    auto const part = static_cast<double>(generator()) /
                      static_cast<double>(std::mt19937::max());
    return 1e3 * std::pow(100, part);
  });
}

std::vector<std::pair<std::string, Sizes>> size_distributions() {
  return {
      {"equal", ten([](int) { return 100000; })},
      {"alternating", ten([](int k) { return k % 2 ? 50000 : 100000; })},
      {"rising", ten([](int k) { return 10000 * (k + 1); })},
      {"falling", ten([](int k) { return 10000 * (layers - k); })},
      {"doubling", ten([](int k) { return 200 << k; })},
      {"halving", ten([](int k) { return 200 << (layers - 1 - k); })},
      {"hourglass",
       ten([](int k) { return 100000 >> std::min(k, layers - 1 - k); })},
      {"random_1", random_sizes(1)},
      {"random_2", random_sizes(2)},
      {"random_3", random_sizes(3)},
  };
}

template <class View>
void apply_layer(View const& in, View const& out) {
  auto const last = in.extent(0) - 1;
  Kokkos::parallel_for(
      "layer",
      Kokkos::RangePolicy<typename View::execution_space>(0, out.extent(0)),
      [=](std::size_t i) { out(i) = in(std::min(i, last)) + 1; });
}

/// \return An element of the last output.
template <class Space>
double chain(Sizes const& sizes) {
  using view_type = Kokkos::View<double*, Space>;
  view_type in("input", sizes.front());
  for (auto const size : sizes) {
    view_type out(Kokkos::view_alloc("layer", Kokkos::WithoutInitializing),
                  size);
    apply_layer(in, out);
    in = out;
  }
  return in(0);
}

/// The same with temporaries in each layer, like those of a dense one: a
/// product, which ends with the layer, and its sum with a bias.
template <class Space>
double chain_with_temporaries(Sizes const& sizes) {
  using view_type = Kokkos::View<double*, Space>;
  auto const make = [](std::size_t size) {
    return view_type(Kokkos::view_alloc("layer", Kokkos::WithoutInitializing),
                     size);
  };
  view_type in("input", sizes.front());
  for (auto const size : sizes) {
    auto const product = make(size);
    apply_layer(in, product);
    auto const biased = make(size);
    apply_layer(product, biased);
    auto const out = make(size);
    apply_layer(biased, out);
    in = out;
  }
  return in(0);
}

void report_memory(benchmark::State&, InHostSpace const&) {}

/// \c peak_over_live: bytes handed out, holes included, over bytes of Views.
/// \c capacity_over_live: the same with what the arena holds in the end.
template <class Sync>
void report_memory(benchmark::State& state, InArena<Sync> const& where) {
  auto const s                      = where.arena.statistics();
  auto const live                   = static_cast<double>(s.peak_live_bytes);
  state.counters["peak_live_bytes"] = live;
  state.counters["peak_over_live"]  = static_cast<double>(s.peak_bytes) / live;
  state.counters["capacity_over_live"] =
      static_cast<double>(s.capacity_bytes) / live;
}

template <class Where, class Chain>
void run(benchmark::State& state, double expected, Chain const& chain_of) {
  Where where;
  auto const cycle = [&] {
    bool const right = chain_of() == expected;
    where.next_cycle();
    return right;
  };
  // An arena that grows has found its size after the second cycle.
  for (int warm_up = 0; warm_up < 3; ++warm_up) cycle();
  Kokkos::fence("benchmark: before the cycles");
  for (auto _ : state) {
    bool const right = cycle();
    Kokkos::fence("benchmark: after a cycle");
    if (!right) {
      state.SkipWithError("wrong result");
      break;
    }
  }
  report_memory(state, where);
}

/// \param[in] on  Distribution and place, for the benchmarks' names.
template <class Where>
void register_chain(std::string const& on, Sizes const& sizes) {
  using space      = typename Where::memory_space;
  auto const plain = [sizes](benchmark::State& state) {
    run<Where>(state, layers, [&] { return chain<space>(sizes); });
  };
  auto const with_temporaries = [sizes](benchmark::State& state) {
    run<Where>(state, 3 * layers,
               [&] { return chain_with_temporaries<space>(sizes); });
  };
  benchmark::RegisterBenchmark("chain/" + on, plain)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("chain_with_temporaries/" + on, with_temporaries)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void register_benchmarks() {
  for (auto const& [distribution, sizes] : size_distributions()) {
    register_chain<InHostSpace>(distribution + "/HostSpace", sizes);
    register_chain<InArena<ThreadCached>>(distribution + "/arena", sizes);
  }
}

}  // namespace KokkosArena::Perf
