// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_PRELOADMESSAGE_HPP
#define KOKKOSARENA_PRELOAD_PRELOADMESSAGE_HPP

#include <string_view>

namespace KokkosArena::Impl {

/// \brief A line on stderr, in one piece, with the command's name in front, and
/// the rank of the process, if it has one.
/// \param[in] format  Of printf.
[[gnu::format(printf, 1, 2)]] void tell(char const* format, ...) noexcept;

/// \brief To be called when the program begins: what isn't stderr then, since
/// that is closed, or is another file later, gets no text.
void remember_stderr() noexcept;

/// \brief Text of any length on stderr, as it is.
void tell_text(std::string_view text) noexcept;

}  // namespace KokkosArena::Impl

#endif
