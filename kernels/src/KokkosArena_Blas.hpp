// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_BLAS_HPP
#define KOKKOSARENA_BLAS_HPP

#include <KokkosBlas1_axpby.hpp>
#include <KokkosBlas1_dot.hpp>
#include <KokkosBlas1_nrm2.hpp>
#include <KokkosBlas1_scal.hpp>
#include <KokkosBlas2_gemv.hpp>
#include <KokkosBlas3_gemm.hpp>
#include <KokkosBlas3_trsm.hpp>
#include <impl/KokkosArena_FrontDoor.hpp>

/// \brief KokkosBlas' functions for Views of any mix of spaces.
///
/// Each takes what the function of its name takes in namespace KokkosBlas, an
/// execution space instance in front included, and calls that with the Views
/// under their base spaces: for these, and not for arena spaces, Kokkos Kernels
/// has its vendor (TPL) and pre-instantiated (ETI) paths. Results, errors and
/// thread guarantees are those of that call. What it allocates inside is
/// memory of the base space; \c HostSpaceAdoption lets that come from an arena.
/// They are function objects: template arguments can't be given.
/// \throws InvalidViewAccess  A View in CheckedSpace is invalid.
/// Cost: that of copying the Views that are in arena spaces.
/// \see Kokkos Kernels 4.7 to 5.0
namespace KokkosArena::blas {

inline constexpr Impl::FrontDoor axpby([](auto&... args) {
  return KokkosBlas::axpby(args...);
});
inline constexpr Impl::FrontDoor axpy([](auto&... args) {
  return KokkosBlas::axpy(args...);
});
inline constexpr Impl::FrontDoor scal([](auto&... args) {
  return KokkosBlas::scal(args...);
});
inline constexpr Impl::FrontDoor dot([](auto&... args) {
  return KokkosBlas::dot(args...);
});
inline constexpr Impl::FrontDoor nrm2([](auto&... args) {
  return KokkosBlas::nrm2(args...);
});
inline constexpr Impl::FrontDoor gemv([](auto&... args) {
  return KokkosBlas::gemv(args...);
});
inline constexpr Impl::FrontDoor gemm([](auto&... args) {
  return KokkosBlas::gemm(args...);
});
inline constexpr Impl::FrontDoor trsm([](auto&... args) {
  return KokkosBlas::trsm(args...);
});

}  // namespace KokkosArena::blas

#endif
