// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ADVICEREPORT_HPP
#define KOKKOSARENA_PRELOAD_ADVICEREPORT_HPP

#include "KokkosArena_Advice.hpp"

#include <iosfwd>

/// \file
/// The report in three forms, with names of any bytes.

namespace KokkosArena::Impl {

/// \brief For a terminal: the verdict first, then the regions and labels with
/// most bytes. Control characters of names are replaced.
void write_text(std::ostream& out, Advice const& advice);

/// \brief All figures: times in ns, sizes in bytes, parts of 1 as such.
void write_json(std::ostream& out, Advice const& advice);

/// \brief One page that needs nothing else, with a picture of the bytes that
/// were alive over time.
void write_html(std::ostream& out, Advice const& advice);

}  // namespace KokkosArena::Impl

#endif
