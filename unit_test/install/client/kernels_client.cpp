// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena.hpp>
#include <KokkosArena_Blas.hpp>

#include <Kokkos_Core.hpp>

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  KokkosArena::Arena<Kokkos::HostSpace> arena;
  KokkosArena::ArenaScope const scope(arena);
  Kokkos::View<double*, KokkosArena::ScopedSpace<Kokkos::HostSpace>> const view(
      "view", 1000);
  Kokkos::deep_copy(view, 2.0);
  return KokkosArena::blas::dot(view, view) == 4000.0 ? 0 : 1;
}
