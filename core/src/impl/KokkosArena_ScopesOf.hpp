// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_SCOPESOF_HPP
#define KOKKOSARENA_IMPL_SCOPESOF_HPP

#include <engine/KokkosArena_Core.hpp>

#include <cstdint>

/// \file
/// What the scopes that hold for the calling thread say of an arena.

namespace KokkosArena::Impl {

/// \throws std::logic_error  The caller is inside a region of several threads
/// that draws from the arena by a scope around the region.
/// \param[in] operation  What the arena was asked for, for the message.
void check_no_region_uses(Core const& core, char const* operation);

/// \return The epoch of the mark of the innermost ArenaFrame on the arena; 0 if
/// there is none.
std::uint64_t current_frame(Core const& core) noexcept;

}  // namespace KokkosArena::Impl

#endif
