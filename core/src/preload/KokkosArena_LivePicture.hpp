// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_LIVEPICTURE_HPP
#define KOKKOSARENA_PRELOAD_LIVEPICTURE_HPP

#include "KokkosArena_Advice.hpp"

#include <string>
#include <string_view>

namespace KokkosArena::Impl {

/// \return The text so that HTML shows it: its special characters as entities,
/// control characters, which it can't show, as U+FFFD.
std::string html_text(std::string_view text);

/// \return An SVG element and a legend: the bytes that were alive over time,
/// of one region on top of the other.
std::string live_picture(Advice const& advice);

}  // namespace KokkosArena::Impl

#endif
