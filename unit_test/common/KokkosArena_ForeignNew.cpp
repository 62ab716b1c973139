// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of a program's own, which win over those of a library.
#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(std::size_t bytes, std::align_val_t alignment,
                   std::nothrow_t const&) noexcept {
  auto const multiple = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(multiple, (bytes / multiple + 1) * multiple);
}
void operator delete(void* address, std::align_val_t) noexcept {
  std::free(address);
}
void operator delete(void* address, std::align_val_t,
                     std::nothrow_t const&) noexcept {
  std::free(address);
}
