// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_DIRECTBLAS_HPP
#define KOKKOSARENA_DIRECTBLAS_HPP

#include <KokkosBlas1_axpby.hpp>
#include <KokkosBlas1_dot.hpp>
#include <KokkosBlas1_nrm2.hpp>
#include <KokkosBlas1_scal.hpp>
#include <KokkosBlas3_gemm.hpp>

#include <utility>

namespace KokkosArena::workloads {

/// \brief How a workload calls the dense functions of Kokkos Kernels: as they
/// are. Another type with members of these names, functions or function
/// objects, takes its place where they are to be called by another way.
/// Parameters, cost, threads: of the function of that name in KokkosBlas.
struct DirectBlas {
  /// y = a x + b y
  template <class... Args>
  static void axpby(Args&&... args) {
    KokkosBlas::axpby(std::forward<Args>(args)...);
  }
  template <class... Args>
  static auto dot(Args&&... args) {
    return KokkosBlas::dot(std::forward<Args>(args)...);
  }
  template <class... Args>
  static auto nrm2(Args&&... args) {
    return KokkosBlas::nrm2(std::forward<Args>(args)...);
  }
  /// y = a x
  template <class... Args>
  static void scal(Args&&... args) {
    KokkosBlas::scal(std::forward<Args>(args)...);
  }
  /// C = a op(A) op(B) + b C
  template <class... Args>
  static void gemm(Args&&... args) {
    KokkosBlas::gemm(std::forward<Args>(args)...);
  }
};

}  // namespace KokkosArena::workloads

#endif
