// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_COORDINATEMATRIX_HPP
#define KOKKOSARENA_COORDINATEMATRIX_HPP

#include <cstddef>
#include <vector>

namespace KokkosArena::workloads {

/// \brief A sparse matrix as a list of entries, in any order. Entries at the
/// same place are summed.
struct CoordinateMatrix {
  struct Entry {
    int row;     ///< From 0 to rows - 1.
    int column;  ///< From 0 to columns - 1.
    double value;
  };
  int rows    = 0;
  int columns = 0;
  std::vector<Entry> entries;
};

/// \brief The Laplacian on the inner nodes of a cube: 6 on the diagonal and -1
/// for each of up to six neighbours.
/// \param[in] n  Nodes in each direction, up to 1290.
/// \return Of n^3 rows. Cost: 112 n^3 bytes of heap memory. Threads: any.
inline CoordinateMatrix poisson_3d(int n) {
  CoordinateMatrix result{n * n * n, n * n * n, {}};
  result.entries.reserve(static_cast<std::size_t>(result.rows) * 7);
  for (int row = 0; row < result.rows; ++row) {
    result.entries.push_back({row, row, 6});
    for (int const stride : {1, n, n * n}) {
      int const at = row / stride % n;
      if (at > 0) result.entries.push_back({row, row - stride, -1});
      if (at < n - 1) result.entries.push_back({row, row + stride, -1});
    }
  }
  return result;
}

}  // namespace KokkosArena::workloads

#endif
