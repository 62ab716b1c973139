// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTWORKLOADS_HPP
#define KOKKOSARENA_TESTWORKLOADS_HPP

#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_HostSpaceAdoption.hpp>

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <vector>

#include "KokkosArena_TestTools.hpp"

namespace KokkosArenaTest {

using Host    = Kokkos::HostSpace;
using Scoped  = KokkosArena::ScopedSpace<Host>;
using Checked = KokkosArena::CheckedSpace<Host>;

/// \brief Expects that each cycle of \c pass in a scope gives the same bits,
/// and that cycles ask for nothing upstream from the third on.
/// \tparam Scope  ArenaScope or HostSpaceAdoption.
template <class Scope, class Pass>
void expect_steady_cycles(std::vector<double> const& expected,
                          Pass const& pass) {
  ASSERT_FALSE(expected.empty());
  KokkosArena::Arena<Host> arena;
  std::uint64_t upstream = 0;
  for (int cycle = 0; cycle < 5; ++cycle) {
    auto const before = arena.statistics();
    {
      Scope const scope(arena);
      EXPECT_EQ(pass(), expected) << cycle;
    }
    arena.reset();
    auto const after = arena.statistics();
    EXPECT_GT(after.total_allocations, before.total_allocations);
    if (cycle == 2) upstream = after.upstream_allocations;
    if (cycle > 2) {
      EXPECT_EQ(after.upstream_allocations, upstream) << cycle;
    }
  }
}

/// \brief Expects that an adoption leaves nothing that is as large as its
/// threshold to the heap.
template <class Pass>
void expect_all_is_adopted(Pass const& pass) {
  constexpr std::uint64_t threshold = 4096;
  constexpr std::uint64_t header    = 128;  // of each View
  KokkosArena::Arena<Host> arena;
  std::uint64_t large = 0;
  {
    ToolsObserver const observer;
    KokkosArena::HostSpaceAdoption const adoption(arena, threshold);
    pass();
    for (auto const& event : observer.events()) {
      if (event.is_allocation && event.space == Host::name() &&
          event.label != "KokkosArena::block" &&
          event.bytes + header >= threshold) {
        ++large;
      }
    }
  }
  EXPECT_GT(large, 10u);
  EXPECT_EQ(arena.statistics().total_allocations, large);
  EXPECT_EQ(arena.statistics().failed_adoptions, 0u);
}

}  // namespace KokkosArenaTest

#endif
