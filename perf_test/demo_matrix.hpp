// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_MATRIX_HPP
#define KOKKOSARENA_PERF_DEMO_MATRIX_HPP

#include "demo_workload.hpp"

#include <KokkosArena_SparseMatrix.hpp>
#include <Kokkos_Core.hpp>

#include <string>

namespace KokkosArena::Perf {

using HostMatrix = workloads::crs_matrix_t<Kokkos::HostSpace>;
using HostVectors =
    Kokkos::View<double**, Kokkos::LayoutLeft, Kokkos::HostSpace>;

/// \brief The user's matrix, or that of Poisson's equation on a grid.
/// \throws UsageError  It isn't square, is empty, or has a zero on its
/// diagonal, by which the workloads divide.
HostMatrix square_matrix(WorkloadInput const& input);

/// \brief For a description: "the Poisson matrix of 4096 rows".
std::string name_of(WorkloadInput const& input, HostMatrix const& matrix);

struct MatrixStructure {
  bool has_symmetric_graph;  ///< Each entry has its mirror image.
  bool is_symmetric;         ///< Which is the same number.
};
MatrixStructure structure_of(HostMatrix const& matrix);

/// \return Columns that differ: long waves, and ever shorter ones.
HostVectors waves(int rows, int columns);

}  // namespace KokkosArena::Perf

#endif
