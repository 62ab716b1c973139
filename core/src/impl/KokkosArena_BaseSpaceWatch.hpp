// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_BASESPACEWATCH_HPP
#define KOKKOSARENA_IMPL_BASESPACEWATCH_HPP

namespace KokkosArena::Impl {

/// \brief Has what Kokkos' memory spaces give from now on counted in the arena
/// of the innermost scope over that space, if it counts them. It is a callback
/// of Kokkos Tools, which hands each event on to the one that was there before;
/// a tool that is set later takes its place.
/// Cost: with it Kokkos reports each allocation. Threads: any, but Kokkos reads
/// its callbacks without a lock: the first call of a program should come before
/// other threads make Views.
void watch_base_spaces();

}  // namespace KokkosArena::Impl

#endif
