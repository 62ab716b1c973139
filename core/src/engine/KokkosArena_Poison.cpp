// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Poison.hpp"

#if KOKKOSARENA_IMPL_ASAN
#include <sanitizer/asan_interface.h>
#elif KOKKOSARENA_IMPL_MSAN
#include <sanitizer/msan_interface.h>
#elif __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define KOKKOSARENA_IMPL_VALGRIND 1
#endif

namespace KokkosArena::Impl {

#if KOKKOSARENA_IMPL_ASAN

bool runs_on_valgrind() noexcept { return false; }

void poison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __asan_poison_memory_region(reinterpret_cast<void const*>(begin), bytes);
}

void unpoison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __asan_unpoison_memory_region(reinterpret_cast<void const*>(begin), bytes);
}

#elif KOKKOSARENA_IMPL_MSAN

bool runs_on_valgrind() noexcept { return false; }

void poison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __msan_poison(reinterpret_cast<void const*>(begin), bytes);
}

// It has no accesses that are wrong, only contents that nobody has written. So
// whoever gets memory from upstream finds it as if it came from malloc.
void unpoison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  __msan_allocated_memory(reinterpret_cast<void const*>(begin), bytes);
}

#elif defined(KOKKOSARENA_IMPL_VALGRIND)

bool runs_on_valgrind() noexcept {
  // Its other tools, callgrind for one, have no answer to memcheck's requests.
  static bool const result = [] {
    int some = 0;
    return VALGRIND_MAKE_MEM_DEFINED(&some, sizeof(some)) != 0;
  }();
  return result;
}

void poison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  static_cast<void>(VALGRIND_MAKE_MEM_NOACCESS(begin, bytes));
}

void unpoison_memory(std::uintptr_t begin, std::size_t bytes) noexcept {
  static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(begin, bytes));
}

#else

bool runs_on_valgrind() noexcept { return false; }
void poison_memory(std::uintptr_t, std::size_t) noexcept {}
void unpoison_memory(std::uintptr_t, std::size_t) noexcept {}

#endif

}  // namespace KokkosArena::Impl
