// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program loads while it runs, and that makes temporaries of its own.
#include <KokkosArena.hpp>

#include <Kokkos_Core.hpp>

extern "C" void make_temporaries(int n) {
  for (int i = 0; i < n; ++i) {
    Kokkos::View<double*, KokkosArena::ScopedSpace<Kokkos::HostSpace>> const
        view("temporary", 10);
  }
}
