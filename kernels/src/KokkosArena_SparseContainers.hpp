// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SPARSECONTAINERS_HPP
#define KOKKOSARENA_SPARSECONTAINERS_HPP

#include <KokkosArena_Adapt.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_KernelsHandle.hpp>
#include <KokkosSparse_BsrMatrix.hpp>
#include <KokkosSparse_CrsMatrix.hpp>
#include <KokkosSparse_StaticCrsGraph.hpp>
#include <impl/KokkosArena_RebindView.hpp>

#include <Kokkos_Core.hpp>

#include <tuple>
#include <type_traits>

namespace KokkosArena {

namespace Impl {

template <class Device, class Space>
using rebind_device_t = Kokkos::Device<typename Device::execution_space, Space>;

/// \c type is the container with another memory space; the rest stays.
template <class Container, class Space>
struct rebind_container {};
template <class Scalar, class Ordinal, class Device, class Traits, class Size,
          class Space>
struct rebind_container<
    KokkosSparse::CrsMatrix<Scalar, Ordinal, Device, Traits, Size>, Space> {
  using type =
      KokkosSparse::CrsMatrix<Scalar, Ordinal, rebind_device_t<Device, Space>,
                              Traits, Size>;
};
template <class Scalar, class Ordinal, class Device, class Traits, class Size,
          class Space>
struct rebind_container<KokkosSparse::Experimental::BsrMatrix<
                            Scalar, Ordinal, Device, Traits, Size>,
                        Space> {
  using type = KokkosSparse::Experimental::BsrMatrix<
      Scalar, Ordinal, rebind_device_t<Device, Space>, Traits, Size>;
};
template <class Ordinal, class... Properties, class Space>
struct rebind_container<KokkosSparse::StaticCrsGraph<Ordinal, Properties...>,
                        Space> {
  using graph_type = KokkosSparse::StaticCrsGraph<Ordinal, Properties...>;
  using type       = KokkosSparse::StaticCrsGraph<
            Ordinal, typename graph_type::array_layout,
            rebind_device_t<typename graph_type::device_type, Space>,
            typename graph_type::memory_traits, typename graph_type::size_type>;
};
/// Its spelling stays, where it names the space.
template <class Ordinal, class... Properties, class Space>
  requires(Kokkos::is_space<Properties>::value || ...)
struct rebind_container<KokkosSparse::StaticCrsGraph<Ordinal, Properties...>,
                        Space> {
  using type = KokkosSparse::StaticCrsGraph<
      Ordinal, typename RebindProperty<Properties, Space>::type...>;
};
template <class Container, class Space>
using rebind_container_t = typename rebind_container<Container, Space>::type;

}  // namespace Impl

/// \brief A CrsMatrix, BsrMatrix or StaticCrsGraph of Kokkos Kernels.
template <class T>
concept SparseContainer = requires {
  typename Impl::rebind_container_t<T, typename T::device_type::memory_space>;
};

namespace Impl {

/// So that KokkosArena::adapt takes containers and what holds them.
template <class Space, SparseContainer Container>
struct Adapter<Space, Container> {
  using from = typename Container::device_type::memory_space;
  using type = std::conditional_t<std::is_same_v<from, Space>, Container,
                                  rebind_container_t<Container, Space>>;

  static type apply(Container const& container) {
    if constexpr (std::is_same_v<from, Space>) {
      return container;
    } else {
      static_assert(Kokkos::SpaceAccessibility<Space, from>::assignable,
                    "adapt shares memory and never copies: the container's "
                    "memory space can't be used as the space asked for");
      if constexpr (requires { container.row_block_offsets; }) {
        // A graph of Kokkos 4.7 converts its Views only.
        type graph(container.entries, container.row_map);
        graph.row_block_offsets = container.row_block_offsets;
        return graph;
      } else {
        return type(container);
      }
    }
  }
};

template <class Container>
using base_space_of_t =
    base_memory_space_t<typename Container::device_type::memory_space>;

}  // namespace Impl

/// \brief The same matrix or graph in ScopedSpace, as \c scoped of a View.
/// Idempotent; shares ownership.
/// Cost, threads: as copying the container.
template <SparseContainer Container>
auto scoped(Container const& container) {
  return adapt<ScopedSpace<Impl::base_space_of_t<Container>>>(container);
}

/// \brief The same matrix or graph in CheckedSpace, as \c checked of a View.
/// Idempotent; shares ownership.
/// \throws std::invalid_argument  The memory of one of its Views is an arena's,
/// but not from CheckedSpace.
/// Cost, threads: as \c checked of its Views.
template <SparseContainer Container>
auto checked(Container const& container) {
  if constexpr (requires { container.graph; }) {
    checked(container.values);
    checked(container.graph);
  } else {
    checked(container.entries);
    checked(container.row_map);
    checked(container.row_block_offsets);
  }
  return adapt<CheckedSpace<Impl::base_space_of_t<Container>>>(container);
}

/// \brief The same matrix or graph in the base space, which is what Kokkos
/// Kernels is instantiated for. Idempotent; shares ownership.
/// Cost, threads: as copying the container.
template <SparseContainer Container>
auto unscoped(Container const& container) {
  return adapt<Impl::base_space_of_t<Container>>(container);
}

/// \brief A tuple of \c unscoped of each of its elements. What has no memory
/// space stays, and so does a reference to it or to a handle; a handle itself
/// can't be an element, since it can't be copied.
/// Cost, threads: as copying the elements.
template <class... Ts>
auto unscoped(std::tuple<Ts...> const& objects);

namespace Impl {

/// What the call of \c unscoped gives, as a tuple holds it.
template <class T>
decltype(auto) unscoped_element(T& element) {
  if constexpr (requires { unscoped(element); }) {
    return unscoped(element);
  } else {
    return (element);
  }
}
/// A handle that a tuple holds itself could be copied only together with what
/// it will free.
template <class T>
inline constexpr bool is_handle_v = false;
template <class... Parameters>
inline constexpr bool is_handle_v<
    KokkosKernels::Experimental::KokkosKernelsHandle<Parameters...>> = true;

template <class T, class Result>
using element_t = std::conditional_t<std::is_reference_v<T>, Result,
                                     std::remove_cvref_t<Result>>;

}  // namespace Impl

template <class... Ts>
auto unscoped(std::tuple<Ts...> const& objects) {
  static_assert(!(Impl::is_handle_v<std::remove_const_t<Ts>> || ...),
                "unscoped: a tuple can hold a reference to a handle of Kokkos "
                "Kernels (std::tie), not the handle itself, which can't be "
                "copied");
  return std::apply(
      [](auto&... element) {
        return std::tuple<
            Impl::element_t<Ts, decltype(Impl::unscoped_element(element))>...>(
            Impl::unscoped_element(element)...);
      },
      objects);
}

}  // namespace KokkosArena

#endif
