// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_FRONTDOOR_HPP
#define KOKKOSARENA_IMPL_FRONTDOOR_HPP

#include <KokkosKernels_config.h>
#include <KokkosArena_SparseContainers.hpp>

#include <Kokkos_Core.hpp>

#include <type_traits>

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
  } else if constexpr (requires { argument.graph.entries; }) {
    check_lifetime(argument.graph.entries);
    check_lifetime(argument.graph.row_map);
    check_lifetime(argument.values);
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

/// \brief A function of Kokkos Kernels, as an object that calls it with the
/// same arguments under the base spaces and returns what it returns.
///
/// Each argument reaches \c Function as an lvalue, since Kokkos Kernels takes
/// some by reference to non-const.
template <class Function>
class FrontDoor {
 public:
  constexpr explicit FrontDoor(Function) {}

  template <class... Args>
  decltype(auto) operator()(Args&&... args) const {
    return call(in_base_space(args)...);
  }

 private:
  template <class... Args>
  static decltype(auto) call(Args&&... args) {
    return Function{}(args...);
  }
};

}  // namespace KokkosArena::Impl

#endif
