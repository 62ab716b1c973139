// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Pages.hpp"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
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

void* zeroed_pages(std::size_t bytes) noexcept {
  return map_pages(bytes, false);
}

void* reserve_addresses(std::size_t bytes) noexcept {
  void* const raw = mmap(nullptr, bytes + huge_page_bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  // The margins stay reserved: 2 MiB of addresses are not worth two calls.
  auto const begin = reinterpret_cast<std::uintptr_t>(raw);
  return reinterpret_cast<void*>((begin + huge_page_bytes - 1) /
                                 huge_page_bytes * huge_page_bytes);
}

void unreserve_addresses(void* address, std::size_t bytes) noexcept {
  munmap(address, bytes);
}

bool lend_pages(void* address, std::size_t bytes, bool huge_pages) noexcept {
  if (mmap(address, bytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  if (huge_pages && bytes >= huge_page_bytes) {
    madvise(address, bytes, MADV_HUGEPAGE);
  }
  return true;
}

bool move_pages([[maybe_unused]] void* from, [[maybe_unused]] void* to,
                [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(MREMAP_DONTUNMAP)
  // The old mapping stays, without pages, until the reservation replaces it: at
  // no moment could another thread's mmap get these addresses.
  if (mremap(from, bytes, bytes,
             MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
             to) == MAP_FAILED) {
    return false;
  }
  take_pages_back(from, bytes);
  return true;
#else
  return false;
#endif
}

void take_pages_back(void* address, std::size_t bytes) noexcept {
  if (mmap(address, bytes, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
           0) == MAP_FAILED) {
    // The pages stay; that nobody uses them is more important.
    protect_pages(address, bytes, false);
  }
}

void advise_huge_pages(void* address, std::size_t bytes) noexcept {
  madvise(address, bytes, MADV_HUGEPAGE);
}

void forget_pages(void* address, std::size_t bytes) noexcept {
  madvise(address, bytes, MADV_DONTNEED);
}

bool protect_pages(void* address, std::size_t bytes, bool accessible) noexcept {
  return mprotect(address, bytes,
                  accessible ? PROT_READ | PROT_WRITE : PROT_NONE) == 0;
}

std::size_t page_bytes() noexcept {
  static auto const bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
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

void* zeroed_pages(std::size_t bytes) noexcept { return std::calloc(bytes, 1); }

void* reserve_addresses(std::size_t bytes) noexcept {
  return ::operator new(bytes, std::align_val_t(huge_page_bytes), std::nothrow);
}
void unreserve_addresses(void* address, std::size_t) noexcept {
  ::operator delete(address, std::align_val_t(huge_page_bytes));
}
bool lend_pages(void*, std::size_t, bool) noexcept { return true; }
bool move_pages(void*, void*, std::size_t) noexcept { return false; }
void take_pages_back(void*, std::size_t) noexcept {}
void advise_huge_pages(void*, std::size_t) noexcept {}
void forget_pages(void*, std::size_t) noexcept {}
bool protect_pages(void*, std::size_t, bool) noexcept { return false; }
std::size_t page_bytes() noexcept { return 4096; }

#endif

}  // namespace KokkosArena::Impl
