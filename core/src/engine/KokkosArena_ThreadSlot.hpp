// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_THREADSLOT_HPP
#define KOKKOSARENA_ENGINE_THREADSLOT_HPP

namespace KokkosArena::Impl {

/// Threads that can have a slot at the same time.
inline constexpr unsigned thread_slots = 512;

/// \brief What a thread that has no slot has instead.
inline constexpr unsigned no_thread_slot = ~0u;

/// Compiled into the library, since a header would make one for each shared
/// library; and of the model that needs no call, as it is small enough for the
/// room that every thread has for such variables.
#if !defined(__CUDACC__)  // whose front end doesn't know it
[[gnu::tls_model("initial-exec")]]
#endif
extern constinit thread_local unsigned t_thread_slot;

/// \return A small number that no other living thread has, or no_thread_slot
/// before the first acquire_thread_slot(). What is kept for a slot goes over to
/// the next thread that gets it, with all that its last one wrote.
inline unsigned thread_slot() noexcept { return t_thread_slot; }

/// \brief Gives the calling thread the smallest free slot until it ends.
/// \return It, or no_thread_slot if all are taken, or in a thread whose
/// thread-local variables are being destroyed.
unsigned acquire_thread_slot() noexcept;

}  // namespace KokkosArena::Impl

#endif
