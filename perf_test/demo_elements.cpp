// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_Elements.hpp>

#include "demo_spaces.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace KokkosArena::Perf {

namespace {

using Scoped  = ScopedSpace<Kokkos::HostSpace>;
using Checked = CheckedSpace<Kokkos::HostSpace>;

// What an iteration of a kernel can do to have temporaries from an arena.

/// The scope around the kernel says which one.
template <class Space>
struct MadeViews {
  struct Iteration {
    template <class DataType, class... Extents>
    auto view(char const* label, Extents... extents) const {
      return make_view<Kokkos::View<DataType, Space>>(label, extents...);
    }
  };
  Iteration iteration() const { return {}; }
};

/// The kernel has got a handle of it.
struct HandleViews {
  HostArena::handle_type handle;
  template <class DataType, class... Extents>
  auto view(char const*, Extents... extents) const {
    auto const result = handle.view<DataType>(extents...);
    // Which also tells the compiler that the extents are those asked for.
    if (!result.data()) Kokkos::abort("demo: the handle's arena is full");
    return result;
  }
  HandleViews const& iteration() const { return *this; }
};

/// Five of each element: 8x3, 8, 8, 8x3 and 3x3 doubles.
constexpr std::uint64_t bytes_of_an_element =
    (24 + 8 + 8 + 24 + 9) * sizeof(double);

}  // namespace

Workload make_elements(WorkloadInput const& in) {
  auto const mesh = workloads::hex_mesh(static_cast<int>(in.n));
  Kokkos::View<double*, Kokkos::HostSpace> const solution(
      "solution", mesh.coordinates.extent(0));
  for (std::size_t i = 0; i < solution.extent(0); ++i) {
    solution(i) = std::sin(3 * mesh.coordinates(i, 0)) +
                  mesh.coordinates(i, 1) * mesh.coordinates(i, 2);
  }
  auto const elements = mesh.nodes.extent(0);
  // Made beforehand for all, so that only what is inside the kernel differs.
  Kokkos::View<double* [8], Kokkos::LayoutRight, Kokkos::HostSpace> const
      shares("shares", elements);

  auto const collect = [=](Result& result) { append(result, shares); };

  auto const residuals_with = [=](auto const& policy) {
    return [=](auto const& cycle) {
      cycle([&] {
        workloads::element_residuals(mesh, solution, shares, policy);
      });
    };
  };
  auto const malloced    = residuals_with(workloads::MallocedBuffers{});
  auto const plain       = residuals_with(workloads::PlainViews<Scoped>{});
  auto const made        = residuals_with(MadeViews<Scoped>{});
  auto const checked     = residuals_with(MadeViews<Checked>{});
  auto const arenas      = [] { return std::make_shared<HostArena>(); };
  auto const plain_arena = arenas(), made_arena = arenas(),
             handle_arena = arenas(), checked_arena = arenas();
  auto const by_handle    = residuals_with(HandleViews{handle_arena->handle()});
  auto const preallocated = residuals_with(workloads::ThreadWorkspaces{});
  auto const in_arena     = [](auto const& work, auto const& arena) {
    return [=](Result&) { work(InArena{arena}); };
  };
  auto const bytes = elements * bytes_of_an_element;
  Workload workload{
      .name        = "elements",
      .description = "the residuals of " + std::to_string(elements) +
                     " finite elements, each with five temporaries inside the "
                     "kernel (where HostSpace Views hang)",
      .contestants = {{.name = "malloc",
                       .call = [=](Result&) { malloced(WithoutArena{}); },
                       .unseen_bytes       = bytes,
                       .unseen_allocations = 5 * elements},
                      {.name  = "arena, plain Views",
                       .call  = in_arena(plain, plain_arena),
                       .arena = plain_arena},
                      {.name  = "arena, make_view",
                       .call  = in_arena(made, made_arena),
                       .arena = made_arena},
                      {.name         = "arena, handle",
                       .call         = in_arena(by_handle, handle_arena),
                       .arena        = handle_arena,
                       .unseen_bytes = bytes},
                      {.name  = "checked, make_view",
                       .call  = in_arena(checked, checked_arena),
                       .arena = checked_arena},
                      {.name = "preallocated", .call = [=](Result&) {
                         preallocated(WithoutArena{});
                       }}}};
  for (auto& contestant : workload.contestants) contestant.collect = collect;
  return workload;
}

}  // namespace KokkosArena::Perf
