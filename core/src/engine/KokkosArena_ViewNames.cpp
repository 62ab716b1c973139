// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ViewNames.hpp"

#include <algorithm>
#include <new>

namespace KokkosArena::Impl {

void ViewNames::add(std::uintptr_t address, std::size_t bytes,
                    char const* label) noexcept {
  try {
    m_alive.insert_or_assign(address, EscapedView{label, bytes});
  } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
    // A View without a name is better than none.
  }
}

void ViewNames::note_survivors() noexcept {
  m_survivors.clear();
  try {
    m_survivors.reserve(m_alive.size());
    for (auto const& [address, view] : m_alive) m_survivors.push_back(view);
  } catch (std::bad_alloc const&) {
    m_survivors.clear();
  }
  std::sort(m_survivors.begin(), m_survivors.end(),
            [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
}

}  // namespace KokkosArena::Impl
