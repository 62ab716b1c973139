// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_REBINDVIEW_HPP
#define KOKKOSARENA_IMPL_REBINDVIEW_HPP

#include <Kokkos_Core.hpp>

#include <type_traits>

// Of Kokkos' containers, which whoever has one includes.
namespace Kokkos {
#ifdef KOKKOS_ENABLE_DEPRECATED_CODE_4
template <class DataType, class Property1, class Property2, class Property3>
class DualView;
#else
template <class DataType, class... Properties>
class DualView;
#endif
template <typename DataType, class... Properties>
class DynRankView;
namespace Experimental {
template <class DataType, class... Properties>
class OffsetView;
}
}  // namespace Kokkos

namespace KokkosArena::Impl {

/// A property of a View, or an argument of another template, where the memory
/// space is another.
template <class Property, class Space>
struct RebindProperty {
  using type = Property;
};
template <class Property, class Space>
  requires(Kokkos::is_memory_space_v<Property>)
struct RebindProperty<Property, Space> {
  using type = Space;
};
template <class Property, class Space>
  requires(Kokkos::is_execution_space_v<Property>)
struct RebindProperty<Property, Space> {
  using type = Kokkos::Device<Property, Space>;
};
template <class ExecutionSpace, class MemorySpace, class Space>
struct RebindProperty<Kokkos::Device<ExecutionSpace, MemorySpace>, Space> {
  using type = Kokkos::Device<ExecutionSpace, Space>;
};

/// \tparam Template  Of a View, DualView or DynRankView.
template <template <class, class...> class Template, class Space,
          class DataType, class... Properties>
struct ExchangeSpace {
  using type =
      Template<DataType, typename RebindProperty<Properties, Space>::type...>;
};

/// In the order in which Kokkos has them: a layout comes before the space.
template <template <class, class...> class Template, class Space,
          class DataType, class... Properties>
struct AddSpace {
  using type = Template<DataType, Space, Properties...>;
};
template <template <class, class...> class Template, class Space,
          class DataType, class First, class... Properties>
  requires(Kokkos::is_array_layout_v<First>)
struct AddSpace<Template, Space, DataType, First, Properties...> {
  using type = Template<DataType, First, Space, Properties...>;
};

/// The memory space in the list is exchanged, or added where there is none.
template <template <class, class...> class Template, class Space,
          class DataType, class... Properties>
using rebound_t = typename std::conditional_t<
    (Kokkos::is_space<Properties>::value || ...),
    ExchangeSpace<Template, Space, DataType, Properties...>,
    AddSpace<Template, Space, DataType, Properties...>>::type;

template <class ViewType, class Space>
struct RebindView;
template <class DataType, class... Properties, class Space>
struct RebindView<Kokkos::View<DataType, Properties...>, Space> {
  using view_type = Kokkos::View<DataType, Properties...>;

  using spelt_type = rebound_t<Kokkos::View, Space, DataType, Properties...>;

  /// What the spelling leaves to the space may be another's for another.
  using type = std::conditional_t<
      std::is_same_v<typename spelt_type::execution_space,
                     typename view_type::execution_space> &&
          std::is_same_v<typename spelt_type::array_layout,
                         typename view_type::array_layout>,
      spelt_type,
      Kokkos::View<DataType, typename view_type::array_layout,
                   Kokkos::Device<typename view_type::execution_space, Space>,
                   typename view_type::memory_traits>>;
};

}  // namespace KokkosArena::Impl

#endif
