// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SPARSEMATRIX_HPP
#define KOKKOSARENA_SPARSEMATRIX_HPP

#include <KokkosArena_CoordinateMatrix.hpp>
#include <KokkosSparse_CrsMatrix.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace KokkosArena::workloads {

/// \brief A sparse matrix by rows; what Kokkos Kernels' libraries are usually
/// built for.
template <class MemorySpace>
using crs_matrix_t = KokkosSparse::CrsMatrix<
    double, int,
    Kokkos::Device<typename MemorySpace::execution_space,
                   typename MemorySpace::memory_space>,
    void, std::size_t>;

/// \brief The same matrix by rows, whose columns are in ascending order;
/// entries at the same place are summed, in the order that they have there.
/// \return A matrix in HostSpace. Cost: four arrays as large as the entries.
/// Threads: any.
inline crs_matrix_t<Kokkos::HostSpace> crs_matrix(
    CoordinateMatrix const& matrix) {
  using result_type = crs_matrix_t<Kokkos::HostSpace>;
  auto entries      = matrix.entries;
  std::stable_sort(
      entries.begin(), entries.end(), [](auto const& a, auto const& b) {
        return a.row < b.row || (a.row == b.row && a.column < b.column);
      });
  std::size_t count = 0;
  for (auto const& e : entries) {
    auto& last = entries[count ? count - 1 : 0];
    if (count && last.row == e.row && last.column == e.column) {
      last.value += e.value;
    } else {
      entries[count++] = e;
    }
  }
  result_type::row_map_type::non_const_type const row_map(
      "row map", static_cast<std::size_t>(matrix.rows) + 1);
  result_type::index_type::non_const_type const columns("columns", count);
  result_type::values_type::non_const_type const values("values", count);
  for (std::size_t i = 0; i < count; ++i) {
    ++row_map(static_cast<std::size_t>(entries[i].row) + 1);
    columns(i) = entries[i].column;
    values(i)  = entries[i].value;
  }
  for (std::size_t row = 1; row < row_map.extent(0); ++row) {
    row_map(row) += row_map(row - 1);
  }
  return result_type("matrix", matrix.rows, matrix.columns, count, values,
                     row_map, columns);
}

}  // namespace KokkosArena::workloads

#endif
