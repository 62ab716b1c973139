// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_OpenScope.hpp"

#include "../KokkosArena_Error.hpp"

namespace KokkosArena::Impl {

constinit thread_local OpenScope const* OpenScope::t_innermost = nullptr;

int OpenScope::opened_by_this_thread(Core const& core) noexcept {
  int count = 0;
  for (auto const* scope = t_innermost; scope; scope = scope->m_previous) {
    count += &scope->m_core == &core;
  }
  return count;
}

void OpenScope::not_innermost() const {
  abort("a scope on arena \"" + m_core.label() +
        "\" ends on another thread than the one that opened it, or before a "
        "scope that was opened after it; keep an ArenaScope as a local "
        "variable, and in a coroutine suspend() it before each co_yield and "
        "co_await, and resume() it behind");
}

}  // namespace KokkosArena::Impl
