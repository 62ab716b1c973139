// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDADDRESSES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDADDRESSES_HPP

#include <engine/KokkosArena_AddressSlices.hpp>

#include <cstddef>
#include <cstdint>

// It is told of the one race that is meant; see CheckedAddresses.
#if defined(__SANITIZE_THREAD__)
#define KOKKOSARENA_IMPL_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KOKKOSARENA_IMPL_THREAD_SANITIZER
#endif
#endif

/// \file
/// The addresses that checked memory lives at. They are handed out once, so
/// that an address tells whether what was there is still valid.

namespace KokkosArena::Impl {

/// Bytes of a slice.
inline constexpr unsigned slice_shift    = 18;
inline constexpr std::size_t slice_bytes = std::size_t(1) << slice_shift;

/// The reserved range, empty where the system has none; the end of what has
/// ever been dropped of it; and what its slices are: see slice_of().
///
/// Plain variables, since an atomic load in each access can't be taken out of a
/// loop and makes it two to six times slower. That is right: the range and the
/// table's place never change once the program runs. A slice becomes valid
/// before its first View is made, so whoever has that View, or a copy, is
/// ordered after the change. When an arena drops its Views, their slices become
/// dropped, and the end moves up. Other threads may read the end meanwhile, a
/// word: for an address that stays valid, the old one and the new one lead to
/// the same answer. In a program with a use after that, a thread that reads the
/// old one or has taken the check out of a running loop accesses addresses that
/// fault.
struct CheckedAddresses {
  char const* begin;
  char const* end;
  char const* dropped_end;
  /// As if the slices began at address 0, which saves instructions: not to be
  /// used as an array.
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

/// \pre The address is in the range.
inline Slice* slice_of(void const* address) noexcept {
  return reinterpret_cast<Slice*>(
      reinterpret_cast<std::uintptr_t>(checked_addresses.table) +
      (reinterpret_cast<std::uintptr_t>(address) >> slice_shift) *
          sizeof(Slice));
}

/// \brief The first thing to ask, without a look at the table.
///
/// Fresh addresses come after those that were dropped, so what was made last
/// isn't among them, and memory of the base space isn't. It is one compare of
/// variables: a compiler may read these in front of a loop wherever the check
/// is in it, which it may do with the table only if the check comes always.
/// With "less", g++ makes the version of the loop that is without checks before
/// those with them, and it doesn't make many.
inline bool is_among_dropped(void const* address) noexcept {
#if defined(KOKKOSARENA_IMPL_THREAD_SANITIZER)
  auto const* const end =
      __atomic_load_n(&checked_addresses.dropped_end, __ATOMIC_RELAXED);
#else
  auto const* const end = checked_addresses.dropped_end;
#endif
  return reinterpret_cast<std::uintptr_t>(address) -
             reinterpret_cast<std::uintptr_t>(checked_addresses.begin) <
         static_cast<std::size_t>(end - checked_addresses.begin);
}

/// \brief Addresses that nobody uses, valid from now on, without memory.
/// \param[in] bytes  Rounded up to whole slices.
/// \return Aligned to 2 MiB from 2 MiB on; 0 if there are none. Once all have
/// been handed out, those that were dropped longest ago are handed out again,
/// which a line on stderr says. Threads: any.
std::uintptr_t take_addresses(std::size_t bytes) noexcept;

/// \brief Gives addresses back that nobody has seen. Threads: any.
void untake_addresses(std::uintptr_t begin, std::size_t bytes) noexcept;

/// \brief Never hands addresses out again that nobody has seen: others may have
/// got them. Threads: any.
void lose_addresses(std::uintptr_t begin, std::size_t bytes) noexcept;

/// \return Whether so few have been lost that more may be.
bool may_lose_addresses() noexcept;

/// \brief Never hands out again what was dropped, since for some of it that
/// would be wrong; a line on stderr says so. Threads: any.
void hand_addresses_out_once() noexcept;

/// \brief Makes what \c take_addresses gave invalid. Threads: any.
void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept;

}  // namespace KokkosArena::Impl

#endif
