// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_SteadyStateCounters.hpp>

#include <Kokkos_Core.hpp>

#include <cstdint>

#if defined(__linux__)
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

namespace KokkosArenaTest {

namespace {

std::size_t fences = 0;

}  // namespace

FenceCounter::FenceCounter() {
  fences = 0;
  Kokkos::Tools::Experimental::set_begin_fence_callback(
      [](char const*, std::uint32_t, std::uint64_t*) { ++fences; });
}

FenceCounter::~FenceCounter() {
  Kokkos::Tools::Experimental::set_begin_fence_callback(nullptr);
}

std::size_t FenceCounter::count() const { return fences; }

#if defined(__linux__)

std::optional<long> page_faults(std::function<void()> const& f) {
  auto const read = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt + usage.ru_majflt;
  };
  auto const before = read();
  f();
  return read() - before;
}

namespace {

[[noreturn]] void run_traced(std::function<void()> const& f) {
  constexpr int refused = 99;
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(refused);
  raise(SIGSTOP);
  f();
  _exit(0);
}

/// \pre The child has stopped itself.
std::optional<long> count_until_exit(pid_t child) {
  int status    = 0;
  long entries  = 0;
  bool is_entry = true;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
      ptrace(PTRACE_SETOPTIONS, child, nullptr,
             PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0) {
    return {};
  }
  while (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 &&
         waitpid(child, &status, 0) == child) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return entries;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) break;
    entries += is_entry;
    is_entry = !is_entry;
  }
  return {};
}

std::optional<long> all_system_calls(std::function<void()> const& f) {
  auto const child = fork();
  if (child < 0) return {};
  if (child == 0) run_traced(f);
  auto const result = count_until_exit(child);
  if (!result) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return result;
}

}  // namespace

std::optional<long> system_calls(std::function<void()> const& f) {
  // raise() restores the signals that it blocked, and the child's end is a
  // system call, too.
  auto const frame = all_system_calls([] {});
  auto const all   = all_system_calls(f);
  if (!frame || !all) return {};
  return *all - *frame;
}

#else

std::optional<long> page_faults(std::function<void()> const& f) {
  f();
  return {};
}
std::optional<long> system_calls(std::function<void()> const&) { return {}; }

#endif

}  // namespace KokkosArenaTest
