// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDMEMORY_HPP
#define KOKKOSARENA_ENGINE_CHECKEDMEMORY_HPP

#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// \brief Where a store has its checked memory: addresses that are handed out
/// once, and memory that is lent to them and moves on to others.
///
/// Ranges are whole pages. Threads: any.
class CheckedMemory {
 public:
  CheckedMemory()                                = default;
  CheckedMemory(CheckedMemory const&)            = delete;
  CheckedMemory& operator=(CheckedMemory const&) = delete;

  /// \return Addresses that nobody uses, valid from now on, without memory; 0
  /// if there are none.
  virtual std::uintptr_t take_addresses(std::size_t bytes) noexcept = 0;
  /// \brief Gives back addresses that nobody has seen. Those that a failed
  /// lend() or move() has lost stay lost.
  virtual void untake_addresses(std::uintptr_t begin,
                                std::size_t bytes) noexcept = 0;
  /// \brief Makes addresses invalid: accesses are refused from here on.
  virtual void drop_addresses(std::uintptr_t begin,
                              std::size_t bytes) noexcept = 0;
  /// \brief The same for a part of them, multiples of \c part_bytes, before
  /// all are dropped.
  virtual void drop_part(std::uintptr_t /*begin*/,
                         std::size_t /*bytes*/) noexcept {}
  /// \return A power of two; 0: parts can't be dropped.
  virtual std::size_t part_bytes() const noexcept { return 0; }
  /// \brief Fills memory with a pattern that shows, where it was dropped.
  virtual void spoil(std::uintptr_t /*begin*/, std::size_t /*bytes*/) noexcept {
  }

  /// \brief Says that accesses to a valid address are likely.
  virtual void expect_accesses(std::uintptr_t /*address*/) noexcept {}

  /// \return Whether there was memory.
  virtual bool lend(std::uintptr_t begin, std::size_t bytes,
                    bool huge_pages) noexcept = 0;
  /// \return Whether it could; otherwise nothing has happened.
  virtual bool move(std::uintptr_t from, std::uintptr_t to,
                    std::size_t bytes) noexcept                            = 0;
  virtual void take_back(std::uintptr_t begin, std::size_t bytes) noexcept = 0;

  /// Of each range, a multiple.
  virtual std::size_t page_bytes() const noexcept = 0;
  /// Whether single pages can be protected.
  virtual bool has_guard_pages() const noexcept { return false; }

  /// \brief Waits until no kernel uses memory that is about to be dropped.
  virtual void wait_for_kernels() noexcept {}
  /// \return Whether it is to be told what was dropped, for messages from where
  /// the ledger can't be read.
  virtual bool keeps_descriptions() const noexcept { return false; }
  /// \param[in] text  What is to be said of an access to [begin, end).
  virtual void describe(std::uintptr_t, std::uintptr_t, char const*) noexcept {}
  /// \brief All of a drop has been described.
  virtual void publish() noexcept {}

  // For who wants to know of all memory.

  virtual void report_taken(std::uintptr_t /*begin*/,
                            std::size_t /*bytes*/) const {}
  virtual void report_returned(std::uintptr_t /*begin*/,
                               std::size_t /*bytes*/) const {}

 protected:
  ~CheckedMemory() = default;
};

}  // namespace KokkosArena::Impl

#endif
