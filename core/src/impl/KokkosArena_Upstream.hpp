// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_UPSTREAM_HPP
#define KOKKOSARENA_IMPL_UPSTREAM_HPP

#include <KokkosArena_Concepts.hpp>
#include <impl/KokkosArena_AdoptionPause.hpp>
#include <impl/KokkosArena_Block.hpp>
#include <impl/KokkosArena_HostAddresses.hpp>
#include <impl/KokkosArena_Pages.hpp>
#include <impl/KokkosArena_Poison.hpp>
#include <impl/KokkosArena_ToolsNames.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <typeinfo>

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

  // Memory that grows in place.

  /// \brief A run of addresses, of which \c bytes are usable, for a block that
  /// may grow to \c most.
  /// \return An empty one if there are none, and there is \c allocate.
  virtual AddressRun begin_run(std::size_t /*bytes*/, std::size_t /*most*/) {
    return {};
  }
  /// \brief Changes how many bytes of it are usable. \return Whether that was
  /// possible; less always is.
  virtual bool resize_run(AddressRun, std::size_t /*from*/,
                          std::size_t /*to*/) noexcept {
    return false;
  }
  virtual void end_run(AddressRun, std::size_t /*bytes*/) noexcept {}
  /// \return Whether an arena is to go on around Views that outlive a reset,
  /// and not to retire their block.
  virtual bool leaves_survivors_in_place() const noexcept { return false; }

  // Where kernels run behind the host's back, what is given back may still be
  // in use. It is set aside then, and returned when the kernels have passed.

  /// \return Bytes that are set aside.
  virtual std::size_t bytes_set_aside() const noexcept { return 0; }
  /// \brief Returns what isn't in use any more. Not to be called on the way of
  /// a temporary: the memory space may wait for the whole device.
  virtual void return_what_has_passed() noexcept {}
  /// \brief Waits for the kernels and returns all.
  virtual void return_all() noexcept {}
  /// \return The instance in whose order memory is used again, if it is of that
  /// execution space; otherwise null.
  virtual void const* instance(std::type_info const&) const noexcept {
    return nullptr;
  }
  /// \brief Waits for that instance, of whatever execution space it is.
  virtual void fence(char const* /*why*/) const {}
};

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
/// launch returns; HostSpace by pages of its own, which Kokkos Tools see as an
/// allocation like any other. The arena's lock is held then: a callback must
/// not call the arena.
template <class MemorySpace>
class SpaceUpstream : public Upstream {
 public:
  explicit SpaceUpstream(bool huge_pages) : m_huge_pages(huge_pages) {}

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
    return has_address_sanitizer &&
           Kokkos::SpaceAccessibility<Kokkos::DefaultHostExecutionSpace,
                                      MemorySpace>::accessible;
  }

 protected:
  [[no_unique_address]] MemorySpace m_space;
  bool m_huge_pages;
};

/// \brief HostSpace where kernels end before their launch returns: blocks are
/// runs of addresses, which grow in place.
class HostUpstream final : public SpaceUpstream<Kokkos::HostSpace> {
 public:
  using SpaceUpstream::SpaceUpstream;

  AddressRun begin_run(std::size_t bytes, std::size_t most) override {
    auto const run = take_run(most);
    if (run.bytes >= bytes && extend_run(run, 0, usable(bytes), m_huge_pages)) {
      report_pages_taken(reinterpret_cast<void*>(run.begin), bytes);
      return run;
    }
    if (run.bytes > 0) give_back_run(run, 0);
    return {};
  }
  bool resize_run(AddressRun run, std::size_t from,
                  std::size_t to) noexcept override {
    if (usable(to) > usable(from) &&
        !extend_run(run, usable(from), usable(to), m_huge_pages)) {
      return false;
    }
    if (to < from) {
      if (is_poisonable()) unpoison(run.begin + to, from - to);
      shrink_run(run, usable(to), usable(from));
    }
    // As a tool that knows allocations by their address has to see it.
    report_pages_given_back(reinterpret_cast<void*>(run.begin), from);
    report_pages_taken(reinterpret_cast<void*>(run.begin), to);
    return true;
  }
  void end_run(AddressRun run, std::size_t bytes) noexcept override {
    if (is_poisonable()) unpoison(run.begin, bytes);
    report_pages_given_back(reinterpret_cast<void*>(run.begin), bytes);
    give_back_run(run, usable(bytes));
  }
  bool leaves_survivors_in_place() const noexcept override { return true; }

 private:
  static std::size_t usable(std::size_t bytes) noexcept {
    return align_up(bytes, run_page_bytes);
  }
};

}  // namespace KokkosArena::Impl

#endif
