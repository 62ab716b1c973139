// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadMessage.hpp"

#include <engine/KokkosArena_Process.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <string>

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

namespace KokkosArena::Impl {

void tell(char const* format, ...) noexcept {
  auto const rank = process_rank();
  char text[4096];
  constexpr auto room = sizeof(text) - 1;  // for the newline
  auto length         = static_cast<std::size_t>(
      rank.empty() ? std::snprintf(text, room, "kokkos-arena: ")
                   : std::snprintf(text, room,
                                           "kokkos-arena, rank %.20s: ", rank.c_str()));
  std::va_list arguments;
  va_start(arguments, format);
  auto const more =
      std::vsnprintf(text + length, room - length, format, arguments);
  va_end(arguments);
  length =
      std::min(length + static_cast<std::size_t>(std::max(more, 0)), room - 1);
  text[length++] = '\n';
  tell_text({text, length});
}

namespace {

struct Identity {
  dev_t device = 0;
  ino_t file   = 0;
  bool exists  = false;

  bool operator==(Identity const&) const = default;
};

Identity stderr_now() noexcept {
  struct stat status{};
  if (fstat(STDERR_FILENO, &status) != 0) return {};
  return {status.st_dev, status.st_ino, true};
}

constinit Identity stderr_at_start{};

/// \brief While it exists, a pipe that nobody reads ends nothing.
class WithoutBrokenPipe {
 public:
  WithoutBrokenPipe() noexcept {
    sigemptyset(&m_signal);
    sigaddset(&m_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &m_signal, &m_before);
  }
  WithoutBrokenPipe(WithoutBrokenPipe const&)            = delete;
  WithoutBrokenPipe& operator=(WithoutBrokenPipe const&) = delete;
  ~WithoutBrokenPipe() {
    timespec const none{};
    if (sigismember(&m_before, SIGPIPE) == 0) {
      sigtimedwait(&m_signal, nullptr, &none);
    }
    pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
  }

 private:
  sigset_t m_signal{};
  sigset_t m_before{};
};

}  // namespace

void remember_stderr() noexcept { stderr_at_start = stderr_now(); }

void tell_text(std::string_view text) noexcept {
  if (!stderr_at_start.exists || stderr_now() != stderr_at_start) return;
  WithoutBrokenPipe const guard;
  // Not stdio's, which the program may have closed.
  while (!text.empty()) {
    auto const written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace KokkosArena::Impl
