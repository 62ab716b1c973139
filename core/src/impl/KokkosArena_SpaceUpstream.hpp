// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_SPACEUPSTREAM_HPP
#define KOKKOSARENA_IMPL_SPACEUPSTREAM_HPP

#include <KokkosArena_Concepts.hpp>
#include <engine/KokkosArena_AdoptionPause.hpp>
#include <engine/KokkosArena_Poison.hpp>
#include <engine/KokkosArena_Upstream.hpp>
#include <impl/KokkosArena_ToolsNames.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// Memory upstream, as Kokkos Tools see it.
inline constexpr char const* block_label = "KokkosArena::block";

/// \brief Tells Kokkos Tools of host pages as of an allocation in HostSpace.
inline void report_pages_taken(void const* address, std::size_t bytes) {
  if (!Kokkos::Tools::profileLibraryLoaded() || !tools_see_spaces()) return;
  AdoptionPause const pause;
  Kokkos::Tools::allocateData(
      Kokkos::Tools::make_space_handle(Kokkos::HostSpace::name()), block_label,
      address, bytes);
}

/// \brief The same before they are given back.
inline void report_pages_given_back(void const* address, std::size_t bytes) {
  if (!Kokkos::Tools::profileLibraryLoaded() || !tools_see_spaces()) return;
  AdoptionPause const pause;
  Kokkos::Tools::deallocateData(
      Kokkos::Tools::make_space_handle(Kokkos::HostSpace::name()), block_label,
      address, bytes);
}

/// A Kokkos memory space as upstream of an arena whose kernels end before their
/// launch returns. The arena's lock is held then: a callback of Kokkos Tools
/// must not call the arena.
template <class MemorySpace>
class SpaceUpstream : public Upstream {
 public:
  explicit SpaceUpstream(bool /*huge_pages*/) {}

  void* allocate(std::size_t bytes) override {
    AdoptionPause const pause;
    return m_space.allocate(block_label, bytes);
  }

  void deallocate(void* address, std::size_t bytes) noexcept override {
    AdoptionPause const pause;
    if (is_poisonable()) {
      unpoison_memory(reinterpret_cast<std::uintptr_t>(address), bytes);
    }
    m_space.deallocate(block_label, address, bytes);
  }

  bool is_poisonable() const noexcept override {
    return has_memory_checker() && host_can_access_v<MemorySpace>;
  }
  char const* space_name() const noexcept override {
    return MemorySpace::name();
  }

 protected:
  [[no_unique_address]] MemorySpace m_space;
};

/// HostSpace, by pages of the library's own, which Kokkos Tools see as
/// allocations like any other.
template <>
class SpaceUpstream<Kokkos::HostSpace> : public HostUpstream {
 public:
  using HostUpstream::HostUpstream;

  // The program's answer, not the library's: see KokkosArena_Poison.hpp.
  bool is_poisonable() const noexcept override { return has_memory_checker(); }
  char const* space_name() const noexcept override {
    return Kokkos::HostSpace::name();
  }

 private:
  void report_taken(void const* address, std::size_t bytes) override {
    report_pages_taken(address, bytes);
  }
  void report_returned(void const* address,
                       std::size_t bytes) noexcept override {
    report_pages_given_back(address, bytes);
  }
};

}  // namespace KokkosArena::Impl

#endif
