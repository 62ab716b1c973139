// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaScope.hpp"

#include "engine/KokkosArena_CheckedStore.hpp"
#include "engine/KokkosArena_Fork.hpp"
#include "engine/KokkosArena_NeverDestroyed.hpp"
#include "engine/KokkosArena_ThreadEnd.hpp"
#include "impl/KokkosArena_CoreCopies.hpp"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

namespace KokkosArena {

namespace {

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

 private:
  bool try_enter() noexcept override { return unbequeathed_mutex.try_lock(); }
  void leave_in_parent() noexcept override { unbequeathed_mutex.unlock(); }
  void leave_in_child() noexcept override {
    // relaxed: the mutex is held, and there is no other thread.
    newest_unbequeathed.store(nullptr, std::memory_order_relaxed);
    ArenaScope const* newer = nullptr;
    for (auto const* open = OpenScope::innermost(); open;
         open             = open->previous()) {
      auto const* const scope = static_cast<ArenaScope const*>(open);
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

[[maybe_unused]] int const core_copies = Impl::note_core_copy();

/// Programs may fork late.
Impl::NeverDestroyed<Impl::ForkedScopes> const forked_scopes;

}  // namespace

ArenaScope::ArenaScope(Impl::Core& core, std::type_info const& memory_space,
                       bool one_thread, std::uint64_t frame)
    : Impl::OpenScope(core),
      m_memory_space(memory_space),
      m_one_thread(one_thread),
      m_frame(frame) {
  begin();
}

ArenaScope::~ArenaScope() {
  if (is_open()) end();
}

void ArenaScope::begin() noexcept {
  m_outer        = previous() ? static_cast<ArenaScope const*>(previous())
                              : static_cast<ArenaScope const*>(Impl::inherited());
  m_region_level = Impl::region_level();
  m_bequest      = Impl::bequeath(this);
  if (m_bequest.failed) enter_unbequeathed();
}

void ArenaScope::end() {
  check_is_innermost();
  Impl::revoke(m_bequest);
  if (m_bequest.failed) leave_unbequeathed();
}

void ArenaScope::suspend() {
  if (!is_open()) is_wrong_to("suspend() of a suspended");
  // What the region's threads know of the scope can't be taken from them.
  if (m_region_level < Impl::region_level()) {
    throw std::logic_error(
        "KokkosArena: suspend() of a scope on arena \"" + core().label() +
        "\" was called inside a parallel region that was launched in it; call "
        "it between regions");
  }
  end();
  close();
}

void ArenaScope::resume() {
  if (is_open()) is_wrong_to("resume() of an open");
  Impl::watch_thread_end();
  open();
  begin();
}

void ArenaScope::is_wrong_to(char const* what) const {
  throw std::logic_error("KokkosArena: " + std::string(what) +
                         " scope on arena \"" + core().label() +
                         "\"; call the two in turns");
}

ArenaScope const* ArenaScope::innermost() noexcept {
  // Every open scope is an ArenaScope.
  if (auto const* const own = OpenScope::innermost()) {
    return static_cast<ArenaScope const*>(own);
  }
  return static_cast<ArenaScope const*>(Impl::inherited());
}

ArenaFrame::~ArenaFrame() {
  auto& core = m_scope.core();
  core.rewind(m_mark);
  if (auto* const store = core.existing_checked_store()) {
    store->end_frame(m_mark.epoch(), m_where);
  }
}

std::uint64_t ArenaScope::frame_of(ArenaScope const* scope,
                                   Impl::Core const& core) noexcept {
  for (; scope; scope = scope->m_outer) {
    if (&scope->core() == &core && scope->m_frame != 0) return scope->m_frame;
  }
  return 0;
}

std::uint64_t Impl::current_frame(Impl::Core const& core) noexcept {
  return ArenaScope::frame_of(ArenaScope::innermost(), core);
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
  return scope && !scope->threads_would_meet() ? &scope->core() : nullptr;
}

void Impl::count_base_allocation(std::type_info const& memory_space) noexcept {
  if (!in_parallel_region()) return;
  if (auto const* const scope = ArenaScope::find(memory_space)) {
    if (scope->threads_would_meet()) {
      scope->core().counts().note_unscoped_worker_allocation();
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
  if (scope) scope->core().counts().note_unscoped_worker_allocation();
}

void Impl::note_base_allocation(std::string_view space, std::string_view label,
                                std::uint64_t bytes) noexcept {
  auto const* scope = ArenaScope::innermost();
  for (; scope; scope = scope->m_outer) {
    auto* const counts = scope->core().base_space_counts();
    if (!counts || counts->space() != space) continue;
    // An inner one over that space is whose temporaries these would be.
    if (ArenaScope::find(scope->m_memory_space) == scope) {
      counts->note(label, bytes);
    }
    return;
  }
}

bool ArenaScope::is_used_by_running_region(Impl::Core const& core) noexcept {
  if (!Impl::in_parallel_region()) return false;
  auto const level = Impl::region_level();
  for (auto const* scope = innermost(); scope; scope = scope->m_outer) {
    if (&scope->core() == &core && scope->m_region_level < level) return true;
  }
  return false;
}

void Impl::check_no_region_uses(Core const& core, char const* operation) {
  if (!ArenaScope::is_used_by_running_region(core)) return;
  throw std::logic_error(
      "KokkosArena: " + std::string(operation) + "() of arena \"" +
      core.label() +
      "\" was called inside a parallel region that draws from it, whose other "
      "threads may be using what it would drop; call it between regions");
}

}  // namespace KokkosArena
