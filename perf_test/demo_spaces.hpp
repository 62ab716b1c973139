// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_SPACES_HPP
#define KOKKOSARENA_PERF_DEMO_SPACES_HPP

#include "demo_workload.hpp"

#include <KokkosArena.hpp>
#include <KokkosArena_HostSpaceAdoption.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <memory>
#include <vector>

/// \file
/// The ways to give the temporaries of a piece of code another home. This is
/// what a program has to do to use the library.

namespace KokkosArena::Perf {

/// \brief From here on HostSpace memory is adopted: all, so that nothing is
/// left to the heap.
inline constexpr std::size_t adoption_threshold = 0;

// What is done until temporaries are dropped at once, by one of these. A call
// of a workload is one such cycle or several.

struct WithoutArena {
  template <class F>
  void operator()(F const& f) const {
    f();
  }
};

struct InArena {
  std::shared_ptr<HostArena> arena;
  template <class F>
  void operator()(F const& f) const {
    with_arena(*arena, f);
    arena->reset();
  }
};

struct Adopted {
  std::shared_ptr<HostArena> arena;
  template <class F>
  void operator()(F const& f) const {
    {
      HostSpaceAdoption const adoption(*arena, adoption_threshold);
      f();
    }
    arena->reset();
  }
};

/// \brief An arena as large as the work needs, found by doing it.
template <class Work>
std::shared_ptr<HostArena> fixed_arena_for(Work const& work) {
  auto const trial = std::make_shared<HostArena>();
  Result result;
  for (int i = 0; i < 2; ++i) work(result, InArena{trial});
  return std::make_shared<HostArena>(trial->statistics().capacity_bytes);
}

/// \brief The same work with temporaries from the heap and from arenas.
/// \param[in] work_in  Called with an object of a memory space, whose type is
///     where the work's inputs are to be, and so its temporaries. Returns the
///     work: called with a Result, to which it appends, and one of the types
///     above, by which it calls what makes temporaries.
template <class MakeWork>
std::vector<Contestant> in_all_spaces(MakeWork const& work_in) {
  auto const in_host_space = work_in(Kokkos::HostSpace());
  auto const in_scoped     = work_in(ScopedSpace<Kokkos::HostSpace>());
  auto const in_checked    = work_in(CheckedSpace<Kokkos::HostSpace>());
  // Shared, since a std::function is copyable and an arena is not.
  auto const growing = std::make_shared<HostArena>();
  auto const fixed   = fixed_arena_for(in_scoped);
  auto const adopted = std::make_shared<HostArena>();
  auto const checked = std::make_shared<HostArena>();
  return {{.name = "HostSpace",
           .call = [=](Result& r) { in_host_space(r, WithoutArena{}); }},
          {.name  = "growing arena",
           .call  = [=](Result& r) { in_scoped(r, InArena{growing}); },
           .arena = growing},
          {.name  = "fixed arena",
           .call  = [=](Result& r) { in_scoped(r, InArena{fixed}); },
           .arena = fixed},
          {.name  = "adopted HostSpace",
           .call  = [=](Result& r) { in_host_space(r, Adopted{adopted}); },
           .arena = adopted,
           .adopted_from = adoption_threshold},
          {.name  = "checked arena",
           .call  = [=](Result& r) { in_checked(r, InArena{checked}); },
           .arena = checked}};
}

/// \brief Appends all elements. \pre The View has no gaps.
template <class ViewType>
void append(Result& result, ViewType const& view) {
  result.insert(result.end(), view.data(), view.data() + view.size());
}

}  // namespace KokkosArena::Perf

#endif
