// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_ARENATRACE_HPP
#define KOKKOSARENA_ENGINE_ARENATRACE_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace KokkosArena::Impl {

class TraceEvents;
class TraceUser;

/// \brief What one memory of an arena, its blocks or its checked memory, writes
/// to a trace file.
///
/// Nothing throws but what makes one; an event for which there is no heap
/// memory is left out. Threads: any. The lock is the file's.
class ArenaTrace {
 public:
  /// In bytes.
  struct Levels {
    std::uint64_t used                            = 0;
    std::uint64_t live                            = 0;
    std::uint64_t capacity                        = 0;
    bool operator==(Levels const&) const noexcept = default;
  };

  /// \param[in] path  Empty: what the environment says.
  /// \return Null if neither asks for one, or if that of the environment can't
  /// be had, which a line on stderr says.
  /// \throws std::runtime_error  The file can't be opened or written.
  static std::unique_ptr<ArenaTrace> open(std::string const& path,
                                          std::string const& arena_label);
  /// \brief For the checked memory of the same arena.
  std::unique_ptr<ArenaTrace> for_checked_memory() const;

  ArenaTrace(ArenaTrace const&)            = delete;
  ArenaTrace& operator=(ArenaTrace const&) = delete;

  /// \param[in] key    That no other has at the same time.
  /// \param[in] label  Null: untracked, which isn't a View's.
  void begin(std::uintptr_t key, std::uintptr_t address, std::size_t bytes,
             char const* label) noexcept;
  /// \brief Ends what has begun with the key, if anything has.
  void end(std::uintptr_t key) noexcept;
  /// \brief A View was alive when it was dropped.
  void escape(std::uintptr_t key) noexcept;
  /// \brief All Views whose keys are in [first, last) outlive a reset.
  void survivors(std::uintptr_t first, std::uintptr_t last) noexcept;

  void event(char const* what) noexcept;
  void event(char const* what, std::size_t bytes) noexcept;
  void exhausted(std::size_t bytes, char const* label) noexcept;
  /// \brief Writes them if they have changed.
  void levels(Levels const& levels) noexcept;

 private:
  struct Entry {
    std::uint64_t id;
    std::size_t bytes;
    std::uintptr_t address;
    bool is_view;
    std::string label;
  };

  ArenaTrace(std::shared_ptr<TraceUser> user, std::string counter) noexcept;
  void write_view(TraceEvents& events, char const* what,
                  Entry const& entry) const;

  std::shared_ptr<TraceUser> m_user;
  std::string m_counter;
  // Under the file's lock.
  std::map<std::uintptr_t, Entry> m_entries;  ///< By key.
  Levels m_levels;
};

}  // namespace KokkosArena::Impl

#endif
