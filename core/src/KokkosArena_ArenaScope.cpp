// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaScope.hpp"

namespace KokkosArena {

namespace {

/// The innermost scope of this thread. It is here, in a compiled library, since
/// a header would make one for each shared library.
thread_local ArenaScope* t_innermost = nullptr;

}  // namespace

ArenaScope::ArenaScope(Impl::Core& core, std::type_info const& memory_space)
    : m_core(core), m_memory_space(memory_space), m_outer(t_innermost) {
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
  t_innermost = m_outer;
  m_core.close_scope();
}

Impl::Core* current_core(std::type_info const& memory_space) noexcept {
  for (auto* scope = t_innermost; scope; scope = scope->m_outer) {
    if (scope->m_memory_space == memory_space) return &scope->m_core;
  }
  return nullptr;
}

}  // namespace KokkosArena
