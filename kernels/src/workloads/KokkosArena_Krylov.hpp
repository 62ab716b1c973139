// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_KRYLOV_HPP
#define KOKKOSARENA_KRYLOV_HPP

#include <KokkosArena_DirectKernels.hpp>
#include <KokkosKernels_Handle.hpp>
#include <Kokkos_Core.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

/// \file
/// Solvers of sparse systems for many right-hand sides, one after the other:
/// each makes its vectors anew, in the memory space of its right-hand side.

namespace KokkosArena::workloads {

struct SolveOptions {
  double tolerance       = 1e-8;  ///< Of the residual, relative to b, 2-norm.
  int maximum_iterations = 1000;
  int restart            = 30;  ///< Of GMRES: the most vectors of a basis.
};

struct SolveResult {
  int iterations;
  double residual_norm;  ///< Of b - A x, absolute, as the solver updates it.
  bool has_converged;
};

/// \brief A symmetric sweep of Gauss-Seidel, as a preconditioner.
/// \tparam Matrix   A KokkosSparse::CrsMatrix.
/// \tparam Kernels  How to call Kokkos Kernels.
template <class Matrix, class Kernels = DirectKernels>
class GaussSeidel {
 public:
  /// \param[in] a                   Square, without zeros on its diagonal.
  /// \param[in] is_graph_symmetric  Whether each entry has its mirror image.
  /// Cost: colours the graph; what it keeps and what it drops again is in the
  /// memory space of \c a. Threads: any.
  explicit GaussSeidel(Matrix const& a, bool is_graph_symmetric = true,
                       Kernels const& kernels = {})
      : m_matrix(a), m_kernels(kernels) {
    // In order: the other colourings differ from run to run.
    m_handle.create_gs_handle(KokkosSparse::GS_DEFAULT,
                              KokkosGraph::COLORING_SERIAL);
    auto const& graph = m_matrix.graph;
    m_kernels.gauss_seidel_symbolic(&m_handle, a.numRows(), a.numCols(),
                                    graph.row_map, graph.entries,
                                    is_graph_symmetric);
    m_kernels.gauss_seidel_numeric(&m_handle, a.numRows(), a.numCols(),
                                   graph.row_map, graph.entries,
                                   m_matrix.values, is_graph_symmetric);
  }
  GaussSeidel(GaussSeidel const&)            = delete;
  GaussSeidel& operator=(GaussSeidel const&) = delete;

  /// \brief z becomes nearly the solution of A z = r.
  /// Threads: one at a time.
  template <class R, class Z>
  void operator()(R const& r, Z const& z) const {
    auto const& graph = m_matrix.graph;
    m_kernels.symmetric_gauss_seidel_apply(
        &m_handle, m_matrix.numRows(), m_matrix.numCols(), graph.row_map,
        graph.entries, m_matrix.values, z, r, true, true, 1.0, 1);
  }

 private:
  using handle_type = KokkosKernels::Experimental::KokkosKernelsHandle<
      typename Matrix::non_const_size_type,
      typename Matrix::non_const_ordinal_type,
      typename Matrix::non_const_value_type, typename Matrix::execution_space,
      typename Matrix::memory_space, typename Matrix::memory_space>;

  Matrix m_matrix;
  Kernels m_kernels;
  mutable handle_type m_handle;  // whose functions take no const pointer
};

/// \brief The method of conjugate gradients.
/// \param[in] a               Symmetric and positive definite.
/// \param[in] b               (rows)
/// \param[in,out] x           (rows), the first guess.
/// \param[in] preconditioner  Called with r and z: z becomes an approximate
///                            solution of A z = r; symmetric.
/// \param[in] kernels         How to call Kokkos Kernels.
/// Cost: four temporaries of \c rows, and those of Kokkos Kernels. Threads:
/// any number at once, with other preconditioners.
template <class Matrix, class In, class Out, class Preconditioner,
          class Kernels = DirectKernels>
SolveResult conjugate_gradient(Matrix const& a, In const& b, Out const& x,
                               Preconditioner const& preconditioner,
                               SolveOptions const& options = {},
                               Kernels const& kernels      = {}) {
  using vector_type      = Kokkos::View<double*, typename In::memory_space>;
  auto const make_vector = [&](std::string const& label) {
    return vector_type(Kokkos::view_alloc(label, Kokkos::WithoutInitializing),
                       b.extent(0));
  };
  auto const r = make_vector("r"), z = make_vector("z");
  auto const p = make_vector("p"), q = make_vector("q");
  Kokkos::deep_copy(r, b);
  kernels.spmv("N", -1.0, a, x, 1.0, r);
  double const enough = options.tolerance * kernels.nrm2(b);
  SolveResult result{0, kernels.nrm2(r), false};
  double old = 0;
  while (true) {
    result.has_converged = result.residual_norm <= enough;
    if (result.has_converged ||
        result.iterations == options.maximum_iterations) {
      return result;
    }
    preconditioner(r, z);
    double const now = kernels.dot(r, z);
    if (result.iterations == 0) {
      Kokkos::deep_copy(p, z);
    } else {
      kernels.axpby(1.0, z, now / old, p);
    }
    old = now;
    kernels.spmv("N", 1.0, a, p, 0.0, q);
    double const step = now / kernels.dot(p, q);
    kernels.axpby(step, p, 1.0, x);
    kernels.axpby(-step, q, 1.0, r);
    result.residual_norm = kernels.nrm2(r);
    ++result.iterations;
  }
}

/// \brief The method of generalised minimal residuals, restarted, with the
/// preconditioner on the right. Host-accessible memory only.
/// \param[in] a               Square.
/// \param[in] preconditioner  As above, but it need not be symmetric.
/// Other parameters as above.
/// Cost: three temporaries of \c rows, one of \c rows * (restart + 1), and four
/// small ones; and those of Kokkos Kernels. Threads: as above.
/// \see Saad, Schultz: GMRES, SIAM J. Sci. Stat. Comput. 7 (1986)
template <class Matrix, class In, class Out, class Preconditioner,
          class Kernels = DirectKernels>
SolveResult gmres(Matrix const& a, In const& b, Out const& x,
                  Preconditioner const& preconditioner,
                  SolveOptions const& options = {},
                  Kernels const& kernels      = {}) {
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  using space       = typename In::memory_space;
  using vector_type = Kokkos::View<double*, space>;
  auto const rows   = b.extent(0);
  int const most    = options.restart;
  vector_type const r(view_alloc("r", WithoutInitializing), rows);
  vector_type const z(view_alloc("z", WithoutInitializing), rows);
  vector_type const sum(view_alloc("sum", WithoutInitializing), rows);
  // By columns, so that each vector is contiguous.
  Kokkos::View<double**, Kokkos::LayoutLeft, space> const basis(
      view_alloc("basis", WithoutInitializing), rows, most + 1);
  auto const vector = [&](int i) {
    return Kokkos::subview(basis, Kokkos::ALL, i);
  };
  // A times the preconditioned basis, in the basis; becomes upper triangular by
  // rotations, whose cosines and sines are kept.
  Kokkos::View<double**, space> const h("h", most + 1, most);
  vector_type const cosines("cosines", most), sines("sines", most);
  vector_type const g("g", most + 1);

  double const enough = options.tolerance * kernels.nrm2(b);
  SolveResult result{0, 0, false};
  while (true) {
    Kokkos::deep_copy(r, b);
    kernels.spmv("N", -1.0, a, x, 1.0, r);
    result.residual_norm = kernels.nrm2(r);
    result.has_converged = result.residual_norm <= enough;
    if (result.has_converged ||
        result.iterations >= options.maximum_iterations) {
      return result;
    }
    kernels.scal(vector(0), 1 / result.residual_norm, r);
    g(0)  = result.residual_norm;
    int j = 0;
    while (j < most && result.residual_norm > enough &&
           result.iterations < options.maximum_iterations) {
      preconditioner(vector(j), z);
      auto const next = vector(j + 1);
      kernels.spmv("N", 1.0, a, z, 0.0, next);
      for (int i = 0; i <= j; ++i) {
        h(i, j) = kernels.dot(vector(i), next);
        kernels.axpby(-h(i, j), vector(i), 1.0, next);
      }
      double const norm = kernels.nrm2(next);
      if (norm > 0) kernels.scal(next, 1 / norm, next);
      for (int i = 0; i < j; ++i) {
        double const upper = h(i, j), lower = h(i + 1, j);
        h(i, j)     = cosines(i) * upper + sines(i) * lower;
        h(i + 1, j) = cosines(i) * lower - sines(i) * upper;
      }
      double const length = std::hypot(h(j, j), norm);
      if (length == 0) break;  // A is singular
      cosines(j) = h(j, j) / length;
      sines(j)   = norm / length;
      h(j, j)    = length;
      g(j + 1)   = -sines(j) * g(j);
      g(j)       = cosines(j) * g(j);
      ++j;
      ++result.iterations;
      result.residual_norm = std::abs(g(j));
    }
    if (j == 0) return result;
    // g becomes the solution of the triangular system.
    for (int i = j - 1; i >= 0; --i) {
      for (int k = i + 1; k < j; ++k) g(i) -= h(i, k) * g(k);
      g(i) /= h(i, i);
    }
    Kokkos::deep_copy(sum, 0);
    for (int i = 0; i < j; ++i) kernels.axpby(g(i), vector(i), 1.0, sum);
    preconditioner(sum, z);
    kernels.axpby(1.0, z, 1.0, x);
  }
}

/// \brief Solves for each column of \c b, one after the other.
/// \param[in] b      (rows, columns)
/// \param[in,out] x  (rows, columns), the first guesses.
/// \param[in] solve  Called with a column of each, returns a SolveResult.
/// \return A result for each column. Cost, threads: of \c solve.
template <class In, class Out, class Solve>
std::vector<SolveResult> solve_columns(In const& b, Out const& x,
                                       Solve const& solve) {
  std::vector<SolveResult> results;
  results.reserve(b.extent(1));
  for (std::size_t i = 0; i < b.extent(1); ++i) {
    results.push_back(solve(Kokkos::subview(b, Kokkos::ALL, i),
                            Kokkos::subview(x, Kokkos::ALL, i)));
  }
  return results;
}

}  // namespace KokkosArena::workloads

#endif
