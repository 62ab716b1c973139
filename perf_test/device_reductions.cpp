// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "basic_reduction.hpp"
#include "device_benchmarks.hpp"
#include "exact_sum.hpp"

/// \file
/// Temporaries with kernels.
///
/// basic_reduction: the demo's library function on the device, with its three
/// temporaries. It ends with a sum that the host waits for, so each call is
/// timed as a whole.
///
/// two_instances: the same from one host thread on two instances in turn. The
/// sums go to memory that both sides reach, so that the host waits for nothing
/// but what making and dropping temporaries has it wait for. An iteration is
/// some cycles of both, and then the fences of both.

namespace KokkosArena::Perf {

namespace {

DeviceView<> make_device_input(std::size_t n) {
  DeviceView<> const a("a", n);
  Kokkos::deep_copy(a, make_input(n));
  return a;
}

// basic_reduction

/// \param[in] call  Gives the sum; everything it does is measured.
template <class Call>
void run(benchmark::State& state, Call const& call) {
  auto const expected = exact_sum(size_of(state));
  for (int warm_up = 0; warm_up < 3; ++warm_up) call();
  wait_for_device();
  for (auto _ : state) {
    if (call() != expected) {
      state.SkipWithError("wrong sum");
      break;
    }
  }
}

template <class Where>
void reduction(benchmark::State& state) {
  Where where;
  // From outside the arena, so that it stays when the arena starts again.
  DeviceView<typename Where::memory_space> const a =
      make_device_input(size_of(state));
  run(state, [&] {
    auto const sum = library::basic_reduction(a);
    where.next_cycle();
    return sum;
  });
}

template <class Peer>
void reduction_by_peer(benchmark::State& state) {
  Peer peer{Device()};
  auto const n = size_of(state);
  auto const a = make_device_input(n);
  run(state, [&] {
    PeerTemporary<Peer> const b(peer, n), c(peer, n), d(peer, n);
    return library::basic_reduction(a, b.view(), c.view(), d.view());
  });
}

void reduction_preallocated(benchmark::State& state) {
  auto const n = size_of(state);
  auto const a = make_device_input(n);
  DeviceView<> const b("b", n), c("c", n), d("d", n);
  run(state, [&] { return library::basic_reduction(a, b, c, d); });
}

// two_instances. What makes the temporaries of one of them:

class Plain {
 public:
  Plain(Device const& instance, std::size_t n) : m_instance(instance), m_n(n) {}
  DeviceView<> make(std::size_t) const {
    return DeviceView<>(
        Kokkos::view_alloc(m_instance, "tmp", Kokkos::WithoutInitializing),
        m_n);
  }
  void next_cycle() {}

 private:
  Device m_instance;
  std::size_t m_n;
};

class FromArena {
 public:
  FromArena(Device const& instance, std::size_t n)
      : m_arena(instance), m_n(n) {}
  DeviceView<ScopedSpace<DeviceMemory>> make(std::size_t) {
    // Of this arena, whatever the scope.
    return DeviceView<ScopedSpace<DeviceMemory>>(
        Kokkos::view_alloc(ScopedSpace<DeviceMemory>(m_arena), "tmp",
                           Kokkos::WithoutInitializing),
        m_n);
  }
  void next_cycle() { m_arena.reset(); }

 private:
  Arena<Device> m_arena;
  std::size_t m_n;
};

template <class Peer>
class FromPeer {
 public:
  FromPeer(Device const& instance, std::size_t n) : m_peer(instance), m_n(n) {}
  PeerTemporary<Peer> make(std::size_t) {
    return PeerTemporary<Peer>(m_peer, m_n);
  }
  void next_cycle() {}

 private:
  Peer m_peer;
  std::size_t m_n;
};

class Preallocated {
 public:
  Preallocated(Device const&, std::size_t n)
      : m_views{DeviceView<>("b", n), DeviceView<>("c", n),
                DeviceView<>("d", n)} {}
  DeviceView<> const& make(std::size_t i) const { return m_views[i]; }
  void next_cycle() {}

 private:
  std::array<DeviceView<>, 3> m_views;
};

// Kernels, on a given instance.

template <class A, class Out>
void copy_on(Device const& instance, A const& a, Out const& out) {
  Kokkos::parallel_for(
      "copy", Kokkos::RangePolicy<Device>(instance, 0, a.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { out(i) = a(i); });
}

template <class B, class C, class Out>
void add_on(Device const& instance, B const& b, C const& c, Out const& out) {
  Kokkos::parallel_for(
      "add", Kokkos::RangePolicy<Device>(instance, 0, b.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { out(i) = b(i) + c(i); });
}

using SharedNumber = Kokkos::View<double, Kokkos::SharedHostPinnedSpace,
                                  Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

template <class D>
void sum_on(Device const& instance, D const& d, SharedNumber const& result) {
  Kokkos::parallel_reduce(
      "sum", Kokkos::RangePolicy<Device>(instance, 0, d.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, double& partial) { partial += d(i); },
      result);
}

template <class Source>
void launch_cycle(Device const& instance, Source& source, DeviceView<> const& a,
                  double* result) {
  {
    auto&& b = source.make(0);
    auto&& c = source.make(1);
    copy_on(instance, a, view_of(b));
    copy_on(instance, a, view_of(c));
    auto&& d = source.make(2);
    add_on(instance, view_of(b), view_of(c), view_of(d));
    sum_on(instance, view_of(d), SharedNumber(result));
  }
  source.next_cycle();
}

template <class Source>
void two_instances(benchmark::State& state) {
  constexpr std::size_t cycles = 10;
  auto const n                 = size_of(state);
  auto const expected          = exact_sum(n);
  auto const instances = Kokkos::Experimental::partition_space(Device(), 1, 1);
  auto const a         = make_device_input(n);
  Source sources[]     = {Source(instances[0], n), Source(instances[1], n)};
  Kokkos::View<double*, Kokkos::SharedHostPinnedSpace> const sums("sums",
                                                                  2 * cycles);
  wait_for_device();
  auto const iteration = [&] {
    for (std::size_t cycle = 0; cycle < cycles; ++cycle) {
      for (std::size_t i = 0; i < 2; ++i) {
        launch_cycle(instances[i], sources[i], a, sums.data() + 2 * cycle + i);
      }
    }
    for (auto const& instance : instances) instance.fence("benchmark");
    bool right = true;
    for (std::size_t i = 0; i < sums.extent(0); ++i) {
      right   = right && sums(i) == expected;
      sums(i) = 0;
    }
    return right;
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) iteration();
  for (auto _ : state) {
    if (!iteration()) {
      state.SkipWithError("wrong sum");
      break;
    }
  }
  // Seconds for each cycle.
  state.counters["each"] = benchmark::Counter(
      2 * cycles, benchmark::Counter::kIsIterationInvariantRate |
                      benchmark::Counter::kInvert);
}

template <class Function>
void add_sizes(std::string const& name, Function const& function) {
  auto* const benchmark = add_device_benchmark(name, function);
  for (std::int64_t const n : {10'000, 100'000, 1'000'000, 10'000'000}) {
    benchmark->Arg(n);
  }
  benchmark->Unit(benchmark::kMicrosecond);
}

}  // namespace

void register_device_reductions() {
  add_sizes("basic_reduction/plain", reduction<InDeviceSpace>);
  add_sizes("basic_reduction/arena", reduction<InDeviceArena<>>);
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  add_sizes("basic_reduction/arena_stream_ordered",
            reduction<InStreamOrderedArena>);
#endif
  add_sizes("basic_reduction/preallocated", reduction_preallocated);
  add_sizes("two_instances/plain", two_instances<Plain>);
  add_sizes("two_instances/arena", two_instances<FromArena>);
  add_sizes("two_instances/preallocated", two_instances<Preallocated>);
  for_each_device_peer(
      []<class Peer>(std::type_identity<Peer>, std::string const& name) {
        add_sizes("basic_reduction/" + name, reduction_by_peer<Peer>);
        add_sizes("two_instances/" + name, two_instances<FromPeer<Peer>>);
      });
}

}  // namespace KokkosArena::Perf
