// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Before all others: it compiles alone.
#include <KokkosArena_Elements.hpp>

#include <gtest/gtest.h>
#include <KokkosArena.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace KokkosArena::workloads;
using Host    = Kokkos::HostSpace;
using Scoped  = KokkosArena::ScopedSpace<Host>;
using Checked = KokkosArena::CheckedSpace<Host>;

constexpr int n             = 6;
constexpr unsigned elements = n * n * n;

auto solution_on(HexMesh<Host> const& mesh) {
  Kokkos::View<double*, Kokkos::LayoutRight, Host> const solution(
      "solution", mesh.coordinates.extent(0));
  for (std::size_t i = 0; i < solution.extent(0); ++i) {
    solution(i) = std::sin(3 * mesh.coordinates(i, 0)) +
                  mesh.coordinates(i, 1) * mesh.coordinates(i, 2);
  }
  return solution;
}

template <class ViewType>
std::vector<double> values_of(ViewType const& view) {
  std::vector<double> result;
  for (std::size_t i = 0; i < view.extent(0); ++i) result.push_back(view(i));
  return result;
}

/// What needs no arena.
std::vector<double> expected_values() {
  auto const mesh = hex_mesh(n);
  return values_of(residual(mesh, solution_on(mesh), ThreadWorkspaces{}));
}

// ------------------------------------------------- the residual in plain loops

using Vector = std::array<double, 3>;

/// The shape function of node a at a point of [-1, 1]^3, and its derivatives.
double shape(std::size_t a, Vector const& p, Vector& derivatives) {
  double value = 0.125;
  derivatives  = {0.125, 0.125, 0.125};
  for (std::size_t d = 0; d < 3; ++d) {
    double const side = (a >> d & 1) ? 1 : -1;
    value *= 1 + side * p[d];
    for (std::size_t c = 0; c < 3; ++c) {
      derivatives[c] *= c == d ? side : 1 + side * p[d];
    }
  }
  return value;
}

double determinant(std::array<Vector, 3> const& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}
/// By Cramer's rule.
Vector solve(std::array<Vector, 3> const& m, Vector const& b) {
  Vector result{};
  for (std::size_t c = 0; c < 3; ++c) {
    auto changed = m;
    for (std::size_t d = 0; d < 3; ++d) changed[d][c] = b[d];
    result[c] = determinant(changed) / determinant(m);
  }
  return result;
}

template <class Solution>
std::vector<double> reference(HexMesh<Host> const& mesh,
                              Solution const& solution) {
  std::vector<double> result(solution.extent(0));
  for (std::size_t e = 0; e < mesh.nodes.extent(0); ++e) {
    for (std::size_t point = 0; point < 8; ++point) {
      Vector p{};
      for (std::size_t d = 0; d < 3; ++d) {
        p[d] = ((point >> d & 1) ? 1 : -1) / std::sqrt(3.0);
      }
      std::array<Vector, 3> jacobian{};
      Vector derivatives{};
      double value = 0;
      for (std::size_t a = 0; a < 8; ++a) {
        value += shape(a, p, derivatives) * solution(mesh.nodes(e, a));
        for (std::size_t d = 0; d < 3; ++d) {
          for (std::size_t c = 0; c < 3; ++c) {
            jacobian[d][c] +=
                derivatives[d] * mesh.coordinates(mesh.nodes(e, a), c);
          }
        }
      }
      Vector gradient{};
      for (std::size_t a = 0; a < 8; ++a) {
        shape(a, p, derivatives);
        auto const slopes = solve(jacobian, derivatives);
        for (std::size_t c = 0; c < 3; ++c) {
          gradient[c] += slopes[c] * solution(mesh.nodes(e, a));
        }
      }
      for (std::size_t a = 0; a < 8; ++a) {
        double share      = shape(a, p, derivatives) * value;
        auto const slopes = solve(jacobian, derivatives);
        for (std::size_t c = 0; c < 3; ++c) share += slopes[c] * gradient[c];
        result[static_cast<std::size_t>(mesh.nodes(e, a))] +=
            share * determinant(jacobian);
      }
    }
  }
  return result;
}

TEST(elements, residual_is_that_of_plain_loops) {
  auto const mesh     = hex_mesh(n);
  auto const solution = solution_on(mesh);
  auto const expected = reference(mesh, solution);
  auto const found    = expected_values();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-14) << i;
  }
}

TEST(elements, residual_of_one_sums_up_to_the_volume) {
  auto const mesh = hex_mesh(n);
  auto const one  = solution_on(mesh);
  Kokkos::deep_copy(one, 1);
  double sum = 0;
  for (double const value :
       values_of(residual(mesh, one, ThreadWorkspaces{}))) {
    sum += value;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(elements, malloced_buffers_give_the_same_bits) {
  auto const mesh = hex_mesh(n);
  EXPECT_EQ(values_of(residual(mesh, solution_on(mesh), MallocedBuffers{})),
            expected_values());
}

// ------------------------------------------------------------- in an arena

/// As an iteration gets them that knows of arenas.
template <class Space>
struct MadeViews {
  struct Iteration {
    template <class DataType, class... Extents>
    auto view(char const* label, Extents... extents) const {
      return KokkosArena::make_view<Kokkos::View<DataType, Space>>(label,
                                                                   extents...);
    }
  };
  Iteration iteration() const { return {}; }
};
template <class Handle>
struct HandleViews {
  Handle handle;
  template <class DataType, class... Extents>
  auto view(char const*, Extents... extents) const {
    return handle.template view<DataType>(extents...);
  }
  HandleViews const& iteration() const { return *this; }
};

template <class Space_, class Sync_, bool Made>
struct Way {
  using Space  = Space_;
  using Sync   = Sync_;
  using Policy = std::conditional_t<Made, MadeViews<Space>, PlainViews<Space>>;

  static std::string name() {
    return std::string(Made ? "made_" : "plain_") +
           (std::is_same_v<Space, Checked> ? "checked_" : "scoped_") +
           (std::is_same_v<Sync, KokkosArena::Locked> ? "locked"
                                                      : "thread_cached");
  }
};
struct WayName {
  template <class W>
  static std::string GetName(int) {
    return W::name();
  }
};

template <class W>
class elements_in_arena : public ::testing::Test {};
using Ways = ::testing::Types<Way<Scoped, KokkosArena::Locked, false>,
                              Way<Scoped, KokkosArena::Locked, true>,
                              Way<Scoped, KokkosArena::ThreadCached, false>,
                              Way<Scoped, KokkosArena::ThreadCached, true>,
                              Way<Checked, KokkosArena::Locked, false>,
                              Way<Checked, KokkosArena::Locked, true>>;
TYPED_TEST_SUITE(elements_in_arena, Ways, WayName);

TYPED_TEST(elements_in_arena, views_give_the_same_bits_without_upstream) {
  auto const expected = expected_values();
  auto const host     = hex_mesh(n);
  using Space         = typename TypeParam::Space;
  auto const mesh     = KokkosArena::adapt<Space>(host);
  auto const solution = KokkosArena::adapt<Space>(solution_on(host));
  KokkosArena::Arena<Host, typename TypeParam::Sync> arena;
  KokkosArena::ArenaScope const scope(arena);
  // The store of checked memory takes a cycle more to find its size.
  constexpr int settled  = std::is_same_v<Space, Checked> ? 3 : 2;
  std::uint64_t upstream = 0;
  for (int cycle = 1; cycle <= 8; ++cycle) {
    EXPECT_EQ(values_of(residual(mesh, solution, typename TypeParam::Policy{})),
              expected);
    arena.reset();
    auto const s = arena.statistics();
    EXPECT_EQ(s.total_allocations,
              (5u * elements + 2u) * static_cast<unsigned>(cycle));
    EXPECT_EQ(s.escaped_views, 0u);
    EXPECT_EQ(s.unscoped_worker_allocations, 0u);
    if (cycle == settled) upstream = s.upstream_allocations;
    if (cycle > settled) {
      EXPECT_EQ(s.upstream_allocations, upstream) << cycle;
    }
  }
}

TEST(elements, a_handle_gives_the_same_bits_without_upstream) {
  auto const expected = expected_values();
  auto const mesh     = hex_mesh(n);
  auto const solution = solution_on(mesh);
  KokkosArena::Arena<Host, KokkosArena::ThreadCached> arena;
  HandleViews<decltype(arena.handle())> const policy{arena.handle()};
  std::uint64_t upstream = 0;
  for (int cycle = 1; cycle <= 8; ++cycle) {
    EXPECT_EQ(values_of(residual(mesh, solution, policy)), expected);
    arena.reset();
    auto const s = arena.statistics();
    EXPECT_EQ(s.failed_handle_allocations, 0u);
    if (cycle == 2) upstream = s.upstream_allocations;
    if (cycle > 2) {
      EXPECT_EQ(s.upstream_allocations, upstream) << cycle;
    }
  }
}

}  // namespace
