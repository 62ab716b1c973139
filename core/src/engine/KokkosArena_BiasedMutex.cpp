// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_BiasedMutex.hpp"

#include "../KokkosArena_Error.hpp"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace KokkosArena::Impl {

#if defined(__linux__)

namespace {

long membarrier(int command) noexcept {
  return ::syscall(SYS_membarrier, command, 0, 0);
}

}  // namespace

bool has_heavy_fence() noexcept {
  static bool const registered =
      membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  return registered;
}

void heavy_fence() noexcept {
  // A child process may have to register by itself.
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
      (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0 ||
       membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)) {
    abort("membarrier, which the system has granted before, fails");
  }
}

#else

bool has_heavy_fence() noexcept { return false; }
void heavy_fence() noexcept {}

#endif

}  // namespace KokkosArena::Impl
