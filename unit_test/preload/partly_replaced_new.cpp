// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plain operators of a program's own, which make room in front of what they
// give; those of the library call them.
#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  auto const room = static_cast<std::size_t>(alignment);
  auto* const all =
      static_cast<char*>(std::aligned_alloc(room, (bytes / room + 2) * room));
  if (!all) throw std::bad_alloc();
  new (all) std::size_t(room);
  return all + room;
}

void operator delete(void* address, std::align_val_t alignment) noexcept {
  if (!address) return;
  auto* const all =
      static_cast<char*>(address) - static_cast<std::size_t>(alignment);
  if (*reinterpret_cast<std::size_t const*>(all) !=
      static_cast<std::size_t>(alignment)) {
    std::abort();
  }
  std::free(all);
}
