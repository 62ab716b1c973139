// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SPARSE_HPP
#define KOKKOSARENA_SPARSE_HPP

#include <KokkosArena_Similar.hpp>
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

/// \brief KokkosSparse's functions for Views, matrices and handles of any mix
/// of spaces; \c gmres is that of KokkosSparse::Experimental.
///
/// As the functions of KokkosArena::blas, which says what a front door is. What
/// a function makes for the caller, as the product of \c spgemm_symbolic, is
/// made in the memory space of the type that it is asked for in: in an arena
/// scope, from the arena. An \c SPMVHandle is one for the unscoped types.
namespace KokkosArena::sparse {

namespace Impl {

using KokkosArena::Impl::base_space_of_t;
using KokkosArena::Impl::FrontDoor;
using KokkosArena::Impl::rebind_container_t;

template <class Matrix>
concept ArenaMatrix =
    SparseContainer<Matrix> &&
    is_arena_space_v<typename Matrix::device_type::memory_space>;

/// A matrix with a finished row map and room for its entries, in its own space.
template <class Matrix, class RowMap>
Matrix matrix_of(RowMap const& row_map, std::size_t rows, std::size_t columns,
                 std::size_t entries) {
  using indices_type = typename Matrix::index_type::non_const_type;
  using values_type  = typename Matrix::values_type::non_const_type;
  using ordinal      = typename Matrix::non_const_ordinal_type;
  return Matrix("C", static_cast<ordinal>(rows), static_cast<ordinal>(columns),
                entries, make_view<values_type>("values", entries), row_map,
                make_view<indices_type>("entries", entries));
}

template <class Matrix>
auto make_row_map(std::size_t rows) {
  return make_view<typename Matrix::row_map_type::non_const_type>("row map",
                                                                  rows + 1);
}

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

}  // namespace Impl

inline constexpr Impl::FrontDoor spmv([](auto&... args) {
  return KokkosSparse::spmv(args...);
});

inline constexpr Impl::FrontDoor gauss_seidel_symbolic([](auto&... args) {
  return KokkosSparse::gauss_seidel_symbolic(args...);
});
inline constexpr Impl::FrontDoor block_gauss_seidel_symbolic([](auto&... args) {
  return KokkosSparse::block_gauss_seidel_symbolic(args...);
});
inline constexpr Impl::FrontDoor gauss_seidel_numeric([](auto&... args) {
  return KokkosSparse::gauss_seidel_numeric(args...);
});
inline constexpr Impl::FrontDoor block_gauss_seidel_numeric([](auto&... args) {
  return KokkosSparse::block_gauss_seidel_numeric(args...);
});
inline constexpr Impl::FrontDoor symmetric_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::symmetric_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor symmetric_block_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::symmetric_block_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor forward_sweep_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::forward_sweep_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor forward_sweep_block_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::forward_sweep_block_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor backward_sweep_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::backward_sweep_gauss_seidel_apply(args...);
    });
inline constexpr Impl::FrontDoor backward_sweep_block_gauss_seidel_apply(
    [](auto&... args) {
      return KokkosSparse::backward_sweep_block_gauss_seidel_apply(args...);
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

/// \brief The structure of C = A B: for matrices, with room for its entries, or
/// for Views, the row map alone.
inline constexpr struct {
  template <class Handle, class A, class B, class C>
    requires SparseContainer<C>
  void operator()(Handle& handle, A const& a, bool transpose_a, B const& b,
                  bool transpose_b, C& c) const {
    if constexpr (Impl::ArenaMatrix<C>) {
      auto const row_map =
          Impl::make_row_map<C>(static_cast<std::size_t>(a.numRows()));
      (*this)(&handle, a.numRows(), b.numRows(), b.numCols(), a.graph.row_map,
              a.graph.entries, transpose_a, b.graph.row_map, b.graph.entries,
              transpose_b, row_map);
      c = Impl::matrix_of<C>(row_map, static_cast<std::size_t>(a.numRows()),
                             static_cast<std::size_t>(b.numCols()),
                             unscoped(handle).get_spgemm_handle()->get_c_nnz());
    } else {
      Impl::FrontDoor([](auto&... args) {
        KokkosSparse::spgemm_symbolic(args...);
      })(handle, a, transpose_a, b, transpose_b, c);
    }
  }
  template <class Handle, class... Args>
  void operator()(Handle* handle, Args&&... arguments) const {
    Impl::FrontDoor([](auto&... args) {
      KokkosSparse::spgemm_symbolic(args...);
    })(handle, arguments...);
  }
} spgemm_symbolic;

inline constexpr Impl::FrontDoor spgemm_numeric([](auto&... args) {
  return KokkosSparse::spgemm_numeric(args...);
});

/// \brief C = A B without a handle, for a product that is made once.
/// \tparam C  The type of the product.
/// \throws std::invalid_argument  The shapes don't fit, or a matrix is to be
/// transposed, which Kokkos Kernels doesn't do.
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

/// \brief The structure of C = A + B: for matrices, with room for its entries,
/// or for Views, the row map alone.
inline constexpr struct {
  template <class... Args>
  void operator()(Args&&... arguments) const {
    Impl::FrontDoor([](auto&... args) {
      KokkosSparse::spadd_symbolic(args...);
    })(arguments...);
  }
  template <class Handle, class A, class B, Impl::ArenaMatrix C>
  void operator()(Handle* handle, A&& a, B&& b, C& c) const {
    using execution_space = typename std::remove_cvref_t<A>::execution_space;
    (*this)(execution_space{}, handle, a, b, c);
  }
  template <class ExecutionSpace, class Handle, class A, class B,
            Impl::ArenaMatrix C>
  void operator()(ExecutionSpace&& exec, Handle* handle, A&& a, B&& b,
                  C& c) const {
    auto const row_map =
        Impl::make_row_map<C>(static_cast<std::size_t>(a.numRows()));
    auto& spadd = *unscoped(*handle).get_spadd_handle();
    // Vendors' functions don't take empty matrices; see KokkosSparse_spadd.hpp.
    if (a.nnz() == 0) {
      Kokkos::deep_copy(exec, unscoped(row_map), unscoped(b.graph.row_map));
      spadd.set_c_nnz(b.graph.entries.extent(0));
    } else if (b.nnz() == 0) {
      Kokkos::deep_copy(exec, unscoped(row_map), unscoped(a.graph.row_map));
      spadd.set_c_nnz(a.graph.entries.extent(0));
    } else {
      (*this)(exec, handle, a.numRows(), a.numCols(), a.graph.row_map,
              a.graph.entries, b.graph.row_map, b.graph.entries, row_map);
    }
    c = Impl::matrix_of<C>(row_map, static_cast<std::size_t>(a.numRows()),
                           static_cast<std::size_t>(a.numCols()),
                           spadd.get_c_nnz());
  }
} spadd_symbolic;

inline constexpr Impl::FrontDoor spadd_numeric([](auto&... args) {
  return KokkosSparse::spadd_numeric(args...);
});

/// \brief Solves A x = b by the generalised minimal residual method. The
/// preconditioner is one of the matrix as the caller has it.
inline constexpr struct {
  template <class Handle, class A, class B, class X>
  void operator()(Handle* handle, A&& a, B&& b, X&& x,
                  std::nullptr_t = nullptr) const {
    Impl::FrontDoor([](auto&... args) {
      KokkosSparse::Experimental::gmres(args...);
    })(handle, a, b, x);
  }
  template <class Handle, class A, class B, class X, class Matrix>
  void operator()(Handle* handle, A&& a, B&& b, X&& x,
                  KokkosSparse::Experimental::Preconditioner<Matrix>*
                      preconditioner) const {
    auto const call = [&](auto* with) {
      Impl::FrontDoor([](auto&... args) {
        KokkosSparse::Experimental::gmres(args...);
      })(handle, a, b, x, with);
    };
    if (!preconditioner) {
      (*this)(handle, a, b, x);
    } else if constexpr (Impl::ArenaMatrix<Matrix>) {
      Impl::UnscopedPreconditioner<Matrix> unscoped_one(*preconditioner);
      call(&unscoped_one);
    } else {
      call(preconditioner);
    }
  }
} gmres;

}  // namespace KokkosArena::sparse

#endif
