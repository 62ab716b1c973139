// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_BATCHED_HPP
#define KOKKOSARENA_BATCHED_HPP

#include <KokkosBatched_Gemm_Decl.hpp>
#include <KokkosBatched_Getrf.hpp>
#include <KokkosBatched_HostLevel_Gemm.hpp>
#include <impl/KokkosArena_FrontDoor.hpp>

#include <Kokkos_Core.hpp>

namespace KokkosArena::Impl {

/// What stands for a View inside a kernel: without a share in its memory, whose
/// count other threads may be using.
template <class ViewType>
KOKKOS_FUNCTION auto unmanaged_in_base_space(ViewType const& view) {
  using space = base_memory_space_t<typename ViewType::memory_space>;
  KOKKOS_IF_ON_HOST((check_lifetime(view);))
  return Kokkos::View<typename ViewType::data_type,
                      typename ViewType::array_layout,
                      Kokkos::Device<typename ViewType::execution_space, space>,
                      Kokkos::MemoryTraits<Kokkos::Unmanaged>>(view);
}

}  // namespace KokkosArena::Impl

/// \brief KokkosBatched's functions for Views of any mix of spaces.
///
/// Of the functions of these names. Inside a kernel, an invalid CheckedSpace
/// View aborts the program with InvalidViewAccess' message.
/// Cost: that of the call. Threads: any number at once, on other matrices.
/// \see KokkosArena::blas, which says what a front door is.
namespace KokkosArena::batched {

/// \brief KokkosBatched::BatchedGemm: C = alpha op(A) op(B) + beta C for each
/// matrix of a batch, called by the host.
/// \tparam TransA, TransB, BatchLayout  Of KokkosBatched: \c Trans::NoTranspose
///                       and the like, \c BatchLayout::Left or \c Right.
/// \param[in] arguments  The handle's address, alpha, A, B, beta, C: Views of
///                       rank 3.
/// \return 0, or what went wrong.
template <class TransA, class TransB, class BatchLayout, class... Args>
int BatchedGemm(Args&&... arguments) {
  return Impl::FrontDoor([](auto&... args) {
    return KokkosBatched::BatchedGemm<TransA, TransB, BatchLayout>(args...);
  })(arguments...);
}

/// \brief KokkosBatched::SerialGemm: C = alpha op(A) op(B) + beta C of one
/// matrix, inside a kernel.
template <class TransA, class TransB, class Algorithm>
struct SerialGemm {
  /// \param[in] a, b     m x k and k x n, after \c TransA and \c TransB.
  /// \param[in,out] c    m x n.
  /// \return 0, or what went wrong.
  template <class Scalar, class A, class B, class C>
  KOKKOS_FUNCTION static int invoke(Scalar const alpha, A const& a, B const& b,
                                    Scalar const beta, C const& c) {
    return KokkosBatched::SerialGemm<TransA, TransB, Algorithm>::invoke(
        alpha, Impl::unmanaged_in_base_space(a),
        Impl::unmanaged_in_base_space(b), beta,
        Impl::unmanaged_in_base_space(c));
  }
};

/// \brief KokkosBatched::SerialGetrf: the LU factors of one matrix with row
/// interchanges, inside a kernel.
template <class Algorithm>
struct SerialGetrf {
  /// \param[in,out] a    m x n; L and U on return.
  /// \param[out] pivots  min(m, n) row indices.
  /// \return 0, or the column of the first pivot that is 0, from 1 on.
  template <class A, class Pivots>
  KOKKOS_FUNCTION static int invoke(A const& a, Pivots const& pivots) {
    return KokkosBatched::SerialGetrf<Algorithm>::invoke(
        Impl::unmanaged_in_base_space(a),
        Impl::unmanaged_in_base_space(pivots));
  }
};

}  // namespace KokkosArena::batched

#endif
