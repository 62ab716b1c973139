// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENASCOPE_HPP
#define KOKKOSARENA_ARENASCOPE_HPP

#include <KokkosArena_Arena.hpp>
#include <engine/KokkosArena_OpenScope.hpp>
#include <impl/KokkosArena_Region.hpp>
#include <impl/KokkosArena_ScopesOf.hpp>

#include <cstdint>
#include <functional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace KokkosArena {

namespace Impl {

class ForkedScopes;

/// \brief Says that ScopedSpace over the memory space has allocated from the
/// base space; to be called once for each such allocation. Where a thread of a
/// region of several threads did so since it couldn't know its scope, it is
/// counted in the arena of that scope: the one on an Unsynchronized arena that
/// it found or, where it found none over the memory space, the newest open one
/// that could hold for it and couldn't be bequeathed.
/// Cost: a few instructions, and a lock only while such a scope is open.
void count_base_allocation(std::type_info const& memory_space) noexcept;

/// \brief Counts what the memory space of that name has given in the arena of
/// the innermost scope over it, if that arena counts it.
/// Cost: linear in the scopes that are open. Threads: any.
void note_base_allocation(std::string_view space, std::string_view label,
                          std::uint64_t bytes) noexcept;

}  // namespace Impl

/// \brief Until it ends, allocations of ScopedSpace over the arena's memory
/// space go to the arena: on this thread, and on the threads of the OpenMP
/// regions that this thread launches, Kokkos kernels and nested regions
/// included. A scope that a thread opens inside a region holds for that thread
/// and for what it launches. Scopes nest; the innermost over a memory space
/// wins. A scope ends on the thread that opened it, before the scopes around it
/// do, exceptions included; otherwise the program is aborted. A coroutine
/// suspends its scope while another runs; an ArenaFrame has no such way, use
/// \c mark and \c rewind there.
///
/// Worker threads know the scope by OpenMP's default allocator, which a scope
/// sets to an equivalent one of its own and restores. In a program that has
/// made and set a default allocator itself, and on backends with other threads
/// than OpenMP's, workers use the base space. So do all threads of a region of
/// several threads inside a scope on an Unsynchronized arena. The arena counts
/// such allocations (\c ArenaStatistics::unscoped_worker_allocations), except
/// on other backends and where the default allocator is set after the scope has
/// begun. Cost: a few instructions, no allocation once a thread has opened as
/// many scopes before; a lock where the default allocator is the program's.
/// Threads: as said.
class [[nodiscard]] ArenaScope : private Impl::OpenScope {
 public:
  template <class Space, class Sync>
  [[nodiscard]] explicit ArenaScope(Arena<Space, Sync>& arena)
      : ArenaScope(arena.impl_core(),
                   typeid(typename Arena<Space, Sync>::memory_space),
                   std::is_same_v<Sync, Unsynchronized>, 0) {}

  ArenaScope(ArenaScope const&)            = delete;
  ArenaScope& operator=(ArenaScope const&) = delete;
  ~ArenaScope();

  /// \brief Lets the scope hold no more until \c resume: for a coroutine,
  /// before each \c co_yield and \c co_await, since whoever runs then would
  /// else be in the scope. It may end meanwhile, but the arena may not before
  /// it does.
  /// \throws std::logic_error  It is suspended already, or the caller is inside
  /// a parallel region that was launched in the scope.
  /// Cost: of the scope's end. Threads: as the scope's end: a scope that isn't
  /// the innermost of this thread aborts the program.
  void suspend();
  /// \brief Lets it hold again, for the calling thread, which need not be the
  /// one that opened it, and inside the scopes that hold for that one.
  /// \throws std::logic_error  It isn't suspended.
  /// Cost: of a scope's beginning.
  void resume();

 private:
  friend class ArenaFrame;
  friend class Impl::ForkedScopes;
  friend Impl::Core* current_core(std::type_info const&) noexcept;
  friend std::uint64_t Impl::current_frame(Impl::Core const&) noexcept;
  friend void Impl::check_no_region_uses(Impl::Core const&, char const*);
  friend void Impl::count_base_allocation(std::type_info const&) noexcept;
  friend void Impl::note_base_allocation(std::string_view, std::string_view,
                                         std::uint64_t) noexcept;
  /// \param[in] frame  Its epoch, if it is one; or 0.
  ArenaScope(Impl::Core& core, std::type_info const& memory_space,
             bool one_thread, std::uint64_t frame);

  /// The innermost scope that holds for this thread, or null.
  static ArenaScope const* innermost() noexcept;
  /// The epoch of the innermost frame on the arena, of \c scope or around it.
  static std::uint64_t frame_of(ArenaScope const* scope,
                                Impl::Core const& core) noexcept;
  static bool is_used_by_running_region(Impl::Core const& core) noexcept;
  /// The innermost scope over the memory space that this thread knows, or null.
  static ArenaScope const* find(std::type_info const& memory_space) noexcept;
  /// Whether the caller is one of several threads of a region inside the scope,
  /// and the arena isn't made for that.
  bool threads_would_meet() const noexcept;
  void begin() noexcept;
  void end();
  [[noreturn]] void is_wrong_to(char const* what) const;
  void enter_unbequeathed() noexcept;
  void leave_unbequeathed() noexcept;

  std::type_info const& m_memory_space;
  /// The thread's one before or, without one, the launcher's.
  ArenaScope const* m_outer = nullptr;
  int m_region_level        = 0;
  bool m_one_thread;      ///< The arena is Unsynchronized.
  std::uint64_t m_frame;  ///< Its epoch, or 0: it is none.
  Impl::Bequest m_bequest;
  /// The next older open scope that couldn't be bequeathed.
  mutable ArenaScope const* m_next_unbequeathed = nullptr;
};

/// \brief A scope that also takes a mark at its start and rewinds to it at its
/// end. ScopedSpace Views that are alive then stay alive; CheckedSpace Views
/// that were made in its scope become invalid; what \c Arena::allocate gave
/// since the start is dropped, to other threads too. Cost: of ArenaScope, \c
/// Arena::mark and \c Arena::rewind; about 0.3 us more where CheckedSpace Views
/// were made in it, and 10 us where these have more than 256 KiB. Threads: as
/// these.
class [[nodiscard]] ArenaFrame {
 public:
  /// \param[in] where  For messages about CheckedSpace Views; leave it out.
  template <class Space, class Sync>
  [[nodiscard]] explicit ArenaFrame(
      Arena<Space, Sync>& arena,
      std::source_location where = std::source_location::current())
      : m_where(where),
        m_mark(arena.impl_core().mark()),
        m_scope(arena.impl_core(),
                typeid(typename Arena<Space, Sync>::memory_space),
                std::is_same_v<Sync, Unsynchronized>, m_mark.epoch()) {}

  ArenaFrame(ArenaFrame const&)            = delete;
  ArenaFrame& operator=(ArenaFrame const&) = delete;
  ~ArenaFrame();

 private:
  std::source_location m_where;
  ArenaMark m_mark;
  ArenaScope m_scope;
};

/// \brief Runs \c f in a scope on the arena.
/// \return What \c f returns, references included. \throws What \c f throws.
/// Cost, threads: of ArenaScope.
template <class Space, class Sync, class F>
decltype(auto) with_arena(Arena<Space, Sync>& arena, F&& f) {
  ArenaScope const scope(arena);
  return std::invoke(std::forward<F>(f));
}

/// \return The core of the innermost scope on this thread over the memory
/// space, or null. For ScopedSpace.
Impl::Core* current_core(std::type_info const& memory_space) noexcept;

}  // namespace KokkosArena

#endif
