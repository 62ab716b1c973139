// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_FRONTDOORS_HPP
#define KOKKOSARENA_FRONTDOORS_HPP

#include <KokkosArena_Blas.hpp>
#include <KokkosArena_Sparse.hpp>

#include <utility>

namespace KokkosArena {

/// \brief The front doors of \c blas and \c sparse as one type, for templates
/// that take the way to Kokkos Kernels as a parameter. Cost, threads: of these.
struct FrontDoors {
  static constexpr auto axpby = blas::axpby;
  static constexpr auto axpy  = blas::axpy;
  static constexpr auto scal  = blas::scal;
  static constexpr auto dot   = blas::dot;
  static constexpr auto nrm2  = blas::nrm2;
  static constexpr auto gemv  = blas::gemv;
  static constexpr auto gemm  = blas::gemm;
  static constexpr auto trsm  = blas::trsm;

  static constexpr auto spmv            = sparse::spmv;
  static constexpr auto spgemm_symbolic = sparse::spgemm_symbolic;
  static constexpr auto spgemm_numeric  = sparse::spgemm_numeric;
  template <class C, class... Args>
  static C spgemm(Args&&... args) {
    return sparse::spgemm<C>(std::forward<Args>(args)...);
  }
  static constexpr auto spadd_symbolic        = sparse::spadd_symbolic;
  static constexpr auto spadd_numeric         = sparse::spadd_numeric;
  static constexpr auto gauss_seidel_symbolic = sparse::gauss_seidel_symbolic;
  static constexpr auto gauss_seidel_numeric  = sparse::gauss_seidel_numeric;
  static constexpr auto symmetric_gauss_seidel_apply =
      sparse::symmetric_gauss_seidel_apply;
  static constexpr auto forward_sweep_gauss_seidel_apply =
      sparse::forward_sweep_gauss_seidel_apply;
  static constexpr auto backward_sweep_gauss_seidel_apply =
      sparse::backward_sweep_gauss_seidel_apply;
  static constexpr auto sptrsv_symbolic = sparse::sptrsv_symbolic;
  static constexpr auto sptrsv_solve    = sparse::sptrsv_solve;
  static constexpr auto spiluk_symbolic = sparse::spiluk_symbolic;
  static constexpr auto spiluk_numeric  = sparse::spiluk_numeric;
  static constexpr auto gmres           = sparse::gmres;
};

}  // namespace KokkosArena

#endif
