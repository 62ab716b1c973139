// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_CHECKEDACCESS_HPP
#define KOKKOSARENA_IMPL_CHECKEDACCESS_HPP

#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_CheckedAllocation.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>

#include <string>

namespace KokkosArena::Impl {

/// \brief Where Kokkos' hook that knows a View's extents leaves them for the
/// one that makes its record, which doesn't. Of the calling thread.
ViewExtents& next_view_extents() noexcept;

/// \throws std::invalid_argument  The address is in an arena's unchecked
/// memory.
void refuse_unchecked(void const* address, std::string const& label);

/// \brief Throws InvalidViewAccess; in a parallel region, from where it
/// couldn't be caught, ends the program with the same message.
/// \return Never, which g++ is not to know: see check_access().
#if defined(__GNUC__) && !defined(__clang__)
[[gnu::pure, gnu::cold]]
#else
[[noreturn]]
#endif
int invalid_access(void const* address);

/// \brief The same as an ordinary call: g++ leaves out one of a pure function
/// whose result isn't used.
inline void report_invalid(void const* address) {
#if defined(__GNUC__) && !defined(__clang__)
  auto const result = invalid_access(address);
  asm volatile("" : : "r"(result));
#else
  invalid_access(address);
#endif
}

/// \brief To be called with the address of a View's data before an access.
///
/// g++ takes the checks of all Views out of a loop only if nothing in it may
/// end it, as an ordinary call might and a noreturn one does. A call of a pure
/// function doesn't; for g++ it may throw all the same (its manual on
/// -fdelete-dead-exceptions), but is left out where its result isn't used, for
/// which there is an assembler statement without any instructions. clang++
/// takes the checks out if the call is noreturn; to it a pure function can't
/// throw.
inline void check_access(void const* address) {
  if (may_be_dropped(address)) [[unlikely]] {
    if (*page_of(address) == CheckedPage::dropped) [[unlikely]] {
      report_invalid(address);
    }
  }
}

}  // namespace KokkosArena::Impl

#endif
