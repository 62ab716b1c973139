// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_PAGES_HPP
#define KOKKOSARENA_ENGINE_PAGES_HPP

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

/// \brief Zeros, of which no page is touched before the program does, for as
/// long as it runs. \return Null if the system has none.
void* zeroed_pages(std::size_t bytes) noexcept;

// Addresses without memory behind them, to which memory is lent. Elsewhere than
// on Linux there is memory behind them from the beginning, and they never
// fault.

#if defined(__linux__)
inline constexpr std::size_t most_reserved_bytes = std::size_t(16) << 40;
#else
inline constexpr std::size_t most_reserved_bytes = std::size_t(1) << 30;
#endif

/// \brief Addresses that fault. \return Null if the system has none.
/// \param[in] bytes      A multiple of 2 MiB.
/// \return Aligned to 2 MiB.
void* reserve_addresses(std::size_t bytes) noexcept;

/// \pre What one \c reserve_addresses gave.
void unreserve_addresses(void* address, std::size_t bytes) noexcept;

// For all of these, the ranges are page-aligned and within what
// reserve_addresses() gave.

/// What has come of a change to reserved addresses.
enum class PageChange {
  done,
  undone,  ///< Nothing has happened.
  /// The reservation may have a hole there, which others may have got: the
  /// addresses must not be used for anything.
  lost
};

/// \brief Puts fresh pages behind the addresses, which must have none.
PageChange lend_pages(void* address, std::size_t bytes,
                      bool huge_pages) noexcept;

/// \brief Moves the pages of a range to fresh addresses, which must have none;
/// those that they had fault from then on. Cost: two system calls; about 20 us
/// for 64 MiB where both are aligned to 2 MiB, since whole tables of pages
/// move.
/// \param[out] old_ones_fault  Whether they do, if the pages have moved. If
/// not,
///                             they must not be used for anything.
/// \return Of the fresh addresses; the pages are where they were unless done.
PageChange move_pages(void* from, void* to, std::size_t bytes,
                      bool& old_ones_fault) noexcept;

/// \brief Advises 2 MiB pages; the range is a multiple of these.
void advise_huge_pages(void* address, std::size_t bytes) noexcept;

/// \brief Lets the pages' memory go; they can be accessed, and are zero then.
/// Where the system can't, nothing happens.
void forget_pages(void* address, std::size_t bytes) noexcept;

/// \brief Gives the pages back; the addresses fault from then on.
/// \return Whether they do. If not, the pages are still there, or the addresses
/// may be somebody else's: they must not be used for anything.
bool take_pages_back(void* address, std::size_t bytes) noexcept;

/// Whether protect_pages() can be had at all.
#if defined(__linux__)
inline constexpr bool can_protect_pages = true;
#else
inline constexpr bool can_protect_pages = false;
#endif

/// \brief Makes accesses to the range faults or, with \c accessible, normal.
/// \return Whether the system could. It can't where the process would have more
/// mappings than vm.max_map_count, for one.
[[nodiscard]] bool protect_pages(void* address, std::size_t bytes,
                                 bool accessible) noexcept;

/// \return Bytes of a page, a power of two.
std::size_t page_bytes() noexcept;

}  // namespace KokkosArena::Impl

#endif
