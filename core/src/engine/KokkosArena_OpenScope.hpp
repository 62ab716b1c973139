// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_OPENSCOPE_HPP
#define KOKKOSARENA_ENGINE_OPENSCOPE_HPP

#include <engine/KokkosArena_Core.hpp>

namespace KokkosArena::Impl {

/// \brief A scope on an arena that a thread has opened; base of what else a
/// scope is to be. Scopes close on the thread that opened them, innermost
/// first.
class OpenScope {
 public:
  OpenScope(OpenScope const&)            = delete;
  OpenScope& operator=(OpenScope const&) = delete;

  /// \return The one that the calling thread opened last, or null.
  static OpenScope const* innermost() noexcept { return t_innermost; }
  static int opened_by_this_thread(Core const& core) noexcept;

  /// The one that the thread had opened before, or null.
  OpenScope const* previous() const noexcept { return m_previous; }
  Core& core() const noexcept { return m_core; }

 protected:
  explicit OpenScope(Core& core) noexcept : m_core(core) {
    m_core.open_scope();
    open();
  }
  ~OpenScope() {
    if (m_is_open) close();
    m_core.close_scope();
  }

  bool is_open() const noexcept { return m_is_open; }
  /// \pre !is_open()
  void open() noexcept {
    m_previous  = t_innermost;
    m_is_open   = true;
    t_innermost = this;
  }
  /// \pre It is the innermost of the calling thread.
  void close() noexcept {
    t_innermost = m_previous;
    m_is_open   = false;
  }

  /// \brief To be called before a scope ends: aborts the program if it can't
  /// end now.
  void check_is_innermost() const {
    if (t_innermost != this) [[unlikely]]
      not_innermost();
  }

 private:
  [[noreturn]] void not_innermost() const;

  /// Of a compiled library, since a header would make one for each shared
  /// library.
  static constinit thread_local OpenScope const* t_innermost;

  Core& m_core;
  OpenScope const* m_previous = nullptr;
  bool m_is_open              = false;
};

}  // namespace KokkosArena::Impl

#endif
