// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_PRELOADMESSAGE_HPP
#define KOKKOSARENA_PRELOAD_PRELOADMESSAGE_HPP

namespace KokkosArena::Impl {

/// \brief A line on stderr, in one piece, with the command's name in front.
/// \param[in] format  Of printf.
[[gnu::format(printf, 1, 2)]] void tell(char const* format, ...) noexcept;

}  // namespace KokkosArena::Impl

#endif
