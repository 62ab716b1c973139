// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDADDRESSES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDADDRESSES_HPP

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

/// Bytes that are handed out as a whole.
inline constexpr std::size_t slice_bytes = std::size_t(1) << 18;

/// Bytes that are dropped as a whole. Not the system's pages.
inline constexpr unsigned checked_page_shift    = 15;
inline constexpr std::size_t checked_page_bytes = std::size_t(1)
                                                  << checked_page_shift;

/// Of what is taken at once, only so much may be dropped page by page.
inline constexpr std::size_t most_bytes_with_pages = std::size_t(2) << 20;

// Enumerations of their own and no integers: no store to an element of a View
// can change one, for all that the compiler knows, so that it may take the
// check out of loops.

enum class CheckedPage : std::uint8_t {
  usable,  ///< Valid, or nobody has it.
  dropped
};

/// Pages, counted from where the range of addresses begins: the first, and in
/// the upper half how many.
enum class CheckedPages : std::uint64_t { none };

/// The reserved range, empty where the system has none; the end of what has
/// ever been dropped of it; some pages before that end of which none is
/// dropped; and what each page is: see page_of().
///
/// Plain variables, since an atomic load in each access can't be taken out of a
/// loop and makes it two to six times slower. That is right: the range and the
/// table's place never change once the program runs. Addresses become valid
/// before their first View is made, so whoever has that View, or a copy, is
/// ordered after the change. When an arena drops its Views, their pages leave
/// \c usable, become dropped, and the end moves up. Other threads may read
/// these meanwhile, each a word: for an address that stays valid, the old ones
/// and the new ones lead to the same answer. In a program with a use after
/// that, a thread that reads the old ones or has taken the check out of a
/// running loop accesses what it could as well have accessed just before.
struct CheckedAddresses {
  char const* begin;
  char const* end;
  char const* dropped_end;
  CheckedPages usable;
  /// As if the pages began at address 0, which saves instructions: not to be
  /// used as an array.
  CheckedPage* table;
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
inline CheckedPage* page_of(void const* address) noexcept {
  return reinterpret_cast<CheckedPage*>(
      reinterpret_cast<std::uintptr_t>(checked_addresses.table) +
      (reinterpret_cast<std::uintptr_t>(address) >> checked_page_shift));
}

/// \brief The first thing to ask, without a look at the table.
///
/// Fresh addresses come after those that were dropped, so what was made last
/// isn't among them, and memory of the base space isn't. Nor are the pages that
/// are known to be usable: most often those of a frame around the innermost
/// one. These are compares of variables: a compiler may read them in front of a
/// loop wherever the check is in it, which it may do with the table only if the
/// check comes always. They are one condition, without a branch, and with
/// "less", so that g++ makes the version of the loop that is without checks
/// before those with them; it doesn't make many.
inline bool may_be_dropped(void const* address) noexcept {
#if defined(KOKKOSARENA_IMPL_THREAD_SANITIZER)
  auto const* const end =
      __atomic_load_n(&checked_addresses.dropped_end, __ATOMIC_RELAXED);
  auto const usable = static_cast<std::uint64_t>(
      __atomic_load_n(&checked_addresses.usable, __ATOMIC_RELAXED));
#else
  auto const* const end = checked_addresses.dropped_end;
  auto const usable     = static_cast<std::uint64_t>(checked_addresses.usable);
#endif
  auto const begin  = reinterpret_cast<std::uintptr_t>(checked_addresses.begin);
  auto const offset = reinterpret_cast<std::uintptr_t>(address) - begin;
  auto const page   = static_cast<std::uint32_t>(offset >> checked_page_shift);
  bool const is_before_end =
      offset < reinterpret_cast<std::uintptr_t>(end) - begin;
  bool const is_elsewhere = page - static_cast<std::uint32_t>(usable) >=
                            static_cast<std::uint32_t>(usable >> 32);
  return is_before_end & is_elsewhere;
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

/// \brief Makes some of what \c take_addresses gave invalid. Threads: any.
/// \pre Whole pages, of not more than \c most_bytes_with_pages; they are
/// dropped as a whole later.
void drop_pages(std::uintptr_t begin, std::size_t bytes) noexcept;

/// \brief Makes all of what \c take_addresses gave invalid. Threads: any.
void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept;

/// \brief Says that accesses to a valid address are likely, so that those to it
/// and to what is usable around it need no look at the table. Threads: any.
void expect_accesses(std::uintptr_t address) noexcept;

}  // namespace KokkosArena::Impl

#endif
