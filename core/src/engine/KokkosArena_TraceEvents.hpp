// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_TRACEEVENTS_HPP
#define KOKKOSARENA_ENGINE_TRACEEVENTS_HPP

#include <engine/KokkosArena_JsonText.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace KokkosArena::Impl {

/// \brief A text of events of one process in the trace event format of Chrome
/// (Google, "Trace Event Format"): an array, of which readers accept also the
/// beginning. The calling thread is who each event is said of.
///
/// \throws std::bad_alloc  All that appends; see cut(). Threads: one at a time.
class TraceEvents {
 public:
  explicit TraceEvents(std::uint64_t process) : m_process(process) {}

  /// \brief Forgets all, but for the ids, and begins the array.
  void begin_array();
  static constexpr auto end_of_array = JsonText::end_of_array;

  /// \brief What happens now. \c id() or \c thread_scope() may follow, then
  /// \c begin_arguments(), the arguments and \c end().
  /// \param[in] phase  b and e: begin and end of a bar; i: an instant; C:
  /// levels.
  void begin(char phase, std::string_view category, std::string_view name);
  void id(std::uint64_t id);
  void thread_scope();
  void begin_arguments();
  void argument(std::string_view name, std::uint64_t value);
  void argument(std::string_view name, std::string_view value);
  void address_argument(std::uintptr_t address);
  void end();

  /// \brief Says something of the process or the thread, at no time.
  void metadata(std::string_view name, std::string_view argument_name,
                std::string_view value);
  /// \brief Gives the calling thread a name, if it has none.
  void name_thread();

  /// \return One that no other bar has.
  std::uint64_t next_id() noexcept { return ++m_last_id; }
  /// \return When the last event was, in nanoseconds.
  std::int64_t now() const noexcept { return m_now; }

  std::string const& text() const noexcept { return m_json.text(); }
  std::size_t size() const noexcept { return m_json.size(); }
  /// \brief Drops what lies behind the first \c size bytes of the text.
  void cut(std::size_t size) noexcept { m_json.cut(size); }
  /// \brief The text has been written; the array goes on.
  void clear() noexcept { m_json.clear(); }
  void reserve(std::size_t bytes) { m_json.reserve(bytes); }

 private:
  void begin_any(char phase, std::string_view name);

  std::uint64_t m_process;
  JsonText m_json;
  std::int64_t m_now      = 0;
  std::uint64_t m_last_id = 0;
  std::set<std::uint64_t> m_threads;  ///< That have a name.
};

}  // namespace KokkosArena::Impl

#endif
