// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestTools.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

#include "device_benchmarks.hpp"

/// \file
/// What a cycle of temporaries asks of others once an arena has its size, as
/// Kokkos reports it to tools: fences, and allocations of device memory. The
/// plain space is the control, which shows that the counters count. The time is
/// that of a cycle with a fence after it, which isn't counted.

namespace KokkosArena::Perf {

namespace {

using Number = Kokkos::View<double, Kokkos::SharedHostPinnedSpace>;

template <class ViewType>
void write(ViewType const& view) {
  Kokkos::parallel_for(
      "write", Kokkos::RangePolicy<Device>(0, view.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { view(i) += static_cast<double>(i + 1); });
}

/// To where the host reads it after a fence.
template <class ViewType>
void add_up(ViewType const& view, Number const& sum) {
  Kokkos::parallel_reduce(
      "add_up", Kokkos::RangePolicy<Device>(0, view.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, double& partial) { partial += view(i); },
      sum);
}

/// Of what write() makes of zeros.
double expected_of(std::size_t n) {
  return static_cast<double>(n * (n + 1) / 2);
}

template <class From, class To>
void copy(From const& from, To const& to) {
  Kokkos::parallel_for(
      "copy", Kokkos::RangePolicy<Device>(0, to.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { to(i) = from(i); });
}

// The cycles. Each leaves the sum of n numbers from 1 on, and fences nothing
// itself.

constexpr std::size_t n = 100'000;

/// By View's own constructor.
struct Views {
  template <class Where>
  void operator()(Where&, Number const& sum) const {
    using view_type = DeviceView<typename Where::memory_space>;
    for (std::size_t const small : {1, 100}) {
      view_type const view("small", small);
      write(view);
    }
    view_type const zeros("zeros", n);
    write(zeros);
    view_type const copied(
        Kokkos::view_alloc("copied", Kokkos::WithoutInitializing), n);
    copy(zeros, copied);
    add_up(copied, sum);
  }
};

struct MadeViews {
  template <class Where>
  void operator()(Where&, Number const& sum) const {
    using view_type = DeviceView<typename Where::memory_space>;
    view_type const zeros("zeros", n);
    write(zeros);
    auto const made = make_view<view_type>("made", n);
    copy(zeros, made);
    auto const like = similar(made);
    copy(made, like);
    add_up(like, sum);
  }
};

/// Each of some threads takes a part.
template <class Handle>
void add_up_in_parts(Handle const& handle, std::size_t parts,
                     Number const& sum) {
  Kokkos::parallel_reduce(
      "add_up_in_parts", Kokkos::RangePolicy<Device>(0, parts),
      KOKKOS_LAMBDA(std::size_t part, double& partial) {
        auto const length = n / parts;
        auto const view   = handle.template view<double*>(length);
        if (!view.data()) return;
        for (std::size_t i = 0; i < length; ++i) {
          view(i) = static_cast<double>(part * length + i + 1);
        }
        for (std::size_t i = 0; i < length; ++i) partial += view(i);
      },
      sum);
}

struct HandleViews {
  template <class Where>
  void operator()(Where& where, Number const& sum) const {
    constexpr std::size_t parts = 1000;
    static_assert(n % parts == 0);
    // Room for each part to begin at a cache line.
    auto const handle = where.arena.handle(2 * n * sizeof(double));
    add_up_in_parts(handle, parts, sum);
  }
};

template <class Cycle, class Where>
void run(benchmark::State& state) {
  constexpr int warm_up_cycles  = 10;
  constexpr int measured_cycles = 20;
  Where where;
  Number const sum("sum");
  bool right       = true;
  auto const cycle = [&] {
    Cycle()(where, sum);
    where.next_cycle();
  };
  auto const finish = [&] {
    wait_for_device();
    right = right && sum() == expected_of(n);
    sum() = 0;
  };
  for (int i = 0; i < warm_up_cycles; ++i) {
    cycle();
    finish();
  }
  {
    KokkosArenaTest::ToolsObserver const observer;
    for (int i = 0; i < measured_cycles; ++i) cycle();
    auto const allocations = std::count_if(
        observer.events().begin(), observer.events().end(), [](auto const& e) {
          return e.is_allocation && e.space == DeviceMemory::name();
        });
    state.counters["fences"] =
        static_cast<double>(observer.fences().size()) / measured_cycles;
    state.counters["device_allocations"] =
        static_cast<double>(allocations) / measured_cycles;
  }
  finish();
  for (auto _ : state) {
    cycle();
    finish();
  }
  if (!right) state.SkipWithError("a temporary lost what was written to it");
}

template <class Cycle, class Where>
void add(std::string const& cycle, std::string const& where) {
  add_device_benchmark("device_steady_state/" + cycle + "/" + where,
                       run<Cycle, Where>)
      ->Unit(benchmark::kMicrosecond);
}

template <class Where>
void add_views(std::string const& where) {
  add<Views, Where>("views", where);
  add<MadeViews, Where>("make_view_and_similar", where);
}

}  // namespace

void register_device_steady_state() {
  add_views<InDeviceArena<>>("arena");
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  add_views<InStreamOrderedArena>("arena_stream_ordered");
#endif
  add_views<InDeviceSpace>("plain");
  add<HandleViews, InDeviceArena<>>("handle", "arena");
}

}  // namespace KokkosArena::Perf
