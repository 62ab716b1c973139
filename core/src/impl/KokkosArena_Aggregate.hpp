// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_AGGREGATE_HPP
#define KOKKOSARENA_IMPL_AGGREGATE_HPP

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

/// \file
/// The members of an aggregate, found by what can initialise it: the language
/// has no other way before C++26. The elements of a C array count as members.

namespace KokkosArena::Impl {

/// Initialises any member of a T, or a base class of it.
template <class T>
struct AnyMember {
  constexpr explicit AnyMember(std::size_t) {}
  template <class U>
    requires(!std::is_same_v<U, T>)
  operator U() const;
};

/// Initialises a base class of T only.
template <class T>
struct AnyBase {
  template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
  operator U() const;
};

/// Initialises a union only.
template <class T>
struct AnyUnion {
  template <class U>
    requires(std::is_union_v<U> && !std::is_same_v<U, T>)
  operator U() const;
};

/// Initialises only what takes everything, as std::any does.
template <class T>
struct AnyThing {};

/// A member that has a reference as its type takes no AnyMember.
template <class T>
struct AnyReference {
  template <class U>
    requires(!std::is_same_v<U, T>)
  operator U&() const;
};

template <class T, std::size_t... I>
constexpr bool is_initialised_by(std::index_sequence<I...>) {
  return requires { T{AnyMember<T>(I)...}; };
}
template <class T, std::size_t... Before, std::size_t... After>
constexpr bool is_one_member(std::index_sequence<Before...>,
                             std::index_sequence<After...>) {
  return requires { T{AnyMember<T>(Before)..., {}, AnyMember<T>(After)...}; };
}
template <class T, class Any, std::size_t... Before, std::size_t... After>
constexpr bool takes(std::index_sequence<Before...>,
                     std::index_sequence<After...>) {
  return requires {
    T{AnyMember<T>(Before)..., Any(), AnyMember<T>(After)...};
  };
}
/// \return Whether the one of so many elements is one that Any is for.
template <class T, template <class> class Any, std::size_t Elements,
          std::size_t I>
constexpr bool is_of_kind() {
  using before = std::make_index_sequence<I>;
  using after  = std::make_index_sequence<Elements - 1 - I>;
  return takes<T, Any<T>>(before(), after()) &&
         !takes<T, AnyThing<T>>(before(), after());
}
template <class T, std::size_t... I>
constexpr bool has_union(std::index_sequence<I...>) {
  return (is_of_kind<T, AnyUnion, sizeof...(I), I>() || ...);
}
template <class T, std::size_t... I>
constexpr bool has_more_members(std::index_sequence<I...>) {
  return requires { T{AnyMember<T>(I)..., {}}; } ||
         requires { T{AnyMember<T>(I)..., AnyReference<T>()}; };
}

inline constexpr std::size_t most_members   = 16;
inline constexpr std::size_t most_elements  = 64;
inline constexpr std::size_t unknown_number = ~std::size_t(0);

/// \return With how many it can be initialised; 0 only if all members have
/// values of their own. More than most_elements: with none.
template <class T, std::size_t N = 0>
constexpr std::size_t fewest_elements() {
  if constexpr (N > most_elements ||
                is_initialised_by<T>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return fewest_elements<T, N + 1>();
  }
}

// What comes next may only be asked if what was before is not so.
// NOLINTBEGIN(bugprone-branch-clone)

/// \return Number of members, each element of an array for itself; or
/// unknown_number.
template <class T, std::size_t N = fewest_elements<T>()>
constexpr std::size_t number_of_elements() {
  if constexpr (N > most_elements) {
    return unknown_number;
  } else if constexpr (is_initialised_by<T>(
                           std::make_index_sequence<N + 1>())) {
    return number_of_elements<T, N + 1>();
  } else if constexpr (has_more_members<T>(std::make_index_sequence<N>())) {
    return unknown_number;
  } else {
    return N;
  }
}

/// \return How many of the elements, from the one at Begin on, are one member.
template <class T, std::size_t Elements, std::size_t Begin,
          std::size_t Length = 1>
constexpr std::size_t length_of_member() {
  if constexpr (Begin + Length > Elements) {
    return 1;  // It can't be made of {}, as an array of Views can.
  } else if constexpr (is_one_member<T>(
                           std::make_index_sequence<Begin>(),
                           std::make_index_sequence<Elements - Begin -
                                                    Length>())) {
    return Length;
  } else {
    return length_of_member<T, Elements, Begin, Length + 1>();
  }
}

template <class T, std::size_t Elements, std::size_t Begin = 0>
constexpr std::size_t members_from() {
  if constexpr (Begin == Elements) {
    return 0;
  } else {
    return 1 + members_from<T, Elements,
                            Begin + length_of_member<T, Elements, Begin>()>();
  }
}

/// \return Number of members of the aggregate, or unknown_number: it has base
/// classes, or too many members, or some that can't be told, as those of an
/// anonymous union, which can't be told from another.
template <class T>
constexpr std::size_t number_of_members() {
  if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T> ||
                std::is_array_v<T>) {
    return unknown_number;
  } else if constexpr (constexpr auto elements = number_of_elements<T>();
                       elements == unknown_number) {
    return unknown_number;
  } else if constexpr (elements == 0) {
    return 0;
  } else if constexpr (is_of_kind<T, AnyBase, elements, 0>() ||
                       has_union<T>(std::make_index_sequence<elements>())) {
    return unknown_number;
  } else {
    constexpr auto members = members_from<T, elements>();
    return members <= most_members ? members : unknown_number;
  }
}

// NOLINTEND(bugprone-branch-clone)

/// An aggregate whose members can be had, and which can be put together again
/// from others. One with the interface of a tuple, as std::array, is taken
/// apart another way; a reference among them might then be to a temporary, and
/// is what keeps an aggregate from being assigned.
template <class T>
concept Splittable = std::is_aggregate_v<T> && std::is_copy_assignable_v<T> &&
                     !requires { std::tuple_size<T>::value; } &&
                     number_of_members<T>() != unknown_number;

/// \return f(member...), without copies.
template <Splittable T, class F>
constexpr decltype(auto) with_members(T const& object, F const& f) {
  constexpr auto n = number_of_members<T>();
  if constexpr (n == 0) {
    return f();
  } else if constexpr (n == 1) {
    auto& [a] = object;
    return f(a);
  } else if constexpr (n == 2) {
    auto& [a, b] = object;
    return f(a, b);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = object;
    return f(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = object;
    return f(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = object;
    return f(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, g] = object;
    return f(a, b, c, d, e, g);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, g, h] = object;
    return f(a, b, c, d, e, g, h);
  } else if constexpr (n == 8) {
    auto& [a, b, c, d, e, g, h, i] = object;
    return f(a, b, c, d, e, g, h, i);
  } else if constexpr (n == 9) {
    auto& [a, b, c, d, e, g, h, i, j] = object;
    return f(a, b, c, d, e, g, h, i, j);
  } else if constexpr (n == 10) {
    auto& [a, b, c, d, e, g, h, i, j, k] = object;
    return f(a, b, c, d, e, g, h, i, j, k);
  } else if constexpr (n == 11) {
    auto& [a, b, c, d, e, g, h, i, j, k, l] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l);
  } else if constexpr (n == 12) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l, m);
  } else if constexpr (n == 13) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m, o] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l, m, o);
  } else if constexpr (n == 14) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p);
  } else if constexpr (n == 15) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q);
  } else if constexpr (n == 16) {
    auto& [a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r] = object;
    return f(a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r);
  }
}

/// The types of the members, arrays included.
template <class... Ts>
struct TypeList {};
template <Splittable T>
using members_t = decltype(with_members(
    std::declval<T const&>(), []<class... Members>(Members const&...) {
      return TypeList<std::remove_const_t<Members>...>();
    }));

/// \return References to the elements of an array, or to what is none.
template <class T>
constexpr std::tuple<T const&> elements_of(T const& member) {
  return {member};
}
template <class T, std::size_t N>
constexpr auto elements_of(T const (&array)[N]) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple_cat(elements_of(array[I])...);
  }(std::make_index_sequence<N>());
}

/// The types of the members, the elements of arrays one by one.
template <Splittable T>
using elements_t =
    decltype(with_members(std::declval<T const&>(), [](auto const&... members) {
      return std::tuple_cat(elements_of(members)...);
    }));

}  // namespace KokkosArena::Impl

#endif
