// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Adoption.hpp"

#include "KokkosArena_AdoptionPause.hpp"
#include "KokkosArena_Core.hpp"
#include "KokkosArena_Owners.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <dlfcn.h>
#endif

namespace KokkosArena::Impl {

namespace {

/// The alignment that versions 4.0 to 5.2 ask for in plain host memory, by the
/// nothrow form of operator new. If another version asked otherwise, an
/// adoption would say that it has no effect.
constexpr std::size_t adopted_alignment = 64;

/// Room for the size of the whole, in front of what is adopted.
constexpr std::size_t header_bytes = adopted_alignment;

constinit thread_local Adoption const* t_adoption = nullptr;
constinit thread_local std::uint32_t t_requests   = 0;

/// acquire pairs with the release that sets it: what it points to was made by
/// another thread.
constinit std::atomic<Adoption const*> s_adoption{nullptr};

/// Whether anything has ever been adopted; without that, no address needs a
/// look-up. Not a count, which each thread would write for each temporary.
///
/// relaxed suffices: who frees something adopted has got its address from a
/// thread that had set this before, or had read that it is set, and it is never
/// unset. For every other address any answer will do.
constinit std::atomic<bool> s_has_adopted{false};

/// \return Null if the bytes have to come from malloc.
void* adopt(Adoption const& adoption, std::size_t bytes) noexcept {
  ++t_requests;
  if (bytes < adoption.threshold_bytes || !adoption.core ||
      AdoptionPause::is_on()) {
    return nullptr;
  }
  // Of nothing, too, an address within the block.
  bytes = std::max<std::size_t>(bytes, 1);
  // A size that overflows is more than any arena has.
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  auto const all = bytes > most - header_bytes ? most : bytes + header_bytes;
  try {
    void* const memory =
        adoption.core->allocate_tracked(all, adopted_alignment, adoption.name);
    new (memory) std::size_t(all);
    if (!s_has_adopted.load(std::memory_order_relaxed)) [[unlikely]]
      s_has_adopted.store(true, std::memory_order_relaxed);
    return static_cast<std::byte*>(memory) + header_bytes;
  } catch (...) {
    adoption.core->counts().note_failed_adoption();
    return nullptr;
  }
}

/// \return Whether the address is an adopted one. Only then it is safe to look
/// at what is in front of it.
bool give_back_adopted(void* address) noexcept {
  auto* const core = find_core(address);
  if (!core) return false;
  void* const memory = static_cast<std::byte*>(address) - header_bytes;
  auto const bytes   = *static_cast<std::size_t const*>(memory);
  core->deallocate_tracked(memory, bytes);
  return true;
}

/// What the throwing operator does without this library.
void* allocate_ordinarily(std::size_t bytes, std::align_val_t alignment) {
  auto const multiple =
      std::max(static_cast<std::size_t>(alignment), sizeof(void*));
  bytes = std::max<std::size_t>(bytes, 1);
  for (;;) {
    // aligned_alloc wants a multiple.
    auto const rounded = align_up(bytes, multiple);
    void* const memory =
        rounded < bytes ? nullptr : std::aligned_alloc(multiple, rounded);
    if (memory) return memory;
    auto const handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}

/// \return Whether the address was an adopted one, which is given back then.
bool give_back(void* address, std::align_val_t alignment) noexcept {
  return static_cast<std::size_t>(alignment) == adopted_alignment &&
         s_has_adopted.load(std::memory_order_relaxed) &&
         give_back_adopted(address);
}

}  // namespace

Adoption const* current_adoption() noexcept {
  return t_adoption ? t_adoption : s_adoption.load(std::memory_order_acquire);
}
Adoption const* thread_adoption() noexcept { return t_adoption; }
void set_thread_adoption(Adoption const* adoption) noexcept {
  t_adoption = adoption;
}
void set_process_adoption(Adoption const* adoption) noexcept {
  s_adoption.store(adoption, std::memory_order_release);
}
std::uint32_t adoption_requests() noexcept { return t_requests; }

std::string other_operator() {
#if defined(__linux__)
  static constinit char of_this_copy = 0;
  void* const found = dlsym(RTLD_DEFAULT, "_ZnwmSt11align_val_tRKSt9nothrow_t");
  Dl_info other{}, own{};
  if (found && dladdr(found, &other) != 0 && dladdr(&of_this_copy, &own) != 0 &&
      other.dli_fbase != own.dli_fbase) {
    return other.dli_fname;
  }
#endif
  return {};
}

}  // namespace KokkosArena::Impl

// The array forms of the standard library call these, or match each other. What
// isn't adopted goes the standard's way: each form calls the plain one, which
// the program may have replaced. So that it is found, this file is compiled for
// interposition.

[[gnu::noinline]] void* operator new(std::size_t bytes,
                                     std::align_val_t alignment) {
  return KokkosArena::Impl::allocate_ordinarily(bytes, alignment);
}

// Views' memory comes from this one. Its alignment and form are those of nearly
// nothing else, so that other objects stay on the heap.
[[gnu::noinline]] void* operator new(std::size_t bytes,
                                     std::align_val_t alignment,
                                     std::nothrow_t const&) noexcept {
  using namespace KokkosArena::Impl;
  if (static_cast<std::size_t>(alignment) == adopted_alignment) {
    if (auto const* const adoption = current_adoption()) {
      if (void* const memory = adopt(*adoption, bytes)) return memory;
    }
  }
  try {
    return ::operator new(bytes, alignment);
  } catch (...) {
    return nullptr;
  }
}

[[gnu::noinline]] void operator delete(void* address,
                                       std::align_val_t alignment) noexcept {
  if (!KokkosArena::Impl::give_back(address, alignment)) std::free(address);
}

[[gnu::noinline]] void operator delete(void* address, std::size_t,
                                       std::align_val_t alignment) noexcept {
  if (!KokkosArena::Impl::give_back(address, alignment)) {
    ::operator delete(address, alignment);
  }
}

[[gnu::noinline]] void operator delete(void* address,
                                       std::align_val_t alignment,
                                       std::nothrow_t const&) noexcept {
  if (!KokkosArena::Impl::give_back(address, alignment)) {
    ::operator delete(address, alignment);
  }
}
