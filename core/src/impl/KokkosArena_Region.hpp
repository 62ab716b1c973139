// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_REGION_HPP
#define KOKKOSARENA_IMPL_REGION_HPP

#include <cstdint>

/// \file
/// What the library knows of the parallel regions that host kernels run in.

namespace KokkosArena::Impl {

class RegionToken;

/// What bequeath() has changed, for revoke().
struct Bequest {
  RegionToken* token                = nullptr;
  std::uintptr_t previous_allocator = 0;      ///< 0: it was not changed.
  bool failed                       = false;  ///< No region will know it.
};

/// \brief Makes \c value known to the threads of the regions that this thread
/// launches until revoke(), nested regions included, and to no other thread.
///
/// OpenMP has one kind of value that every thread of a region, of whatever
/// team, inherits from the thread that launched it: internal control
/// variables. The default allocator is one (OpenMP 5.0, 2.5.3), and its handle
/// is the program's to make. So each token is an allocator with the properties
/// of the default one, and its handle stands for the value.
/// It fails where the program has set a default allocator itself, and where
/// there is no memory for a token. Cost: a few instructions once the thread has
/// a token. Without OpenMP nothing is done, and nothing fails.
Bequest bequeath(void const* value) noexcept;

/// \pre On the thread of the bequeath(), innermost first.
void revoke(Bequest const& bequest) noexcept;

/// \return The value that was bequeathed to this thread, or by it, last; null
/// if there is none, or if the program has set a default allocator of its own.
void const* inherited() noexcept;

/// \return Number of OpenMP regions around the caller; 0 without OpenMP.
int region_level() noexcept;

/// \return Whether the caller runs in a region of more than one thread.
bool in_parallel_region() noexcept;

/// \brief For a handler of what makes a View, before it throws on: inside a
/// region, out of which no exception can go, the program ends with its message.
void end_if_in_region();

/// \brief Throws; inside a region, ends the program with the message.
template <class Exception>
[[noreturn]] void throw_or_end(Exception const& exception) {
  try {
    throw exception;
  } catch (...) {
    end_if_in_region();
    throw;
  }
}

}  // namespace KokkosArena::Impl

#endif
