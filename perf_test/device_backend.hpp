// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEVICE_BACKEND_HPP
#define KOKKOSARENA_PERF_DEVICE_BACKEND_HPP

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

/// \file
/// What the benchmarks ask of a device's own runtime, for which Kokkos has no
/// call. Cuda and HIP name the same functions with another prefix; where there
/// is neither, what isn't declared here isn't measured.

#if defined(KOKKOS_ENABLE_CUDA)
#define KOKKOSARENA_PERF_RUNTIME(name) cuda##name
#define KOKKOSARENA_PERF_INSTANCE(name) cuda_##name
#elif defined(KOKKOS_ENABLE_HIP)
#define KOKKOSARENA_PERF_RUNTIME(name) hip##name
#define KOKKOSARENA_PERF_INSTANCE(name) hip_##name
#endif

#ifdef KOKKOSARENA_PERF_RUNTIME
#define KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME
#endif

namespace KokkosArena::Perf {

/// \return As why_no_device() of machine.hpp.
inline std::string why_backend_has_no_device() {
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  int count         = 0;
  auto const status = KOKKOSARENA_PERF_RUNTIME(GetDeviceCount)(&count);
  if (status != KOKKOSARENA_PERF_RUNTIME(Success)) {
    return KOKKOSARENA_PERF_RUNTIME(GetErrorString)(status);
  }
  return count > 0 ? "" : "the runtime finds none";
#elif defined(KOKKOS_ENABLE_SYCL)
  return sycl::device::get_devices(sycl::info::device_type::gpu).empty()
             ? "SYCL finds no GPU"
             : "";
#else
  return "";
#endif
}

/// \return Model and versions of the default instance's device; "none" where
/// Kokkos has no backend for any.
/// \pre Kokkos is initialised.
inline std::string device_name() {
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  auto const version = [](int v) {
    return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10);
  };
  auto const& device =
      Kokkos::DefaultExecutionSpace().KOKKOSARENA_PERF_INSTANCE(device_prop)();
  int driver = 0, runtime = 0;
  static_cast<void>(KOKKOSARENA_PERF_RUNTIME(DriverGetVersion)(&driver));
  static_cast<void>(KOKKOSARENA_PERF_RUNTIME(RuntimeGetVersion)(&runtime));
  return std::string(device.name) + ", compute capability " +
         std::to_string(device.major) + "." + std::to_string(device.minor) +
         ", " + std::to_string(device.multiProcessorCount) +
         " multiprocessors, " + std::to_string(device.totalGlobalMem >> 20) +
         " MiB, driver for " + version(driver) + ", runtime " +
         version(runtime);
#elif defined(KOKKOS_ENABLE_SYCL)
  auto const device = Kokkos::DefaultExecutionSpace().sycl_queue().get_device();
  return device.get_info<sycl::info::device::name>() + ", driver " +
         device.get_info<sycl::info::device::driver_version>();
#else
  return "none";
#endif
}

#ifdef KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME

namespace runtime {

using status = KOKKOSARENA_PERF_RUNTIME(Error_t);
using stream = KOKKOSARENA_PERF_RUNTIME(Stream_t);

inline void check(status s, char const* what) {
  if (s == KOKKOSARENA_PERF_RUNTIME(Success)) return;
  throw std::runtime_error(std::string(what) + ": " +
                           KOKKOSARENA_PERF_RUNTIME(GetErrorString)(s));
}

inline stream stream_of(Kokkos::DefaultExecutionSpace const& instance) {
  return instance.KOKKOSARENA_PERF_INSTANCE(stream)();
}

/// \brief Zeroes, in the order of the instance.
inline void zero(Kokkos::DefaultExecutionSpace const& instance, void* memory,
                 std::size_t bytes) {
  check(KOKKOSARENA_PERF_RUNTIME(MemsetAsync)(memory, 0, bytes,
                                              stream_of(instance)),
        "zeroing memory");
}

/// \brief A pool of the stream-ordered allocator (cudaMallocAsync and
/// cudaFreeAsync), on the stream of one instance.
/// \tparam Keeps  Its release threshold: all that it has had, so that it asks
/// the system for nothing in steady state; or the default, 0: what is free at
/// a synchronisation goes back.
template <bool Keeps>
class StreamOrderedPool {
 public:
  explicit StreamOrderedPool(Kokkos::DefaultExecutionSpace const& instance)
      : m_stream(stream_of(instance)) {
    KOKKOSARENA_PERF_RUNTIME(MemPoolProps) properties = {};
    properties.allocType = KOKKOSARENA_PERF_RUNTIME(MemAllocationTypePinned);
    properties.location.type = KOKKOSARENA_PERF_RUNTIME(MemLocationTypeDevice);
    properties.location.id   = instance.KOKKOSARENA_PERF_INSTANCE(device)();
    check(KOKKOSARENA_PERF_RUNTIME(MemPoolCreate)(&m_pool, &properties),
          "making a memory pool");
    if constexpr (Keeps) {
      std::uint64_t threshold = UINT64_MAX;
      check(KOKKOSARENA_PERF_RUNTIME(MemPoolSetAttribute)(
                m_pool, KOKKOSARENA_PERF_RUNTIME(MemPoolAttrReleaseThreshold),
                &threshold),
            "setting the release threshold of a memory pool");
    }
  }
  StreamOrderedPool(StreamOrderedPool const&)            = delete;
  StreamOrderedPool& operator=(StreamOrderedPool const&) = delete;
  ~StreamOrderedPool() {
    static_cast<void>(KOKKOSARENA_PERF_RUNTIME(MemPoolDestroy)(m_pool));
  }

  void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    if (KOKKOSARENA_PERF_RUNTIME(MallocFromPoolAsync)(&memory, bytes, m_pool,
                                                      m_stream) !=
        KOKKOSARENA_PERF_RUNTIME(Success)) {
      throw std::bad_alloc();
    }
    return memory;
  }
  void deallocate(void* memory, std::size_t) {
    static_cast<void>(KOKKOSARENA_PERF_RUNTIME(FreeAsync)(memory, m_stream));
  }

 private:
  stream m_stream;
  KOKKOSARENA_PERF_RUNTIME(MemPool_t) m_pool = nullptr;
};

/// \brief How much malloc in kernels may give out at once.
/// \pre No kernel that calls it has been launched.
/// \return Whether the device agrees.
inline bool set_device_heap(std::size_t bytes) {
  auto const status = KOKKOSARENA_PERF_RUNTIME(DeviceSetLimit)(
      KOKKOSARENA_PERF_RUNTIME(LimitMallocHeapSize), bytes);
  if (status == KOKKOSARENA_PERF_RUNTIME(Success)) return true;
  // Or the next kernel would be blamed for it.
  static_cast<void>(KOKKOSARENA_PERF_RUNTIME(GetLastError)());
  return false;
}

// In kernels; on the host there is nothing to be had.

KOKKOS_INLINE_FUNCTION void* device_malloc([[maybe_unused]] std::size_t bytes) {
  KOKKOS_IF_ON_DEVICE((return ::malloc(bytes);))
  KOKKOS_IF_ON_HOST((return nullptr;))
}
KOKKOS_INLINE_FUNCTION void device_free([[maybe_unused]] void* memory) {
  KOKKOS_IF_ON_DEVICE((::free(memory);))
}

}  // namespace runtime

#endif

#undef KOKKOSARENA_PERF_RUNTIME
#undef KOKKOSARENA_PERF_INSTANCE

}  // namespace KokkosArena::Perf

#endif
