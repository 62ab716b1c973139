// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_matrix.hpp"

#include "demo_options.hpp"

#include <algorithm>
#include <cmath>

namespace KokkosArena::Perf {

namespace {

/// \return The entry, or null. \pre Columns are in order, as crs_matrix has it.
double const* entry_at(HostMatrix const& matrix, int row, int column) {
  auto const* const columns = matrix.graph.entries.data();
  auto const* const begin   = columns + matrix.graph.row_map(row);
  auto const* const end     = columns + matrix.graph.row_map(row + 1);
  auto const* const found   = std::lower_bound(begin, end, column);
  if (found == end || *found != column) return nullptr;
  return matrix.values.data() + (found - columns);
}

void check(HostMatrix const& matrix) {
  std::string const begin = "--matrix: the matrix ";
  if (matrix.numRows() != matrix.numCols()) {
    throw UsageError(begin + "has " + std::to_string(matrix.numRows()) +
                     " rows and " + std::to_string(matrix.numCols()) +
                     " columns; give a square one");
  }
  if (matrix.numRows() == 0) {
    throw UsageError(begin + "is empty; give one with rows");
  }
  for (int row = 0; row < matrix.numRows(); ++row) {
    auto const* const diagonal = entry_at(matrix, row, row);
    if (!diagonal || *diagonal == 0) {
      throw UsageError(begin + "has a zero on its diagonal in row " +
                       std::to_string(row + 1) +
                       "; give one without, since the smoothers divide by it");
    }
  }
}

}  // namespace

HostMatrix square_matrix(WorkloadInput const& input) {
  if (!input.matrix) {
    return workloads::crs_matrix(
        workloads::poisson_3d(static_cast<int>(input.n)));
  }
  auto const matrix = workloads::crs_matrix(*input.matrix);
  check(matrix);
  return matrix;
}

std::string name_of(WorkloadInput const& input, HostMatrix const& matrix) {
  return (input.matrix ? "a matrix of " : "the Poisson matrix of ") +
         std::to_string(matrix.numRows()) + " rows";
}

MatrixStructure structure_of(HostMatrix const& matrix) {
  MatrixStructure result{true, true};
  for (int row = 0; row < matrix.numRows(); ++row) {
    for (auto i = matrix.graph.row_map(row); i < matrix.graph.row_map(row + 1);
         ++i) {
      auto const* const mirror = entry_at(matrix, matrix.graph.entries(i), row);
      result.has_symmetric_graph = result.has_symmetric_graph && mirror;
      result.is_symmetric =
          result.is_symmetric && mirror && *mirror == matrix.values(i);
    }
  }
  return result;
}

HostVectors waves(int rows, int columns) {
  HostVectors const result("right-hand sides", rows, columns);
  for (int j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) {
      result(i, j) = std::sin(0.01 * (j + 1) * (i + 1));
    }
  }
  return result;
}

}  // namespace KokkosArena::Perf
