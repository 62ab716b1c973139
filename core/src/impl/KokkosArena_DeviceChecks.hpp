// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_DEVICECHECKS_HPP
#define KOKKOSARENA_IMPL_DEVICECHECKS_HPP

#include <engine/KokkosArena_AddressSlices.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>

/// \file
/// What kernels know of checked memory. They see an address, and ask whether it
/// is among what was dropped; the host has written down for them what was.

namespace KokkosArena::Impl {

class CheckedMemory;

#if defined(KOKKOS_ENABLE_CUDA)

inline constexpr unsigned device_slice_shift = 21;

/// What was dropped at [begin, end), for a message.
struct DroppedRange {
  std::uintptr_t begin;
  std::uintptr_t end;
  char text[512];
};

/// \brief What one kernel reads; all of it is in device memory.
struct DeviceChecks {
  std::uintptr_t begin         = 0;
  std::uintptr_t dropped_bytes = 0;  ///< From begin on to the end of all that
                                     ///< has ever been dropped.
  Slice const* table          = nullptr;  ///< Of each slice behind begin.
  DroppedRange const* dropped = nullptr;  ///< A ring.
  unsigned ring_size          = 0;
  unsigned newest             = 0;
};

/// \brief CudaSpace's, on the device of the first checked View. Ends with the
/// program. \return Null if the driver can't map memory to chosen addresses,
/// which a line on stderr says; accesses in kernels aren't checked then.
CheckedMemory* cuda_checked_memory() noexcept;

/// \return Whether the host knows the address as one that was dropped.
bool is_dropped_cuda_address(void const* address) noexcept;

/// \brief A copy of DeviceChecks that the host keeps up to date. Each file that
/// Cuda compiles has one, since without relocatable device code none can use
/// another's.
struct DeviceChecksCopy {
  explicit DeviceChecksCopy(void (*function)(DeviceChecks const&)) noexcept;
  DeviceChecksCopy(DeviceChecksCopy const&)            = delete;
  DeviceChecksCopy& operator=(DeviceChecksCopy const&) = delete;
  /// A library may be unloaded.
  ~DeviceChecksCopy();
  void (*update)(DeviceChecks const&);
  DeviceChecksCopy* next = nullptr;
};

#if defined(__CUDACC__)
namespace {

// In constant memory, where no store to an element of a View can be, so that
// the compiler may read it once in front of a loop.
__constant__ DeviceChecks device_checks;

DeviceChecksCopy const device_checks_copy([](DeviceChecks const& checks) {
  static_cast<void>(cudaMemcpyToSymbol(device_checks, &checks, sizeof(checks)));
});

#if defined(__CUDA_ARCH__)
/// \brief Ends the kernel with what the host has written of the address.
[[gnu::noinline]] __device__ void invalid_access_in_kernel(
    std::uintptr_t address) {
  auto const& checks = device_checks;
  for (unsigned i = 0; i < checks.ring_size; ++i) {
    auto const& range =
        checks
            .dropped[(checks.newest + checks.ring_size - i) % checks.ring_size];
    if (address >= range.begin && address < range.end) {
      // From the kernel's own memory, as Kokkos passes its messages.
      char text[sizeof(range.text)];
      for (unsigned c = 0; c < sizeof(text); ++c) text[c] = range.text[c];
      // Once more on stdout, should the driver cut the message short.
      Kokkos::printf("%s\n", text);
      return Kokkos::abort(text);
    }
  }
  Kokkos::abort(
      "KokkosArena: a CheckedSpace View was accessed in a kernel after its "
      "arena "
      "had dropped it, too long ago to know which it was");
}

/// \brief To be called with the address of a View's data before an access.
__device__ inline void check_access_in_kernel(void const* address) {
  auto const offset =
      reinterpret_cast<std::uintptr_t>(address) - device_checks.begin;
  if (offset < device_checks.dropped_bytes &&
      device_checks.table[offset >> device_slice_shift] == Slice::dropped) {
    invalid_access_in_kernel(reinterpret_cast<std::uintptr_t>(address));
  }
}
#endif

}  // namespace
#endif
#endif

}  // namespace KokkosArena::Impl

#endif
