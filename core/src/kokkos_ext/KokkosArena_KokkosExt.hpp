// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_KOKKOSEXT_HPP
#define KOKKOSARENA_KOKKOSEXT_HPP

/// \file
/// The only file that names Kokkos::Impl: what Kokkos has to be told about the
/// arena spaces. Kokkos may change these without notice. Written against
/// Kokkos 4.7 to 5.2.

#include <KokkosArena_CheckedSpace.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_ScopedSpace.hpp>
#include <KokkosArena_WaitFor.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>
#include <impl/KokkosArena_DeviceChecks.hpp>
#include <impl/KokkosArena_HostRecords.hpp>
#include <impl/KokkosArena_RebindView.hpp>
#include <impl/KokkosArena_Region.hpp>

#include <Kokkos_Core.hpp>

#ifndef KOKKOS_IMPL_PUBLIC_INCLUDE
#define KOKKOS_IMPL_PUBLIC_INCLUDE
#define KOKKOSARENA_UNDEFINE_PUBLIC_INCLUDE
#endif
#include <impl/Kokkos_SharedAlloc_timpl.hpp>
#ifdef KOKKOSARENA_UNDEFINE_PUBLIC_INCLUDE
#undef KOKKOS_IMPL_PUBLIC_INCLUDE
#undef KOKKOSARENA_UNDEFINE_PUBLIC_INCLUDE
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#if defined(KOKKOS_ENABLE_OPENMP)
#include <omp.h>
#endif

#if KOKKOS_VERSION < 40699
#error "KokkosArena needs Kokkos 4.7 or newer"
#endif

namespace KokkosArena::Impl {

/// \brief Leaves the extents for the record that is made next.
template <class Extents>
void note_extents(Extents const& extents) {
  auto& next = next_view_extents();
  next.rank  = static_cast<unsigned>(Extents::rank());
  for (std::size_t r = 0; r < Extents::rank(); ++r) {
    next.extent[r] = static_cast<std::size_t>(extents.extent(r));
  }
}

/// \brief Before a copy by address, of host or of device memory.
inline void check_copy(void const* address) {
  check_access(address);
#if defined(KOKKOS_ENABLE_CUDA)
  if (is_dropped_cuda_address(address)) report_invalid(address);
#endif
}

/// \brief Where the record of a View leaves its arena for what initialises the
/// View, which is made next by the same thread, and isn't told.
struct NewestDeviceView {
  Core const* core;
  void const* data;
};
inline NewestDeviceView& newest_device_view() noexcept {
  thread_local NewestDeviceView newest{};
  return newest;
}

}  // namespace KokkosArena::Impl

namespace Kokkos::Impl {

// Access and deep copies are those of the space underneath.

template <class Destination, class Source>
  requires(KokkosArena::is_arena_space_v<Destination> ||
           KokkosArena::is_arena_space_v<Source>)
struct MemorySpaceAccess<Destination, Source>
    : MemorySpaceAccess<KokkosArena::base_memory_space_t<Destination>,
                        KokkosArena::base_memory_space_t<Source>> {};

template <class Destination, class Source, class ExecutionSpace>
  requires(KokkosArena::is_arena_space_v<Destination> ||
           KokkosArena::is_arena_space_v<Source>)
struct DeepCopy<Destination, Source, ExecutionSpace>
    : DeepCopy<KokkosArena::base_memory_space_t<Destination>,
               KokkosArena::base_memory_space_t<Source>, ExecutionSpace> {
  using base_type =
      DeepCopy<KokkosArena::base_memory_space_t<Destination>,
               KokkosArena::base_memory_space_t<Source>, ExecutionSpace>;

  DeepCopy(void* destination, void const* source, std::size_t bytes)
      : base_type((check(destination, source), destination), source, bytes) {}
  DeepCopy(ExecutionSpace const& exec, void* destination, void const* source,
           std::size_t bytes)
      : base_type(exec, (check(destination, source), destination), source,
                  bytes) {}

 private:
  /// It copies by address, past the accessors.
  static void check(void const* destination, void const* source) {
    if constexpr (KokkosArena::Impl::is_checked_space_v<Destination> ||
                  KokkosArena::Impl::is_checked_space_v<Source>) {
      KokkosArena::Impl::check_copy(destination);
      KokkosArena::Impl::check_copy(source);
    }
  }
};

/// \brief The accessor of Views in CheckedSpace, managed or not, also with
/// atomic and other traits: each access asks whether the View's data is valid.
template <class MemorySpace, class Nested>
  requires(KokkosArena::Impl::checks_accesses_v<MemorySpace>)
struct SpaceAwareAccessor<KokkosArena::CheckedSpace<MemorySpace>, Nested>
    : SpaceAwareAccessor<MemorySpace, Nested> {
  using base_type        = SpaceAwareAccessor<MemorySpace, Nested>;
  using memory_space     = KokkosArena::CheckedSpace<MemorySpace>;
  using reference        = typename base_type::reference;
  using data_handle_type = typename base_type::data_handle_type;
  using offset_policy =
      SpaceAwareAccessor<memory_space, typename Nested::offset_policy>;

  using base_type::base_type;
  KOKKOS_DEFAULTED_FUNCTION constexpr SpaceAwareAccessor() = default;
  /// What isn't inherited, since it would copy the base.
  KOKKOS_FUNCTION constexpr SpaceAwareAccessor(base_type const& base) noexcept
      : base_type(base) {}

  KOKKOS_FUNCTION constexpr reference access(data_handle_type const& handle,
                                             std::size_t i) const {
    if constexpr (std::is_same_v<MemorySpace, Kokkos::HostSpace>) {
      KOKKOS_IF_ON_HOST((KokkosArena::Impl::check_access(address(handle));))
    }
#if defined(KOKKOS_ENABLE_CUDA)
    else {
      KOKKOS_IF_ON_DEVICE(
          (KokkosArena::Impl::check_access_in_kernel(address(handle));))
    }
#endif
    return base_type::access(handle, i);
  }

 private:
  template <class Handle>
  KOKKOS_FUNCTION static constexpr void const* address(Handle const& handle) {
    if constexpr (requires { handle.get(); }) {
      return handle.get();
    } else {
      return handle;
    }
  }
};

/// \brief Kokkos asks this for the number of elements that a View needs, just
/// before it makes the record, which isn't told the extents.
template <class Mapping, class MemorySpace, class Nested>
KOKKOS_INLINE_FUNCTION std::size_t allocation_size_from_mapping_and_accessor(
    Mapping const& mapping,
    SpaceAwareAccessor<KokkosArena::CheckedSpace<MemorySpace>, Nested> const&) {
  KOKKOS_IF_ON_HOST((KokkosArena::Impl::note_extents(mapping.extents());))
  return mapping.required_span_size();
}

/// \brief Kokkos' bookkeeping of one allocation, put in front of its data in
/// one piece of the arena: [record][header][data].
///
/// Checked memory has [header][data], and the record in the store's ledger. In
/// the base space it is as Kokkos has it: the record on the heap, header and
/// data together in the space.
///
/// Where the host can't write at any time, since it has no access or since a
/// kernel may still be reading what was there before, it is [header][data] as
/// well, and the record in host memory. Nothing is written to that header,
/// which would take a copy and a fence: only \c get_record and builds of Kokkos
/// for debugging read it, and they have it filled.
template <KokkosArena::ArenaSpace Space>
class SharedAllocationRecord<Space, void>
    : public SharedAllocationRecord<void, void> {
 protected:
  using base_type   = SharedAllocationRecord<void, void>;
  using header_type = SharedAllocationHeader;

  /// The memory of one record.
  struct Piece {
    KokkosArena::Impl::Core* core;  ///< Null: the base space.
    /// Arena: where the record is. Checked: the ledger's CheckedAllocation.
    /// Base: the space's.
    void* memory;
    std::size_t bytes;  ///< Of memory.
    header_type* header;
  };
  using Checked = KokkosArena::Impl::CheckedAllocation;
  static constexpr bool is_checked =
      KokkosArena::Impl::is_checked_space_v<Space>;
  static constexpr bool host_may_write =
      KokkosArena::Impl::record_in_arena_v<Space>;
  using base_space = KokkosArena::base_memory_space_t<Space>;
  /// Of data, at least, also where the base space gives it.
  static constexpr std::size_t least_alignment =
      host_may_write ? KokkosArena::Impl::granule : sizeof(header_type);

 public:
  /// \brief A record with its data, of which nobody holds a share yet.
  /// \param[in] alignment  Of the data, a power of two.
  template <class Record = SharedAllocationRecord>
  static Record* create(Space const& space, std::string const& label,
                        std::size_t data_bytes, std::size_t alignment = 1) try {
    auto const piece =
        take(space, label.c_str(), sizeof(Record), data_bytes, alignment);
    Record* record = nullptr;
    try {
      void* const place = place_of_record<Record>(piece);
      try {
        record = ::new (place)
            Record(space, piece, data_bytes, label, &destroy<Record>);
      } catch (...) {
        give_back_place<Record>(piece, place);
        throw;
      }
    } catch (...) {
      give_back(space, piece);
      throw;
    }
    if constexpr (is_checked) {
      if (piece.core) tell_ledger(*static_cast<Checked*>(piece.memory), record);
    }
    if constexpr (host_may_write) {
      fill_header(*piece.header, record, label);
    } else {
      or_discard(*record, [&] {
        announce(*record);
#if defined(KOKKOS_ENABLE_DEBUG) || defined(KOKKOS_ENABLE_DEBUG_BOUNDS_CHECK)
        send_header(*record);
#endif
      });
    }
    if (piece.core) {
      Space::report_allocation(label.c_str(), piece.header, data_bytes);
    } else {
      KokkosArena::Impl::count_base_allocation(typeid(base_space));
    }
    return record;
  } catch (...) {
    KokkosArena::Impl::end_if_in_region();
    throw;
  }

  /// \brief The same for a View that is first used on \c exec, which waits
  /// until the arena's instance has done with the memory.
  template <class Record, class ExecutionSpace>
  static Record* create_on(ExecutionSpace const& exec, Space const& space,
                           std::string const& label, std::size_t data_bytes) {
    auto* const record = create<Record>(space, label, data_bytes);
    if constexpr (!host_may_write) {
      or_discard(*record, [&] {
        if (auto* const core = space.impl_core()) {
          KokkosArena::Impl::order_after_arena(exec, *core);
        }
      });
    }
    return record;
  }

  /// \brief The same with one share, which the caller has.
  static SharedAllocationRecord* create_shared(Space const& space,
                                               std::string const& label,
                                               std::size_t data_bytes,
                                               std::size_t alignment) {
    auto* const record = create(space, label, data_bytes, alignment);
    record->m_count    = 1;  // nobody else knows it yet: no atomic needed
    return record;
  }

  std::string get_label() const override { return base_type::m_label; }

  /// The label of any record, without a copy.
  static std::string const& label_of(base_type const& record) {
    return record.m_label;
  }

  // What kokkos_malloc and its kin and MemoryPool call.

  static SharedAllocationRecord* allocate(Space const& space,
                                          std::string const& label,
                                          std::size_t bytes) {
    KokkosArena::Impl::next_view_extents() = {};  // it isn't a View
    return create(space, label, bytes);
  }
  static void* allocate_tracked(Space const& space, std::string const& label,
                                std::size_t bytes) {
    if (bytes == 0) return nullptr;
    KokkosArena::Impl::next_view_extents() = {};
    auto* const record                     = create(space, label, bytes);
    if constexpr (!host_may_write) {
      or_discard(*record, [&] { send_header(*record); });
    }
    base_type::increment(record);
    return record->data();
  }
  static void deallocate_tracked(void* data) {
    if (data) base_type::decrement(get_record(data));
  }
  static void* reallocate_tracked(void* data, std::size_t bytes) {
    if constexpr (is_checked) KokkosArena::Impl::check_copy(data);
    auto* const old_record = get_record(data);
    auto* const old_core   = old_record->m_space.impl_core();
    // In the same arena, unless that is gone.
    auto const space =
        old_core && old_core->has_ended() ? Space{} : old_record->m_space;
    auto* const new_record = create(space, label_of(*old_record), bytes);
    auto const both        = std::min(old_record->size(), new_record->size());
    if constexpr (host_may_write) {
      std::memcpy(new_record->data(), data, both);
    } else {
      or_discard(*new_record, [&] {
        // What has written it may have been on any instance.
        Kokkos::fence("KokkosArena: before memory is reallocated");
        send_header(*new_record);
        on_instance(*new_record, [&](auto const& exec) {
          copy<base_space, base_space>(exec, new_record->data(), data, both);
        });
      });
    }
    base_type::increment(new_record);
    base_type::decrement(old_record);
    return new_record->data();
  }
  /// \brief Ends a record that nobody has taken a share of.
  static void discard(base_type* record) {
    base_type::increment(record);
    base_type::decrement(record);
  }
  /// \pre The host may write the memory; a View is alive there.
  static bool is_of_arena(void const* data) {
    if constexpr (is_checked) {
      if (KokkosArena::Impl::is_in_checked_addresses(data)) return true;
    }
    auto const* const record = header_type::get_header(data)->m_record;
    return static_cast<SharedAllocationRecord const*>(record)
        ->m_space.impl_core();
  }
  static SharedAllocationRecord* get_record(void* data) {
    if constexpr (is_checked) {
      // The header may not be there any more.
      if (auto* const checked =
              KokkosArena::Impl::find_checked_allocation(data)) {
        return reinterpret_cast<SharedAllocationRecord*>(checked->record);
      }
    }
    auto const* const header = data ? header_type::get_header(data) : nullptr;
    if constexpr (!host_may_write) {
      header_type here;
      if (header) {
        typename Space::execution_space const exec;
        // What has written it may have been on any instance.
        Kokkos::fence("KokkosArena: before a header is read");
        copy<Kokkos::HostSpace, base_space>(exec, &here, header, sizeof(here));
        exec.fence("KokkosArena: after a header was read");
        if (here.m_record->m_alloc_ptr == header) {
          return static_cast<SharedAllocationRecord*>(here.m_record);
        }
      }
      not_an_allocation();
    }
    if (!header || header->m_record->m_alloc_ptr != header) {
      not_an_allocation();
    }
    return static_cast<SharedAllocationRecord*>(header->m_record);
  }

 protected:
  SharedAllocationRecord(Space const& space, Piece const& piece,
                         std::size_t data_bytes, std::string const& label,
                         typename base_type::function_type deallocate)
      : base_type(
#ifdef KOKKOS_ENABLE_DEBUG
            &s_root_record,
#endif
            piece.header, data_bytes + sizeof(header_type), deallocate, label),
        m_space(space),
        m_memory(piece.memory),
        m_bytes(piece.bytes) {
  }

 private:
  [[noreturn]] static void not_an_allocation() {
    KokkosArena::Impl::abort(
        std::string("the pointer is not the beginning of an allocation of ") +
        Space::name());
  }

  /// \param[in] record_bytes  Size of the record in front of the header.
  static Piece take(Space const& space, char const* label,
                    std::size_t record_bytes, std::size_t data_bytes,
                    std::size_t alignment) {
    constexpr auto header_bytes = sizeof(header_type);
    auto* const core            = space.impl_core();
    auto const data_alignment   = std::max(alignment, least_alignment);
    if constexpr (is_checked) {
      auto const extents =
          std::exchange(KokkosArena::Impl::next_view_extents(), {});
      if (core) {
        auto* const checked = space.impl_store().allocate(
            header_bytes, data_bytes, data_alignment, label, extents,
            KokkosArena::Impl::current_frame(*core));
        return {core, checked, checked->bytes,
                static_cast<header_type*>(checked->data) - 1};
      }
    }
    if constexpr (!host_may_write) record_bytes = 0;
    // What the base space aligns to; more needs room to move.
    constexpr auto base_alignment =
        KokkosArena::Impl::host_can_access_v<base_space>
            ? KokkosArena::Impl::granule
            : least_alignment;
    auto const front =
        core ? KokkosArena::Impl::align_up(record_bytes + header_bytes,
                                           data_alignment)
             : header_bytes +
                   (data_alignment > base_alignment ? data_alignment : 0);
    // Saturated: a sum that overflows is more than any arena has.
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    auto bytes          = data_bytes > most - front ? most : data_bytes + front;
    if constexpr (!host_may_write) {
      // So that the next one is aligned as well, without a hole.
      auto const whole = KokkosArena::Impl::align_up(bytes, least_alignment);
      if (core && whole > bytes) bytes = whole;
    }
    void* const memory =
        core ? core->allocate_tracked(bytes, data_alignment, label)
             : space.impl_base().allocate(label, bytes, data_bytes);
    auto const address = reinterpret_cast<std::uintptr_t>(memory);
    auto const data    = core ? address + front
                              : KokkosArena::Impl::align_up(address + header_bytes,
                                                            data_alignment);
    return {core, memory, bytes,
            reinterpret_cast<header_type*>(data - header_bytes)};
  }

  template <class Record>
  static void* place_of_record(Piece const& piece) {
    if constexpr (is_checked) {
      static_assert(sizeof(Record) <= Checked::record_bytes);
      if (piece.core) return static_cast<Checked*>(piece.memory)->record;
    }
    if constexpr (!host_may_write) {
      return KokkosArena::Impl::take_record_memory(sizeof(Record));
    } else {
      return piece.core ? piece.memory : ::operator new(sizeof(Record));
    }
  }
  /// \brief Does nothing where that is a part of the piece.
  template <class Record>
  static void give_back_place(Piece const& piece, void* place) noexcept {
    if (is_checked && piece.core) return;
    if constexpr (!host_may_write) {
      KokkosArena::Impl::give_back_record_memory(place, sizeof(Record));
    } else if (!piece.core) {
      ::operator delete(place);
    }
  }

  // Where the host can't write at any time:

  using execution_space = typename Space::execution_space;

  static execution_space const* instance_of(
      KokkosArena::Impl::Core const* core) noexcept {
    if (!core) return nullptr;
    return static_cast<execution_space const*>(
        core->instance(typeid(execution_space)));
  }

  /// \brief Calls f(instance) with the one in whose order the record's memory
  /// is used, and waits.
  template <class F>
  static void on_instance(SharedAllocationRecord const& record, F const& f) {
    auto const run = [&](execution_space const& exec) {
      f(exec);
      exec.fence("KokkosArena: after a copy of a header or an allocation");
    };
    auto* const core = record.m_space.impl_core();
    if (auto* const instance = instance_of(core)) {
      run(*instance);
    } else {
      // Pinned memory's own execution space is the host's.
      if (core) core->fence_instance("KokkosArena: before a copy of a header");
      run(execution_space{});
    }
  }

  /// \brief Does what may fail once the record is made, which ends then.
  template <class Record, class F>
  static void or_discard(Record& record, F const& f) {
    try {
      f();
    } catch (...) {
      discard(&record);
      throw;
    }
  }

  template <class Destination, class Source>
  static void copy(execution_space const& exec, void* destination,
                   void const* source, std::size_t bytes) {
    DeepCopy<Destination, Source, execution_space>(exec, destination, source,
                                                   bytes);
  }

  static void send_header(SharedAllocationRecord& record) {
    header_type header;
    fill_header(header, &record, record.m_label);
    on_instance(record, [&](auto const& exec) {
      copy<base_space, Kokkos::HostSpace>(exec, record.m_alloc_ptr, &header,
                                          sizeof(header));
    });
  }

  /// \brief Leaves the instance for what initialises the View. If the host can
  /// reach the memory, it may do so at once, so kernels that still read what
  /// was there before have to end first.
  static void announce(SharedAllocationRecord const& record) {
    auto* const core                        = record.m_space.impl_core();
    KokkosArena::Impl::newest_device_view() = {core, record.data()};
    if constexpr (KokkosArena::Impl::host_can_access_v<base_space>) {
      if (core) {
        core->fence_instance("KokkosArena: before the host uses memory again");
      }
    }
  }

  template <class Record>
  static void tell_ledger(Checked& checked, Record*) {
    checked.store->set_record(
        checked,
        [](void const* record) {
          return static_cast<Record const*>(record)->use_count();
        },
        [](void* record) { static_cast<Record*>(record)->~Record(); },
        [](void* record) { static_cast<Record*>(record)->destroy_elements(); },
        Record::owns_elements);
  }

  static void give_back(Space const& space, Piece const& piece) {
    if constexpr (is_checked) {
      if (piece.core) {
        KokkosArena::Impl::CheckedStore::give_back(
            static_cast<Checked*>(piece.memory));
        return;
      }
    }
    if (piece.core) {
      piece.core->deallocate_tracked(piece.memory, piece.bytes);
    } else {
      space.impl_base().deallocate(piece.memory, piece.bytes);
    }
  }

  /// What Kokkos calls when the last share is gone.
  template <class Record>
  static void destroy(base_type* base) {
    auto* const record    = static_cast<Record*>(base);
    auto const data_bytes = record->size();
    if constexpr (is_checked) {
      if (record->m_space.impl_core()) {
        Space::report_deallocation(record->m_label.c_str(), record->m_alloc_ptr,
                                   data_bytes);
        KokkosArena::Impl::CheckedStore::give_back(
            static_cast<Checked*>(record->m_memory));
        return;
      }
    }
    record->destroy_elements();
    auto const space   = record->m_space;
    auto* const memory = record->m_memory;
    auto const bytes   = record->m_bytes;
    Piece const piece{space.impl_core(), memory, bytes, record->m_alloc_ptr};
    if (auto* const core = piece.core) {
      if (Kokkos::Tools::profileLibraryLoaded()) {
        Space::report_deallocation(record->m_label.c_str(), record->m_alloc_ptr,
                                   data_bytes);
      }
      record->~Record();
      give_back_place<Record>(piece, record);
      core->deallocate_tracked(memory, bytes);
    } else {
      give_back_to_base(space.impl_base(), record->m_label.c_str(), memory,
                        bytes, data_bytes);
      record->~Record();
      give_back_place<Record>(piece, record);
    }
  }

  static constexpr bool owns_elements = false;
  void destroy_elements() {}

  template <class BaseSpace>
  static void give_back_to_base(BaseSpace const& base, char const* label,
                                void* memory, std::size_t bytes,
                                std::size_t data_bytes) {
    if constexpr (std::is_same_v<BaseSpace, Kokkos::HostSpace>) {
      // HostSpace fences first. Inside a kernel that would wait for the kernel
      // itself, and a kernel's own temporary is read by nobody else. With one
      // thread Kokkos runs kernels without a region that could be seen.
      if (KokkosArena::Impl::region_level() > 0 || Kokkos::num_threads() == 1) {
        base.impl_deallocate(label, memory, bytes, data_bytes);
        return;
      }
    }
    base.deallocate(label, memory, bytes, data_bytes);
  }

  static void fill_header(header_type& header, base_type* record,
                          std::string_view label) {
    header.m_record   = record;
    auto const length = std::min<std::size_t>(
        label.size(), header_type::maximum_label_length - 1);
    std::memcpy(header.m_label, label.data(), length);
    header.m_label[length] = '\0';
  }

  template <class, class>
  friend class SharedAllocationRecord;

  Space m_space;
  void* m_memory;
  std::size_t m_bytes;

#ifdef KOKKOS_ENABLE_DEBUG
  static inline base_type s_root_record;
#endif
};

/// The same with the functor that ends the elements.
template <KokkosArena::ArenaSpace Space, class DestroyFunctor>
  requires(!std::is_void_v<DestroyFunctor>)
class SharedAllocationRecord<Space, DestroyFunctor> final
    : public SharedAllocationRecord<Space, void> {
  using parent_type = SharedAllocationRecord<Space, void>;

 public:
  KOKKOS_FUNCTION static SharedAllocationRecord* allocate(
      [[maybe_unused]] Space const& space,
      [[maybe_unused]] std::string const& label,
      [[maybe_unused]] std::size_t bytes) {
    KOKKOS_IF_ON_HOST(
        (return parent_type::template create<SharedAllocationRecord>(
                    space, label, bytes);))
    KOKKOS_IF_ON_DEVICE((return nullptr;))
  }
  template <class ExecutionSpace>
  KOKKOS_FUNCTION static SharedAllocationRecord* allocate(
      [[maybe_unused]] ExecutionSpace const& exec,
      [[maybe_unused]] Space const& space,
      [[maybe_unused]] std::string const& label,
      [[maybe_unused]] std::size_t bytes) {
    KOKKOS_IF_ON_HOST(
        (return parent_type::template create_on<SharedAllocationRecord>(
                    exec, space, label, bytes);))
    KOKKOS_IF_ON_DEVICE((return nullptr;))
  }

  DestroyFunctor m_destroy{};

 private:
  using parent_type::parent_type;
  friend parent_type;

  static constexpr bool owns_elements = [] {
    if constexpr (requires { DestroyFunctor::owns; }) {
      return DestroyFunctor::owns;
    } else {
      return true;
    }
  }();
  void destroy_elements() { m_destroy.destroy_shared_allocation(); }
};

/// \brief Makes and ends the elements of a View in an arena space on a host
/// backend. Kokkos' own holds an execution space handle, whose copies cost more
/// than the allocation, takes the lock of the instance, and fences; this one
/// does none of it.
/// \tparam is_kernel  Whether Kokkos Tools see that as a kernel.
template <class ExecutionSpace, KokkosArena::ArenaSpace Space, class T,
          bool is_kernel = true>
class ArenaElements {
 public:
  /// Whether there is something to do at their end.
  static constexpr bool owns = !std::is_trivially_destructible_v<T>;

  ArenaElements() = default;
  /// \param[in] threads  That may share the work; 0: the default's.
  /// \param[in] device   For Kokkos Tools, the instance's id; 0: the default's.
  ArenaElements(T* pointer, std::size_t size, int threads,
                std::uint32_t device = 0)
      : m_pointer(pointer),
        m_size(size),
        m_threads(threads),
        m_device(device) {}

  void construct_shared_allocation() {
    if constexpr (std::is_trivially_default_constructible_v<T>) {
      run("initialization", " via memset", [](T* first, std::size_t count) {
        std::memset(static_cast<void*>(first), 0, count * sizeof(T));
      });
      if (m_threads == 0) {
        fence_as_base_space("Kokkos::View::initialization via memset");
      }
    } else {
      try {
        run("initialization", "", [](T* first, std::size_t count) {
          std::uninitialized_value_construct_n(first, count);
        });
      } catch (...) {
        // View forgets the record then; without it the bytes would be lost.
        m_size            = 0;
        using record_type = SharedAllocationRecord<Space, void>;
        record_type::discard(record_type::get_record(m_pointer));
        throw;
      }
      if (m_threads == 0) {
        fence_as_base_space("Kokkos::View::initialization");
      }
    }
  }

  void destroy_shared_allocation() {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      run("destruction", "",
          [](T* first, std::size_t count) { std::destroy_n(first, count); });
      if (is_kernel) {
        fence_as_base_space("Kokkos::View::destruction before deallocate");
      }
    }
  }

 private:
  /// From here on the threads of the backend share the work, so that each
  /// touches its part of the pages first. Kokkos' own limit for a memset
  /// (OpenMP/Kokkos_OpenMP_ZeroMemset.hpp, Kokkos 5.2).
  static constexpr std::size_t parallel_bytes = std::size_t(1) << 17;
  /// And its least number of threads, below which a memset is as fast.
  static constexpr int parallel_threads = 4;

  /// Outside of a scope, what a View of the base space does; but not inside a
  /// kernel, where it would wait for the kernel itself. With one thread that
  /// can't be seen.
  void fence_as_base_space(char const* name) const {
    using record_type = SharedAllocationRecord<Space, void>;
    if (!is_kernel || m_size == 0 || record_type::is_of_arena(m_pointer) ||
        KokkosArena::Impl::region_level() > 0 || Kokkos::num_threads() == 1) {
      return;
    }
    ExecutionSpace().fence(name);
  }

  // Not inlined, so that what calls it is small enough to be.
  [[gnu::noinline, gnu::cold]] std::uint64_t begin_kernel(
      char const* what, char const* how) const {
    std::uint64_t kernel = 0;
    auto const* const label =
        SharedAllocationHeader::get_header(m_pointer)->label();
    Kokkos::Tools::beginParallelFor(
        std::string("Kokkos::View::") + what + " [" + label + "]" + how,
        m_device ? m_device
                 : Kokkos::Tools::Experimental::device_id(ExecutionSpace{}),
        &kernel);
    return kernel;
  }

  template <class Range>
  void run(char const* what, char const* how, Range const& range) const {
    std::uint64_t kernel = 0;
    bool const with_tools =
        is_kernel && m_size > 0 && Kokkos::Tools::profileLibraryLoaded();
    if (with_tools) kernel = begin_kernel(what, how);
    try {
      if (m_size * sizeof(T) < parallel_bytes || !share(range)) {
        range(m_pointer, m_size);
      }
    } catch (...) {
      if (with_tools) Kokkos::Tools::endParallelFor(kernel);
      throw;
    }
    if (with_tools) Kokkos::Tools::endParallelFor(kernel);
  }

  /// \return Whether other threads took part. Not inside a kernel, where the
  /// calling thread is the only one that this View may wait for, and not for
  /// elements that own something: Views as elements would wait for the kernel
  /// that makes or ends them. Nor for those that may throw, which ends the
  /// program in a region.
  template <class Range>
  bool share([[maybe_unused]] Range const& range) const {
#ifdef KOKKOS_ENABLE_OPENMP
    if constexpr (std::is_same_v<ExecutionSpace, Kokkos::OpenMP> &&
                  std::is_trivially_destructible_v<T> &&
                  std::is_nothrow_default_constructible_v<T>) {
      auto const threads = m_threads > 0 ? m_threads : Kokkos::num_threads();
      if (threads < parallel_threads || KokkosArena::Impl::region_level() > 0) {
        return false;
      }
      // A region of this thread's own, without the lock that a kernel of
      // another thread on the same instance may hold.
#pragma omp parallel num_threads(threads)
      {
        auto const count = static_cast<std::size_t>(omp_get_num_threads());
        auto const chunk = (m_size + count - 1) / count;
        auto const rank  = static_cast<std::size_t>(omp_get_thread_num());
        auto const begin = std::min(m_size, rank * chunk);
        range(m_pointer + begin, std::min(m_size, begin + chunk) - begin);
      }
      return true;
    }
#endif
    return false;
  }

  T* m_pointer           = nullptr;
  std::size_t m_size     = 0;
  int m_threads          = 1;
  std::uint32_t m_device = 0;
};

template <class ExecutionSpace, KokkosArena::ArenaSpace Space, class T>
  requires(KokkosArena::Impl::is_synchronous_v<ExecutionSpace> &&
           KokkosArena::Impl::record_in_arena_v<Space>)
struct ViewValueFunctor<Device<ExecutionSpace, Space>, T>
    : ArenaElements<ExecutionSpace, Space, T> {
  ViewValueFunctor() = default;
  ViewValueFunctor(ExecutionSpace const& exec, T* pointer, std::size_t size,
                   std::string const&)
      : ArenaElements<ExecutionSpace, Space, T>(
            pointer, size, exec.concurrency(), device_of(exec)) {}
  ViewValueFunctor(T* pointer, std::size_t size, std::string const&)
      : ArenaElements<ExecutionSpace, Space, T>(pointer, size, 0) {}

 private:
  // Not inlined, for the size of View's constructor.
  [[gnu::noinline]] static std::uint32_t device_of(ExecutionSpace const& exec) {
    return Kokkos::Tools::profileLibraryLoaded()
               ? Kokkos::Tools::Experimental::device_id(exec)
               : 0;
  }
};

/// \brief On a backend whose kernels run behind the host's back, for memory
/// that the host can't reach: Kokkos' own, on the arena's instance where the
/// View names none, so that what was there before isn't overwritten too early,
/// and then without a fence, since what uses the View comes later on that
/// instance.
template <class ExecutionSpace, KokkosArena::ArenaSpace Space, class T>
  requires(!KokkosArena::Impl::is_synchronous_v<ExecutionSpace> &&
           !KokkosArena::Impl::record_in_arena_v<Space> &&
           !KokkosArena::Impl::host_can_access_v<
               KokkosArena::base_memory_space_t<Space>>)
struct ViewValueFunctor<Device<ExecutionSpace, Space>, T>
    : ViewValueFunctor<
          Device<ExecutionSpace, KokkosArena::base_memory_space_t<Space>>, T> {
  using base_type = ViewValueFunctor<
      Device<ExecutionSpace, KokkosArena::base_memory_space_t<Space>>, T>;

  ViewValueFunctor() = default;
  using base_type::base_type;
  ViewValueFunctor(T* pointer, std::size_t size, std::string label)
      : base_type(make(pointer, size, std::move(label))) {}

 private:
  static base_type make(T* pointer, std::size_t size, std::string label) {
    auto const [core, data] = KokkosArena::Impl::newest_device_view();
    if (core && data == pointer) {
      if (auto const* const instance = static_cast<ExecutionSpace const*>(
              core->instance(typeid(ExecutionSpace)))) {
        return base_type(*instance, pointer, size, std::move(label));
      }
    }
    return base_type(pointer, size, std::move(label));
  }
};

/// The one that View uses for SequentialHostInit.
template <class ExecutionSpace, KokkosArena::ArenaSpace Space, class T>
  requires(KokkosArena::Impl::record_in_arena_v<Space>)
struct ViewValueFunctorSequentialHostInit<Device<ExecutionSpace, Space>, T>
    : ArenaElements<ExecutionSpace, Space, T, false> {
  ViewValueFunctorSequentialHostInit() = default;
  ViewValueFunctorSequentialHostInit(ExecutionSpace const&, T* pointer,
                                     std::size_t size, std::string const&)
      : ViewValueFunctorSequentialHostInit(pointer, size, {}) {}
  ViewValueFunctorSequentialHostInit(T* pointer, std::size_t size,
                                     std::string const&)
      : ArenaElements<ExecutionSpace, Space, T, false>(pointer, size, 1) {}
};

// Where a mirror is asked for in the base space of an arena View, it is the
// View itself under that space, as it is for a View of the base space: no copy,
// and what is written to the one is in the other.

template <class Space, class T, class... P>
  requires(KokkosArena::Impl::is_base_of_arena_space_v<
           Space, typename Kokkos::View<T, P...>::memory_space>)
struct MirrorViewType<Space, T, P...> {
  using src_view_type                    = Kokkos::View<T, P...>;
  using memory_space                     = typename Space::memory_space;
  static constexpr bool is_same_memspace = true;
  using array_layout                     = typename src_view_type::array_layout;
  using data_type      = typename src_view_type::non_const_data_type;
  using dest_view_type = Kokkos::View<data_type, array_layout, Space>;
  using view_type =
      typename KokkosArena::Impl::RebindView<src_view_type, memory_space>::type;
};

// Of Kokkos' containers, which who has a DynRankView or OffsetView includes.
template <class Space, class T, class... P>
struct MirrorDRViewType;
template <class Space, class T, class... P>
struct MirrorOffsetViewType;

template <class Space, class T, class... P>
  requires(KokkosArena::Impl::is_base_of_arena_space_v<
           Space, typename Kokkos::View<T, P...>::memory_space>)
struct MirrorDRViewType<Space, T, P...> {
  using src_view_type = Kokkos::DynRankView<T, P...>;
  using memory_space  = typename Space::memory_space;
  enum { is_same_memspace = true };
  using array_layout   = typename src_view_type::array_layout;
  using data_type      = typename src_view_type::non_const_data_type;
  using dest_view_type = Kokkos::DynRankView<data_type, array_layout, Space>;
  using view_type =
      KokkosArena::Impl::rebound_t<Kokkos::DynRankView, memory_space, T, P...>;
};

template <class Space, class T, class... P>
  requires(KokkosArena::Impl::is_base_of_arena_space_v<
           Space, typename Kokkos::View<T, P...>::memory_space>)
struct MirrorOffsetViewType<Space, T, P...> {
  using src_view_type = Kokkos::Experimental::OffsetView<T, P...>;
  using memory_space  = typename Space::memory_space;
  enum { is_same_memspace = true };
  using array_layout = typename src_view_type::array_layout;
  using data_type    = typename src_view_type::non_const_data_type;
  using dest_view_type =
      Kokkos::Experimental::OffsetView<data_type, array_layout, Space>;
  using view_type =
      KokkosArena::Impl::rebound_t<Kokkos::Experimental::OffsetView,
                                   memory_space, T, P...>;
};

}  // namespace Kokkos::Impl

namespace KokkosArena::Impl {

/// Whether a View can be put together from a record and a mapping, as the
/// Views on mdspan can, without the cost of View's own constructor.
template <class ViewType>
concept ViewOfRecord =
    requires { typename ViewType::data_handle_type; } &&
    ArenaSpace<typename ViewType::memory_space> &&
    std::is_constructible_v<typename ViewType::data_handle_type,
                            Kokkos::Impl::SharedAllocationRecord<void, void>*>;

/// \brief A managed View with room for \c bytes, nothing initialised.
template <ViewOfRecord ViewType>
ViewType view_of_new_record(std::string const& label, std::size_t bytes,
                            std::size_t alignment,
                            typename ViewType::mapping_type const& mapping) {
  using memory_space = typename ViewType::memory_space;
  using handle_type  = typename ViewType::data_handle_type;
  using record_type  = Kokkos::Impl::SharedAllocationRecord<memory_space, void>;
  // Kokkos counts whole words.
  auto const words = KokkosArena::Impl::align_up(bytes, 8);
  if constexpr (is_checked_space_v<memory_space>) {
    note_extents(mapping.extents());
  }
  auto* const record = record_type::create_shared(
      memory_space{}, label, words < bytes ? bytes : words, alignment);
  handle_type handle(
      static_cast<typename ViewType::value_type*>(record->data()));
  // The handle's only way to take a record over adds a share with a locked
  // instruction, a seventh of the whole cost. Its tracker, the first member,
  // is a union of the record's pointer and that pointer's bits.
  static_assert(
      std::is_standard_layout_v<handle_type> &&
      std::is_standard_layout_v<Kokkos::Impl::SharedAllocationTracker>);
  static_assert(sizeof(Kokkos::Impl::SharedAllocationTracker) ==
                sizeof(std::uintptr_t));
  *reinterpret_cast<std::uintptr_t*>(&handle) =
      reinterpret_cast<std::uintptr_t>(
          static_cast<Kokkos::Impl::SharedAllocationRecord<void, void>*>(
              record));
  return ViewType(std::move(handle), mapping);
}

/// \return The label of a View; by reference where that is possible.
template <class ViewType>
std::string const& label_of(ViewType const& view) {
  using memory_space            = typename ViewType::memory_space;
  static std::string const none = "similar";
  if constexpr (ViewOfRecord<ViewType>) {
    if (auto* const record = view.impl_track().template get_record<void>()) {
      return Kokkos::Impl::SharedAllocationRecord<memory_space, void>::label_of(
          *record);
    }
  }
  return none;
}

}  // namespace KokkosArena::Impl

#endif
