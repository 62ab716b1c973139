// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Poison.hpp"

#if KOKKOSARENA_IMPL_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace KokkosArena::Impl {

#if KOKKOSARENA_IMPL_ASAN

void poison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __asan_poison_memory_region(reinterpret_cast<void const*>(begin), bytes);
}

void unpoison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __asan_unpoison_memory_region(reinterpret_cast<void const*>(begin), bytes);
}

#else

void poison_memory(std::uintptr_t, std::size_t) noexcept {}
void unpoison_memory(std::uintptr_t, std::size_t) noexcept {}

#endif

}  // namespace KokkosArena::Impl
