// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_UPSTREAM_HPP
#define KOKKOSARENA_IMPL_UPSTREAM_HPP

#include <KokkosArena_Concepts.hpp>
#include <impl/KokkosArena_AdoptionPause.hpp>
#include <impl/KokkosArena_Pages.hpp>
#include <impl/KokkosArena_Poison.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

namespace KokkosArena::Impl {

/// Where an arena gets its blocks. Called once a block, never in a steady
/// state, so a virtual call and a fence cost nothing there.
class Upstream {
 public:
  Upstream()                           = default;
  Upstream(Upstream const&)            = delete;
  Upstream& operator=(Upstream const&) = delete;
  virtual ~Upstream()                  = default;

  /// \return At least \c bytes; throws whatever the space throws, or
  /// std::bad_alloc.
  virtual void* allocate(std::size_t bytes) = 0;
  /// What the arena has poisoned is unpoisoned then.
  virtual void deallocate(void* address, std::size_t bytes) noexcept = 0;
  /// \return Whether the arena is to poison what is free.
  virtual bool is_poisonable() const noexcept = 0;
};

/// Memory upstream, as Kokkos Tools see it.
inline constexpr char const* block_label = "KokkosArena::block";

/// \brief Tells Kokkos Tools of host pages as of an allocation in HostSpace.
inline void report_pages_taken(void const* address, std::size_t bytes) {
  if (!Kokkos::Tools::profileLibraryLoaded()) return;
  AdoptionPause const pause;
  Kokkos::Tools::allocateData(
      Kokkos::Tools::make_space_handle(Kokkos::HostSpace::name()), block_label,
      address, bytes);
}

/// \brief The same before they are given back.
inline void report_pages_given_back(void const* address, std::size_t bytes) {
  if (!Kokkos::Tools::profileLibraryLoaded()) return;
  AdoptionPause const pause;
  Kokkos::Tools::deallocateData(
      Kokkos::Tools::make_space_handle(Kokkos::HostSpace::name()), block_label,
      address, bytes);
}

/// A Kokkos memory space as upstream; HostSpace by pages of its own, which
/// Kokkos Tools see as an allocation like any other. The arena's lock is held
/// then: a callback must not call the arena.
template <class MemorySpace, class ExecutionSpace>
class SpaceUpstream final : public Upstream {
 public:
  SpaceUpstream(ExecutionSpace const& instance, bool huge_pages)
      : m_instance(instance), m_huge_pages(huge_pages) {}

  void* allocate(std::size_t bytes) override {
    if constexpr (std::is_same_v<MemorySpace, Kokkos::HostSpace>) {
      void* const pages = map_pages(bytes, m_huge_pages);
      if (!pages) throw std::bad_alloc();
      report_pages_taken(pages, bytes);
      return pages;
    } else {
      AdoptionPause const pause;
      return m_space.allocate(block_label, bytes);
    }
  }

  void deallocate(void* address, std::size_t bytes) noexcept override {
    AdoptionPause const pause;
    if constexpr (!is_synchronous_v<ExecutionSpace>) {
      m_instance.fence("KokkosArena: before a block is given back");
    }
    if (is_poisonable()) {
      unpoison(reinterpret_cast<std::uintptr_t>(address), bytes);
    }
    if constexpr (std::is_same_v<MemorySpace, Kokkos::HostSpace>) {
      report_pages_given_back(address, bytes);
      unmap_pages(address, bytes);
    } else {
      m_space.deallocate(block_label, address, bytes);
    }
  }

  bool is_poisonable() const noexcept override {
    // A host kernel that the program doesn't wait for may rightly read what the
    // program has dropped. Those of devices aren't watched.
    constexpr bool kernels_are_watched =
        !is_synchronous_v<ExecutionSpace> &&
        Kokkos::SpaceAccessibility<ExecutionSpace,
                                   Kokkos::HostSpace>::accessible;
    return has_address_sanitizer && !kernels_are_watched &&
           Kokkos::SpaceAccessibility<Kokkos::DefaultHostExecutionSpace,
                                      MemorySpace>::accessible;
  }

 private:
  // Synchronous spaces need no fence; a copy of their instance would only
  // have to be given back before Kokkos is finalised.
  struct NoInstance {
    explicit NoInstance(ExecutionSpace const&) {}
  };
  using instance_type = std::conditional_t<is_synchronous_v<ExecutionSpace>,
                                           NoInstance, ExecutionSpace>;

  [[no_unique_address]] MemorySpace m_space;
  [[no_unique_address]] instance_type m_instance;
  bool m_huge_pages;
};

}  // namespace KokkosArena::Impl

#endif
