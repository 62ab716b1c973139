// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDESCAPES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDESCAPES_HPP

#include <KokkosArena_EscapePolicy.hpp>
#include <engine/KokkosArena_CheckedDrop.hpp>

#include <string>
#include <vector>

namespace KokkosArena::Impl {

/// \brief What an arena does about Views that were alive when it dropped their
/// memory.
/// Threads: not synchronised; report() only reads what never changes.
class CheckedEscapes {
 public:
  /// \param[in] arena  Its label, which outlives this.
  CheckedEscapes(std::string const& arena, EscapePolicy policy) noexcept
      : m_arena(arena), m_policy(policy) {}

  /// \brief Keeps them for \c views(): a copy, unless there will be no report.
  /// \throws std::bad_alloc  Not if they are collected.
  void keep(std::vector<EscapedView>& views);
  void clear() noexcept { m_views.clear(); }
  std::vector<EscapedView> const& views() const noexcept { return m_views; }

  /// \brief Does what the policy says. Calls whatever catches an exception, or
  /// a signal: no lock is to be held.
  /// \param[in] may_throw  Otherwise, where an exception is asked for, a line
  /// on stderr.
  /// \throws EscapedViews, std::bad_alloc
  void report(std::vector<EscapedView> views, CheckedDrop const& drop,
              bool may_throw) const;

 private:
  std::string const& m_arena;
  EscapePolicy const m_policy;
  std::vector<EscapedView> m_views;
};

}  // namespace KokkosArena::Impl

#endif
