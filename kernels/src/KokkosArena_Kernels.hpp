// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// \file
/// Kokkos Kernels on arena Views, at the speed that it has on others.
#ifndef KOKKOSARENA_KERNELS_HPP
#define KOKKOSARENA_KERNELS_HPP

#include <KokkosArena_Batched.hpp>
#include <KokkosArena_Blas.hpp>
#include <KokkosArena_FrontDoors.hpp>
#include <KokkosArena_KernelsHandle.hpp>
#include <KokkosArena_Sparse.hpp>
#include <KokkosArena_SparseContainers.hpp>

#endif
