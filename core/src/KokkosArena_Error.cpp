// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Error.hpp"

#include "engine/KokkosArena_Cancellation.hpp"
#include "engine/KokkosArena_TraceFiles.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace KokkosArena {

// Not inline, so that the type has one home that all modules catch it by.
char const* ArenaExhausted::what() const noexcept { return m_message.what(); }

char const* InvalidViewAccess::what() const noexcept {
  return std::runtime_error::what();
}

void Impl::abort(std::string const& message) {
  // The program ends, not the thread.
  CancellationOff const off;
  // In a region, other threads may come here at the same time: one message is
  // enough, and has to be whole. A thread that comes here once more has called
  // this from where an abort leads to, as from a handler of SIGABRT.
  static std::atomic<std::thread::id> first{};
  auto const self = std::this_thread::get_id();
  // relaxed: nothing but the identity counts.
  if (std::thread::id none{};
      !first.compare_exchange_strong(none, self, std::memory_order_relaxed) &&
      none != self) {
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  flush_traces();
  std::fprintf(stderr, "KokkosArena: %s\n", message.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace KokkosArena
