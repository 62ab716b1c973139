// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_TRACEFILE_HPP
#define KOKKOSARENA_ENGINE_TRACEFILE_HPP

#include <engine/KokkosArena_Fork.hpp>
#include <engine/KokkosArena_TraceEvents.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <new>
#include <set>
#include <string>

namespace KokkosArena::Impl {

/// \brief A file of events that is open while somebody uses it. It is never
/// destroyed, so that a later user goes on where an earlier one has ended.
///
/// It belongs to the process that made it: in a child, which has its parent's
/// buffer, it does nothing. What can't be written is said on stderr, once, and
/// nothing more is written. Threads: any. Its lock is the innermost: no other
/// is taken, nor a callback run, while it is held.
class TraceFile {
 public:
  explicit TraceFile(std::string path);
  TraceFile(TraceFile const&)            = delete;
  TraceFile& operator=(TraceFile const&) = delete;

  /// \brief Opens the file for one user more.
  /// \return The label, or with a number, if another user has it now.
  /// \throws std::runtime_error  What failed, and why.
  std::string enter(std::string const& label);
  void leave(std::string const& name) noexcept;

  /// \brief Has f(TraceEvents&) append events: all of them, or none if there is
  /// no heap memory. Not called if nothing is written.
  template <class F>
  void write(F const& f) noexcept {
    if (!is_own()) return;
    std::lock_guard const guard(m_mutex);
    if (!m_file) return;
    auto size = m_events.size();
    try {
      m_events.name_thread();
      size = m_events.size();
      f(m_events);
    } catch (std::bad_alloc const&) {
      m_events.cut(size);
    }
    flush_if_due();
  }

  /// \brief Writes what is buffered, unless the lock is taken.
  void flush_if_possible() noexcept;
  /// \brief The process ends: so does the array.
  void end() noexcept;

 private:
  bool is_own() const noexcept;
  [[noreturn]] void fail(char const* what) const;
  void open();
  bool flush() noexcept;
  void flush_if_due() noexcept;
  void flush_or_stop() noexcept;
  void stop() noexcept;
  void close() noexcept;
  void finish() noexcept;

  std::string const m_path;
  std::uint64_t const m_pid;
  std::mutex m_mutex;
  ForkLock<std::mutex> m_fork_lock{ForkRank::file, m_mutex};
  std::FILE* m_file = nullptr;
  int m_error       = 0;
  long m_length     = 0;  ///< Written, without the end of the array.
  int m_users       = 0;
  bool m_stopped    = false;  ///< What was written is not to be overwritten.
  TraceEvents m_events;       ///< Whole ones, not yet written.
  std::int64_t m_flushed_at = 0;
  std::set<std::string> m_names;  ///< Of those that use it.
  std::set<std::string> m_all_names;
};

/// \brief One that uses the file.
class TraceUser {
 public:
  /// \throws std::runtime_error  As TraceFile::enter().
  TraceUser(TraceFile& file, std::string const& label)
      : m_file(file), m_name(file.enter(label)) {}
  TraceUser(TraceUser const&)            = delete;
  TraceUser& operator=(TraceUser const&) = delete;
  ~TraceUser() { m_file.leave(m_name); }

  TraceFile& file() const noexcept { return m_file; }
  /// \return What no other user of the file is called now.
  std::string const& name() const noexcept { return m_name; }

 private:
  TraceFile& m_file;
  std::string m_name;
};

}  // namespace KokkosArena::Impl

#endif
