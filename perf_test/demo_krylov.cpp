// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_Krylov.hpp>
#include <KokkosArena_SparseContainers.hpp>

#include "demo_kernels.hpp"
#include "demo_matrix.hpp"
#include "demo_spaces.hpp"

#include <string>

namespace KokkosArena::Perf {

Workload make_krylov(WorkloadInput const& in) {
  constexpr int columns       = 8;
  auto const matrix           = square_matrix(in);
  auto const structure        = structure_of(matrix);
  auto const right_hand_sides = waves(matrix.numRows(), columns);

  auto const solves_in = [&]<class Space>(Space) {
    return [a = adapt<Space>(matrix), b = adapt<Space>(right_hand_sides),
            structure](Result& result, auto const& cycle) {
      cycle([&] {
        auto const kernels = kernels_for<Space>();
        workloads::GaussSeidel const preconditioner(
            a, structure.has_symmetric_graph, kernels);
        auto const solve = [&](auto const& method) {
          Kokkos::View<double**, Kokkos::LayoutLeft, Space> const x(
              "x", b.extent(0), b.extent(1));
          workloads::solve_columns(b, x, [&](auto const& bi, auto const& xi) {
            return method(bi, xi);
          });
          append(result, x);
        };
        if (structure.is_symmetric) {
          solve([&](auto const& bi, auto const& xi) {
            return workloads::conjugate_gradient(a, bi, xi, preconditioner, {},
                                                 kernels);
          });
        }
        solve([&](auto const& bi, auto const& xi) {
          return workloads::gmres(a, bi, xi, preconditioner, {}, kernels);
        });
      });
    };
  };
  std::string const methods = structure.is_symmetric
                                  ? "conjugate gradients and restarted GMRES"
                                  : "restarted GMRES";
  return {.name        = "krylov",
          .description = methods + " for " + name_of(in, matrix) + " with " +
                         std::to_string(columns) +
                         " right-hand sides, preconditioned by Gauss-Seidel",
          .contestants = in_all_spaces(solves_in)};
}

}  // namespace KokkosArena::Perf
