// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_TOOLSNAMES_HPP
#define KOKKOSARENA_IMPL_TOOLSNAMES_HPP

namespace KokkosArena::Impl {

/// \brief Whether Kokkos Tools are to see arena spaces by names of their own,
/// and the blocks that arenas take: where the environment variable
/// KOKKOS_ARENA_TOOLS is "spaces". Otherwise each View is one of its base
/// space, since tools may know no other, and the blocks, in which the Views
/// are, don't count beside them.
bool tools_see_spaces() noexcept;

}  // namespace KokkosArena::Impl

#endif
