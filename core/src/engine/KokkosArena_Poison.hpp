// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_POISON_HPP
#define KOKKOSARENA_ENGINE_POISON_HPP

#include <cstddef>
#include <cstdint>

/// \file
/// Tells AddressSanitizer, MemorySanitizer or valgrind what of an arena is
/// free, so that it reports whoever goes there by any pointer; the latter two
/// also what nobody has written yet, which is all that MemorySanitizer knows.
///
/// What allocates is compiled into the library in part, and in part, inline,
/// into the program. Memory that one of them poisons and the other doesn't
/// unpoison would make false reports, so both have to be built with the
/// sanitizer: without it the library's poison_memory() does nothing, and
/// without it the program's arenas, whose upstreams are made by its own code,
/// never ask for it (Upstream::is_poisonable()). In a program of which
/// only some files are built with it, all that use arenas have to be; for
/// MemorySanitizer, all libraries as well.
///
/// Whether a program runs on valgrind is known when it runs only. All
/// allocations go by the library then, as those of a traced arena.

// As GCC says it, and Clang, which alone has the other.
#if defined(__SANITIZE_ADDRESS__)
#define KOKKOSARENA_IMPL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KOKKOSARENA_IMPL_ASAN 1
#endif
#if __has_feature(memory_sanitizer)
#define KOKKOSARENA_IMPL_MSAN 1
#endif
#endif
#ifndef KOKKOSARENA_IMPL_ASAN
#define KOKKOSARENA_IMPL_ASAN 0
#endif
#ifndef KOKKOSARENA_IMPL_MSAN
#define KOKKOSARENA_IMPL_MSAN 0
#endif

namespace KokkosArena::Impl {

/// Whether the file that includes this one is built with AddressSanitizer or
/// MemorySanitizer.
inline constexpr bool has_memory_sanitizer =
    KOKKOSARENA_IMPL_ASAN || KOKKOSARENA_IMPL_MSAN;

// Of the library.

/// \return Whether the program runs on valgrind, and the library was built
/// where valgrind's header is.
bool runs_on_valgrind() noexcept;

/// \return Whether what is free is to be poisoned, where the host can access
/// it.
inline bool has_memory_checker() noexcept {
  return has_memory_sanitizer || runs_on_valgrind();
}

// \pre The host can access the memory.

void poison_memory(std::uintptr_t begin, std::size_t bytes) noexcept;
void unpoison_memory(std::uintptr_t begin, std::size_t bytes) noexcept;

/// \brief From now on every access to these bytes is reported.
/// \pre Both are multiples of 8; the host can access the memory.
inline void poison(std::uintptr_t begin, std::size_t bytes) noexcept {
  if constexpr (has_memory_sanitizer) poison_memory(begin, bytes);
}

/// \brief Every access is right again, once it was written.
/// \pre \c begin is a multiple of 8; the host can access the memory.
inline void unpoison(std::uintptr_t begin, std::size_t bytes) noexcept {
  if constexpr (has_memory_sanitizer) unpoison_memory(begin, bytes);
}

}  // namespace KokkosArena::Impl

#endif
