// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostSpaceAdoption.hpp"

#include "KokkosArena_Error.hpp"
#include "engine/KokkosArena_AdoptionPause.hpp"
#include "engine/KokkosArena_Owners.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <stdexcept>

// The operators stand in the file of the constructor, so that a program that
// opens an adoption gets them from a static library, too.

namespace KokkosArena {

namespace {

using Impl::Adoption;

/// The alignment that Kokkos 4.7 to 5.2 asks for in HostSpace, by the nothrow
/// form of operator new (Kokkos_HostSpace.cpp). If another version asked
/// otherwise, an adoption would say that it has no effect.
constexpr std::size_t kokkos_alignment = 64;

/// Room for the size of the whole, in front of what is adopted.
constexpr std::size_t header_bytes = kokkos_alignment;

constinit thread_local Adoption* t_innermost = nullptr;

/// Whether anything has ever been adopted; without that, no address needs a
/// look-up. Not a count, which each thread would write for each temporary.
///
/// relaxed suffices: who frees something adopted has got its address from a
/// thread that had set this before, or had read that it is set, and it is never
/// unset. For every other address any answer will do.
constinit std::atomic<bool> s_has_adopted{false};

/// \return Null if the bytes have to come from malloc.
void* adopt(std::size_t bytes) noexcept {
  auto& adoption     = *t_innermost;
  adoption.was_asked = true;
  if (bytes < adoption.threshold_bytes || Impl::AdoptionPause::is_on()) {
    return nullptr;
  }
  // Of nothing, too, an address within the block.
  bytes = std::max<std::size_t>(bytes, 1);
  // A size that overflows is more than any arena has.
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  auto const all = bytes > most - header_bytes ? most : bytes + header_bytes;
  try {
    void* const memory =
        adoption.core->allocate_tracked(all, kokkos_alignment, "HostSpace");
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
  auto* const core = Impl::find_core(address);
  if (!core) return false;
  void* const memory = static_cast<std::byte*>(address) - header_bytes;
  auto const bytes   = *static_cast<std::size_t const*>(memory);
  core->deallocate_tracked(memory, bytes);
  return true;
}

/// What the operators do without this library.
void* allocate_ordinarily(std::size_t bytes, std::align_val_t alignment) {
  auto const multiple =
      std::max(static_cast<std::size_t>(alignment), sizeof(void*));
  bytes = std::max<std::size_t>(bytes, 1);
  for (;;) {
    // aligned_alloc wants a multiple.
    auto const rounded = Impl::align_up(bytes, multiple);
    void* const memory =
        rounded < bytes ? nullptr : std::aligned_alloc(multiple, rounded);
    if (memory) return memory;
    auto const handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}

void deallocate(void* address, std::align_val_t alignment) noexcept {
  if (static_cast<std::size_t>(alignment) == kokkos_alignment &&
      s_has_adopted.load(std::memory_order_relaxed) &&
      give_back_adopted(address)) {
    return;
  }
  std::free(address);
}

/// \brief Makes it the innermost for as long as this object exists.
class Opened {
 public:
  explicit Opened(Adoption& adoption) : m_adoption(adoption) {
    t_innermost = &m_adoption;
  }
  Opened(Opened const&)            = delete;
  Opened& operator=(Opened const&) = delete;
  ~Opened() { t_innermost = m_adoption.outer; }

 private:
  Adoption& m_adoption;
};

/// Whether Kokkos calls the operators below. Where they are in a shared
/// library, the program, one that was loaded before, or a sanitizer may have
/// others.
bool is_in_effect() {
  static bool const result = [] {
    Adoption probe{.core            = nullptr,
                   .threshold_bytes = std::numeric_limits<std::size_t>::max(),
                   .outer           = t_innermost};
    Opened const opened(probe);
    Kokkos::HostSpace const space;
    space.deallocate("KokkosArena::probe",
                     space.allocate("KokkosArena::probe", 64), 64);
    return probe.was_asked;
  }();
  return result;
}

}  // namespace

HostSpaceAdoption::HostSpaceAdoption(Impl::Core& core,
                                     std::size_t threshold_bytes)
    : m_adoption{.core            = &core,
                 .threshold_bytes = threshold_bytes,
                 .outer           = t_innermost} {
  if (!is_in_effect()) {
    throw std::logic_error(
        "KokkosArena: a HostSpaceAdoption of arena \"" + core.label() +
        "\" would have no effect, since Kokkos doesn't call the operator new "
        "of KokkosArena::adopt but another one: the program's, a library's "
        "or a sanitizer's (or this Kokkos was built for another alignment than "
        "64). Link KokkosArena::adopt into the program itself, or leave the "
        "other one out. For what is loaded later (dlopen, a module of Python), "
        "build it as a shared library and name that in LD_PRELOAD when the "
        "program is started");
  }
  core.open_scope();
  t_innermost = &m_adoption;
}

HostSpaceAdoption::~HostSpaceAdoption() {
  if (t_innermost != &m_adoption) {
    Impl::abort("a HostSpaceAdoption of arena \"" + m_adoption.core->label() +
                "\" ends on another thread than the one that opened it, or "
                "before one that was opened after it; keep it as a local "
                "variable");
  }
  t_innermost = m_adoption.outer;
  m_adoption.core->close_scope();
}

}  // namespace KokkosArena

// The array forms of the standard library call these, or match each other.

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return KokkosArena::allocate_ordinarily(bytes, alignment);
}

// Kokkos calls this one. Its alignment and form are those of nearly nothing
// else, so that other objects stay on the heap.
void* operator new(std::size_t bytes, std::align_val_t alignment,
                   std::nothrow_t const&) noexcept {
  using namespace KokkosArena;
  if (t_innermost && static_cast<std::size_t>(alignment) == kokkos_alignment) {
    if (void* const memory = adopt(bytes)) return memory;
  }
  try {
    return allocate_ordinarily(bytes, alignment);
  } catch (...) {
    return nullptr;
  }
}

void operator delete(void* address, std::align_val_t alignment) noexcept {
  KokkosArena::deallocate(address, alignment);
}

void operator delete(void* address, std::size_t,
                     std::align_val_t alignment) noexcept {
  KokkosArena::deallocate(address, alignment);
}

void operator delete(void* address, std::align_val_t alignment,
                     std::nothrow_t const&) noexcept {
  KokkosArena::deallocate(address, alignment);
}
