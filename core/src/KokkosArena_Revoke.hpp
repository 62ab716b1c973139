// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_REVOKE_HPP
#define KOKKOSARENA_REVOKE_HPP

namespace KokkosArena {

/// \brief When the addresses of CheckedSpace Views that were dropped begin to
/// fault. An access through a View is found at once, always; this is about raw
/// pointers, unmanaged Views, and libraries that are given such. The
/// environment variable KOKKOS_ARENA_REVOKE sets it for all arenas that are
/// made from then on, whatever their options say: window or at_once.
enum class Revoke {
  /// Cycles and frames of up to 256 KiB share a window of addresses, which
  /// faults as a whole once its 2 MiB are used up and dropped, and at the
  /// latest
  /// at \c release and at the arena's end. Until then, the first bytes of each
  /// View that was dropped are signalling NaNs. Others fault at once; so do the
  /// first two of an arena, and what can only be read by address (DynRankView,
  /// kokkos_malloc).
  window,
  /// Each fault at once. Costs about 8 us for each reset, and for each rewind
  /// and end of a frame that drops anything.
  at_once
};

namespace Impl {

/// \return What the environment asks for, or else this one.
/// \throws std::invalid_argument  It asks for none that exists.
Revoke revoke_or(Revoke otherwise);

}  // namespace Impl

}  // namespace KokkosArena

#endif
