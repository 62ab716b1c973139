// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_VIEWNAMES_HPP
#define KOKKOSARENA_ENGINE_VIEWNAMES_HPP

#include <KokkosArena_EscapePolicy.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

/// \brief The names of an arena's Views that are alive, and of those that were
/// at the last reset. For an arena that is asked for them: it costs heap memory
/// for each View.
/// Threads: not synchronised; the arena's lock is held.
class ViewNames {
 public:
  /// \brief Without heap memory for it, the View stays unnamed.
  void add(std::uintptr_t address, std::size_t bytes,
           char const* label) noexcept;
  void remove(std::uintptr_t address) noexcept { m_alive.erase(address); }

  /// \brief Keeps the names of those that are alive, the largest first; none,
  /// where there is no heap memory for them.
  void note_survivors() noexcept;
  std::vector<EscapedView> const& survivors() const noexcept {
    return m_survivors;
  }

 private:
  std::map<std::uintptr_t, EscapedView> m_alive;
  std::vector<EscapedView> m_survivors;
};

}  // namespace KokkosArena::Impl

#endif
