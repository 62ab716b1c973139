// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_HANDLESOURCE_HPP
#define KOKKOSARENA_IMPL_HANDLESOURCE_HPP

#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_Error.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_SynchronizedCore.hpp>
#include <impl/KokkosArena_AsyncBackend.hpp>

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <type_traits>

/// \file
/// Where the handles of an arena get their memory: on host backends from the
/// arena itself, on device backends from a region of it that kernels share.

namespace KokkosArena::Impl {

/// \brief Host backends: the core, from any of their threads.
template <class Sync>
class HostHandleSource {
 public:
  explicit HostHandleSource(SynchronizedCore<Sync>& core) noexcept
      : m_core(&core) {}

  KOKKOS_FUNCTION void* allocate(
      [[maybe_unused]] std::size_t bytes,
      [[maybe_unused]] std::size_t alignment) const noexcept {
    // The core throws before it changes anything; a kernel can't be left by an
    // exception.
    KOKKOS_IF_ON_HOST((
        try { return m_core->allocate(bytes, alignment); } catch (...) {
          m_core->counts().note_failed_handle_allocation();
          return nullptr;
        }))
    KOKKOS_IF_ON_DEVICE((Kokkos::abort("KokkosArena: the handle of a host "
                                       "arena was used in a device kernel; "
                                       "make an Arena of the device's "
                                       "execution space");
                         return nullptr;))
  }

 private:
  SynchronizedCore<Sync>* m_core;
};

/// \brief Device backends: [counter][bytes to hand out], a part of the arena.
///
/// Invariant: what was handed out ends at the counter or below. The counter
/// may run past the end, by what kernels asked for at the same time.
template <class MemorySpace>
class DeviceHandleSource {
 public:
  /// The type of 8 bytes for which Kokkos' atomics are the device's own, and no
  /// loops of compare-and-swap (desul's Fetch_Op_CUDA.hpp, Kokkos 4.7).
  using counter_type = std::uint64_t;

  /// \param[in] used    The counter at the region's front; set to 0 before a
  ///                    kernel comes here.
  /// \param[in] bytes   Behind the first granule of the region; a multiple of
  ///                    the granule.
  /// \param[in] failed  The arena's counter.
  DeviceHandleSource(counter_type* used, std::size_t bytes,
                     counter_type* failed) noexcept
      : m_used(used), m_failed(failed), m_bytes(bytes) {}

  KOKKOS_FUNCTION void* allocate(std::size_t bytes,
                                 std::size_t alignment) const noexcept {
    KOKKOS_IF_ON_HOST((if constexpr (!is_host_accessible) {
      Kokkos::abort(
          "KokkosArena: the handle of a device arena was used on the host; "
          "use Arena::allocate there");
    }))
    if (auto const address = take(bytes, alignment)) return address;
    Kokkos::atomic_inc(m_failed);
    return nullptr;
  }

 private:
  static constexpr bool is_host_accessible = host_can_access_v<MemorySpace>;

  KOKKOS_FUNCTION void* take(std::size_t bytes, std::size_t alignment) const {
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) return nullptr;
    // Worst case: the counter is one granule past a multiple of the alignment.
    auto const padding = alignment > granule ? alignment - granule : 0;
    if (padding > m_bytes || bytes > m_bytes - padding) return nullptr;
    auto const rounded =
        bytes == 0 ? granule : (bytes + granule - 1) & ~(granule - 1);
    counter_type const needed = rounded + padding;
    if (needed > m_bytes) return nullptr;
    // Looked at first, so that the counter is moved past the end only by those
    // who ask at the same time, and can't wrap around. It is not taken back
    // then: two who do could let a third have what a fourth has got.
    if (present(m_used) > m_bytes - needed) return nullptr;
    auto const offset = add_to(m_used, needed);
    if (offset > m_bytes - needed) return nullptr;
    auto const address =
        reinterpret_cast<std::uintptr_t>(m_used) + granule + offset;
    return reinterpret_cast<void*>((address + padding) &
                                   ~std::uintptr_t(alignment - 1));
  }

  /// \return What the counter was a moment ago. On devices by a plain load,
  /// whole as any aligned one of 8 bytes: Kokkos' atomic one writes, so that
  /// all threads would queue for it. An old value does no harm, since the
  /// counter only grows, and what counts is what \c add_to gives.
  KOKKOS_FUNCTION static counter_type present(counter_type const* counter) {
    KOKKOS_IF_ON_HOST((return Kokkos::atomic_load(counter);))
    KOKKOS_IF_ON_DEVICE(
        (return *static_cast<counter_type const volatile*>(counter);))
  }

  /// \brief Adds \c n to the counter. \return What it was before, as if the
  /// callers had come one after the other.
  ///
  /// One atomic operation for all threads of a Cuda warp that are here together
  /// and add the same: a counter takes about one a clock cycle, and a million
  /// threads would queue. The group's first thread adds for all, and each takes
  /// its own part of that.
  KOKKOS_FUNCTION static counter_type add_to(counter_type* counter,
                                             counter_type n) {
#if defined(__CUDA_ARCH__)
    // Of one handle: a warp may have several.
    auto const here = __activemask();
    auto const group =
        __match_any_sync(here, n) &
        __match_any_sync(here, reinterpret_cast<std::uintptr_t>(counter));
    auto const leader = __ffs(static_cast<int>(group)) - 1;
    unsigned lane     = 0;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    auto const rank = static_cast<counter_type>(
        __popc(group & ((1u << lane) - 1)));  // of those before
    counter_type before = 0;
    if (rank == 0) {
      before = Kokkos::atomic_fetch_add(
          counter, n * static_cast<counter_type>(__popc(group)));
    }
    return __shfl_sync(group, before, leader) + rank * n;
#else
    return Kokkos::atomic_fetch_add(counter, n);
#endif
  }

  counter_type* m_used;
  counter_type* m_failed;
  std::size_t m_bytes;
};

template <class Space, class Sync>
using handle_source_t =
    std::conditional_t<is_synchronous_v<typename Space::execution_space>,
                       HostHandleSource<Sync>,
                       DeviceHandleSource<base_memory_space_t<Space>>>;

/// \brief Makes the sources of a host arena: nothing to be reserved.
template <class Sync>
class HostHandleSources {
 public:
  template <class ExecutionSpace>
  explicit HostHandleSources(ExecutionSpace const&) noexcept {}

  HostHandleSource<Sync> make(SynchronizedCore<Sync>& core) const noexcept {
    return HostHandleSource<Sync>(core);
  }
  HostHandleSource<Sync> make(SynchronizedCore<Sync>& core,
                              std::size_t) const noexcept {
    return HostHandleSource<Sync>(core);
  }
  /// Of those that the core doesn't know of.
  std::uint64_t failures() const noexcept { return 0; }
};

/// \brief Makes the sources of a device arena.
template <class ExecutionSpace, class MemorySpace, class Sync>
class DeviceHandleSources {
 public:
  using source_type  = DeviceHandleSource<MemorySpace>;
  using counter_type = typename source_type::counter_type;

  explicit DeviceHandleSources(ExecutionSpace const& instance)
      : m_instance(instance) {}
  DeviceHandleSources(DeviceHandleSources const&)            = delete;
  DeviceHandleSources& operator=(DeviceHandleSources const&) = delete;
  ~DeviceHandleSources() {
    if (!m_failed) return;
    m_instance.fence("KokkosArena: before a counter of handles is given back");
    m_space.deallocate(counter_label, m_failed, sizeof(*m_failed));
  }

  /// \brief Half of what the blocks in service have free, but no less than
  /// \c default_bytes if the arena has or can get them.
  source_type make(SynchronizedCore<Sync>& core) {
    auto const s    = core.statistics();
    auto const half = (s.capacity_bytes - s.used_bytes) / 2;
    if (half < default_bytes) {
      try {
        return make(core, default_bytes);
      } catch (ArenaExhausted const&) {
        // What there is, then. Nothing: the message of this one is the better.
        if (half < granule) throw;
      }
    }
    // The counter's granule is taken off.
    return make(core, half - std::min<std::size_t>(half, granule));
  }

  source_type make(SynchronizedCore<Sync>& core, std::size_t bytes) {
    static_assert(
        Kokkos::SpaceAccessibility<ExecutionSpace, MemorySpace>::accessible,
        "the arena's execution space can't access its memory space, so that no "
        "kernel could use a handle");
    auto* const failed = failure_counter();
    // Saturated: a sum that overflows is more than any arena has.
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    bool const possible = bytes <= most - 2 * granule;
    auto const rounded  = possible ? align_up(bytes, granule) : most;
    auto* const used    = static_cast<counter_type*>(
        core.allocate(possible ? granule + rounded : most, granule));
    backend::template zero<MemorySpace>(m_instance, used, sizeof(*used));
    return source_type(used, rounded, failed);
  }

  std::uint64_t failures() const {
    std::lock_guard const guard(m_mutex);
    counter_type result = 0;
    if (m_failed) {
      backend::template read<MemorySpace>(m_instance, &result, m_failed,
                                          sizeof(result));
    }
    return result;
  }

 private:
  using backend = AsyncBackend<ExecutionSpace>;

  static constexpr std::size_t default_bytes = std::size_t(1) << 20;
  static constexpr char const* counter_label =
      "KokkosArena::failed_handle_allocations";

  /// Not in the arena: it outlives every reset, and a rewind needs no look at
  /// the regions that it drops.
  counter_type* failure_counter() {
    std::lock_guard const guard(m_mutex);
    if (!m_failed) {
      auto* const counter = static_cast<counter_type*>(allocate_on(
          m_instance, m_space, counter_label, sizeof(counter_type)));
      try {
        backend::template zero<MemorySpace>(m_instance, counter,
                                            sizeof(*counter));
      } catch (...) {
        m_space.deallocate(counter_label, counter, sizeof(*counter));
        throw;
      }
      m_failed = counter;
    }
    return m_failed;
  }

  ExecutionSpace m_instance;
  [[no_unique_address]] MemorySpace m_space;
  mutable std::mutex m_mutex;  ///< Of the next; it is made by the first handle.
  counter_type* m_failed = nullptr;
};

template <class Space, class Sync>
using handle_sources_t =
    std::conditional_t<is_synchronous_v<typename Space::execution_space>,
                       HostHandleSources<Sync>,
                       DeviceHandleSources<typename Space::execution_space,
                                           base_memory_space_t<Space>, Sync>>;

}  // namespace KokkosArena::Impl

#endif
