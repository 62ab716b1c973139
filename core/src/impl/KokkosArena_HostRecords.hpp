// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_HOSTRECORDS_HPP
#define KOKKOSARENA_IMPL_HOSTRECORDS_HPP

#include <cstddef>

/// \file
/// Host memory for Kokkos' records of Views whose data lies where the host
/// can't write at any time. A thread keeps what it gives back, so that in
/// steady state the heap isn't asked.

namespace KokkosArena::Impl {

/// \throws std::bad_alloc
void* take_record_memory(std::size_t bytes);

/// \pre \c memory and \c bytes are those of one \c take_record_memory.
/// Threads: any, also another than the one that took it.
void give_back_record_memory(void* memory, std::size_t bytes) noexcept;

}  // namespace KokkosArena::Impl

#endif
