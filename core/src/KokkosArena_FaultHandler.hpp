// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_FAULTHANDLER_HPP
#define KOKKOSARENA_FAULTHANDLER_HPP

namespace KokkosArena {

/// \brief From now on, an access that faults since a CheckedSpace View's memory
/// had been dropped, or since it is behind the end of one with guard pages, is
/// named on stderr as InvalidViewAccess would; then the handler that was there
/// before has its turn, as for all other faults: that of a debugger or a
/// sanitizer, or else the system's, which ends the program.
/// Calling it again does nothing: who replaces it has to hand on to it.
/// Cost: two system calls; none until a fault. Threads: any.
/// \return Whether it is installed: on Linux it is.
bool install_fault_handler();

}  // namespace KokkosArena

#endif
