// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENAHANDLE_HPP
#define KOKKOSARENA_ARENAHANDLE_HPP

#include <KokkosArena_Concepts.hpp>
#include <impl/KokkosArena_HandleSource.hpp>

#include <Kokkos_Core.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace KokkosArena {

namespace Impl {

/// Whether elements exist as soon as their memory does (implicit-lifetime
/// types, [class.prop]), as far as C++20 can tell.
template <class T>
inline constexpr bool begins_by_itself_v =
    std::is_scalar_v<T> || std::is_aggregate_v<T> ||
    std::is_trivially_default_constructible_v<T> ||
    std::is_trivially_copy_constructible_v<T> ||
    std::is_trivially_move_constructible_v<T>;

/// \return a * b, or the most that a std::size_t can count if that is less.
KOKKOS_FUNCTION constexpr std::size_t saturated_product(std::size_t a,
                                                        std::size_t b) {
  constexpr auto most = ~std::size_t(0);
  constexpr auto half = std::size_t(1) << sizeof(std::size_t) * 4;
  // Spares the division, which costs more than the allocation.
  if ((a | b) < half) [[likely]] {
    return a * b;
  }
  return a != 0 && b > most / a ? most : a * b;
}

/// \brief Bytes of an array; saturated, also where another extent is 0, since
/// a mapping multiplies them all.
template <class... Extents>
KOKKOS_FUNCTION constexpr std::size_t saturated_bytes(std::size_t element_bytes,
                                                      Extents... extents) {
  constexpr auto most = ~std::size_t(0);
  std::size_t product = element_bytes;
  ((product = saturated_product(product, extents == 0 ? 1 : extents)), ...);
  bool const empty = ((extents == 0) || ...);
  return empty && product != most ? 0 : product;
}

}  // namespace Impl

/// \brief A copyable handle of an arena, for explicit use inside kernels; what
/// \c Arena::handle gives. Capture it by value.
///
/// What it gives is untracked, as what \c Arena::allocate gives: it counts in
/// \c used_bytes, and a reset, a rewind to an earlier mark, a release or the
/// arena's end drops it. No constructor and no destructor runs.
///
/// On host backends the handle draws straight from the arena, and is valid as
/// long as the arena. On device backends it draws from a region which \c
/// Arena::handle reserved; it is dropped together with that region, and is for
/// kernels on the arena's execution space instance, or on one that the caller
/// has ordered after the call of \c Arena::handle.
///
/// \tparam Space, Sync  Those of the Arena.
template <class Space, class Sync>
class ArenaHandle {
 public:
  using memory_space    = base_memory_space_t<Space>;
  using execution_space = typename Space::execution_space;
  using device_type     = Kokkos::Device<execution_space, memory_space>;
  using sync_policy     = Sync;

  /// The View that \c view gives, in the default layout of the backend.
  template <class DataType>
  using view_type = Kokkos::View<DataType, device_type,
                                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  /// \brief An uninitialised unmanaged View. A team takes one for all of its
  /// threads in \c Kokkos::single(PerTeam), which hands it to them.
  /// \tparam DataType  For example double**, or double*[3] with extents known
  /// beforehand. Elements are trivially destructible, since nothing ends them,
  /// and of an implicit-lifetime type, since nothing begins them.
  /// \param[in] extents  The dynamic ones, in elements; 0 is allowed.
  /// \return A View whose data is aligned to alignof(element) and at least 64
  /// bytes. If the arena has no room, or the product of the extents overflows,
  /// a null View: its \c data() is null and its dynamic extents are 0, and \c
  /// ArenaStatistics::failed_handle_allocations counts it. A View with an
  /// extent of 0 is not null.
  /// Cost: on host backends that of \c Arena::allocate, on devices a
  /// load and an atomic operation, under Cuda one for a warp; no fence. A
  /// failure takes heap memory on the host. Never throws. Threads: as the
  /// arena's sync policy says; on devices any.
  template <class DataType, std::integral... Extents>
    requires(sizeof...(Extents) == view_type<DataType>::rank_dynamic)
  [[nodiscard]] KOKKOS_FUNCTION view_type<DataType> view(
      Extents... extents) const noexcept {
    using result_type = view_type<DataType>;
    using value_type  = typename result_type::value_type;
    static_assert(
        Kokkos::SpaceAccessibility<execution_space, memory_space>::accessible,
        "the arena's execution space can't access its memory space, so that no "
        "kernel could use the View");
    static_assert(!std::is_const_v<value_type>,
                  "an uninitialised View of const elements could never be "
                  "written; use its non-const type");
    static_assert(std::is_trivially_destructible_v<value_type>,
                  "nothing ends the elements of a handle's View, whose memory "
                  "is dropped by a reset or rewind; use elements that need no "
                  "destructor, or a managed View in ScopedSpace");
    static_assert(Impl::begins_by_itself_v<value_type>,
                  "nothing begins the elements of a handle's View; use an "
                  "implicit-lifetime type (an aggregate, or one with a trivial "
                  "constructor), or a managed View in ScopedSpace");
    constexpr auto element_bytes = static_bytes<result_type>();
    constexpr std::size_t alignment =
        alignof(value_type) > 64 ? alignof(value_type) : 64;
    void* const data =
        allocate(Impl::saturated_bytes(element_bytes,
                                       static_cast<std::size_t>(extents)...),
                 alignment);
    if (!data) [[unlikely]] {
      return result_type();
    }
    return result_type(static_cast<value_type*>(data),
                       static_cast<std::size_t>(extents)...);
  }

  /// \brief Untracked bytes.
  /// \param[in] bytes      Any number, 0 included.
  /// \param[in] alignment  In bytes, a power of two; at least 64 is given.
  /// \return Different from every other live allocation. Null if the arena has
  /// no room, which \c ArenaStatistics::failed_handle_allocations counts, as it
  /// does an alignment that is no power of two.
  /// Cost, threads: as \c view.
  [[nodiscard]] KOKKOS_FUNCTION void* allocate(
      std::size_t bytes, std::size_t alignment = 64) const noexcept {
    return m_source.allocate(bytes, alignment);
  }

  /// \brief For Arena.
  using impl_source_type = Impl::handle_source_t<Space, Sync>;
  explicit ArenaHandle(impl_source_type const& source) noexcept
      : m_source(source) {}

 private:
  /// Of an element with all static extents around it.
  template <class ViewType>
  KOKKOS_FUNCTION static constexpr std::size_t static_bytes() {
    std::size_t bytes = sizeof(typename ViewType::value_type);
    for (std::size_t r = ViewType::rank; r > ViewType::rank_dynamic; --r) {
      bytes = Impl::saturated_product(bytes, ViewType::static_extent(r - 1));
    }
    return bytes;
  }

  impl_source_type m_source;
};

}  // namespace KokkosArena

#endif
