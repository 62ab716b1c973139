// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Pages.hpp"

#include <cerrno>
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

// A range that was reserved is ours as long as there is no hole in it: nobody
// else is given addresses that are mapped. So MAP_FIXED over all of it replaces
// nothing but our own, and while the system is at it, no other thread can get
// in between. But where that fails, the old mapping may be gone (the kernel
// unmaps first, and then finds that it has no memory or that a limit would be
// passed); then others may get the addresses at any time.

void* reserve_addresses(std::size_t bytes) noexcept {
  // Not MAP_NORESERVE: what can't be accessed costs nothing, and once it can
  // be, the system is to see whether it has that much memory at all.
  void* const raw = mmap(nullptr, bytes + huge_page_bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  // The margins stay reserved: 2 MiB of addresses are not worth two calls.
  auto const begin = reinterpret_cast<std::uintptr_t>(raw);
  return reinterpret_cast<void*>((begin + huge_page_bytes - 1) /
                                 huge_page_bytes * huge_page_bytes);
}

void unreserve_addresses(void* address, std::size_t bytes) noexcept {
  munmap(address, bytes);
}

namespace {

/// \brief Reserves again what a change that has failed may have left unmapped.
/// \return Whether all of it was, so that it is ours. Otherwise some of it is
/// mapped: by us, if the change has failed early, or by somebody else.
bool reserve_again(void* address, std::size_t bytes) noexcept {
#if defined(MAP_FIXED_NOREPLACE)
  void* const got =
      mmap(address, bytes, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == address) return true;
  // To a system that doesn't know the flag, the address is a wish.
  if (got != MAP_FAILED) munmap(got, bytes);
#endif
  return false;
}

/// \brief The same mapping over a range that is ours: see above.
bool replace_own(void* address, std::size_t bytes, int protection) noexcept {
  return mmap(address, bytes, protection,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

}  // namespace

PageChange lend_pages(void* address, std::size_t bytes,
                      bool huge_pages) noexcept {
  // Of our own reservation, which has no pages yet: unlike mmap, this can't
  // leave a hole, and it fails where there is one.
  if (!protect_pages(address, bytes, true)) {
    // Memory, a limit, or too many mappings; in part, at most.
    if (errno == ENOMEM) {
      static_cast<void>(protect_pages(address, bytes, false));
      return PageChange::undone;
    }
    // A filter of system calls.
    if (!replace_own(address, bytes, PROT_READ | PROT_WRITE)) {
      return reserve_again(address, bytes) ? PageChange::undone
                                           : PageChange::lost;
    }
  }
  if (huge_pages && bytes >= huge_page_bytes) {
    madvise(address, bytes, MADV_HUGEPAGE);
  }
  return PageChange::done;
}

PageChange move_pages([[maybe_unused]] void* from, [[maybe_unused]] void* to,
                      [[maybe_unused]] std::size_t bytes,
                      [[maybe_unused]] bool& old_ones_fault) noexcept {
#if defined(MREMAP_DONTUNMAP)
  // The old mapping stays, without pages, until the reservation replaces it: at
  // no moment could another thread's mmap get these addresses. The new ones are
  // our own reservation, which the system unmaps first.
  if (mremap(from, bytes, bytes,
             MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
             to) != MAP_FAILED) {
    old_ones_fault = take_pages_back(from, bytes);
    return PageChange::done;
  }
  // A system that can't do that, or mustn't, says so before it begins.
  bool const has_begun = errno != EINVAL && errno != ENOSYS && errno != EPERM;
  return !has_begun || reserve_again(to, bytes) ? PageChange::undone
                                                : PageChange::lost;
#else
  return PageChange::undone;
#endif
}

bool take_pages_back(void* address, std::size_t bytes) noexcept {
  // What fails without a hole, for too many mappings, leaves the pages where
  // they are. mprotect() would need as many; and if it is a hole after all, it
  // might change what others have mapped there.
  return replace_own(address, bytes, PROT_NONE) ||
         reserve_again(address, bytes);
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
PageChange lend_pages(void*, std::size_t, bool) noexcept {
  return PageChange::done;
}
PageChange move_pages(void*, void*, std::size_t, bool&) noexcept {
  return PageChange::undone;
}
bool take_pages_back(void*, std::size_t) noexcept { return true; }
void advise_huge_pages(void*, std::size_t) noexcept {}
void forget_pages(void*, std::size_t) noexcept {}
bool protect_pages(void*, std::size_t, bool) noexcept { return false; }
std::size_t page_bytes() noexcept { return 4096; }

#endif

}  // namespace KokkosArena::Impl
