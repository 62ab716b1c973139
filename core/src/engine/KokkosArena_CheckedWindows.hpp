// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDWINDOWS_HPP
#define KOKKOSARENA_ENGINE_CHECKEDWINDOWS_HPP

#include <KokkosArena_GrowthPolicy.hpp>
#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_CheckedMemory.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace KokkosArena::Impl {

class ArenaTrace;

/// Addresses with pages behind them.
struct CheckedWindow {
  std::uintptr_t begin = 0;
  std::size_t bytes    = 0;
  bool is_shared       = false;  ///< By sections that come one after the other.
  std::uintptr_t next  = 0;      ///< From here on, nobody has had it.
  std::size_t sections = 0;      ///< That are in use.

  std::uintptr_t end() const noexcept { return begin + bytes; }
  std::size_t room() const noexcept { return end() - next; }
};

/// \brief What is dropped as a whole: a window, or some of a shared one.
struct CheckedSection {
  CheckedWindow* window = nullptr;  ///< Null: it is empty.
  std::uintptr_t begin  = 0;
  std::size_t bytes     = 0;

  std::uintptr_t end() const noexcept { return begin + bytes; }
};

/// \brief The windows of checked memory that a store has: those of which
/// something is in use, and spares, whose pages wait at fresh addresses.
///
/// To move a window costs two system calls. So what is small shares one: each
/// section has addresses that nobody has had, and is dropped by a note in a
/// table; the pages move once the window is used up and all of it was dropped.
/// Until then, they can be accessed at the addresses that were dropped, though
/// not through a View. Knows nothing of what is in a section. Threads: not
/// synchronised.
class CheckedWindows {
 public:
  struct Options {
    std::size_t history_length;  ///< Of cycles.
    std::size_t initial_bytes;   ///< Of a cycle's first window, at least.
    std::size_t maximum_bytes;   ///< None is larger, but where it has to be.
    bool guard_pages;  ///< Single pages are protected, and would move so.
    bool huge_pages;
    bool shares;  ///< Whether small sections may share a window.
  };

  static constexpr std::size_t shared_window_bytes = most_bytes_with_pages;
  /// What needs more has a window of its own.
  static constexpr std::size_t most_section_bytes = shared_window_bytes / 8;
  // None is, before drops or frames within frames turn out to be many.
  static constexpr std::uint64_t unshared_drops = 2;
  static constexpr std::size_t unshared_windows = 16;

  /// \param[in] trace  Null: none. Outlives end().
  CheckedWindows(CheckedMemory& memory, Options const& options,
                 ArenaTrace* trace);
  CheckedWindows(CheckedWindows const&)            = delete;
  CheckedWindows& operator=(CheckedWindows const&) = delete;

  /// \param[in] needed    Bytes.
  /// \param[in] held      By what needs it, in sections that don't suffice.
  /// \param[in] may_share  Whether it may fault later.
  /// \param[out] failure  Why there is none, if so.
  /// \return A section of at least so many bytes; an empty one if there is
  /// none.
  /// \throws std::bad_alloc  Nothing has changed then.
  CheckedSection acquire(std::size_t needed, std::size_t held, bool may_share,
                         char const*& failure);
  /// \brief Undoes the last acquire(), of which nothing was used.
  void undo_acquire(CheckedSection const& section) noexcept;
  /// \brief Adds so many bytes or some more at the section's end, if nobody has
  /// had them. \return Whether it did.
  bool extend(CheckedSection& section, std::size_t bytes) noexcept;

  /// \brief Makes the addresses invalid. Takes no heap memory.
  void drop(CheckedSection const& section) noexcept;

  /// \brief Says that one section was too small for the cycle.
  void note_overflow() noexcept { m_has_overflown = true; }
  /// \brief To be called before a cycle's sections are dropped.
  /// \param[in] peak  Bytes that it had in use at once.
  /// \param[in] keep  Those windows that are to serve the next cycle; otherwise
  /// none.
  void end_cycle(std::size_t peak, bool keep) noexcept;
  /// \brief To be called after they were dropped.
  void start_cycle() noexcept;
  /// \brief Gives all back. \pre Nothing is in use or acquired later.
  void end() noexcept;

  CheckedMemory& memory() const noexcept { return m_memory; }

  // What it has now, in use or spare.
  std::size_t count() const noexcept { return m_all.size() - m_unused.size(); }
  std::size_t bytes() const noexcept { return m_bytes; }
  /// Of the shared window that the next small section comes from.
  std::size_t room() const noexcept {
    return m_current ? m_current->room() : 0;
  }
  // What it ever asked for.
  std::uint64_t acquired() const noexcept { return m_acquired; }
  std::uint64_t acquired_bytes() const noexcept { return m_acquired_bytes; }

 private:
  struct Kind {
    std::vector<CheckedWindow*> spares;  ///< The largest last.
    std::size_t in_use      = 0;
    std::size_t most_in_use = 0;  ///< At once, in this cycle; see put_away().
    bool keeps              = true;
  };

  bool is_shared(std::size_t bytes) const noexcept {
    return m_part_bytes > 0 && bytes <= most_section_bytes &&
           (m_drops >= unshared_drops || m_own.in_use >= unshared_windows);
  }
  CheckedWindow* find_shared(std::size_t needed, char const*& failure);
  CheckedWindow* find_own(std::size_t needed, std::size_t wanted,
                          char const*& failure);
  CheckedWindow* make(std::size_t needed, std::size_t wanted, bool is_shared,
                      char const*& failure);
  static CheckedWindow* take_spare(Kind& kind, std::size_t needed) noexcept;
  Kind& kind_of(CheckedWindow const& window) noexcept {
    return window.is_shared ? m_shared : m_own;
  }
  void put_away(CheckedWindow& window) noexcept;
  bool renew(CheckedWindow& window) noexcept;
  void release(CheckedWindow& window) noexcept;
  void return_pages(CheckedWindow& window) noexcept;

  CheckedMemory& m_memory;
  std::size_t const m_maximum_bytes;
  bool const m_moves;
  bool const m_huge_pages;
  std::size_t const m_part_bytes;  ///< 0: none is shared.
  ArenaTrace* m_trace;
  GrowthPolicy m_growth;

  std::vector<std::unique_ptr<CheckedWindow>> m_all;
  std::vector<CheckedWindow*> m_unused;  ///< Of these, without addresses.
  Kind m_own, m_shared;
  CheckedWindow* m_current       = nullptr;  ///< Of the shared ones.
  bool m_shared_is_used          = false;    ///< In this cycle.
  std::size_t m_sections         = 0;        ///< In use.
  std::uint64_t m_drops          = 0;        ///< Of sections.
  bool m_last_is_new             = false;
  bool m_has_overflown           = false;
  std::size_t m_bytes            = 0;
  std::uint64_t m_acquired       = 0;
  std::uint64_t m_acquired_bytes = 0;
};

}  // namespace KokkosArena::Impl

#endif
