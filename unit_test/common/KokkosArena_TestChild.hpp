// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTCHILD_HPP
#define KOKKOSARENA_TESTCHILD_HPP

#include <gtest/gtest.h>

#include <cstdio>
#include <exception>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace KokkosArenaTest {

/// What a child says that can't do what is asked for, so that nothing is shown.
inline constexpr int child_skips = 77;

#if defined(__SANITIZE_THREAD__)
inline constexpr bool is_thread_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool is_thread_sanitized = __has_feature(thread_sanitizer);
#else
inline constexpr bool is_thread_sanitized = false;
#endif

/// \brief Starts f() in a child process, which has one thread.
template <class F>
pid_t start_child(F const& f, unsigned seconds = 60) {
  std::fflush(nullptr);
  auto const pid = fork();
  if (pid != 0) return pid;
  alarm(seconds);
  int code = 99;
  try {
    code = f();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "in a child process: %s\n", e.what());
  }
  std::fflush(stderr);
  _exit(code);
}

/// \return What f() returned, or 1000 and the number of the signal that has
/// ended the child: 1014, if it hung.
inline int code_of_child(pid_t pid) {
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

template <class F>
int code_in_child(F const& f, unsigned seconds = 60) {
  return code_of_child(start_child(f, seconds));
}

}  // namespace KokkosArenaTest

#endif
