// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDSHORTAGE_HPP
#define KOKKOSARENA_ENGINE_CHECKEDSHORTAGE_HPP

#include <cstddef>
#include <string>

namespace KokkosArena::Impl {

/// \brief Why a store can't give checked memory, in words.
struct CheckedShortage {
  std::string const& arena;   ///< Its label.
  std::size_t bytes;          ///< Asked for.
  char const* view;           ///< Its label.
  std::size_t used_bytes;     ///< By the arena.
  std::size_t live_bytes;     ///< Of these, what isn't a hole.
  std::size_t maximum_bytes;  ///< The most that std::size_t has: none.
  char const* failure;        ///< What the system lacked; empty: not asked.
  char const* remedy;         ///< For that; empty: the usual one.

  std::string message() const;
};

}  // namespace KokkosArena::Impl

#endif
