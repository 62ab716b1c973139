// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEVICE_BENCHMARKS_HPP
#define KOKKOSARENA_PERF_DEVICE_BENCHMARKS_HPP

#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "device_backend.hpp"

#if defined(KOKKOSARENA_PERF_HAS_RMM)
#include <rmm/mr/cuda_memory_resource.hpp>
#include <rmm/mr/pool_memory_resource.hpp>
#endif

#if defined(KOKKOSARENA_PERF_HAS_UMPIRE)
#include <umpire/Umpire.hpp>
#if defined(UMPIRE_ENABLE_CUDA) || defined(UMPIRE_ENABLE_HIP)
#define KOKKOSARENA_PERF_HAS_UMPIRE_DEVICE
#include <umpire/strategy/QuickPool.hpp>
#endif
#endif

/// \file
/// What the parts of BenchmarkDevice share: where temporaries in device memory
/// come from. The default execution space is the device.

namespace KokkosArena::Perf {

// Each part of the program registers its own.
void register_device_views();
void register_device_reductions();
void register_device_handles();
void register_device_checked();
void register_device_steady_state();

using Device       = Kokkos::DefaultExecutionSpace;
using DeviceMemory = Device::memory_space;

/// Of doubles.
template <class Space = DeviceMemory>
using DeviceView = Kokkos::View<double*, Kokkos::Device<Device, Space>>;
using UnmanagedDeviceView =
    Kokkos::View<double*, Kokkos::Device<Device, DeviceMemory>,
                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

inline void wait_for_device() { Device().fence("benchmark"); }

inline std::size_t size_of(benchmark::State const& state) {
  return static_cast<std::size_t>(state.range(0));
}

template <class Function>
auto* add_device_benchmark(std::string const& name, Function const& function) {
  return benchmark::RegisterBenchmark(name, function)->UseRealTime();
}

// Places, as in benchmarks.hpp: a View of such a memory space is there while an
// object of the place exists.

struct InDeviceSpace {
  using memory_space = DeviceMemory;
  void next_cycle() {}
};

template <class Space = ScopedSpace<DeviceMemory>>
struct InDeviceArena {
  using memory_space = Space;

  InDeviceArena() = default;
  explicit InDeviceArena(ArenaOptions options) : arena(std::move(options)) {}
  void next_cycle() { arena.reset(); }

  Arena<Device> arena;
  ArenaScope scope{arena};
};

#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
/// With blocks of memory in the order of the instance.
struct InStreamOrderedArena : InDeviceArena<> {
  InStreamOrderedArena() : InDeviceArena<>(options()) {}

 private:
  static ArenaOptions options() {
    ArenaOptions options;
    options.stream_ordered = true;
    return options;
  }
};
#endif

// Peers: allocators of raw device memory, for kernels on one instance.

#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
using StreamOrdered        = runtime::StreamOrderedPool<true>;
using StreamOrderedTrimmed = runtime::StreamOrderedPool<false>;
#endif

#if defined(KOKKOSARENA_PERF_HAS_RMM)
/// RMM's pool over cudaMalloc, on the stream of one instance.
class RmmPool {
 public:
  explicit RmmPool(Device const& instance)
      : m_stream(runtime::stream_of(instance)) {}
  void* allocate(std::size_t bytes) { return m_pool.allocate(m_stream, bytes); }
  void deallocate(void* memory, std::size_t bytes) {
    m_pool.deallocate(m_stream, memory, bytes);
  }

 private:
  cuda::stream_ref m_stream;
  rmm::mr::pool_memory_resource m_pool{rmm::mr::cuda_memory_resource{},
                                       std::size_t(1) << 20};
};
#endif

#if defined(KOKKOSARENA_PERF_HAS_UMPIRE_DEVICE)
/// \brief It knows no streams: what the host gives back may be used again at
/// once, which is right for kernels on one instance.
class UmpireDevicePool {
 public:
  explicit UmpireDevicePool(Device const&) : m_pool(make()) {}
  void* allocate(std::size_t bytes) { return m_pool.allocate(bytes); }
  void deallocate(void* memory, std::size_t) { m_pool.deallocate(memory); }

 private:
  static umpire::Allocator make() {
    static int number = 0;
    auto& manager     = umpire::ResourceManager::getInstance();
    return manager.makeAllocator<umpire::strategy::QuickPool>(
        "KokkosArena device peer " + std::to_string(number++),
        manager.getAllocator("DEVICE"), std::size_t(1) << 20);
  }
  umpire::Allocator m_pool;
};
#endif

/// \brief Calls \c f(std::type_identity<Peer>(), name) for each peer.
template <class Function>
void for_each_device_peer([[maybe_unused]] Function const& f) {
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  f(std::type_identity<StreamOrdered>(), "stream_ordered");
  f(std::type_identity<StreamOrderedTrimmed>(), "stream_ordered_trimmed");
#endif
#if defined(KOKKOSARENA_PERF_HAS_RMM)
  f(std::type_identity<RmmPool>(), "RMM_pool");
#endif
#if defined(KOKKOSARENA_PERF_HAS_UMPIRE_DEVICE)
  f(std::type_identity<UmpireDevicePool>(), "Umpire_QuickPool");
#endif
}

/// \brief A peer's memory with a View over it, given back at its end.
template <class Peer>
class PeerTemporary {
 public:
  PeerTemporary(Peer& peer, std::size_t n)
      : m_peer(&peer),
        m_view(static_cast<double*>(peer.allocate(n * sizeof(double))), n) {}
  PeerTemporary(PeerTemporary const&)            = delete;
  PeerTemporary& operator=(PeerTemporary const&) = delete;
  ~PeerTemporary() {
    m_peer->deallocate(m_view.data(), m_view.extent(0) * sizeof(double));
  }
  UnmanagedDeviceView const& view() const { return m_view; }

 private:
  Peer* m_peer;
  UnmanagedDeviceView m_view;
};

template <class Peer>
UnmanagedDeviceView const& view_of(PeerTemporary<Peer> const& temporary) {
  return temporary.view();
}
template <class... Properties>
Kokkos::View<Properties...> const& view_of(
    Kokkos::View<Properties...> const& view) {
  return view;
}

}  // namespace KokkosArena::Perf

#endif
