// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Error.hpp"

#include "engine/KokkosArena_Cancellation.hpp"
#include "engine/KokkosArena_TraceFiles.hpp"

#include <cstdio>
#include <cstdlib>

namespace KokkosArena {

// Not inline, so that the type has one home that all modules catch it by.
char const* ArenaExhausted::what() const noexcept { return m_message.what(); }

char const* InvalidViewAccess::what() const noexcept {
  return std::runtime_error::what();
}

void Impl::abort(std::string const& message) {
  // The program ends, not the thread.
  CancellationOff const off;
  flush_traces();
  std::fprintf(stderr, "KokkosArena: %s\n", message.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace KokkosArena
