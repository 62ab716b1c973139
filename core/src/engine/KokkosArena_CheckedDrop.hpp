// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDDROP_HPP
#define KOKKOSARENA_ENGINE_CHECKEDDROP_HPP

#include <source_location>

namespace KokkosArena::Impl {

/// What has made memory invalid.
struct CheckedDrop {
  char const* operation;       ///< As in "reset()".
  std::source_location where;  ///< Line 0: unknown.
};

}  // namespace KokkosArena::Impl

#endif
