// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDWINDOWS_HPP
#define KOKKOSARENA_ENGINE_CHECKEDWINDOWS_HPP

#include <KokkosArena_GrowthPolicy.hpp>
#include <engine/KokkosArena_CheckedMemory.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace KokkosArena::Impl {

class ArenaTrace;

/// Addresses with pages behind them.
struct CheckedWindow {
  std::uintptr_t begin = 0;
  std::size_t bytes    = 0;
};

/// \brief The windows of checked memory that a store has: those that are in
/// use, and spares, whose pages wait at fresh addresses. Knows nothing of what
/// is in a window. Threads: not synchronised.
class CheckedWindows {
 public:
  struct Options {
    std::size_t history_length;  ///< Of cycles.
    std::size_t initial_bytes;   ///< Of a cycle's first window, at least.
    std::size_t maximum_bytes;   ///< None is larger, but where it has to be.
    bool guard_pages;  ///< Single pages are protected, and would move so.
    bool huge_pages;
  };

  /// \param[in] trace  Null: none. Outlives end().
  CheckedWindows(CheckedMemory& memory, Options const& options,
                 ArenaTrace* trace);
  CheckedWindows(CheckedWindows const&)            = delete;
  CheckedWindows& operator=(CheckedWindows const&) = delete;

  /// \param[in] held      By what needs it, in windows that don't suffice.
  /// \param[out] failure  Why there is none, if so.
  /// \return A window of at least so many bytes; an empty one if there is none.
  /// \throws std::bad_alloc  Nothing has changed then.
  CheckedWindow acquire(std::size_t needed, std::size_t held,
                        char const*& failure);
  /// \brief Undoes the last acquire(), of which nothing was used.
  void undo_acquire(CheckedWindow const& window) noexcept;

  /// \brief Makes the addresses invalid. Takes no heap memory.
  /// \param[in] keep  The pages, if they can be moved, as a spare.
  void drop(CheckedWindow const& window, bool keep) noexcept;

  /// \brief Says that one window was too small for the cycle.
  void note_overflow() noexcept { m_has_overflown = true; }
  /// \brief To be called before a cycle's windows are dropped.
  /// \param[in] peak            Bytes that it had in use at once.
  /// \param[in] largest_in_use  Of the windows.
  /// \return Whether windows such as these are to serve the next cycle.
  bool end_cycle(std::size_t peak, std::size_t largest_in_use) noexcept;
  /// \brief To be called after they were dropped.
  /// \param[in] keep  As many spares as were in use at once; otherwise none.
  void start_cycle(bool keep) noexcept;
  /// \brief Gives the spares back. \pre Nothing is in use or acquired later.
  void end() noexcept;

  CheckedMemory& memory() const noexcept { return m_memory; }

  // What it has now, in use or spare.
  std::size_t count() const noexcept { return m_in_use + m_spares.size(); }
  std::size_t bytes() const noexcept { return m_bytes; }
  // What it ever asked for.
  std::uint64_t acquired() const noexcept { return m_acquired; }
  std::uint64_t acquired_bytes() const noexcept { return m_acquired_bytes; }

 private:
  bool take_spare(std::size_t needed, CheckedWindow& window) noexcept;
  bool renew(CheckedWindow& window) noexcept;
  void release(CheckedWindow const& window) noexcept;

  CheckedMemory& m_memory;
  std::size_t const m_maximum_bytes;
  bool const m_guard_pages;
  bool const m_huge_pages;
  ArenaTrace* m_trace;
  GrowthPolicy m_growth;

  std::vector<CheckedWindow> m_spares;
  bool m_last_was_spare          = false;
  bool m_has_overflown           = false;
  std::size_t m_in_use           = 0;
  std::size_t m_most_in_use      = 0;  ///< At once, in this cycle; see drop().
  std::size_t m_bytes            = 0;
  std::uint64_t m_acquired       = 0;
  std::uint64_t m_acquired_bytes = 0;
};

}  // namespace KokkosArena::Impl

#endif
