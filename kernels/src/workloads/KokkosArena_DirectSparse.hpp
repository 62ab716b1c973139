// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_DIRECTSPARSE_HPP
#define KOKKOSARENA_DIRECTSPARSE_HPP

#include <KokkosSparse_gauss_seidel.hpp>
#include <KokkosSparse_spgemm.hpp>
#include <KokkosSparse_spmv.hpp>

#include <utility>

namespace KokkosArena::workloads {

/// \brief How a workload calls the sparse functions of Kokkos Kernels: as they
/// are. Another type with members of these names, functions or function
/// objects, takes its place where they are to be called by another way.
/// Parameters, cost, threads: of the function of that name in KokkosSparse.
struct DirectSparse {
  /// y = a op(A) x + b y
  template <class... Args>
  static void spmv(Args&&... args) {
    KokkosSparse::spmv(std::forward<Args>(args)...);
  }
  /// \tparam C  The type of the product.
  template <class C, class... Args>
  static C spgemm(Args&&... args) {
    return KokkosSparse::spgemm<C>(std::forward<Args>(args)...);
  }
  template <class... Args>
  static void gauss_seidel_symbolic(Args&&... args) {
    KokkosSparse::gauss_seidel_symbolic(std::forward<Args>(args)...);
  }
  template <class... Args>
  static void gauss_seidel_numeric(Args&&... args) {
    KokkosSparse::gauss_seidel_numeric(std::forward<Args>(args)...);
  }
  template <class... Args>
  static void symmetric_gauss_seidel_apply(Args&&... args) {
    KokkosSparse::symmetric_gauss_seidel_apply(std::forward<Args>(args)...);
  }
};

}  // namespace KokkosArena::workloads

#endif
