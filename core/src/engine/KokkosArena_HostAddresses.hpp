// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_HOSTADDRESSES_HPP
#define KOKKOSARENA_ENGINE_HOSTADDRESSES_HPP

#include <cstddef>
#include <cstdint>

/// \file
/// One range of addresses, reserved without memory, in which all host arenas of
/// the process live. An arena has a run of it and makes more and more of that
/// usable, so that it grows in place; and who owns an address is one look at a
/// table.

namespace KokkosArena::Impl {

class Core;

/// Addresses in a row; without memory, but for what has been made usable.
struct AddressRun {
  std::uintptr_t begin = 0;
  std::size_t bytes    = 0;  ///< 0: there is none.
};

/// \brief A run that nobody else has.
/// \param[in] bytes  Rounded up; or more than any arena will need, for one that
///                   may grow without bound, which gets a share of the range.
/// \return An empty one if the system has no such range (ulimit -v, or
/// KOKKOS_ARENA_ADDRESS_BYTES), or if the range is used up. Threads: any.
AddressRun take_run(std::size_t bytes) noexcept;

/// \brief Gives it back; nothing of it is usable then, and no advice about its
/// pages is left. Threads: any.
void give_back_run(AddressRun run) noexcept;

/// \brief Says whose the run is from now on. Threads: any.
void set_owner(AddressRun run, Core* core) noexcept;

/// \return The owner of the run that the address is in; null if it is in none,
/// or in the run of nobody. Cost: two loads, no lock. Threads: any.
Core* owner_of(void const* address) noexcept;

// Of the pages of a run; both numbers are multiples of run_page_bytes, from the
// run's beginning on.

inline constexpr std::size_t run_page_bytes = std::size_t(64) << 10;

/// \brief Makes bytes usable from \c from to \c to. Nothing is touched.
/// \return Whether the system lets us.
bool extend_run(AddressRun run, std::size_t from, std::size_t to,
                bool huge_pages) noexcept;
/// \brief The opposite: the memory goes back to the system.
void shrink_run(AddressRun run, std::size_t from, std::size_t to) noexcept;
/// \brief Lets the memory of whole pages go, which stay usable and are zero
/// when they are touched again.
void discard_pages(std::uintptr_t begin, std::uintptr_t end) noexcept;

}  // namespace KokkosArena::Impl

#endif
