// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_PAGES_HPP
#define KOKKOSARENA_IMPL_PAGES_HPP

#include <cstddef>

/// \file
/// All that the library asks of the operating system.

namespace KokkosArena::Impl {

/// \brief Fresh host pages.
/// \param[in] bytes       At least 1.
/// \param[in] huge_pages  Ask for 2 MiB pages where the range has room for one:
///                        a first touch costs an eighth then. Advice only.
/// \return A range aligned to a page, or to 2 MiB from 2 MiB on; null if the
///         system has none.
/// Cost: system calls (mmap, munmap of the margins, madvise on Linux).
void* map_pages(std::size_t bytes, bool huge_pages) noexcept;

/// \pre \c address and \c bytes are those of one \c map_pages.
void unmap_pages(void* address, std::size_t bytes) noexcept;

}  // namespace KokkosArena::Impl

#endif
