// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ELEMENTTEMPORARIES_HPP
#define KOKKOSARENA_ELEMENTTEMPORARIES_HPP

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdlib>

/// \file
/// Ways for an iteration of a kernel to get small temporaries. Each is a type
/// with a member iteration(), whose result gives temporaries until the
/// iteration ends:
///
///     auto temporaries = policy.iteration();
///     auto const x = temporaries.template view<double* [3]>("x", 8);

namespace KokkosArena::workloads {

/// \brief Views as plain code makes them. In HostSpace the kernel hangs, since
/// Kokkos fences where such a View ends, and the fence waits for the kernel.
template <class MemorySpace>
struct PlainViews {
  struct Iteration {
    template <class DataType, class... Extents>
    Kokkos::View<DataType, MemorySpace> view(char const* label,
                                             Extents... extents) const {
      return Kokkos::View<DataType, MemorySpace>(
          label, static_cast<std::size_t>(extents)...);
    }
  };
  Iteration iteration() const { return {}; }
};

namespace Impl {

/// Of doubles.
template <class DataType>
using unmanaged_t =
    Kokkos::View<DataType, Kokkos::LayoutRight, Kokkos::HostSpace,
                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

}  // namespace Impl

/// \brief A buffer from malloc for each, freed when it ends: what code does
/// that can't have Views here.
struct MallocedBuffers {
  /// Used as a View; neither copied nor moved.
  template <class DataType>
  class Buffer {
    using view_type = Impl::unmanaged_t<DataType>;

   public:
    template <class... Extents>
    explicit Buffer(Extents... extents)
        // No extent is 0. NOLINTNEXTLINE(clang-analyzer-*)
        : m_view(static_cast<double*>(std::malloc(
                     view_type(nullptr, extents...).span() * sizeof(double))),
                 extents...) {
      if (!m_view.data()) Kokkos::abort("MallocedBuffers: malloc failed");
    }
    Buffer(Buffer const&)            = delete;
    Buffer& operator=(Buffer const&) = delete;
    ~Buffer() { std::free(m_view.data()); }

    template <class... Indices>
    auto& operator()(Indices... indices) const {
      return m_view(indices...);
    }

   private:
    view_type m_view;
  };

  struct Iteration {
    template <class DataType, class... Extents>
    Buffer<DataType> view(char const*, Extents... extents) const {
      return Buffer<DataType>(static_cast<std::size_t>(extents)...);
    }
  };
  Iteration iteration() const { return {}; }
};

/// \brief Pieces of a workspace that each thread has had from its start: what
/// no allocator can beat. For one iteration at a time on a thread, and for 1 kB
/// of temporaries.
struct ThreadWorkspaces {
  class Iteration {
   public:
    template <class DataType, class... Extents>
    Impl::unmanaged_t<DataType> view(char const*, Extents... extents) {
      Impl::unmanaged_t<DataType> const result(
          m_next, static_cast<std::size_t>(extents)...);
      // Each begins at a cache line, as an allocator would have it.
      m_next += (result.span() + 7) / 8 * 8;
      return result;
    }

   private:
    double* m_next = s_workspace;
  };
  Iteration iteration() const { return {}; }

 private:
  alignas(64) static inline thread_local double s_workspace[128];
};

}  // namespace KokkosArena::workloads

#endif
