// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_KERNELSHANDLE_HPP
#define KOKKOSARENA_KERNELSHANDLE_HPP

#include <KokkosArena_Concepts.hpp>
#include <KokkosKernels_Handle.hpp>

#include <type_traits>

namespace KokkosArena {

/// \brief The handle of Kokkos Kernels for the base spaces: the handle itself
/// or, if it is one for arena spaces, what it is made of.
/// \return A reference, valid as long as \c handle; to be taken as one
/// (\c auto&), since handles can't be copied.
/// Cost: none.
template <class... Parameters>
auto& unscoped(
    KokkosKernels::Experimental::KokkosKernelsHandle<Parameters...>& handle) {
  using handle_type = std::remove_reference_t<decltype(handle)>;
  if constexpr (requires { typename handle_type::base_handle_type; }) {
    return static_cast<typename handle_type::base_handle_type&>(handle);
  } else {
    return handle;
  }
}

}  // namespace KokkosArena

/// \brief The handle of Kokkos Kernels for arena spaces: one for the base
/// spaces, so that Kokkos Kernels finds its pre-instantiated and vendor paths
/// by it. What it keeps between calls is in the base spaces and outlives
/// scopes.
///
/// Functions of Kokkos Kernels that are called directly, not through the front
/// doors, take it as well: their own temporaries follow
/// \c HandleTempMemorySpace. Include this header in every file that makes
/// handles for arena spaces.
/// \see KokkosKernels_Handle.hpp, Kokkos Kernels 4.7 to 5.0
template <class Size, class Ordinal, class Scalar, class ExecutionSpace,
          class TemporarySpace, class PersistentSpace>
  requires(
      KokkosArena::is_arena_space_v<typename TemporarySpace::memory_space> ||
      KokkosArena::is_arena_space_v<typename PersistentSpace::memory_space>)
class KokkosKernels::Experimental::KokkosKernelsHandle<
    Size, Ordinal, Scalar, ExecutionSpace, TemporarySpace, PersistentSpace>
    : public KokkosKernelsHandle<
          Size, Ordinal, Scalar, ExecutionSpace,
          KokkosArena::base_memory_space_t<TemporarySpace>,
          KokkosArena::base_memory_space_t<PersistentSpace>> {
 public:
  using base_handle_type =
      KokkosKernelsHandle<Size, Ordinal, Scalar, ExecutionSpace,
                          KokkosArena::base_memory_space_t<TemporarySpace>,
                          KokkosArena::base_memory_space_t<PersistentSpace>>;
  using HandleTempMemorySpace       = typename TemporarySpace::memory_space;
  using HandlePersistentMemorySpace = typename PersistentSpace::memory_space;

  KokkosKernelsHandle() = default;
  // That of Kokkos Kernels' own handles frees what they hold twice.
  KokkosKernelsHandle(KokkosKernelsHandle const&)            = delete;
  KokkosKernelsHandle& operator=(KokkosKernelsHandle const&) = delete;
  /// \brief What Kokkos Kernels makes inside of its functions: the same handle
  /// for const types, which owns nothing.
  // Implicit, as that of any other handle.
  template <class... Parameters>
  KokkosKernelsHandle(KokkosKernelsHandle<Parameters...>& handle)
      : base_handle_type(KokkosArena::unscoped(handle)) {}
};

#endif
