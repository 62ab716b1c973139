// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_ADDRESSSLICES_HPP
#define KOKKOSARENA_ENGINE_ADDRESSSLICES_HPP

#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// What a slice of the addresses is. An enumeration of its own and no integer:
/// no store to an element of a View can change one, for all that the compiler
/// knows, so that it may take a check in a kernel out of loops.
enum class Slice : std::uint8_t {
  unused,
  dropped,
  valid,
  lost  ///< Somebody else may have it: never handed out.
};

/// \brief Which slices of a reserved range of addresses are handed out: each
/// once, until all have been. Knows no memory.
///
/// Threads: not synchronised.
class AddressSlices {
 public:
  static constexpr std::size_t none = ~std::size_t(0);

  constexpr AddressSlices() = default;
  /// \param[in] table  One for each slice, all unused.
  /// \param[in] bytes  Of a slice, for a message.
  AddressSlices(Slice* table, std::size_t count, std::size_t bytes) noexcept
      : m_table(table), m_count(count), m_slice_bytes(bytes) {}

  /// \brief So many in a row, valid from now on.
  /// \param[in] step  The first is a multiple of it.
  /// \return The first one; \c none if there are none. Once all have been
  /// handed out, those that were dropped longest ago are handed out again,
  /// which a line on stderr says.
  std::size_t take(std::size_t slices, std::size_t step) noexcept;
  /// \brief Gives back what nobody has seen, but for what is lost.
  void untake(std::size_t first, std::size_t slices) noexcept;
  /// \brief Makes what \c take gave invalid.
  void drop(std::size_t first, std::size_t slices) noexcept;

  /// \brief Never hands out again what \c take gave and nobody has seen.
  void lose(std::size_t first, std::size_t slices) noexcept;
  /// \brief Never hands out again what was dropped.
  void hand_out_once() noexcept { m_once = true; }

  /// \return Whether some have been handed out again.
  bool came_round() const noexcept { return m_came_round; }

  Slice operator[](std::size_t slice) const noexcept { return m_table[slice]; }
  std::size_t count() const noexcept { return m_count; }

 private:
  bool can_be_taken(Slice slice) const noexcept;

  Slice* m_table            = nullptr;
  std::size_t m_count       = 0;
  std::size_t m_slice_bytes = 0;
  std::size_t m_next        = 0;
  bool m_came_round         = false;
  bool m_once               = false;
};

}  // namespace KokkosArena::Impl

#endif
