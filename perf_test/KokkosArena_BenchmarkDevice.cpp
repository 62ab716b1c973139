// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "benchmarks.hpp"
#include "device_benchmarks.hpp"

/// \file
/// Device memory and kernels: the parts of this program say what each measures.
/// All times are real ones, as the host sees them. What is compared is alike:
/// the same kernels on the same instance, and Views of the same type and
/// layout. Of the allocators of a device's own runtime, "plain" is what a View
/// of the device's memory space calls (cudaMalloc), and "stream_ordered" what
/// gives memory in the order of a stream (cudaMallocAsync), from a pool that
/// keeps all it has had; "stream_ordered_trimmed" has the default pool's
/// settings.

namespace KokkosArena::Perf {

void register_benchmarks() {
  benchmark::AddCustomContext("umpire_device",
#if defined(KOKKOSARENA_PERF_HAS_UMPIRE_DEVICE)
                              "yes"
#else
                              "no"
#endif
  );
  benchmark::AddCustomContext("rmm",
#if defined(KOKKOSARENA_PERF_HAS_RMM)
                              "yes"
#else
                              "no"
#endif
  );
  // The first, since it sets the heap of malloc in kernels.
  register_device_handles();
  register_device_views();
  register_device_reductions();
  register_device_checked();
  register_device_steady_state();
}

}  // namespace KokkosArena::Perf
