// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ADAPT_HPP
#define KOKKOSARENA_ADAPT_HPP

#include <KokkosArena_CheckedSpace.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_ScopedSpace.hpp>
#include <impl/KokkosArena_RebindView.hpp>

#include <Kokkos_Core.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace KokkosArena {

/// \brief The type of a View with another memory space; the rest stays, also
/// its spelling: \c View<float*, HostSpace> becomes \c View<float*, Space>.
template <class ViewType, class MemorySpace>
using rebind_view_t =
    typename Impl::RebindView<ViewType,
                              typename MemorySpace::memory_space>::type;

namespace Impl {

template <class T, class Space>
concept HasMemberAdapt =
    requires(T const& object) { object.template adapt<Space>(); };

template <class Space, class T>
struct Adapter;

/// The adapter of the type without reference and const.
template <class Space, class T>
auto adapted(T const& object) {
  return Adapter<Space, std::remove_cvref_t<T>>::apply(object);
}

template <class Space, class T>
struct Adapter {
  static auto apply(T const& object) {
    if constexpr (HasMemberAdapt<T, Space>) {
      return object.template adapt<Space>();
    } else {
      return object;
    }
  }
};

/// The View, DualView or DynRankView as the other type, which is over \c Space.
template <class Result, class Space, class T>
auto shared_as(T const& object) {
  using from = typename T::memory_space;
  if constexpr (std::is_same_v<from, Space>) {
    return object;
  } else {
    static_assert(Kokkos::SpaceAccessibility<Space, from>::assignable,
                  "adapt shares memory and never copies: the View's memory "
                  "space can't be used as the space asked for");
    return Result(object);
  }
}

template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::View<DataType, Properties...>> {
  using view_type   = Kokkos::View<DataType, Properties...>;
  using result_type = rebind_view_t<view_type, Space>;

  static auto apply(view_type const& view) {
    return shared_as<result_type, typename Space::memory_space>(view);
  }
};

/// Both of its Views, and what it knows of them; where the host's is the one of
/// the device, it stays so.
template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::DualView<DataType, Properties...>> {
  static auto apply(Kokkos::DualView<DataType, Properties...> const& object) {
    return shared_as<
        rebound_t<Kokkos::DualView, Space, DataType, Properties...>, Space>(
        object);
  }
};

template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::DynRankView<DataType, Properties...>> {
  static auto apply(
      Kokkos::DynRankView<DataType, Properties...> const& object) {
    return shared_as<
        rebound_t<Kokkos::DynRankView, Space, DataType, Properties...>, Space>(
        object);
  }
};

template <class Space, class... Ts>
struct Adapter<Space, std::tuple<Ts...>> {
  static auto apply(std::tuple<Ts...> const& objects) {
    return std::apply(
        [](Ts const&... object) {
          // Spelt out, since deduction would take a lone tuple apart.
          return std::tuple<decltype(adapted<Space>(object))...>(
              adapted<Space>(object)...);
        },
        objects);
  }
};

template <class Space, class First, class Second>
struct Adapter<Space, std::pair<First, Second>> {
  static auto apply(std::pair<First, Second> const& objects) {
    using first_type  = decltype(adapted<Space>(objects.first));
    using second_type = decltype(adapted<Space>(objects.second));
    return std::pair<first_type, second_type>(adapted<Space>(objects.first),
                                              adapted<Space>(objects.second));
  }
};

template <class Space, class T, std::size_t N>
struct Adapter<Space, std::array<T, N>> {
  static auto apply(std::array<T, N> const& objects) {
    using result_type = decltype(adapted<Space>(objects[0]));
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<result_type, N>{adapted<Space>(objects[I])...};
    }(std::make_index_sequence<N>{});
  }
};

template <class Space, class T, class Allocator>
struct Adapter<Space, std::vector<T, Allocator>> {
  static auto apply(std::vector<T, Allocator> const& objects) {
    using result_type = decltype(adapted<Space>(objects[0]));
    std::vector<result_type> result;
    result.reserve(objects.size());
    for (auto const& object : objects) {
      result.push_back(adapted<Space>(object));
    }
    return result;
  }
};

}  // namespace Impl

/// \brief The same data with every View rebound to \c Space: no copy, shared
/// ownership.
/// \tparam Space   A memory space, execution space or Kokkos::Device whose
///                 memory space the Views convert to.
/// \param[in] object  A View, DualView or DynRankView; a tuple, pair, array or
///                 vector of such, nested; or an object with a member
///                 \c template<class S> \c auto \c adapt() \c const, which is
///                 called. Anything else is copied as it is.
/// Cost: that of copying the Views' handles. Threads: as copying a View.
template <class Space, class T>
auto adapt(T const& object) {
  return Impl::adapted<typename Space::memory_space>(object);
}

/// \brief The same data in ScopedSpace: what is made like the result draws
/// from the arena in scope. Idempotent; shares ownership.
/// Cost, threads: as copying a View.
template <class DataType, class... Properties>
auto scoped(Kokkos::View<DataType, Properties...> const& view) {
  using space = typename Kokkos::View<DataType, Properties...>::memory_space;
  return adapt<ScopedSpace<base_memory_space_t<space>>>(view);
}

/// \brief The same data in CheckedSpace: what is made like the result has
/// strict lifetimes. Idempotent; shares ownership.
/// \throws std::invalid_argument  The memory is an arena's, but not from
/// CheckedSpace, so that nobody knows when the arena drops it.
/// Cost: as copying a View; unless it is in CheckedSpace already, also a lock
/// that all arenas share, and a search among their blocks. Threads: any.
template <class DataType, class... Properties>
auto checked(Kokkos::View<DataType, Properties...> const& view) {
  using space = typename Kokkos::View<DataType, Properties...>::memory_space;
  if constexpr (!Impl::is_checked_space_v<space>) {
    Impl::refuse_unchecked(view.data(), Impl::label_of(view));
  }
  return adapt<CheckedSpace<base_memory_space_t<space>>>(view);
}

/// \brief The same data in the base space, for code that knows only that one.
/// Idempotent; shares ownership.
/// Cost, threads: as copying a View.
template <class DataType, class... Properties>
auto unscoped(Kokkos::View<DataType, Properties...> const& view) {
  using space = typename Kokkos::View<DataType, Properties...>::memory_space;
  return adapt<base_memory_space_t<space>>(view);
}

}  // namespace KokkosArena

#endif
