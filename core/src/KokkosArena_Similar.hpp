// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SIMILAR_HPP
#define KOKKOSARENA_SIMILAR_HPP

#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_ScopedSpace.hpp>
#include <impl/KokkosArena_Region.hpp>

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace KokkosArena {

namespace Impl {

/// \brief Bytes of an array, checked.
/// \throws std::length_error  More than a std::size_t can count.
template <class T, std::size_t Rank>
std::size_t array_bytes(std::string const& label,
                        std::array<std::size_t, Rank> const& extents) {
  std::size_t product = sizeof(T);
  bool overflow       = false;
  bool empty          = false;
  for (auto const extent : extents) {
    if (extent == 0) {
      // The others still have to make sense: a mapping multiplies them too.
      empty = true;
      continue;
    }
    overflow =
        overflow || product > std::numeric_limits<std::size_t>::max() / extent;
    product *= extent;
  }
  if (overflow) {
    std::string message = "KokkosArena: View \"" + label + "\" of ";
    for (std::size_t r = 0; r != Rank; ++r) {
      message += (r ? " x " : "") + std::to_string(extents[r]);
    }
    message += " elements of " + std::to_string(sizeof(T)) +
               " bytes has more bytes than a size_t can count; check the "
               "extents for negative or uninitialised values";
    throw_or_end(std::length_error(message));
  }
  return empty ? 0 : product;
}

/// T with Rank more asterisks.
template <class T, std::size_t Rank>
struct dynamic_data_type {
  using type = typename dynamic_data_type<T, Rank - 1>::type*;
};
template <class T>
struct dynamic_data_type<T, 0> {
  using type = T;
};

/// The data type with another element: double*[3] and float give float*[3].
template <class DataType, class T>
struct with_element {
  using type = T;
};
template <class DataType, class T>
struct with_element<DataType*, T> {
  using type = typename with_element<DataType, T>::type*;
};
template <class DataType, std::size_t N, class T>
struct with_element<DataType[N], T> {
  using type = typename with_element<DataType, T>::type[N];
};
template <class DataType, class T>
struct with_element<DataType[], T> {
  using type = typename with_element<DataType, T>::type[];
};

/// A strided View becomes one of the backend's usual layout, without gaps.
template <class ViewType>
using similar_layout_t = std::conditional_t<
    std::is_same_v<typename ViewType::array_layout, Kokkos::LayoutStride>,
    typename ViewType::execution_space::array_layout,
    typename ViewType::array_layout>;

template <class ViewType, class DataType>
using similar_view_t = Kokkos::View<DataType, similar_layout_t<ViewType>,
                                    typename ViewType::device_type>;

}  // namespace Impl

/// \brief An uninitialised managed View, made without what View's own
/// constructor costs.
/// \tparam ViewType  A managed Kokkos::View of non-const elements.
/// \param[in] label    Of any length; heap memory is taken for more than 15
///                     characters, as Kokkos does.
/// \param[in] extents  The dynamic ones, in elements; 0 is allowed.
/// \return A View of space \c ViewType::memory_space; its memory is from the
/// arena in scope where that is an arena space, and on host backends is then
/// aligned to alignof(element) and at least 64 bytes.
/// \throws std::length_error  The product of the extents overflows.
/// \throws ArenaExhausted     Or what the memory space throws.
/// Cost in an arena: one allocation from it; no fence, no heap allocation.
/// Threads: as the arena's sync policy says. Inside a team's kernel, don't hand
/// the View to the other threads by \c Kokkos::single(PerTeam(team), f, view):
/// Kokkos copies it without counting. Hand on an unmanaged one.
template <class ViewType, std::integral... Extents>
  requires(sizeof...(Extents) == ViewType::rank_dynamic)
ViewType make_view(std::string const& label, Extents... extents) {
  static_assert(Kokkos::is_view_v<ViewType>);
  static_assert(!std::is_const_v<typename ViewType::value_type>,
                "an uninitialised View of const elements could never be "
                "written; use its non_const_type");
  static_assert(!ViewType::memory_traits::is_unmanaged,
                "make_view and similar make managed Views");
  static_assert(
      !std::is_same_v<typename ViewType::array_layout, Kokkos::LayoutStride>,
      "extents alone don't say the strides of a LayoutStride View");
  constexpr std::size_t rank = ViewType::rank;
  std::array<std::size_t, rank> all{};
  std::array<std::size_t, sizeof...(Extents)> const dynamic{
      static_cast<std::size_t>(extents)...};
  for (std::size_t r = 0; r != rank; ++r) all[r] = ViewType::static_extent(r);
  std::copy(dynamic.begin(), dynamic.end(), all.begin());
  using value_type                  = typename ViewType::value_type;
  [[maybe_unused]] auto const bytes = Impl::array_bytes<value_type>(label, all);
  if constexpr (Impl::ViewOfRecord<ViewType>) {
    using extents_type = typename ViewType::extents_type;
    using index_type   = typename extents_type::index_type;
    typename ViewType::mapping_type const mapping{
        extents_type(static_cast<index_type>(extents)...)};
    return Impl::view_of_new_record<ViewType>(label, bytes, alignof(value_type),
                                              mapping);
  } else {
    return ViewType(Kokkos::view_alloc(label, Kokkos::WithoutInitializing),
                    static_cast<std::size_t>(extents)...);
  }
}

/// \brief An uninitialised managed View with the element type \c T, and the
/// layout and space of another.
/// \param[in] view     Any View, also unmanaged, const or strided; a strided
///                     one gives one without gaps in the backend's layout.
/// \param[in] extents  None: those of \c view. As many as it has dynamic ones:
///                     these. Any other number: dynamic extents of a View of
///                     that rank.
/// \return As \c make_view; labelled as \c view if that is a managed arena
/// View. Inside a kernel no View knows its label, and "similar" is it.
/// \throws As \c make_view.
/// Cost, threads: as \c make_view.
template <class T, class ViewType, std::integral... Extents>
  requires(Kokkos::is_view_v<ViewType>)
auto similar(ViewType const& view, Extents... extents) {
  using own_data_type =
      typename Impl::with_element<typename ViewType::non_const_data_type,
                                  T>::type;
  if constexpr (sizeof...(Extents) == 0) {
    using result_type = Impl::similar_view_t<ViewType, own_data_type>;
    return [&]<std::size_t... R>(std::index_sequence<R...>) {
      return make_view<result_type>(Impl::label_of(view), view.extent(R)...);
    }(std::make_index_sequence<ViewType::rank_dynamic>{});
  } else if constexpr (sizeof...(Extents) == ViewType::rank_dynamic) {
    using result_type = Impl::similar_view_t<ViewType, own_data_type>;
    return make_view<result_type>(Impl::label_of(view), extents...);
  } else {
    using result_type = Impl::similar_view_t<
        ViewType,
        typename Impl::dynamic_data_type<T, sizeof...(Extents)>::type>;
    return make_view<result_type>(Impl::label_of(view), extents...);
  }
}

/// \brief The same with the elements of \c view, without their const.
/// Parameters, result, errors, cost, threads: as above.
template <class ViewType, std::integral... Extents>
  requires(Kokkos::is_view_v<ViewType>)
auto similar(ViewType const& view, Extents... extents) {
  return similar<typename ViewType::non_const_value_type>(view, extents...);
}

}  // namespace KokkosArena

#endif
