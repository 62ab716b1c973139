// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_FaultHandler.hpp"

#include "engine/KokkosArena_Cancellation.hpp"
#include "engine/KokkosArena_CheckedAddresses.hpp"
#include "engine/KokkosArena_CheckedStores.hpp"

#include <cstdio>
#include <cstring>

#if defined(__linux__)
#include <signal.h>
#include <unistd.h>
#endif

namespace KokkosArena {

#if defined(__linux__)

namespace {

/// What was there before; written before our own is installed.
struct sigaction previous{};

void write_line(char const* text) noexcept {
  char line[1200];
  std::snprintf(line, sizeof(line), "KokkosArena: %s\n", text);
  Impl::CancellationOff const off;
  [[maybe_unused]] auto const written =
      write(STDERR_FILENO, line, std::strlen(line));
}

/// Runs on the thread that faulted, in the middle of code that knows nothing of
/// the library, so that no lock of it is held by that thread; a thread that
/// holds one goes on. No heap memory is taken.
void on_fault(int signal, siginfo_t* info, void* context) {
  if (Impl::is_in_checked_addresses(info->si_addr)) {
    char text[1024];
    Impl::describe_checked_address(info->si_addr, text, sizeof(text));
    write_line(text);
  }
  auto const handler = previous;
  if ((handler.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) {
    previous            = {};
    previous.sa_handler = SIG_DFL;
  }
  if ((handler.sa_flags & SA_SIGINFO) != 0) {
    handler.sa_sigaction(signal, info, context);
  } else if (handler.sa_handler == SIG_DFL || handler.sa_handler == SIG_IGN) {
    // The access is made again on return, and faults again.
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
  } else {
    handler.sa_handler(signal);
  }
}

}  // namespace

bool install_fault_handler() {
  static bool const installed = [] {
    struct sigaction ours{};
    ours.sa_sigaction = &on_fault;
    // Nothing is blocked that wasn't: the previous handler may not return.
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&ours.sa_mask);
    return sigaction(SIGSEGV, nullptr, &previous) == 0 &&
           sigaction(SIGSEGV, &ours, nullptr) == 0;
  }();
  return installed;
}

#else

bool install_fault_handler() { return false; }

#endif

}  // namespace KokkosArena
