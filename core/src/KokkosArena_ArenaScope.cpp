// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaScope.hpp"

#include "impl/KokkosArena_CheckedStore.hpp"
#include "impl/KokkosArena_Fork.hpp"
#include "impl/KokkosArena_NeverDestroyed.hpp"

#include <atomic>
#include <mutex>

namespace KokkosArena {

namespace {

/// The innermost scope that this thread has opened. It is here, in a compiled
/// library, since a header would make one for each shared library.
thread_local ArenaScope const* t_innermost = nullptr;

/// The innermost scope that holds for this thread.
ArenaScope const* innermost() noexcept {
  return t_innermost ? t_innermost
                     : static_cast<ArenaScope const*>(Impl::inherited());
}

/// The open scopes that workers can't know, newest first. They are linked to
/// each other, since there may be no memory when one opens. Changed and walked
/// under the mutex, which keeps the scopes open meanwhile.
constinit std::mutex unbequeathed_mutex;
constinit std::atomic<ArenaScope const*> newest_unbequeathed{nullptr};

}  // namespace

/// In a child process, only the scopes of the thread that has forked are open.
class Impl::ForkedScopes final : private ForkParticipant {
 public:
  ForkedScopes() noexcept : ForkParticipant(ForkRank::registry) { join(); }

  static int opened_on(Core const& core) noexcept {
    int count = 0;
    for (auto const* scope = t_innermost; scope; scope = scope->m_previous) {
      count += &scope->m_core == &core;
    }
    return count;
  }

 private:
  bool try_enter() noexcept override { return unbequeathed_mutex.try_lock(); }
  void leave_in_parent() noexcept override { unbequeathed_mutex.unlock(); }
  void leave_in_child() noexcept override {
    // relaxed: the mutex is held, and there is no other thread.
    newest_unbequeathed.store(nullptr, std::memory_order_relaxed);
    ArenaScope const* newer = nullptr;
    for (auto const* scope = t_innermost; scope; scope = scope->m_previous) {
      if (!scope->m_bequest.failed) continue;
      scope->m_next_unbequeathed = nullptr;
      if (newer) {
        newer->m_next_unbequeathed = scope;
      } else {
        newest_unbequeathed.store(scope, std::memory_order_relaxed);
      }
      newer = scope;
    }
    unbequeathed_mutex.unlock();
  }
};

namespace {

/// Programs may fork late.
Impl::NeverDestroyed<Impl::ForkedScopes> const forked_scopes;

}  // namespace

void Impl::Core::forget_scopes_of_other_threads() noexcept {
  // relaxed: there is no other thread.
  m_open_scopes.store(ForkedScopes::opened_on(*this),
                      std::memory_order_relaxed);
}

ArenaScope::ArenaScope(Impl::Core& core, std::type_info const& memory_space,
                       bool one_thread, std::uint64_t frame)
    : m_core(core),
      m_memory_space(memory_space),
      m_previous(t_innermost),
      m_outer(innermost()),
      m_region_level(Impl::region_level()),
      m_one_thread(one_thread),
      m_frame(frame != 0 ? frame : Impl::current_frame(core)),
      m_bequest(Impl::bequeath(this)) {
  if (m_bequest.failed) enter_unbequeathed();
  m_core.open_scope();
  t_innermost = this;
}

ArenaScope::~ArenaScope() {
  if (t_innermost != this) {
    Impl::abort("a scope on arena \"" + m_core.label() +
                "\" ends on another thread than the one that opened it, or "
                "before a scope that was opened after it; keep an ArenaScope "
                "as a local variable");
  }
  t_innermost = m_previous;
  Impl::revoke(m_bequest);
  if (m_bequest.failed) leave_unbequeathed();
  m_core.close_scope();
}

ArenaFrame::~ArenaFrame() {
  auto& core = m_scope.m_core;
  core.rewind(m_mark);
  if (auto* const store = core.existing_checked_store()) {
    store->end_frame(m_mark.epoch(), m_where);
  }
}

std::uint64_t Impl::current_frame(Impl::Core const& core) noexcept {
  auto const* scope = innermost();
  while (scope && &scope->m_core != &core) scope = scope->m_outer;
  return scope ? scope->m_frame : 0;
}

// relaxed, all: the mutex orders those who follow the pointer.
void ArenaScope::enter_unbequeathed() noexcept {
  std::lock_guard const guard(unbequeathed_mutex);
  m_next_unbequeathed = newest_unbequeathed.load(std::memory_order_relaxed);
  newest_unbequeathed.store(this, std::memory_order_relaxed);
}

void ArenaScope::leave_unbequeathed() noexcept {
  std::lock_guard const guard(unbequeathed_mutex);
  auto const* newer = newest_unbequeathed.load(std::memory_order_relaxed);
  if (newer == this) {
    newest_unbequeathed.store(m_next_unbequeathed, std::memory_order_relaxed);
    return;
  }
  while (newer->m_next_unbequeathed != this) newer = newer->m_next_unbequeathed;
  newer->m_next_unbequeathed = m_next_unbequeathed;
}

ArenaScope const* ArenaScope::find(
    std::type_info const& memory_space) noexcept {
  auto const* scope = innermost();
  while (scope && scope->m_memory_space != memory_space) scope = scope->m_outer;
  return scope;
}

bool ArenaScope::threads_would_meet() const noexcept {
  return m_one_thread && m_region_level < Impl::region_level() &&
         Impl::in_parallel_region();
}

Impl::Core* current_core(std::type_info const& memory_space) noexcept {
  auto const* const scope = ArenaScope::find(memory_space);
  return scope && !scope->threads_would_meet() ? &scope->m_core : nullptr;
}

void Impl::count_base_allocation(std::type_info const& memory_space) noexcept {
  if (!in_parallel_region()) return;
  if (auto const* const scope = ArenaScope::find(memory_space)) {
    if (scope->threads_would_meet()) {
      scope->m_core.count_unscoped_worker_allocation();
    }
    return;
  }
  // relaxed: who launched this region had opened its scope before.
  if (!newest_unbequeathed.load(std::memory_order_relaxed)) return;
  auto const level = region_level();
  std::lock_guard const guard(unbequeathed_mutex);
  auto const* scope = newest_unbequeathed.load(std::memory_order_relaxed);
  // A scope of this level is a sibling's, which doesn't hold for this thread.
  while (scope && (scope->m_memory_space != memory_space ||
                   scope->m_region_level >= level)) {
    scope = scope->m_next_unbequeathed;
  }
  if (scope) scope->m_core.count_unscoped_worker_allocation();
}

bool Impl::is_used_by_running_region(Impl::Core const& core) noexcept {
  if (!in_parallel_region()) return false;
  auto const level = region_level();
  for (auto const* scope = innermost(); scope; scope = scope->m_outer) {
    if (&scope->m_core == &core && scope->m_region_level < level) return true;
  }
  return false;
}

}  // namespace KokkosArena
