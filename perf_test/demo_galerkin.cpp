// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_Galerkin.hpp>
#include <KokkosArena_SparseContainers.hpp>

#include "demo_kernels.hpp"
#include "demo_matrix.hpp"
#include "demo_spaces.hpp"

#include <string>

namespace KokkosArena::Perf {

namespace {

constexpr int cycles   = 3;
constexpr int few_rows = 50;  // on the coarsest level

}  // namespace

Workload make_galerkin(WorkloadInput const& in) {
  auto const matrix          = square_matrix(in);
  auto const right_hand_side = waves(matrix.numRows(), 1);

  auto const v_cycles_in = [&]<class Space>(Space) {
    using vector_type = Kokkos::View<double*, Space>;
    return [a = adapt<Space>(matrix), n = matrix.numRows(),
            b = vector_type(Kokkos::subview(right_hand_side, Kokkos::ALL, 0))](
               Result& result, auto const& cycle) {
      cycle([&] {
        auto const kernels = kernels_for<Space>();
        auto const levels  = workloads::v_cycle_setup(a, few_rows, kernels);
        vector_type const x("x", n);
        for (int i = 0; i < cycles; ++i) {
          workloads::v_cycle(levels, b, x, kernels);
        }
        append(result, x);
      });
    };
  };
  return {.name        = "galerkin",
          .description = "algebraic multigrid for " + name_of(in, matrix) +
                         ": the set-up, by products of sparse matrices, and " +
                         std::to_string(cycles) + " V-cycles",
          .contestants = in_all_spaces(v_cycles_in)};
}

}  // namespace KokkosArena::Perf
