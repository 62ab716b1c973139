// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_FAULTHANDLER_HPP
#define KOKKOSARENA_FAULTHANDLER_HPP

namespace KokkosArena {

/// \brief From now on, an access that faults since a CheckedSpace View's memory
/// had been dropped, or since it is behind the end of one with guard pages, is
/// named on stderr as InvalidViewAccess would; then the handler that was there
/// before has its turn, as for all other faults: that of a debugger or a
/// sanitizer, or else the system's, which ends the program.
///
/// The first checked HostSpace memory of a process does so by itself, unless
/// this was called with false before, or the environment variable
/// KOKKOS_ARENA_FAULT_HANDLER is 0. A handler that the program installs later
/// has the first turn, and the only one if it doesn't hand on; to call this
/// again puts ours in front of it.
/// \param[in] install  False: takes ours away, if it is in front, and keeps it
///                     out.
/// Cost: two or three system calls; none until a fault. Threads: any.
/// \return Whether it is as was asked for: on Linux it is.
bool install_fault_handler(bool install = true);

namespace Impl {

/// \brief For the first checked memory.
void install_fault_handler_by_default() noexcept;

}  // namespace Impl

}  // namespace KokkosArena

#endif
