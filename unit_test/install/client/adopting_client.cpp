// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_HostSpaceAdoption.hpp>

#include <Kokkos_Core.hpp>

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  KokkosArena::Arena<Kokkos::HostSpace> arena;
  KokkosArena::HostSpaceAdoption const adoption(arena);
  Kokkos::View<double*, Kokkos::HostSpace> const view("view", 1000);
  return arena.statistics().live_allocations == 1 ? 0 : 1;
}
