// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cstddef>
#include <string>

#include "device_benchmarks.hpp"

/// \file
/// What CheckedSpace costs on the device, against ScopedSpace.
///
/// triad: a kernel of three Views, each element of which is accessed once. An
/// iteration is some launches and a fence. The arena has dropped other Views
/// before these were made; for triad_of_older, after: where an address lies
/// between what was dropped, the check has to look it up.
///
/// reset: a View made, dropped and the arena reset, as the host sees it; the
/// fence after each batch isn't timed.

namespace KokkosArena::Perf {

namespace {

constexpr double factor = 3;

template <class ViewType>
void set(ViewType const& view, std::size_t period) {
  Kokkos::parallel_for(
      "set", Kokkos::RangePolicy<Device>(0, view.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) {
        view(i) = static_cast<double>(i % period);
      });
}

template <class ViewType>
void launch_triad(ViewType const& a, ViewType const& b, ViewType const& c) {
  Kokkos::parallel_for(
      "triad", Kokkos::RangePolicy<Device>(0, c.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { c(i) = a(i) + factor * b(i); });
}

template <class ViewType>
std::size_t count_wrong(ViewType const& a, ViewType const& b,
                        ViewType const& c) {
  std::size_t wrong = 0;
  Kokkos::parallel_reduce(
      "count_wrong", Kokkos::RangePolicy<Device>(0, c.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, std::size_t& partial) {
        // Small whole numbers.
        partial += c(i) != a(i) + factor * b(i);
      },
      wrong);
  return wrong;
}

enum class Age { newest, older };

template <class Space, Age age>
void triad(benchmark::State& state) {
  constexpr int launches = 10;
  auto const n           = size_of(state);
  InDeviceArena<Space> where;
  using view_type      = DeviceView<Space>;
  auto const drop_some = [&] {
    ArenaFrame const frame(where.arena);
    view_type const dropped("dropped", n);
    wait_for_device();
  };
  if (age == Age::newest) drop_some();
  view_type const a("a", n), b("b", n), c("c", n);
  if (age == Age::older) drop_some();
  set(a, 17);
  set(b, 13);
  wait_for_device();
  for (auto _ : state) {
    for (int i = 0; i < launches; ++i) launch_triad(a, b, c);
    wait_for_device();
  }
  if (count_wrong(a, b, c) != 0) state.SkipWithError("wrong triad");
  // Seconds for each launch.
  state.counters["each"] = benchmark::Counter(
      launches, benchmark::Counter::kIsIterationInvariantRate |
                    benchmark::Counter::kInvert);
}

template <class Space>
void reset(benchmark::State& state) {
  constexpr benchmark::IterationCount batch = 64;
  auto const n                              = size_of(state);
  InDeviceArena<Space> where;
  auto const cycle = [&] {
    {
      DeviceView<Space> const view(
          Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), n);
      auto* data = view.data();
      benchmark::DoNotOptimize(data);
    }
    where.next_cycle();
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) cycle();
  wait_for_device();
  while (state.KeepRunningBatch(batch)) {
    for (benchmark::IterationCount i = 0; i < batch; ++i) cycle();
    state.PauseTiming();
    wait_for_device();
    state.ResumeTiming();
  }
}

template <class Space>
void add(std::string const& space) {
  auto const add_triad = [&](std::string const& name, auto const& function) {
    add_device_benchmark(name + "/" + space, function)
        ->Arg(100'000)
        ->Arg(10'000'000)
        ->Unit(benchmark::kMicrosecond);
  };
  add_triad("triad", triad<Space, Age::newest>);
  add_triad("triad_of_older", triad<Space, Age::older>);
  add_device_benchmark("reset/" + space, reset<Space>)->Arg(1000);
}

}  // namespace

void register_device_checked() {
  add<ScopedSpace<DeviceMemory>>("ScopedSpace");
  add<CheckedSpace<DeviceMemory>>("CheckedSpace");
}

}  // namespace KokkosArena::Perf
