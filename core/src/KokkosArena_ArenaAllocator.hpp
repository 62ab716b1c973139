// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENAALLOCATOR_HPP
#define KOKKOSARENA_ARENAALLOCATOR_HPP

#include <KokkosArena_Arena.hpp>
#include <KokkosArena_ArenaScope.hpp>
#include <impl/KokkosArena_Region.hpp>

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <type_traits>

/// \file
/// Memory of arenas for the C++ library's containers. What a container has
/// counts as a live View: it stays where it is over resets, and also if the
/// arena ends before the container. Of the arena's own memory, as ScopedSpace
/// has it; nothing is checked.

namespace KokkosArena {

namespace Impl {

/// \brief Memory that counts as a live allocation. Inside a parallel region,
/// from where nobody could catch it, an error ends the program.
/// \throws ArenaExhausted
inline void* allocate_for_container(Core& core, std::size_t bytes,
                                    std::size_t alignment,
                                    char const* label) try {
  // Each has an address of its own.
  return core.allocate_tracked(std::max<std::size_t>(bytes, 1),
                               std::max(alignment, granule), label);
} catch (...) {
  end_if_in_region();
  throw;
}

inline void deallocate_of_container(Core& core, void* address,
                                    std::size_t bytes) noexcept {
  core.deallocate_tracked(address, std::max<std::size_t>(bytes, 1));
}

}  // namespace Impl

/// \brief A \c std::pmr::memory_resource over an arena whose memory the host
/// can access, for containers such as \c std::pmr::vector.
///
/// Containers may outlive resets and the arena, but no longer grow then: to
/// take memory, the arena has to exist. The resource itself lives as long as
/// they do.
///
///     ArenaResource resource(arena);
///     std::pmr::vector<std::pmr::string> names(&resource);
///
/// Cost: that of a View's memory; no heap memory and no fence in steady state.
/// Threads: as the arena's sync policy says.
/// \see std::pmr::monotonic_buffer_resource, which gives nothing back.
class ArenaResource : public std::pmr::memory_resource {
 public:
  template <class Space, class Sync>
    requires(Impl::host_can_access_v<typename Arena<Space, Sync>::memory_space>)
  explicit ArenaResource(Arena<Space, Sync>& arena) noexcept
      : m_core(&arena.impl_core()) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return Impl::allocate_for_container(*m_core, bytes, alignment,
                                        "ArenaResource");
  }
  void do_deallocate(void* address, std::size_t bytes, std::size_t) override {
    Impl::deallocate_of_container(*m_core, address, bytes);
  }
  bool do_is_equal(
      std::pmr::memory_resource const& other) const noexcept override {
    auto const* const resource = dynamic_cast<ArenaResource const*>(&other);
    return resource && resource->m_core == m_core;
  }

  Impl::Core* m_core;
};

/// \brief An allocator for the C++ library's containers: by default of the
/// HostSpace arena in whose scope it is made, else of the heap.
///
///     template <class T>
///     using Vector = std::vector<T, ArenaAllocator<T>>;
///
/// Containers may outlive resets and the arena, but no longer grow then. A copy
/// of a container has the allocator that a new one would have where the copy is
/// made; what is moved or swapped takes its memory along.
///
/// Cost: that of a View's memory; no heap memory and no fence in steady state.
/// Threads: as the arena's sync policy says. Inside parallel regions, scopes
/// hold as they do for Views.
template <class T>
class ArenaAllocator {
 public:
  using value_type                             = T;
  using propagate_on_container_copy_assignment = std::false_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap            = std::true_type;
  using is_always_equal                        = std::false_type;

  /// \brief Of the innermost scope that holds for this thread. Cost: a few
  /// instructions.
  ArenaAllocator() noexcept : m_core(current_core(typeid(Kokkos::HostSpace))) {}
  /// \brief Of this arena, whatever the scope.
  template <class Space, class Sync>
    requires(Impl::host_can_access_v<typename Arena<Space, Sync>::memory_space>)
  explicit ArenaAllocator(Arena<Space, Sync>& arena) noexcept
      : m_core(&arena.impl_core()) {}
  /// \brief Of the same arena, for elements of another type, as containers
  /// need it.
  template <class Other>
  ArenaAllocator(ArenaAllocator<Other> const& other) noexcept
      : m_core(other.impl_core()) {}

  ArenaAllocator select_on_container_copy_construction() const noexcept {
    return {};
  }

  /// \throws std::bad_array_new_length  No memory has that many.
  /// \throws ArenaExhausted, or \c std::bad_alloc of the heap.
  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    return m_core ? static_cast<T*>(Impl::allocate_for_container(
                        *m_core, n * sizeof(T), alignof(T), "ArenaAllocator"))
                  : std::allocator<T>().allocate(n);
  }
  void deallocate(T* address, std::size_t n) noexcept {
    if (m_core) {
      Impl::deallocate_of_container(*m_core, address, n * sizeof(T));
    } else {
      std::allocator<T>().deallocate(address, n);
    }
  }

  /// \return Whether either gives back what the other gave.
  template <class Other>
  bool operator==(ArenaAllocator<Other> const& other) const noexcept {
    return m_core == other.impl_core();
  }

  /// \brief The arena's core, or null for the heap.
  Impl::Core* impl_core() const noexcept { return m_core; }

 private:
  Impl::Core* m_core;
};

}  // namespace KokkosArena

#endif
