// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "device_benchmarks.hpp"

/// \file
/// One temporary in device memory, made and dropped: the time for each, as the
/// host sees it, which is what makes them.
///
/// View_uninitialized: nothing runs on the device but what the allocator itself
/// asks for. There is no fence but its own; that after each batch isn't timed.
///
/// View_initialized: each is zeroed by a memset on the device. The batch's
/// fence is timed, so that nobody is ahead of work that is still to be done:
/// where arrays are large, all wait for the same memsets. A batch is less than
/// what a driver's queue holds.

namespace KokkosArena::Perf {

namespace {

constexpr benchmark::IterationCount batch = 256;

enum class LastFence { untimed, timed };

/// \brief Measures what \c make does, which is a View made and dropped.
template <class Make>
void run_views(benchmark::State& state, LastFence last_fence,
               Make const& make) {
  for (int warm_up = 0; warm_up < 3; ++warm_up) make();
  wait_for_device();
  while (state.KeepRunningBatch(batch)) {
    for (benchmark::IterationCount i = 0; i < batch; ++i) make();
    if (last_fence == LastFence::timed) {
      wait_for_device();
    } else {
      state.PauseTiming();
      wait_for_device();
      state.ResumeTiming();
    }
  }
}

template <class ViewType>
void use(ViewType const& view) {
  auto* data = view.data();
  benchmark::DoNotOptimize(data);
}

template <class Where>
void uninitialized(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = size_of(state);
  run_views(state, LastFence::untimed, [&] {
    DeviceView<typename Where::memory_space> const view(
        Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), n);
    use(view);
  });
}

template <class Where>
void initialized(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  auto const n = size_of(state);
  run_views(state, LastFence::timed, [&] {
    DeviceView<typename Where::memory_space> const view("tmp", n);
    use(view);
  });
}

void like_another(benchmark::State& state) {
  InDeviceArena<> const where;
  DeviceView<InDeviceArena<>::memory_space> const model(
      Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), size_of(state));
  run_views(state, LastFence::untimed, [&] { use(similar(model)); });
}

void of_a_type(benchmark::State& state) {
  InDeviceArena<> const where;
  auto const n = size_of(state);
  run_views(state, LastFence::untimed, [&] {
    use(make_view<DeviceView<InDeviceArena<>::memory_space>>("tmp", n));
  });
}

template <class Peer>
void peer_uninitialized(benchmark::State& state) {
  Peer peer{Device()};
  auto const n = size_of(state);
  run_views(state, LastFence::untimed,
            [&] { use(PeerTemporary<Peer>(peer, n).view()); });
}

#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
template <class Peer>
void peer_initialized(benchmark::State& state) {
  Device const instance;
  Peer peer{instance};
  auto const n = size_of(state);
  run_views(state, LastFence::timed, [&] {
    PeerTemporary<Peer> const temporary(peer, n);
    runtime::zero(instance, temporary.view().data(), n * sizeof(double));
    use(temporary.view());
  });
}
#endif

/// \brief An arena that serves one View and ends: what a block costs.
template <class Where>
void arena_of_one_view(benchmark::State& state) {
  auto const n = size_of(state);
  run_views(state, LastFence::untimed, [&] {
    [[maybe_unused]] Where const where;
    use(make_view<DeviceView<typename Where::memory_space>>("tmp", n));
  });
}

template <class Function>
void add_sizes(std::string const& name, Function const& function) {
  constexpr std::array<std::int64_t, 6> sizes = {
      16, 256, 4096, 100'000, 1'000'000, 10'000'000};
  auto* const benchmark = add_device_benchmark(name, function);
  for (auto const n : sizes) benchmark->Arg(n);
}

}  // namespace

void register_device_views() {
  add_sizes("View_uninitialized/plain", uninitialized<InDeviceSpace>);
  add_sizes("View_uninitialized/arena", uninitialized<InDeviceArena<>>);
  add_sizes("View_uninitialized/arena_similar", like_another);
  add_sizes("View_uninitialized/arena_make_view", of_a_type);
  add_sizes("View_initialized/plain", initialized<InDeviceSpace>);
  add_sizes("View_initialized/arena", initialized<InDeviceArena<>>);
  for_each_device_peer(
      []<class Peer>(std::type_identity<Peer>, std::string const& name) {
        add_sizes("View_uninitialized/" + name, peer_uninitialized<Peer>);
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
        add_sizes("View_initialized/" + name, peer_initialized<Peer>);
#endif
      });
  auto const add = [](char const* name, auto const& function) {
    add_device_benchmark(name, function)->Arg(1'000'000);
  };
  add("arena_of_one_View/arena", arena_of_one_view<InDeviceArena<>>);
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  add("arena_of_one_View/arena_stream_ordered",
      arena_of_one_view<InStreamOrderedArena>);
#endif
  add("arena_of_one_View/plain", arena_of_one_view<InDeviceSpace>);
}

}  // namespace KokkosArena::Perf
