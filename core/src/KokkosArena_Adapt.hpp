// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ADAPT_HPP
#define KOKKOSARENA_ADAPT_HPP

#include <KokkosArena_CheckedSpace.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_ScopedSpace.hpp>
#include <impl/KokkosArena_Aggregate.hpp>
#include <impl/KokkosArena_HoldsViews.hpp>
#include <impl/KokkosArena_RebindView.hpp>

#include <Kokkos_Core.hpp>

#include <array>
#include <cstddef>
#include <memory>
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

/// What adapt makes of a T, which has neither reference nor const: its type,
/// and how.
template <class Space, class T>
struct Adapter;
template <class Space, class T>
using adapted_t = typename Adapter<Space, std::remove_cvref_t<T>>::type;

template <class Space, class T>
adapted_t<Space, T> adapted(T const& object) {
  return Adapter<Space, std::remove_cvref_t<T>>::apply(object);
}

// ---------------------------------------------------------------------- Views

/// Of a View, DualView or DynRankView; one in the space stays as it is spelt.
template <class Space, class T, class Rebound>
struct ViewAdapter {
  using from = typename T::memory_space;
  using type = std::conditional_t<std::is_same_v<from, Space>, T, Rebound>;

  static type apply(T const& object) {
    static_assert(Kokkos::SpaceAccessibility<Space, from>::assignable,
                  "adapt shares memory and never copies: the View's memory "
                  "space can't be used as the space asked for");
    return type(object);
  }
};

template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::View<DataType, Properties...>>
    : ViewAdapter<Space, Kokkos::View<DataType, Properties...>,
                  rebind_view_t<Kokkos::View<DataType, Properties...>, Space>> {
};

/// Both of its Views, and what it knows of them; where the host's is the one of
/// the device, it stays so.
template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::DualView<DataType, Properties...>>
    : ViewAdapter<Space, Kokkos::DualView<DataType, Properties...>,
                  rebound_t<Kokkos::DualView, Space, DataType, Properties...>> {
};

template <class Space, class DataType, class... Properties>
struct Adapter<Space, Kokkos::DynRankView<DataType, Properties...>>
    : ViewAdapter<
          Space, Kokkos::DynRankView<DataType, Properties...>,
          rebound_t<Kokkos::DynRankView, Space, DataType, Properties...>> {};

// ----------------------------------------------------------------- containers

template <class Space, class... Ts>
struct Adapter<Space, std::tuple<Ts...>> {
  using type = std::tuple<adapted_t<Space, Ts>...>;

  static type apply(std::tuple<Ts...> const& objects) {
    return std::apply(
        [](Ts const&... object) { return type(adapted<Space>(object)...); },
        objects);
  }
};

template <class Space, class First, class Second>
struct Adapter<Space, std::pair<First, Second>> {
  using type = std::pair<adapted_t<Space, First>, adapted_t<Space, Second>>;

  static type apply(std::pair<First, Second> const& objects) {
    return {adapted<Space>(objects.first), adapted<Space>(objects.second)};
  }
};

/// Also Kokkos::Array, where it has no further parameters.
template <class Space, template <class, std::size_t> class Array, class T,
          std::size_t N>
struct Adapter<Space, Array<T, N>> {
  using type = Array<adapted_t<Space, T>, N>;

  static type apply(Array<T, N> const& objects) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return type{{adapted<Space>(objects[I])...}};
    }(std::make_index_sequence<N>{});
  }
};

template <class Space, class T, class Allocator>
struct Adapter<Space, std::vector<T, Allocator>> {
  using traits = std::allocator_traits<Allocator>;
  using type =
      std::vector<adapted_t<Space, T>,
                  typename traits::template rebind_alloc<adapted_t<Space, T>>>;

  static type apply(std::vector<T, Allocator> const& objects) {
    if constexpr (holds_other_views_v<Space, T> || HasMemberAdapt<T, Space>) {
      // The allocator that a copy would have.
      type result(typename type::allocator_type(
          traits::select_on_container_copy_construction(
              objects.get_allocator())));
      result.reserve(objects.size());
      for (auto const& object : objects) {
        result.push_back(adapted<Space>(object));
      }
      return result;
    } else {
      return objects;
    }
  }
};

// -------------------------------------------------------- aggregates, and rest

/// The same class template over the space; T where it isn't one.
template <class Space, class T>
struct RebindAggregate {
  using type = T;
};

/// An argument of it; an execution space stands for its memory space if no
/// other argument does.
template <class Space, bool has_memory_space, class T>
struct RebindArgument {
  using type = T;
};
template <class Space, bool has_memory_space, class T>
  requires(is_other_space_v<Space, T> ||
           (!has_memory_space && Kokkos::is_execution_space_v<T>))
struct RebindArgument<Space, has_memory_space, T> {
  using type = std::conditional_t<
      Kokkos::SpaceAccessibility<Space, typename T::memory_space>::assignable,
      typename RebindProperty<T, Space>::type, T>;
};
template <class Space, bool has_memory_space, class T>
  requires(holds_other_views_v<Space, T>)
struct RebindArgument<Space, has_memory_space, T> {
  using type = adapted_t<Space, T>;
};

template <class Space, template <class...> class Template, class... Arguments>
  requires(Splittable<Template<Arguments...>> &&
           holds_other_views_v<Space, Template<Arguments...>>)
struct RebindAggregate<Space, Template<Arguments...>> {
  static constexpr bool has_memory_space =
      ((Kokkos::is_memory_space_v<Arguments> ||
        Kokkos::is_device_v<Arguments>) ||
       ...);
  using type = Template<
      typename RebindArgument<Space, has_memory_space, Arguments>::type...>;
};

template <class Space, class T>
void refuse_to_adapt() {
  static_assert(
      !sizeof(T),
      "adapt doesn't know what this object, or this member of one, which holds "
      "Views in another memory space or has another type there, is to become. "
      "It takes Views; tuples, pairs, arrays and vectors; and aggregates (up "
      "to 16 members, no base class, no union, all assignable) that are class "
      "templates over types, of which one is a memory space. Give the class a "
      "member template <class S> auto adapt() const; for those of Kokkos "
      "Kernels, include KokkosArena_Kernels.hpp");
}

template <class To, class Space, class From>
To aggregate_as(From const& object);

/// \return The member as one of type \c To of what is adapted to the space.
template <class To, class Space, class From>
To member_as(From const& member) {
  if constexpr (std::is_same_v<To, From>) {
    return member;
  } else if constexpr (std::is_convertible_v<adapted_t<Space, From>, To>) {
    return adapted<Space>(member);
  } else if constexpr (std::is_enum_v<To> && std::is_enum_v<From>) {
    return static_cast<To>(member);  // Declared in the class itself.
  } else if constexpr (Splittable<To> && Splittable<From>) {
    return aggregate_as<To, Space>(member);
  } else {
    refuse_to_adapt<Space, From>();
  }
}

// The elements of a C array stand without braces of their own, and a bit-field
// is one of another.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Wconversion"
template <class To, class Space, class From>
To aggregate_as(From const& object) {
  return with_members(object, [](auto const&... members) {
    return [&]<class... Tos>(std::tuple<Tos const&...>*) {
      return std::apply(
          [](auto const&... elements) {
            return To{member_as<Tos, Space>(elements)...};
          },
          std::tuple_cat(elements_of(members)...));
    }(static_cast<elements_t<To>*>(nullptr));
  });
}
#pragma GCC diagnostic pop

/// An object with a member adapt; an aggregate; else a copy.
template <class Space, class T>
struct Adapter {
  static constexpr bool has_member = HasMemberAdapt<T, Space>;

  static auto type_of() {
    if constexpr (has_member) {
      using result = decltype(std::declval<T const&>().template adapt<Space>());
      return std::type_identity<std::remove_cvref_t<result>>();
    } else {
      return RebindAggregate<Space, T>();
    }
  }
  using type = typename decltype(type_of())::type;

  static type apply(T const& object) {
    if constexpr (has_member) {
      return object.template adapt<Space>();
    } else if constexpr (!std::is_same_v<type, T>) {
      return aggregate_as<type, Space>(object);
    } else if constexpr (holds_other_views_v<Space, T>) {
      refuse_to_adapt<Space, T>();
    } else {
      return object;
    }
  }
};

}  // namespace Impl

/// \brief The same data with every View rebound to \c Space: no copy, shared
/// ownership.
/// \tparam Space   A memory space, execution space or Kokkos::Device whose
///                 memory space the Views convert to.
/// \param[in] object  A View, DualView or DynRankView; a tuple, pair, array or
///                 vector of such, nested; an aggregate of such (up to 16
///                 members, arrays and other aggregates among them, all
///                 assignable, no base class, no union), if it is a class
///                 template over types of which at least one is a memory space,
///                 a device or holds Views: it becomes the same template over
///                 \c Space; or an object with a member
///                 \c template<class S> \c auto \c adapt() \c const, which is
///                 called. Anything else is copied as it is; where that can be
///                 seen to hold Views in another space, it is a compile error.
///                 Pointers, what a lambda has captured, and private members of
///                 a class without a memory space or View among its template
///                 arguments aren't looked at. Unlike \c checked, it takes an
///                 arena's unchecked memory to CheckedSpace too, where a use
///                 after its drop isn't found then.
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
