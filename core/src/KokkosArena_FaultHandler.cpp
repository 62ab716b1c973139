// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_FaultHandler.hpp"

#include "engine/KokkosArena_Cancellation.hpp"
#include "engine/KokkosArena_CheckedAddresses.hpp"
#include "engine/KokkosArena_CheckedStores.hpp"
#include "engine/KokkosArena_Fork.hpp"
#include "engine/KokkosArena_NeverDestroyed.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#if defined(__linux__)
#include <signal.h>
#include <unistd.h>
#endif

namespace KokkosArena {

#if defined(__linux__)

namespace {

/// What was there before; written before our own is installed.
struct sigaction previous{};

/// Whoever was put in front of ours may hand on to it, though ours is in front
/// of that now.
constinit thread_local bool t_is_handling = false;

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
  auto const let_it_fault_again = [signal] {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
  };
  if (t_is_handling) {
    let_it_fault_again();
    return;
  }
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
  t_is_handling = true;
  if ((handler.sa_flags & SA_SIGINFO) != 0) {
    handler.sa_sigaction(signal, info, context);
  } else if (handler.sa_handler == SIG_DFL || handler.sa_handler == SIG_IGN) {
    let_it_fault_again();
  } else {
    handler.sa_handler(signal);
  }
  t_is_handling = false;
}

bool is_ours(struct sigaction const& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 &&
         action.sa_sigaction == &on_fault;
}

/// Of what follows; who comes later takes the other's decision into account.
constinit std::mutex mutex;
/// Programs may fork late.
Impl::NeverDestroyed<Impl::ForkLock<std::mutex>> const fork_lock(
    Impl::ForkRank::making, mutex);
constinit bool is_decided = false;  ///< By the program.

bool put_in_front() noexcept {
  struct sigaction now{};
  if (sigaction(SIGSEGV, nullptr, &now) != 0) return false;
  if (is_ours(now)) return true;
  previous = now;
  struct sigaction ours{};
  ours.sa_sigaction = &on_fault;
  // Nothing is blocked that wasn't: the previous handler may not return.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&ours.sa_mask);
  return sigaction(SIGSEGV, &ours, nullptr) == 0;
}

bool take_away() noexcept {
  struct sigaction now{};
  if (sigaction(SIGSEGV, nullptr, &now) != 0) return false;
  return !is_ours(now) || sigaction(SIGSEGV, &previous, nullptr) == 0;
}

bool environment_keeps_it_out() noexcept {
  auto const* const text = std::getenv("KOKKOS_ARENA_FAULT_HANDLER");
  if (!text || !*text) return false;
  if (std::strcmp(text, "0") == 0) return true;
  if (std::strcmp(text, "1") != 0) {
    Impl::CancellationOff const off;
    std::fprintf(stderr,
                 "KokkosArena: KOKKOS_ARENA_FAULT_HANDLER is \"%s\"; it can be "
                 "0 or 1, and is ignored\n",
                 text);
  }
  return false;
}

}  // namespace

bool install_fault_handler(bool install) {
  std::lock_guard const guard(mutex);
  is_decided = true;
  return install ? put_in_front() : take_away();
}

void Impl::install_fault_handler_by_default() noexcept {
  std::lock_guard const guard(mutex);
  if (!is_decided && !environment_keeps_it_out()) put_in_front();
}

#else

bool install_fault_handler(bool install) { return !install; }
void Impl::install_fault_handler_by_default() noexcept {}

#endif

}  // namespace KokkosArena
