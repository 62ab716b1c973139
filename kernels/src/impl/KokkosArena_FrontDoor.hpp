// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_FRONTDOOR_HPP
#define KOKKOSARENA_IMPL_FRONTDOOR_HPP

#include <KokkosKernels_config.h>
#include <KokkosArena_SparseContainers.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#if KOKKOSKERNELS_VERSION < 40700
#error "KokkosArena::kernels needs Kokkos Kernels 4.7 or newer"
#endif

namespace KokkosArena::Impl {

/// So that a View that its arena has dropped is reported here, by its label,
/// and not by a fault in a library.
/// \throws InvalidViewAccess
template <class T>
void check_lifetime(T const& argument) {
  if constexpr (Kokkos::is_view_v<T>) {
    using space = typename T::memory_space;
    if constexpr (is_checked_space_v<space> &&
                  checks_accesses_v<base_memory_space_t<space>>) {
      if (argument.size() > 0) check_access(argument.data());
    }
  } else if constexpr (requires { argument.graph; }) {
    check_lifetime(argument.graph);
    check_lifetime(argument.values);
  } else if constexpr (requires { argument.row_map; }) {
    check_lifetime(argument.row_map);
    check_lifetime(argument.entries);
  }
}

/// \brief What stands for an argument of a call that knows base spaces only:
/// \c unscoped of Views, containers and handles, a pointer to that of a handle
/// behind a pointer, and otherwise the argument itself.
/// \throws InvalidViewAccess  A CheckedSpace View is invalid.
template <class T>
decltype(auto) in_base_space(T& argument) {
  if constexpr (requires { &unscoped(*argument); }) {
    return &unscoped(*argument);
  } else if constexpr (requires { unscoped(argument); }) {
    using result_type = std::remove_reference_t<decltype(unscoped(argument))>;
    if constexpr (std::is_same_v<result_type, std::remove_const_t<T>>) {
      return (argument);
    } else {
      check_lifetime(argument);
      return unscoped(argument);
    }
  } else {
    return (argument);
  }
}

/// As lvalues, since Kokkos Kernels takes some of its arguments by reference to
/// non-const.
template <class Function, class... Args>
decltype(auto) call_with_lvalues(Args&&... args) {
  return Function{}(args...);
}

/// \brief A function of Kokkos Kernels, as an object that calls it with the
/// same arguments under the base spaces and returns what it returns.
template <class Function>
class FrontDoor {
 public:
  constexpr explicit FrontDoor(Function) {}

  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return call_with_lvalues<Function>(in_base_space(args)...);
  }
};

/// \brief The same for a function that makes what its last argument refers to:
/// that argument stays as it is, so that it is made in its own memory space.
/// Kokkos Kernels takes the types that its paths hang on from the handle.
template <class Function>
class MakingFrontDoor {
 public:
  constexpr explicit MakingFrontDoor(Function) {}

  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    auto const all      = std::tie(args...);
    constexpr auto last = sizeof...(Args) - 1;
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
      return call_with_lvalues<Function>(in_base_space(std::get<I>(all))...,
                                         std::get<last>(all));
    }(std::make_index_sequence<last>{});
  }
};

}  // namespace KokkosArena::Impl

#endif
