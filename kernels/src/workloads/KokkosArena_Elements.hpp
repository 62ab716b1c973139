// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ELEMENTS_HPP
#define KOKKOSARENA_ELEMENTS_HPP

#include <KokkosArena_ElementTemporaries.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <vector>

/// \file
/// The residual of a finite element discretisation of u - div(grad u), on
/// hexahedra with eight nodes each: a loop over elements in one kernel, each
/// iteration of which has five small temporaries.

namespace KokkosArena::workloads {

/// \brief A mesh of hexahedra.
/// \tparam MemorySpace  Of its Views.
template <class MemorySpace>
struct HexMesh {
  using memory_space = MemorySpace;
  template <class DataType>
  using view_type = Kokkos::View<DataType, Kokkos::LayoutRight, MemorySpace>;

  view_type<double* [3]> coordinates;  ///< (nodes, 3)
  view_type<int* [8]> nodes;  ///< (elements, 8), bit d of the 8: side in axis d
  /// Node n is in the elements s / 8, as their node s % 8, for the s at
  /// slot_offsets(n) to slot_offsets(n + 1) - 1 of slots, in ascending order.
  view_type<int*> slot_offsets;  ///< (nodes + 1)
  view_type<int*> slots;         ///< (8 * elements)
};

/// \brief The unit cube, cut n times in each direction, where inner nodes are
/// moved a little, so that no two elements are alike.
/// \return A mesh of n^3 elements in HostSpace.
/// Cost: 4 Views. Threads: any.
inline HexMesh<Kokkos::HostSpace> hex_mesh(int n) {
  using mesh_type    = HexMesh<Kokkos::HostSpace>;
  int const m        = n + 1;
  auto const node_of = [m](int x, int y, int z) { return (z * m + y) * m + x; };
  mesh_type::view_type<double* [3]> const coordinates("coordinates", m * m * m);
  mesh_type::view_type<int* [8]> const nodes("nodes", n * n * n);
  mesh_type::view_type<int*> const offsets("slot offsets", m * m * m + 1);
  mesh_type::view_type<int*> const slots("slots", 8 * n * n * n);
  for (int z = 0; z < m; ++z) {
    for (int y = 0; y < m; ++y) {
      for (int x = 0; x < m; ++x) {
        int const at[3]     = {x, y, z};
        bool const is_inner = x % n && y % n && z % n;
        for (int d = 0; d < 3; ++d) {
          int const noise =
              (7 * x + 13 * y + 29 * z + 5 * d) % 10;  // at random
          double const shift =
              is_inner ? 0.02 * (static_cast<double>(noise) - 4.5) : 0.0;
          coordinates(node_of(x, y, z), d) = (at[d] + shift) / n;
        }
      }
    }
  }
  std::vector<std::vector<int>> slots_of(static_cast<std::size_t>(m * m * m));
  for (int e = 0; e < n * n * n; ++e) {
    for (int a = 0; a < 8; ++a) {
      int const node = node_of(e % n + (a & 1), e / n % n + (a >> 1 & 1),
                               e / (n * n) + (a >> 2));
      nodes(e, a)    = node;
      slots_of[static_cast<std::size_t>(node)].push_back(8 * e + a);
    }
  }
  for (int node = 0, next = 0; node < m * m * m; ++node) {
    for (int const slot : slots_of[static_cast<std::size_t>(node)]) {
      slots(next++) = slot;
    }
    offsets(node + 1) = next;
  }
  return {coordinates, nodes, offsets, slots};
}

namespace Impl {

/// Adds to r what the element with the corners x and the values u gives; slopes
/// and j are for use here. A function of its own that isn't inlined, so that it
/// is the same machine code wherever the temporaries come from.
template <class X, class U, class R, class Slopes, class J>
[[gnu::noinline]] KOKKOS_FUNCTION void integrate(X const& x, U const& u,
                                                 R const& r,
                                                 Slopes const& slopes,
                                                 J const& j) {
  for (int point = 0; point < 8; ++point) {
    // Of side s of an axis, as seen from the point's own side: the shape
    // function, which is (1 + 1 / sqrt(3)) / 2 if it's the same.
    auto const shape = [&](int a, int d) {
      return ((a ^ point) >> d & 1) ? 0.21132486540518713 : 0.78867513459481287;
    };
    // By the coordinates of the unit cube, in which axes go from 0 to 1.
    auto const slope = [&](int a, int d) {
      double const sign = (a >> d & 1) ? 1 : -1;
      return sign * shape(a, (d + 1) % 3) * shape(a, (d + 2) % 3);
    };
    // Summed up here, since a compiler that can't tell the temporaries
    // apart would otherwise read x anew after each write to j.
    double sums[3][3] = {};
    for (int a = 0; a < 8; ++a) {
      for (int d = 0; d < 3; ++d) {
        for (int c = 0; c < 3; ++c) sums[d][c] += slope(a, d) * x(a, c);
      }
    }
    for (int d = 0; d < 3; ++d) {
      for (int c = 0; c < 3; ++c) j(d, c) = sums[d][c];
    }
    double cofactors[3][3];
    for (int d = 0; d < 3; ++d) {
      for (int c = 0; c < 3; ++c) {
        int const d1 = (d + 1) % 3, d2 = (d + 2) % 3;
        int const c1 = (c + 1) % 3, c2 = (c + 2) % 3;
        cofactors[d][c] = j(d1, c1) * j(d2, c2) - j(d1, c2) * j(d2, c1);
      }
    }
    double const volume = j(0, 0) * cofactors[0][0] +
                          j(0, 1) * cofactors[0][1] + j(0, 2) * cofactors[0][2];
    double value       = 0;
    double gradient[3] = {0, 0, 0};
    for (int a = 0; a < 8; ++a) {
      value += shape(a, 0) * shape(a, 1) * shape(a, 2) * u(a);
      for (int c = 0; c < 3; ++c) {
        slopes(a, c) =
            (cofactors[0][c] * slope(a, 0) + cofactors[1][c] * slope(a, 1) +
             cofactors[2][c] * slope(a, 2)) /
            volume;
        gradient[c] += slopes(a, c) * u(a);
      }
    }
    double const weight = volume / 8;
    for (int a = 0; a < 8; ++a) {
      r(a) +=
          weight * (shape(a, 0) * shape(a, 1) * shape(a, 2) * value +
                    slopes(a, 0) * gradient[0] + slopes(a, 1) * gradient[1] +
                    slopes(a, 2) * gradient[2]);
    }
  }
}

}  // namespace Impl

/// \brief Each element's share of the residual, with 2x2x2 Gauss points.
/// \param[in] mesh      A HexMesh.
/// \param[in] solution  (nodes)
/// \param[out] result   (elements, 8): of each node of each element.
/// \param[in] policy    Where an iteration has its temporaries from:
///     \c policy.iteration() gives an object, and its
///     \c view<DataType>(label, extents...) what is like a View until the
///     iteration ends; see KokkosArena_ElementTemporaries.hpp.
/// Cost: a kernel, in which each element has five temporaries of 8x3, 8, 8x3,
/// 3x3 and 8 doubles. Threads: any number at once, with other results.
template <class Mesh, class In, class Out,
          class Policy = PlainViews<typename In::memory_space>>
void element_residuals(Mesh const& mesh, In const& solution, Out const& result,
                       Policy const& policy = {}) {
  auto const coordinates = mesh.coordinates;
  auto const nodes       = mesh.nodes;
  Kokkos::parallel_for(
      "elements::residuals",
      Kokkos::RangePolicy<typename In::execution_space>(0, nodes.extent_int(0)),
      KOKKOS_LAMBDA(int e) {
        auto temporaries = policy.iteration();
        // Extents that the type knows: else some ways would let the compiler
        // see them, and others not.
        auto const x      = temporaries.template view<double[8][3]>("x");
        auto const u      = temporaries.template view<double[8]>("u");
        auto const r      = temporaries.template view<double[8]>("r");
        auto const slopes = temporaries.template view<double[8][3]>("dN");
        auto const j      = temporaries.template view<double[3][3]>("J");
        for (int a = 0; a < 8; ++a) {
          u(a) = solution(nodes(e, a));
          r(a) = 0;
          for (int d = 0; d < 3; ++d) x(a, d) = coordinates(nodes(e, a), d);
        }
        Impl::integrate(x, u, r, slopes, j);
        for (int a = 0; a < 8; ++a) result(e, a) = r(a);
      });
}

/// \brief The residual of the whole mesh. The elements' shares are summed in a
/// fixed order: the same bits with any number of threads.
/// Parameters as above. \return (nodes), in the memory space of \c solution.
/// Cost: as above, one more kernel and two more temporaries. Threads: any.
template <class Mesh, class In,
          class Policy = PlainViews<typename In::memory_space>>
auto residual(Mesh const& mesh, In const& solution, Policy const& policy = {}) {
  using space = typename In::memory_space;
  Kokkos::View<double* [8], Kokkos::LayoutRight, space> const shares(
      Kokkos::view_alloc("shares", Kokkos::WithoutInitializing),
      mesh.nodes.extent(0));
  element_residuals(mesh, solution, shares, policy);
  Kokkos::View<double*, Kokkos::LayoutRight, space> result(
      Kokkos::view_alloc("residual", Kokkos::WithoutInitializing),
      solution.extent(0));
  auto const offsets = mesh.slot_offsets;
  auto const slots   = mesh.slots;
  Kokkos::parallel_for(
      "elements::gather",
      Kokkos::RangePolicy<typename In::execution_space>(0,
                                                        solution.extent_int(0)),
      KOKKOS_LAMBDA(int node) {
        double sum = 0;
        for (int i = offsets(node); i < offsets(node + 1); ++i) {
          sum += shares(slots(i) / 8, slots(i) % 8);
        }
        result(node) = sum;
      });
  return result;
}

}  // namespace KokkosArena::workloads

#endif
