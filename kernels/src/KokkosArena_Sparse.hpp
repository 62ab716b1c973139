// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SPARSE_HPP
#define KOKKOSARENA_SPARSE_HPP

#include <KokkosKernels_Handle.hpp>
#include <KokkosSparse_CrsMatrix.hpp>
#include <KokkosSparse_Preconditioner.hpp>
#include <KokkosSparse_gauss_seidel.hpp>
#include <KokkosSparse_gmres.hpp>
#include <KokkosSparse_spadd.hpp>
#include <KokkosSparse_spgemm.hpp>
#include <KokkosSparse_spiluk.hpp>
#include <KokkosSparse_spmv.hpp>
#include <KokkosSparse_sptrsv.hpp>
#include <impl/KokkosArena_FrontDoor.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <type_traits>

namespace KokkosArena::Impl {

template <class Matrix>
concept ArenaMatrix =
    SparseContainer<Matrix> &&
    is_arena_space_v<typename Matrix::device_type::memory_space>;

/// A preconditioner of a matrix in an arena space, for one in the base space.
template <class Matrix>
class UnscopedPreconditioner final
    : public KokkosSparse::Experimental::Preconditioner<
          rebind_container_t<Matrix, base_space_of_t<Matrix>>> {
  using inner_type  = KokkosSparse::Experimental::Preconditioner<Matrix>;
  using scalar_type = typename inner_type::ScalarType;
  template <class T, class MemorySpace>
  using vector_type =
      Kokkos::View<T*, Kokkos::Device<typename inner_type::EXSP, MemorySpace>>;
  using arena_space = typename inner_type::MEMSP;
  using base_space  = base_memory_space_t<arena_space>;

 public:
  explicit UnscopedPreconditioner(inner_type& inner) : m_inner(inner) {}

  void apply(vector_type<scalar_type const, base_space> const& x,
             vector_type<scalar_type, base_space> const& y, char const mode[],
             scalar_type alpha, scalar_type beta) const override {
    m_inner.apply(vector_type<scalar_type const, arena_space>(x),
                  vector_type<scalar_type, arena_space>(y), mode, alpha, beta);
  }
  void setParameters() override { m_inner.setParameters(); }
  void initialize() override { m_inner.initialize(); }
  bool isInitialized() const override { return m_inner.isInitialized(); }
  void compute() override { m_inner.compute(); }
  bool isComputed() const override { return m_inner.isComputed(); }
  bool hasTransposeApply() const override {
    return m_inner.hasTransposeApply();
  }

 private:
  inner_type& m_inner;
};

struct Gmres {
  template <class Handle, class A, class B, class X>
  void operator()(Handle* handle, A&& a, B&& b, X&& x,
                  std::nullptr_t = nullptr) const {
    call(handle, a, b, x);
  }
  template <class Handle, class A, class B, class X, class Matrix>
  void operator()(Handle* handle, A&& a, B&& b, X&& x,
                  KokkosSparse::Experimental::Preconditioner<Matrix>*
                      preconditioner) const {
    if (!preconditioner) {
      call(handle, a, b, x);
    } else if constexpr (ArenaMatrix<Matrix>) {
      UnscopedPreconditioner<Matrix> adapted(*preconditioner);
      call(handle, a, b, x, &adapted);
    } else {
      call(handle, a, b, x, preconditioner);
    }
  }

 private:
  static constexpr FrontDoor call{
      [](auto&... args) { KokkosSparse::Experimental::gmres(args...); }};
};

}  // namespace KokkosArena::Impl

/// \brief KokkosSparse's functions for Views, matrices and handles of any mix
/// of spaces; \c gmres is that of KokkosSparse::Experimental.
///
/// As the functions of KokkosArena::blas, which says what a front door is. An
/// \c SPMVHandle is one for the unscoped types.
namespace KokkosArena::sparse {

inline constexpr Impl::FrontDoor spmv([](auto&... args) {
  return KokkosSparse::spmv(args...);
});

inline constexpr Impl::FrontDoor gauss_seidel_symbolic([](auto&... args) {
  return KokkosSparse::gauss_seidel_symbolic(args...);
});
inline constexpr Impl::FrontDoor gauss_seidel_numeric([](auto&... args) {
  return KokkosSparse::gauss_seidel_numeric(args...);
});
inline constexpr Impl::FrontDoor symmetric_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::symmetric_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor forward_sweep_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::forward_sweep_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor backward_sweep_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::backward_sweep_gauss_seidel_apply(args...);
    });

inline constexpr Impl::FrontDoor sptrsv_symbolic([](auto&... args) {
  return KokkosSparse::sptrsv_symbolic(args...);
});
inline constexpr Impl::FrontDoor sptrsv_solve([](auto&... args) {
  return KokkosSparse::sptrsv_solve(args...);
});

inline constexpr Impl::FrontDoor spiluk_symbolic([](auto&... args) {
  return KokkosSparse::spiluk_symbolic(args...);
});
inline constexpr Impl::FrontDoor spiluk_numeric([](auto&... args) {
  return KokkosSparse::spiluk_numeric(args...);
});

/// \brief The structure of C = A B: for matrices, with room for its entries in
/// the memory space of C, from the arena if it is one in scope; for Views, the
/// row map alone.
inline constexpr Impl::MakingFrontDoor spgemm_symbolic([](auto&... args) {
  return KokkosSparse::spgemm_symbolic(args...);
});
inline constexpr Impl::FrontDoor spgemm_numeric([](auto&... args) {
  return KokkosSparse::spgemm_numeric(args...);
});

/// \brief C = A B without a handle, for a product that is made once.
/// \tparam C  The type of the product, a CrsMatrix. Where its memory space is
/// an arena's, so is its memory in scope, and the product is that of
/// \c spgemm_symbolic and \c spgemm_numeric, also where a vendor has another
/// function for this.
/// \param[in] a, b  CrsMatrix, m x k and k x n.
/// \param[in] transpose_a, transpose_b  false: Kokkos Kernels does no other.
/// \return m x n. \throws std::invalid_argument  The shapes don't fit, or a
/// matrix is to be transposed.
/// Cost: that of the call, and a handle. Threads: any.
template <class C, class A, class B>
C spgemm(A const& a, bool transpose_a, B const& b, bool transpose_b) {
  if constexpr (!Impl::ArenaMatrix<C>) {
    return Impl::FrontDoor([](auto&... args) {
      return KokkosSparse::spgemm<C>(args...);
    })(a, transpose_a, b, transpose_b);
  } else {
    if (transpose_a || transpose_b || a.numCols() != b.numRows()) {
      std::ostringstream message;
      message << "KokkosArena::sparse::spgemm: op(A) op(B) with A of "
              << a.numRows() << " x " << a.numCols() << ", B of " << b.numRows()
              << " x " << b.numCols() << ", op "
              << (transpose_a || transpose_b
                      ? "the transpose of one, which isn't supported"
                      : "the identity: the shapes don't fit");
      throw std::invalid_argument(message.str());
    }
    // Vendors' functions don't take empty matrices.
    if (a.nnz() == 0 || b.nnz() == 0) {
      typename C::row_map_type::non_const_type const row_map(
          "row map", static_cast<std::size_t>(a.numRows()) + 1);
      return C("C", a.numRows(), b.numCols(), 0, {}, row_map, {});
    }
    using space = Impl::base_space_of_t<C>;
    KokkosKernels::Experimental::KokkosKernelsHandle<
        typename C::non_const_size_type, typename C::non_const_ordinal_type,
        typename C::non_const_value_type, typename C::execution_space, space,
        space>
        handle;
    handle.create_spgemm_handle();
    C c;
    spgemm_symbolic(handle, a, transpose_a, b, transpose_b, c);
    spgemm_numeric(handle, a, transpose_a, b, transpose_b, c);
    return c;
  }
}

/// \brief The structure of C = A + B: as \c spgemm_symbolic.
inline constexpr Impl::MakingFrontDoor spadd_symbolic([](auto&... args) {
  return KokkosSparse::spadd_symbolic(args...);
});
inline constexpr Impl::FrontDoor spadd_numeric([](auto&... args) {
  return KokkosSparse::spadd_numeric(args...);
});

/// \brief Solves A x = b by the generalised minimal residual method.
///
/// As KokkosSparse::Experimental::gmres; the preconditioner, if any, is one of
/// the matrix' type as the caller has it.
inline constexpr Impl::Gmres gmres{};

}  // namespace KokkosArena::sparse

#endif
