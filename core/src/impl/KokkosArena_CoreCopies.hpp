// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_CORECOPIES_HPP
#define KOKKOSARENA_IMPL_CORECOPIES_HPP

namespace KokkosArena::Impl {

/// \brief To be called when this copy of the library is loaded. Where a program
/// and a library that it loads have both been linked with the static one, each
/// has scopes of its own: when the second such copy comes, a line on stderr
/// says so. Cost: a walk over all libraries of the process.
/// \return How many copies are in use; 1 where that can't be found out.
int note_core_copy() noexcept;

}  // namespace KokkosArena::Impl

#endif
