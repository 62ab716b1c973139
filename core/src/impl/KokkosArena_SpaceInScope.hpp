// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_SPACEINSCOPE_HPP
#define KOKKOSARENA_IMPL_SPACEINSCOPE_HPP

#include <KokkosArena_Arena.hpp>
#include <KokkosArena_ArenaScope.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_WaitFor.hpp>
#include <engine/KokkosArena_AdoptionPause.hpp>
#include <impl/KokkosArena_Region.hpp>
#include <impl/KokkosArena_ToolsNames.hpp>

#include <Kokkos_Core.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace KokkosArena::Impl {

/// \brief What \c exec is given from now on begins after what the arena's
/// instance has been given so far, so that it may use memory of the arena.
template <class ExecutionSpace>
void order_after_arena(ExecutionSpace const& exec, Core const& core) {
  if (auto* const instance = static_cast<ExecutionSpace const*>(
          core.instance(typeid(ExecutionSpace)))) {
    wait_for(exec, *instance);
  } else {
    core.fence_instance("KokkosArena: before another instance uses memory");
  }
}

/// \brief What ScopedSpace and CheckedSpace have in common: a Kokkos memory
/// space over the arena in scope.
/// \tparam Self  The space itself. It has \c name_prefix, \c take, which gets
/// memory from an arena, and \c give_back, which returns whether it knew the
/// address.
template <class Self, class MemorySpace>
class SpaceInScope {
  static_assert(Kokkos::is_memory_space_v<MemorySpace>,
                "an arena space wraps a Kokkos memory space");
  static_assert(!is_arena_space_v<MemorySpace>,
                "an arena space wraps a space that is not one itself");

 public:
  using memory_space    = Self;
  using execution_space = typename MemorySpace::execution_space;
  using device_type     = Kokkos::Device<execution_space, memory_space>;
  using size_type       = typename MemorySpace::size_type;
  using index_type      = std::make_signed_t<size_type>;

  /// \brief Of the innermost scope on this thread. Cost: a few instructions.
  // Public, since Self inherits it as it is.
  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
  SpaceInScope() : m_core(current_core(typeid(MemorySpace))) {}

  /// \brief Of this arena, whatever the scope; for
  /// \c Kokkos::view_alloc(space, label). Cost: none.
  template <class Space, class Sync>
    requires(
        std::is_same_v<typename Arena<Space, Sync>::memory_space, MemorySpace>)
  explicit SpaceInScope(Arena<Space, Sync>& arena)
      : m_core(&arena.impl_core()) {}

  /// \brief Memory that counts as a live allocation of its arena. Where this
  /// is the base space, a HostSpaceAdoption leaves it there: \c deallocate
  /// takes all that it finds in an arena for memory of this space.
  /// \throws ArenaExhausted, or what the base space throws.
  /// Threads: as the arena's sync policy says.
  void* allocate(std::size_t bytes) const {
    return allocate("[unlabeled]", bytes);
  }
  void* allocate(char const* label, std::size_t bytes,
                 std::size_t logical_bytes = 0) const try {
    if (!m_core) {
      AdoptionPause const pause;
      return counted(m_base.allocate(label, bytes, logical_bytes));
    }
    void* const address = Self::take(*m_core, bytes, label);
    if constexpr (!record_in_arena_v<MemorySpace> &&
                  host_can_access_v<MemorySpace>) {
      // The host may use it at once.
      m_core->fence_instance("KokkosArena: before the host uses memory again");
    }
    report_allocation(label, address, logical_bytes ? logical_bytes : bytes);
    return address;
  } catch (...) {
    end_if_in_region();
    throw;
  }
  template <class ExecutionSpace>
    requires(Kokkos::is_execution_space_v<ExecutionSpace>)
  void* allocate(ExecutionSpace const& exec, std::size_t bytes) const {
    return allocate(exec, "[unlabeled]", bytes);
  }
  template <class ExecutionSpace>
    requires(Kokkos::is_execution_space_v<ExecutionSpace>)
  void* allocate(ExecutionSpace const& exec, char const* label,
                 std::size_t bytes, std::size_t logical_bytes = 0) const {
    if (!m_core) {
      AdoptionPause const pause;
      return counted(m_base.allocate(exec, label, bytes, logical_bytes));
    }
    void* const address = allocate(label, bytes, logical_bytes);
    if constexpr (!record_in_arena_v<MemorySpace>) {
      try {
        order_after_arena(exec, *m_core);
      } catch (...) {
        deallocate(label, address, bytes, logical_bytes);
        throw;
      }
    }
    return address;
  }

  /// \brief Gives back what an \c allocate of any instance of this space gave.
  /// Cost: a lock that all arenas share, and a search among their blocks, since
  /// the instance need not be the one that allocated. Views know their arena
  /// and don't come here. Threads: as the arena's sync policy says.
  void deallocate(void* address, std::size_t bytes) const {
    deallocate("[unlabeled]", address, bytes);
  }
  void deallocate(char const* label, void* address, std::size_t bytes,
                  std::size_t logical_bytes = 0) const {
    if (Self::give_back(address, bytes)) {
      report_deallocation(label, address,
                          logical_bytes ? logical_bytes : bytes);
    } else {
      m_base.deallocate(label, address, bytes, logical_bytes);
    }
  }

  /// \return For example "Scoped<Host>". Kokkos Tools see the base space's
  /// name, unless the environment variable KOKKOS_ARENA_TOOLS is "spaces".
  static constexpr char const* name() { return name_storage<>.data(); }

  /// \brief The arena's core, or null where this is the base space.
  Core* impl_core() const noexcept { return m_core; }
  MemorySpace const& impl_base() const noexcept { return m_base; }

  static void report_allocation(char const* label, void const* address,
                                std::size_t bytes) {
    if (Kokkos::Tools::profileLibraryLoaded()) {
      Kokkos::Tools::allocateData(
          Kokkos::Tools::make_space_handle(tools_name()), label, address,
          bytes);
    }
  }
  static void report_deallocation(char const* label, void const* address,
                                  std::size_t bytes) {
    if (Kokkos::Tools::profileLibraryLoaded()) {
      Kokkos::Tools::deallocateData(
          Kokkos::Tools::make_space_handle(tools_name()), label, address,
          bytes);
    }
  }

 private:
  static char const* tools_name() noexcept {
    return tools_see_spaces() ? name() : MemorySpace::name();
  }
  static void* counted(void* base_address) {
    count_base_allocation(typeid(MemorySpace));
    return base_address;
  }
  static constexpr auto make_name() {
    constexpr std::string_view prefix = Self::name_prefix;
    constexpr std::string_view base   = MemorySpace::name();
    std::array<char, prefix.size() + base.size() + 2> name{};
    std::size_t i = 0;
    for (char const c : prefix) name[i++] = c;
    for (char const c : base) name[i++] = c;
    name[i] = '>';
    return name;
  }
  // A template, since Self isn't complete yet.
  template <class = void>
  static constexpr auto name_storage = make_name();

  Core* m_core;
  [[no_unique_address]] MemorySpace m_base;
};

}  // namespace KokkosArena::Impl

#endif
