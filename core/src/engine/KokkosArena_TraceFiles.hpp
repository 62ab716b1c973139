// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_TRACEFILES_HPP
#define KOKKOSARENA_ENGINE_TRACEFILES_HPP

#include <engine/KokkosArena_Fork.hpp>
#include <engine/KokkosArena_TraceFile.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace KokkosArena::Impl {

/// \brief The trace files of the process, which all end when it exits.
/// Threads: any.
class TraceFiles {
 public:
  /// \brief Those of the process, which are never destroyed: Views may die
  /// after the statics of this library.
  static TraceFiles& of_process() noexcept;

  TraceFiles()                             = default;
  TraceFiles(TraceFiles const&)            = delete;
  TraceFiles& operator=(TraceFiles const&) = delete;

  /// \param[in] path  See expanded_file_name(). However it is
  /// spelled, one file is one object.
  TraceFile& at(std::string path);

  // Both leave out what another thread is in the middle of.

  /// \brief Writes what is buffered.
  void flush() noexcept;
  /// \brief The process ends.
  void end() noexcept;

 private:
  std::mutex m_mutex;
  ForkLock<std::mutex> m_fork_lock{ForkRank::registry, m_mutex};
  std::map<std::string, std::unique_ptr<TraceFile>> m_files;
};

/// \brief Writes what is buffered, for a program that is about to end at once.
void flush_traces() noexcept;

}  // namespace KokkosArena::Impl

#endif
