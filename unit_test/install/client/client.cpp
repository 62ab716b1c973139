// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena.hpp>

#include <Kokkos_Core.hpp>
#include <cstdio>

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  using space = KokkosArena::ScopedSpace<Kokkos::HostSpace>;
  KokkosArena::Arena<Kokkos::HostSpace> arena;
  KokkosArena::ArenaScope const scope(arena);
  Kokkos::View<double*, space> const view("view", 1000);
  Kokkos::deep_copy(view, 1.0);
  auto const statistics = arena.statistics();
  if (statistics.live_allocations != 1 || view(999) != 1.0) return 1;
  std::printf("KokkosArena %d: %llu bytes live\n", KOKKOSARENA_VERSION,
              static_cast<unsigned long long>(statistics.live_bytes));
  return 0;
}
