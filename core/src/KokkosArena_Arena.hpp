// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENA_HPP
#define KOKKOSARENA_ARENA_HPP

#include <KokkosArena_ArenaHandle.hpp>
#include <KokkosArena_ArenaMark.hpp>
#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_Error.hpp>
#include <KokkosArena_Statistics.hpp>
#include <KokkosArena_SyncPolicy.hpp>
#include <KokkosArena_WaitFor.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_Core.hpp>
#include <engine/KokkosArena_SynchronizedCore.hpp>
#include <engine/KokkosArena_ThreadCachedCore.hpp>
#include <impl/KokkosArena_AsyncBackend.hpp>
#include <impl/KokkosArena_AsyncUpstream.hpp>
#include <impl/KokkosArena_BaseSpaceWatch.hpp>
#include <impl/KokkosArena_HandleSource.hpp>
#include <impl/KokkosArena_ScopesOf.hpp>
#include <impl/KokkosArena_SpaceUpstream.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace KokkosArena {

/// \brief A bump allocator over a Kokkos memory space, tied to an execution
/// space instance: memory is used again without a fence, in the order of that
/// instance.
///
/// \tparam Space  A Kokkos execution space, memory space or Kokkos::Device.
/// \tparam Sync   ThreadCached, Locked: any thread may call anything at any
///                time; Unsynchronized: one thread at a time.
///
/// HostSpace memory is a run of reserved addresses, of which more is made
/// usable as the arena grows; other memory comes in blocks from the memory
/// space. A cycle is what lies between two resets. Views get theirs through a
/// scope and ScopedSpace; each counts as alive until its last copy ends, and
/// nothing that the arena does invalidates it. What \c allocate gives is not
/// tracked in this way.
///
/// The Arena has to end before Kokkos::finalize and after every scope on it:
/// otherwise the program is aborted with the arena's label. But where it ends
/// since the program does, by std::exit inside a scope, a line on stderr says
/// so, and the exit code stays. Views may outlive it.
template <KokkosSpace Space = Kokkos::DefaultExecutionSpace,
          SyncPolicy Sync   = ThreadCached>
class Arena {
 public:
  using memory_space    = base_memory_space_t<Space>;
  using execution_space = typename Space::execution_space;
  using sync_policy     = Sync;
  using mark_type       = ArenaMark;
  using handle_type     = ArenaHandle<Space, Sync>;

  /// \brief An arena that grows; takes no memory yet.
  /// \throws std::logic_error  Kokkos is not initialised, or is finalised; all
  /// constructors do.
  /// Cost of all: a heap allocation, and that of the initial block if there is
  /// one. Threads: any.
  Arena() : Arena(ArenaOptions{}) {}

  /// \brief A fixed arena: takes \c bytes (rounded up to 64) now, and never
  /// more. Each View needs about 256 bytes beside its data.
  /// \throws ArenaExhausted         The memory space has no such block.
  /// \throws std::invalid_argument  \c bytes is 0.
  explicit Arena(std::size_t bytes) : Arena(default_instance(), bytes) {}

  /// \brief An arena as the options say.
  /// \throws ArenaExhausted         The memory space has no initial block.
  /// \throws std::invalid_argument  Contradictory options.
  explicit Arena(ArenaOptions options)
      : Arena(default_instance(), std::move(options)) {}

  /// \brief The same, tied to an instance instead of the default one.
  explicit Arena(execution_space const& instance)
      : Arena(instance, ArenaOptions{}) {}
  Arena(execution_space const& instance, std::size_t bytes)
      : Arena(instance,
              ArenaOptions{.initial_bytes = bytes, .maximum_bytes = bytes}) {}
  Arena(execution_space const& instance, ArenaOptions options)
      : m_handle_sources(instance),
        m_core(make_core(instance, std::move(options))) {}

  Arena(Arena const&)            = delete;
  Arena& operator=(Arena const&) = delete;

  ~Arena() {
    if (m_core->open_scopes() > 0) {
      m_core->end_below_scopes();
      return;
    }
    if (Kokkos::is_finalized()) {
      Impl::abort("arena \"" + label() +
                  "\" ends after Kokkos::finalize; let it end before, for "
                  "example in a block of its own");
    }
    if (auto* const store = checked_store()) store->end();
    m_core->end();
  }

  /// \brief Untracked bytes: valid until given back, or until a reset, a
  /// rewind to an earlier mark, a release or the arena's end drops them.
  /// \param[in] bytes      Any number, 0 included.
  /// \param[in] alignment  In bytes, a power of two; at least 64 is given.
  /// \return Never null, and different from every other live allocation.
  /// \throws ArenaExhausted         No room, or no memory upstream.
  /// \throws std::invalid_argument  Not a power of two.
  /// In both cases the arena is as it was.
  /// Cost: a few instructions in steady state, no fence and no heap
  /// allocation. Threads: as \c Sync says.
  void* allocate(std::size_t bytes, std::size_t alignment = 64) {
    return m_core->allocate(bytes, alignment);
  }

  /// \brief Gives back what \c allocate gave; null is ignored.
  /// \throws std::invalid_argument  Not an untracked allocation of this arena,
  /// or one that has been given back or dropped already.
  /// Cost: constant, amortised; under ThreadCached a system call if another
  /// thread's chunk holds it. Threads: as \c Sync says.
  void deallocate(void* address) { m_core->deallocate(address); }

  /// \brief For Views made inside kernels. On host backends it draws from the
  /// arena as it is used. On device backends it draws from a region that is
  /// reserved now: half of what the arena's blocks have free, but no less than
  /// 1 MiB if the arena has or can get that.
  /// \return On host backends valid as long as the arena; on device backends
  /// until a reset, a rewind to an earlier mark, a release or the arena's end.
  /// \throws ArenaExhausted  Device backends: no room for a region.
  /// Cost: on host backends none. On device backends an allocation from the
  /// arena and an asynchronous memset on its instance; the first one also takes
  /// a counter from the memory space, which lies outside of the arena.
  /// Threads: as \c Sync says, also for the handle on a host backend.
  handle_type handle() { return handle_type(m_handle_sources.make(*m_core)); }

  /// \brief The same, for so many bytes.
  /// \param[in] bytes  That kernels may take by this handle on device backends,
  /// each View rounded up to 64; ignored on host backends, which reserve
  /// nothing.
  handle_type handle(std::size_t bytes) {
    return handle_type(m_handle_sources.make(*m_core, bytes));
  }

  /// \brief Starts a new cycle: drops what is untracked. Views that are alive
  /// stay where they are. A HostSpace arena goes on in the space around them,
  /// from the lowest free range that serves a whole cycle, or else the largest;
  /// over other memory spaces their block is retired until the last of them
  /// dies, unless the arena is bounded and has no room for another.
  /// Cost: in steady state a few instructions for each block, and linear in the
  /// number of free ranges between survivors (about 0.3 us for a thousand).
  /// Memory that the recent cycles didn't need goes back: system calls. Blocks
  /// that are merged or shrunk go back to the memory space. Where kernels
  /// run behind the host's back, a block goes back in the first reset, or the
  /// first growth, after the arena's instance has passed its last use: no
  /// fence, but cudaFree, for one, waits for the whole device.
  /// \throws std::logic_error  Called inside an OpenMP region of several
  /// threads that draws from the arena by a scope around it. That a kernel
  /// launched by another thread still uses what is untracked can't be told: not
  /// to reset then is the caller's duty. Threads: as \c Sync says, but what
  /// other threads hold untracked is dropped as well. Under ThreadCached other
  /// threads' chunks stay in the block, Views that are alive there included.
  ///
  /// CheckedSpace Views become invalid, whether alive or not. Up to 256 KiB of
  /// them cost about 0.3 us, and each 64th cycle or so 10 us; larger windows
  /// move to fresh addresses (two system calls; 10 us, 70 us for 64 MiB): see
  /// Revoke. Elements that own something end.
  /// \param[in] where  For messages about these; leave it out.
  /// \throws EscapedViews  As EscapePolicy says; all has been done then.
  void reset(std::source_location where = std::source_location::current()) {
    Impl::check_no_region_uses(*m_core, "reset");
    m_core->reset();
    EndOfCycle const end_of_cycle{*m_core};
    if (auto* const store = checked_store()) store->reset(where);
  }

  /// \return The present point, for \c rewind; valid as long as the arena.
  /// Cost: constant. Threads: as \c Sync says.
  mark_type mark() const {
    // In this order: what another thread makes in between is still older.
    auto const mark = m_core->mark();
    if (auto* const store = checked_store()) store->count_mark();
    return mark;
  }

  /// \brief Drops what \c allocate gave after the mark was taken. Live Views
  /// stay; Views that died have given their bytes back already.
  /// CheckedSpace Views that were made after it become invalid.
  /// \param[in] where  For messages about these; leave it out.
  /// \throws std::invalid_argument  The mark is another arena's.
  /// \throws EscapedViews  As EscapePolicy says; all has been done then.
  /// Cost: linear in what is dropped, no fence; for checked memory as \c reset.
  /// Threads: as \c Sync says, but what other threads got after the mark is
  /// dropped as well.
  void rewind(mark_type mark,
              std::source_location where = std::source_location::current()) {
    m_core->rewind(mark);
    if (auto* const store = checked_store()) store->rewind(mark.epoch(), where);
  }

  /// \brief As \c reset, and returns all memory without live Views upstream.
  /// \throws std::logic_error, EscapedViews  As \c reset.
  /// Cost: system calls, or what the memory space needs to free a block; waits
  /// for the arena's instance where kernels run behind the host's back.
  /// Threads: as \c reset.
  void release(std::source_location where = std::source_location::current()) {
    Impl::check_no_region_uses(*m_core, "release");
    m_core->release();
    EndOfCycle const end_of_cycle{*m_core};
    if (auto* const store = checked_store()) store->release(where);
  }

  /// \return The instance in whose order memory is used again. Only where
  /// kernels run behind the host's back. Valid as long as the arena.
  /// Cost: none. Threads: any.
  execution_space const& instance() const noexcept
    requires(!Impl::is_synchronous_v<execution_space>)
  {
    return *static_cast<execution_space const*>(
        m_core->instance(typeid(execution_space)));
  }

  /// \brief Takes memory back from another instance: kernels that it has been
  /// given so far end before what the arena gives out from now on is used. For
  /// what was used on \c other, to be called after its last kernel and before
  /// the Views end or the arena is reset. The way there is
  /// \c wait_for(other, arena.instance()).
  /// \throws std::runtime_error  The backend's runtime reports an error.
  /// Cost: none if \c other is the arena's own instance; an event for which the
  /// device waits, if it is of the same backend; otherwise a fence of \c other.
  /// Threads: any.
  template <class ExecutionSpace>
    requires(Kokkos::is_execution_space_v<ExecutionSpace>)
  void wait_for(ExecutionSpace const& other) const {
    if constexpr (!Impl::is_synchronous_v<execution_space>) {
      KokkosArena::wait_for(instance(), other);
    } else if constexpr (!Impl::is_synchronous_v<ExecutionSpace>) {
      other.fence("KokkosArena::Arena::wait_for");
    }
  }

  /// \brief \c wait_for(other), and then \c reset().
  /// Errors, cost, threads: of both.
  template <class ExecutionSpace>
    requires(Kokkos::is_execution_space_v<ExecutionSpace>)
  void reset(ExecutionSpace const& other,
             std::source_location where = std::source_location::current()) {
    wait_for(other);
    reset(where);
  }

  /// \return The managed CheckedSpace Views that were alive when the last
  /// reset, release or, since then, rewind or end of a frame dropped their
  /// memory, the largest first. Cost: a copy. Threads: any.
  std::vector<EscapedView> escapes() const {
    auto* const store = checked_store();
    return store ? store->escapes() : std::vector<EscapedView>();
  }

  /// \return The ScopedSpace Views, and what else the arena counts as one, that
  /// were alive at the last reset or release, the largest first; with their
  /// bytes as the arena counts them. What outlives a reset rightly is called a
  /// survivor; what it wrongly does, in CheckedSpace, has escaped. None, unless
  /// \c ArenaOptions::escape_policy or KOKKOS_ARENA_ESCAPE_POLICY asks for
  /// them: then each View costs a lock and heap memory for its name, and
  /// ThreadCached has no chunks. Cost: a copy. Threads: as \c Sync says.
  std::vector<EscapedView> survivors() const { return m_core->survivors(); }

  /// \return A snapshot; exact when no other thread is allocating.
  /// Cost: linear in the number of blocks; heap memory for a label of more than
  /// 15 characters; a system call where other threads have chunks, which are
  /// called in. On device backends, once there was a handle, also a fence
  /// of the arena's instance and a copy of what failed in kernels until then.
  /// Threads: as \c Sync says.
  ArenaStatistics statistics() const {
    auto result = m_core->statistics();
    if (auto* const store = checked_store()) store->add_to(result);
    if (auto const* const counts = m_core->base_space_counts()) {
      counts->add_to(result);
    }
    result.failed_handle_allocations += m_handle_sources.failures();
    return result;
  }

  /// \return What the options say; valid as long as the arena. Threads: any.
  std::string const& label() const { return m_core->label(); }

  /// \brief For ArenaScope and ScopedSpace.
  Impl::Core& impl_core() const noexcept { return *m_core; }

 private:
  using core_type = Impl::SynchronizedCore<Sync>;

  /// Counts the cycle also if escaped Views are thrown.
  struct EndOfCycle {
    core_type& core;
    ~EndOfCycle() { core.counts().note_cycle(); }
  };

  Impl::CheckedStore* checked_store() const noexcept {
    return m_core->existing_checked_store();
  }

  static void check_kokkos_is_running() {
    if (!Kokkos::is_initialized() || Kokkos::is_finalized()) {
      throw std::logic_error(
          "KokkosArena: an Arena was made before Kokkos::initialize or after "
          "Kokkos::finalize; make it between the two");
    }
  }

  static execution_space default_instance() {
    check_kokkos_is_running();
    return {};
  }

  static core_type* make_core(execution_space const& instance,
                              ArenaOptions options) {
    check_kokkos_is_running();
    auto upstream    = make_upstream(instance, options);
    auto* const core = new core_type(std::move(options), std::move(upstream));
    if (core->base_space_counts()) Impl::watch_base_spaces();
    return core;
  }

  static std::unique_ptr<Impl::Upstream> make_upstream(
      [[maybe_unused]] execution_space const& instance,
      ArenaOptions const& options) {
    if constexpr (Impl::is_synchronous_v<execution_space>) {
      if (!options.stream_ordered) {
        return std::make_unique<Impl::SpaceUpstream<memory_space>>(
            options.huge_pages);
      }
    } else {
      if (!options.stream_ordered) {
        return std::make_unique<
            Impl::AsyncUpstream<memory_space, execution_space>>(
            instance, options.huge_pages);
      }
      if constexpr (Impl::AsyncBackend<execution_space>::
                        template has_ordered_memory<memory_space>) {
        return std::make_unique<
            Impl::OrderedUpstream<memory_space, execution_space>>(instance);
      }
    }
    throw std::invalid_argument(
        "KokkosArena: arena \"" + options.label +
        "\": stream_ordered memory exists for CudaSpace and HIPSpace only; "
        "leave the option out for " +
        memory_space::name());
  }

  [[no_unique_address]] Impl::handle_sources_t<Space, Sync> m_handle_sources;
  // Not owned: the core ends with the last View, or in the destructor.
  core_type* m_core;
};

template <class ExecutionSpace, class... Args>
  requires(Kokkos::is_execution_space_v<ExecutionSpace>)
Arena(ExecutionSpace const&, Args...) -> Arena<ExecutionSpace>;

}  // namespace KokkosArena

#endif
