// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_DIRECTKERNELS_HPP
#define KOKKOSARENA_DIRECTKERNELS_HPP

#include <KokkosArena_DirectBlas.hpp>
#include <KokkosArena_DirectSparse.hpp>

namespace KokkosArena::workloads {

/// \brief How a workload calls Kokkos Kernels, dense and sparse.
struct DirectKernels : DirectBlas, DirectSparse {};

}  // namespace KokkosArena::workloads

#endif
