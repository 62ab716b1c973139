// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaScope.hpp"

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

}  // namespace

ArenaScope::ArenaScope(Impl::Core& core, std::type_info const& memory_space,
                       bool one_thread)
    : m_core(core),
      m_memory_space(memory_space),
      m_previous(t_innermost),
      m_outer(innermost()),
      m_region_level(Impl::region_level()),
      m_one_thread(one_thread),
      m_bequest(Impl::bequeath(this)) {
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
  m_core.close_scope();
}

Impl::Core* current_core(std::type_info const& memory_space) noexcept {
  for (auto const* scope = innermost(); scope; scope = scope->m_outer) {
    if (scope->m_memory_space != memory_space) continue;
    // The threads of a region would meet in an arena that isn't made for it.
    bool const meet = scope->m_one_thread &&
                      scope->m_region_level < Impl::region_level() &&
                      Impl::in_parallel_region();
    return meet ? nullptr : &scope->m_core;
  }
  return nullptr;
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
