// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Process.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#else
#include <atomic>
#endif
#if defined(__GLIBC__)
#include <cerrno>
#endif

#include <cstdlib>

namespace KokkosArena::Impl {

std::uint64_t process_id() noexcept {
#if defined(__unix__) || defined(__APPLE__)
  return static_cast<std::uint64_t>(getpid());
#else
  return 1;
#endif
}

std::uint64_t thread_id() noexcept {
#if defined(__linux__)
  thread_local auto const id =
      static_cast<std::uint64_t>(::syscall(SYS_gettid));
  return id;
#else
  static std::atomic<std::uint64_t> last{0};
  thread_local auto const id = ++last;
  return id;
#endif
}

std::string program_name() {
#if defined(__GLIBC__)
  return program_invocation_short_name;
#else
  return "program";
#endif
}

std::string process_rank() {
  for (auto const* const name :
       {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (auto const* const rank = std::getenv(name); rank && *rank) return rank;
  }
  return {};
}

std::string expanded_file_name(std::string name) {
  auto const replace = [&](char const* what, std::string const& by) {
    for (auto at = name.find(what); at != name.npos;
         at      = name.find(what, at + by.size())) {
      name.replace(at, 2, by);
    }
  };
  auto const rank = process_rank();
  replace("%p", std::to_string(process_id()));
  replace("%r", rank.empty() ? "0" : rank);
  return name;
}

}  // namespace KokkosArena::Impl
