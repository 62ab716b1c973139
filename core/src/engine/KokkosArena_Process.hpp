// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_PROCESS_HPP
#define KOKKOSARENA_ENGINE_PROCESS_HPP

#include <cstdint>
#include <string>

/// \file
/// What the system calls this process and its threads.

namespace KokkosArena::Impl {

/// \return The process' number; of a child process, its own.
std::uint64_t process_id() noexcept;

/// \return The system's number of the calling thread, or one of our own; on
/// Linux, the first thread's is the process'. Cost: one system call a thread.
std::uint64_t thread_id() noexcept;

/// \return The name of the program, without a directory.
std::string program_name();

}  // namespace KokkosArena::Impl

#endif
