// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads a plug-in, and says how many of its Views came from the scope here.
#include <KokkosArena.hpp>

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <cstdio>

#include <dlfcn.h>

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const kokkos(argc, argv);
  if (argc != 2) return 2;
  void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!plugin) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  auto* const make_temporaries =
      reinterpret_cast<void (*)(int)>(dlsym(plugin, "make_temporaries"));
  KokkosArena::Arena<Kokkos::HostSpace> arena;
  KokkosArena::ArenaScope const scope(arena);
  make_temporaries(65);
  std::fprintf(stderr, "%d of 65\n",
               static_cast<int>(arena.statistics().total_allocations));
}
