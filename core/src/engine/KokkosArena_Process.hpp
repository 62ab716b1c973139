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

/// \return What the launcher of a parallel program calls this process: the
/// first of OMPI_COMM_WORLD_RANK, PMIX_RANK, PMI_RANK and SLURM_PROCID that the
/// environment has; empty if it has none.
std::string process_rank();

/// \return The name with the process' number for each %p, and its rank, or 0,
/// for each %r.
std::string expanded_file_name(std::string name);

}  // namespace KokkosArena::Impl

#endif
