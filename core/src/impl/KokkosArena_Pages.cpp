// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Pages.hpp"

#include <cstdint>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t huge_page_bytes = std::size_t(2) << 20;

/// Whole huge pages, so that the last one can be huge as well; 0 on overflow.
std::size_t mapped_bytes(std::size_t bytes) noexcept {
  if (bytes < huge_page_bytes) return bytes;
  if (bytes > std::numeric_limits<std::size_t>::max() - 2 * huge_page_bytes) {
    return 0;
  }
  return (bytes + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
}

}  // namespace

#if defined(__linux__)

void* map_pages(std::size_t bytes, bool huge_pages) noexcept {
  auto const length = mapped_bytes(bytes);
  if (length == 0) return nullptr;
  bool const aligned = length >= huge_page_bytes;
  auto const margin  = aligned ? huge_page_bytes : 0;
  void* const raw    = mmap(nullptr, length + margin, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  if (!aligned) return raw;
  auto const begin = reinterpret_cast<std::uintptr_t>(raw);
  auto const start =
      (begin + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  if (start > begin) munmap(raw, start - begin);
  if (auto const tail = begin + margin - start; tail > 0) {
    munmap(reinterpret_cast<void*>(start + length), tail);
  }
  auto* const address = reinterpret_cast<void*>(start);
  if (huge_pages) madvise(address, length, MADV_HUGEPAGE);
  return address;
}

void unmap_pages(void* address, std::size_t bytes) noexcept {
  munmap(address, mapped_bytes(bytes));
}

#else

void* map_pages(std::size_t bytes, bool) noexcept {
  auto const length = mapped_bytes(bytes);
  if (length == 0) return nullptr;
  return ::operator new(length, std::align_val_t(4096), std::nothrow);
}

void unmap_pages(void* address, std::size_t) noexcept {
  ::operator delete(address, std::align_val_t(4096));
}

#endif

}  // namespace KokkosArena::Impl
