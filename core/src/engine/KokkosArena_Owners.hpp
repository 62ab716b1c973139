// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_OWNERS_HPP
#define KOKKOSARENA_ENGINE_OWNERS_HPP

#include <cstddef>
#include <cstdint>

/// \file
/// Whose an address is, for memory that comes back through something that
/// doesn't know where it came from. Runs of addresses have a table of their own
/// (KokkosArena_HostAddresses.hpp); here is what other upstreams have given.

namespace KokkosArena::Impl {

class Core;

/// \brief Says that [begin, end) is the core's.
/// \throws std::bad_alloc  Nothing has changed then.
/// Cost: a lock and heap memory. Threads: any.
void add_block_owner(std::uintptr_t begin, std::uintptr_t end, Core* core);

/// \brief Says that the block which begins there is nobody's any more.
/// Cost: a lock. Threads: any.
void remove_block_owner(std::uintptr_t begin) noexcept;

/// \return The core whose memory holds the address, or null.
/// Cost: two loads for what is in a run; else a lock and a search among the
/// blocks of all arenas, unless the address is outside of them all.
/// Threads: any.
Core* find_core(void const* address) noexcept;

}  // namespace KokkosArena::Impl

#endif
