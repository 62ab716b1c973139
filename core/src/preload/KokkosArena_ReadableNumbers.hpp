// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_READABLENUMBERS_HPP
#define KOKKOSARENA_PRELOAD_READABLENUMBERS_HPP

#include <string>

/// \file
/// Numbers with three digits or so, for people.

namespace KokkosArena::Impl {

/// \return Such as "1.50 MiB".
std::string readable_bytes(double bytes);
/// \return Such as "1.50 ms".
std::string readable_time(double nanoseconds);
/// \return Such as "12,345".
std::string readable_count(double count);
/// \return Such as "4.2 %", of 0.042.
std::string readable_percent(double part);

}  // namespace KokkosArena::Impl

#endif
