// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_HOLDSVIEWS_HPP
#define KOKKOSARENA_IMPL_HOLDSVIEWS_HPP

#include <impl/KokkosArena_Aggregate.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <type_traits>

namespace KokkosArena::Impl {

template <class T>
concept HasSpaceAndData = requires {
  typename T::memory_space;
  typename T::data_type;
  typename T::array_layout;
};

template <class Space, class T, class... Seen>
struct HoldsOtherViews;

/// \brief Whether a T holds Views of another memory space, as far as can be
/// told: it is a View, or an aggregate with a member that does; or, where its
/// members can't be had, it has a template argument that does or that is
/// another memory space.
template <class Space, class T, class... Seen>
inline constexpr bool holds_other_views_v =
    HoldsOtherViews<Space, std::remove_cv_t<std::remove_all_extents_t<T>>,
                    Seen...>::value;

template <class Space, class T>
inline constexpr bool is_other_space_v = [] {
  if constexpr (Kokkos::is_memory_space_v<T> || Kokkos::is_device_v<T>) {
    return !std::is_same_v<typename T::memory_space, Space>;
  } else {
    return false;
  }
}();

/// A memory space or device, or a View.
template <class Space, class T>
inline constexpr bool is_in_space_v = [] {
  if constexpr (Kokkos::is_memory_space_v<T> || Kokkos::is_device_v<T> ||
                HasSpaceAndData<T>) {
    return std::is_same_v<typename T::memory_space, Space>;
  } else {
    return false;
  }
}();

/// Of a class template's arguments.
template <class Space, class T, class... Seen>
struct ArgumentsHoldOtherViews : std::false_type {};
template <class Space, template <class...> class Template, class... Arguments,
          class... Seen>
struct ArgumentsHoldOtherViews<Space, Template<Arguments...>, Seen...>
    : std::bool_constant<
          (is_other_space_v<Space, Arguments> || ...) ||
          (holds_other_views_v<Space, Arguments, Template<Arguments...>,
                               Seen...> ||
           ...)> {};
template <class Space, template <class, std::size_t> class Array, class T,
          std::size_t N, class... Seen>
struct ArgumentsHoldOtherViews<Space, Array<T, N>, Seen...>
    : std::bool_constant<holds_other_views_v<Space, T, Seen...>> {};

/// Whether it is a class template over the space already: what it still holds
/// of another space is of that space in each of them.
template <class Space, class T, class... Seen>
struct IsOverSpace : std::false_type {};
template <class Space, template <class...> class Template, class... Arguments,
          class... Seen>
struct IsOverSpace<Space, Template<Arguments...>, Seen...>
    : std::bool_constant<(is_in_space_v<Space, Arguments> || ...) &&
                         !ArgumentsHoldOtherViews<Space, Template<Arguments...>,
                                                  Seen...>::value> {};

// What comes next may only be asked if what was before is not so.
// NOLINTBEGIN(bugprone-branch-clone)
template <class Space, class T, class... Seen>
struct HoldsOtherViews {
  static constexpr bool value = [] {
    if constexpr ((std::is_same_v<T, Seen> || ...)) {
      return false;  // It is asked for already: a tree, for example.
    } else if constexpr (!std::is_class_v<T> || Kokkos::is_space<T>::value) {
      return false;
    } else if constexpr (HasSpaceAndData<T>) {
      return !std::is_same_v<typename T::memory_space, Space>;
    } else if constexpr (!requires { sizeof(T); }) {
      return false;  // The name of something.
    } else if constexpr (std::is_empty_v<T>) {
      return false;
    } else if constexpr (IsOverSpace<Space, T, Seen...>::value) {
      return false;
    } else if constexpr (Splittable<T>) {
      return []<class... Members>(TypeList<Members...>) {
        return (holds_other_views_v<Space, Members, T, Seen...> || ...);
      }(members_t<T>());
    } else {
      return ArgumentsHoldOtherViews<Space, T, Seen...>::value;
    }
  }();
};
// NOLINTEND(bugprone-branch-clone)

}  // namespace KokkosArena::Impl

#endif
