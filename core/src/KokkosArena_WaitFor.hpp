// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_WAITFOR_HPP
#define KOKKOSARENA_WAITFOR_HPP

#include <KokkosArena_Concepts.hpp>
#include <impl/KokkosArena_AsyncBackend.hpp>

#include <Kokkos_Core.hpp>

#include <type_traits>

namespace KokkosArena {

/// \brief Orders two execution space instances: what \c waiting is given from
/// now on begins after what \c awaited has been given so far. With it memory is
/// handed from one instance to the other.
/// \param[in] waiting, awaited  Any instances, also of different backends.
/// \throws std::runtime_error   The backend's runtime reports an error.
/// Cost: nothing for one and the same instance and where \c awaited is of a
/// backend whose kernels end before their launch returns. Two instances of
/// Cuda, of HIP or of SYCL: an event, for which the device waits and the host
/// doesn't. Otherwise a fence of \c awaited. Threads: any.
template <class Waiting, class Awaited>
  requires(Kokkos::is_execution_space_v<Waiting> &&
           Kokkos::is_execution_space_v<Awaited>)
void wait_for([[maybe_unused]] Waiting const& waiting,
              [[maybe_unused]] Awaited const& awaited) {
  if constexpr (!Impl::is_synchronous_v<Awaited>) {
    if constexpr (std::is_same_v<Waiting, Awaited>) {
      if (waiting == awaited) return;
      using backend = Impl::AsyncBackend<Awaited>;
      backend::let_wait(waiting, backend::record(awaited));
    } else {
      awaited.fence("KokkosArena::wait_for");
    }
  }
}

}  // namespace KokkosArena

#endif
