// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_GALERKIN_HPP
#define KOKKOSARENA_GALERKIN_HPP

#include <KokkosArena_DirectSparse.hpp>
#include <KokkosArena_SparseMatrix.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <utility>
#include <vector>

/// \file
/// Algebraic multigrid by aggregation: the triple product R A P, the set-up of
/// a V-cycle from it, and the V-cycle. All in host-accessible memory, since the
/// aggregates are found one after the other.

namespace KokkosArena::workloads {

/// \brief R A P. \tparam Matrix  That of the result.
/// Cost: two products of matrices, A P as a temporary. Threads: any.
template <class Matrix, class Kernels = DirectSparse>
Matrix triple_product(Matrix const& r, Matrix const& a, Matrix const& p,
                      Kernels const& kernels = {}) {
  auto const ap = kernels.template spgemm<Matrix>(a, false, p, false);
  return kernels.template spgemm<Matrix>(r, false, ap, false);
}

/// \brief Says which unknowns become one.
/// \param[in] a  A square matrix, whose graph is taken for symmetric.
/// \return       (rows) of the numbers of aggregates, and how many there are.
/// Each is a row and its neighbours, as far as none of them was in one before,
/// and has besides what was left over next to it.
/// Cost: two Views. Threads: any.
template <class Matrix>
auto aggregates(Matrix const& a) {
  using view_type      = Kokkos::View<int*, typename Matrix::memory_space>;
  auto const row_map   = a.graph.row_map;
  auto const columns   = a.graph.entries;
  int const rows       = a.numRows();
  constexpr int nobody = -1;
  view_type const owner(
      Kokkos::view_alloc("aggregates", Kokkos::WithoutInitializing), rows);
  Kokkos::deep_copy(owner, nobody);
  int count           = 0;
  auto const for_each = [&](int row, auto const& f) {
    for (auto i = row_map(row); i < row_map(row + 1); ++i) f(columns(i));
  };
  for (int row = 0; row < rows; ++row) {
    bool is_free = owner(row) == nobody;
    for_each(row,
             [&](int column) { is_free = is_free && owner(column) == nobody; });
    if (!is_free) continue;
    owner(row) = count;
    for_each(row, [&](int column) { owner(column) = count; });
    ++count;
  }
  // By the state before, so that no aggregate grows into a chain.
  view_type const result(
      Kokkos::view_alloc("aggregates", Kokkos::WithoutInitializing), rows);
  for (int row = 0; row < rows; ++row) {
    result(row) = owner(row);
    for_each(row, [&](int column) {
      if (result(row) == nobody) result(row) = owner(column);
    });
    // Without neighbours in both directions.
    if (result(row) == nobody) result(row) = count++;
  }
  return std::pair(result, count);
}

/// \brief The prolongation that is constant on each aggregate, and its
/// transpose, the restriction.
/// \param[in] a  As above.
/// \return P of as many rows as \c a and a column for each aggregate, and R;
/// in the memory space of \c a. Cost: of aggregates, and 7 Views. Threads: any.
template <class Matrix>
std::pair<Matrix, Matrix> transfer(Matrix const& a) {
  using row_map_type         = typename Matrix::row_map_type::non_const_type;
  using columns_type         = typename Matrix::index_type::non_const_type;
  using values_type          = typename Matrix::values_type::non_const_type;
  auto const [owner, coarse] = aggregates(a);
  auto const rows            = static_cast<std::size_t>(a.numRows());
  row_map_type const row_map(
      Kokkos::view_alloc("row map", Kokkos::WithoutInitializing), rows + 1);
  columns_type const columns(
      Kokkos::view_alloc("columns", Kokkos::WithoutInitializing), rows);
  values_type const values(
      Kokkos::view_alloc("values", Kokkos::WithoutInitializing), rows);
  row_map_type const coarse_row_map("row map",
                                    static_cast<std::size_t>(coarse) + 1);
  columns_type const coarse_columns(
      Kokkos::view_alloc("columns", Kokkos::WithoutInitializing), rows);
  Kokkos::deep_copy(values, 1);
  for (std::size_t row = 0; row <= rows; ++row) row_map(row) = row;
  for (std::size_t row = 0; row < rows; ++row) {
    columns(row) = owner(row);
    ++coarse_row_map(static_cast<std::size_t>(owner(row)) + 1);
  }
  for (std::size_t i = 1; i < coarse_row_map.extent(0); ++i) {
    coarse_row_map(i) += coarse_row_map(i - 1);
  }
  row_map_type const next(
      Kokkos::view_alloc("next", Kokkos::WithoutInitializing),
      coarse_row_map.extent(0));
  Kokkos::deep_copy(next, coarse_row_map);
  for (std::size_t row = 0; row < rows; ++row) {
    coarse_columns(next(owner(row))++) = static_cast<int>(row);
  }
  return {Matrix("P", a.numRows(), coarse, rows, values, row_map, columns),
          Matrix("R", coarse, a.numRows(), rows, values, coarse_row_map,
                 coarse_columns)};
}

/// \brief One of a V-cycle's matrices, and what leads to the next coarser one.
template <class Matrix>
struct Level {
  Matrix a;
  Matrix p;  ///< Empty on the coarsest level, as is r.
  Matrix r;
  Kokkos::View<double*, typename Matrix::memory_space> inverse_diagonal;
};

/// \brief The levels of a V-cycle, the finest first.
/// \param[in] a              A square matrix without zeros on its diagonal.
/// \param[in] coarsest_rows  No level is added to one of so few rows.
/// \param[in] kernels        How to call spgemm.
/// \return Levels in the memory space of \c a; the first shares its memory.
/// Cost: per level that of transfer, triple_product and one View. Threads: any.
template <class Matrix, class Kernels = DirectSparse>
std::vector<Level<Matrix>> v_cycle_setup(Matrix const& a,
                                         int coarsest_rows      = 50,
                                         Kernels const& kernels = {}) {
  std::vector<Level<Matrix>> levels;
  Matrix next = a;
  while (true) {
    levels.push_back({next, {}, {}, {}});
    auto& level       = levels.back();
    auto const matrix = level.a;
    decltype(level.inverse_diagonal) const inverse(
        Kokkos::view_alloc("1/diagonal", Kokkos::WithoutInitializing),
        matrix.numRows());
    Kokkos::parallel_for(
        "galerkin::inverse_diagonal",
        Kokkos::RangePolicy<typename Matrix::execution_space>(0,
                                                              matrix.numRows()),
        KOKKOS_LAMBDA(int row) {
          double diagonal = 0;
          for (auto i = matrix.graph.row_map(row);
               i < matrix.graph.row_map(row + 1); ++i) {
            if (matrix.graph.entries(i) == row) diagonal += matrix.values(i);
          }
          inverse(row) = 1 / diagonal;
        });
    level.inverse_diagonal = inverse;
    if (next.numRows() <= coarsest_rows) return levels;
    auto const [p, r] = transfer(next);
    // Nothing is coupled any more.
    if (p.numCols() == next.numRows()) return levels;
    level.p = p;
    level.r = r;
    next    = triple_product(r, next, p, kernels);
  }
}

namespace Impl {

/// r = b - A x
template <class Matrix, class B, class X, class R, class Kernels>
void residual_of(Matrix const& a, B const& b, X const& x, R const& r,
                 Kernels const& kernels) {
  Kokkos::deep_copy(r, b);
  kernels.spmv("N", -1.0, a, x, 1.0, r);
}

/// Sweeps of damped Jacobi.
template <class Matrix, class B, class X, class Kernels>
void smooth(Level<Matrix> const& level, B const& b, X const& x, int sweeps,
            Kernels const& kernels) {
  Kokkos::View<double*, typename X::memory_space> const r(
      Kokkos::view_alloc("residual", Kokkos::WithoutInitializing), x.extent(0));
  auto const inverse = level.inverse_diagonal;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    residual_of(level.a, b, x, r, kernels);
    Kokkos::parallel_for(
        "galerkin::jacobi",
        Kokkos::RangePolicy<typename X::execution_space>(0, x.extent_int(0)),
        KOKKOS_LAMBDA(int i) { x(i) += 2.0 / 3 * inverse(i) * r(i); });
  }
}

}  // namespace Impl

/// \brief Improves a solution of A x = b by one V-cycle.
/// \param[in] levels   What v_cycle_setup gave.
/// \param[in] b        (rows)
/// \param[in,out] x    (rows)
/// \param[in] kernels  How to call spmv.
/// \param[in] depth    Of the level to begin with; leave it out.
/// Cost: per level five temporaries of its rows, in the memory space of \c x.
/// Threads: any number at once, with other solutions.
template <class Matrix, class B, class X, class Kernels = DirectSparse>
void v_cycle(std::vector<Level<Matrix>> const& levels, B const& b, X const& x,
             Kernels const& kernels = {}, std::size_t depth = 0) {
  auto const& level = levels[depth];
  if (depth + 1 == levels.size()) {
    // So small that this is as good as solving.
    Impl::smooth(level, b, x, 30, kernels);
    return;
  }
  using temporary  = Kokkos::View<double*, typename X::memory_space>;
  int const coarse = level.p.numCols();
  Impl::smooth(level, b, x, 2, kernels);
  temporary const coarse_b(
      Kokkos::view_alloc("coarse b", Kokkos::WithoutInitializing), coarse);
  {
    temporary const r(
        Kokkos::view_alloc("residual", Kokkos::WithoutInitializing),
        x.extent(0));
    Impl::residual_of(level.a, b, x, r, kernels);
    kernels.spmv("N", 1.0, level.r, r, 0.0, coarse_b);
  }
  temporary const coarse_x("coarse x", coarse);
  v_cycle(levels, coarse_b, coarse_x, kernels, depth + 1);
  // More than 1, since a correction that is constant on aggregates falls short.
  kernels.spmv("N", 1.5, level.p, coarse_x, 1.0, x);
  Impl::smooth(level, b, x, 2, kernels);
}

}  // namespace KokkosArena::workloads

#endif
