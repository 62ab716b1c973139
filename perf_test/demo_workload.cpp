// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_workload.hpp"

namespace KokkosArena::Perf {

std::vector<WorkloadKind> const& workload_kinds() {
#ifdef KOKKOSARENA_DEMO_HAS_KERNELS
  constexpr auto digits   = make_digits;
  constexpr auto galerkin = make_galerkin;
  constexpr auto krylov   = make_krylov;
#else
  constexpr Workload (*digits)(WorkloadInput const&) = nullptr;
  constexpr auto galerkin                            = digits;
  constexpr auto krylov                              = digits;
#endif
  // Bytes for n are rounded up generously; see check_memory.
  static std::vector<WorkloadKind> const kinds{
      {.name          = "reduction",
       .n_means       = "doubles of the input",
       .most_n        = 10'000'000'000'000,  // beyond, sums wouldn't be exact
       .bytes_per_n   = 25 * sizeof(double),
       .power         = 1,
       .default_sizes = {256, 100000, 1000000, 8000000},
       .short_sizes   = {256, 100000, 1000000, 8000000},
       .takes_matrix  = false,
       .make          = make_reduction},
      {.name          = "digits",
       .n_means       = "images",
       .most_n        = 1'000'000,
       .bytes_per_n   = 4e3,
       .power         = 1,
       .default_sizes = {1000},
       .short_sizes   = {320},
       .takes_matrix  = false,
       .make          = digits},
      {.name          = "elements",
       .n_means       = "elements along each edge of the mesh",
       .most_n        = 500,
       .bytes_per_n   = 8e3,
       .power         = 3,
       .default_sizes = {20},
       .short_sizes   = {20},
       .takes_matrix  = false,
       .make          = make_elements},
      {.name          = "galerkin",
       .n_means       = "nodes along each edge of the grid",
       .most_n        = 500,
       .bytes_per_n   = 5e3,
       .power         = 3,
       .default_sizes = {24},
       .short_sizes   = {24},
       .takes_matrix  = true,
       .make          = galerkin},
      {.name          = "krylov",
       .n_means       = "nodes along each edge of the grid",
       .most_n        = 500,
       .bytes_per_n   = 5e3,
       .power         = 3,
       .default_sizes = {16},
       .short_sizes   = {16},
       .takes_matrix  = true,
       .make          = krylov}};
  return kinds;
}

}  // namespace KokkosArena::Perf
