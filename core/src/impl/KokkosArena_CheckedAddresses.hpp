// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_CHECKEDADDRESSES_HPP
#define KOKKOSARENA_IMPL_CHECKEDADDRESSES_HPP

#include <cstddef>
#include <cstdint>

/// \file
/// The addresses that checked memory lives at. They are handed out once, so
/// that an address tells whether what was there is still valid.

namespace KokkosArena::Impl {

/// What a slice of the addresses is. An enumeration of its own and no integer:
/// no store to an element of a View can change one, for all that the compiler
/// knows, so that it may take the check out of loops.
enum class Slice : std::uint32_t { unused, dropped, valid };

/// Bytes of a slice.
inline constexpr unsigned slice_shift    = 18;
inline constexpr std::size_t slice_bytes = std::size_t(1) << slice_shift;

/// The reserved range, empty where the system has none, and what its slices
/// are: slice i at table[1 + i], and table[0] for all other addresses.
///
/// Plain variables, since an atomic load in each access can't be taken out of a
/// loop and makes it two to six times slower. That is right: the range and the
/// table's place never change once the program runs. A slice becomes valid
/// before its first View is made, so whoever has that View, or a copy, is
/// ordered after the change. It becomes dropped when an arena drops its Views:
/// no program without a use after that reads it meanwhile, and in a program
/// with one, a thread that reads the old value or has taken the check out of a
/// running loop accesses addresses that fault.
struct CheckedAddresses {
  char const* begin;
  char const* end;
  Slice* table;
};
extern CheckedAddresses checked_addresses;

/// \brief Reserves the range, if that hasn't been done.
/// \return Whether the system had addresses to reserve.
bool reserve_checked_addresses() noexcept;

/// Initialised when a program or a shared library is loaded that draws checked
/// memory, so that no other has the range.
template <class MemorySpace>
inline bool const checked_addresses_are_reserved = reserve_checked_addresses();

inline bool is_in_checked_addresses(void const* address) noexcept {
  return reinterpret_cast<std::uintptr_t>(address) -
             reinterpret_cast<std::uintptr_t>(checked_addresses.begin) <
         static_cast<std::size_t>(checked_addresses.end -
                                  checked_addresses.begin);
}

/// \return Whether the address is outside of the range, or in a slice that
/// hasn't been dropped.
inline bool is_valid(void const* address) noexcept {
  auto const offset = reinterpret_cast<std::uintptr_t>(address) -
                      reinterpret_cast<std::uintptr_t>(checked_addresses.begin);
  auto const size =
      static_cast<std::size_t>(checked_addresses.end - checked_addresses.begin);
  auto const index = offset < size ? 1 + (offset >> slice_shift) : 0;
  return checked_addresses.table[index] != Slice::dropped;
}

/// \brief Addresses that nobody uses, valid from now on, without memory.
/// \param[in] bytes  Rounded up to whole slices.
/// \return Aligned to 2 MiB from 2 MiB on; 0 if there are none. Once all have
/// been handed out, those that were dropped longest ago are handed out again,
/// which a line on stderr says. Threads: any.
std::uintptr_t take_addresses(std::size_t bytes) noexcept;

/// \brief Makes what \c take_addresses gave invalid. Threads: any.
void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept;

}  // namespace KokkosArena::Impl

#endif
