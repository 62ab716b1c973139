// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAddresses.hpp"

#include "KokkosArena_AddressSlices.hpp"
#include "KokkosArena_Block.hpp"
#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t alignment_bytes = std::size_t(2) << 20;

#if defined(KOKKOSARENA_IMPL_THREAD_SANITIZER)
// ThreadSanitizer leaves programs less than others have.
constexpr std::size_t most_bytes = std::size_t(64) << 30;
#else
// So that the table of their pages takes 300 MB at most, once all were used.
constexpr std::size_t most_bytes = most_reserved_bytes / 2;
#endif
constexpr std::size_t least_bytes = std::size_t(64) << 20;

/// For programs that can't have so many addresses, under ulimit -v for example.
std::size_t wanted_bytes() noexcept {
  constexpr auto own_name  = "KOKKOS_ARENA_CHECKED_ADDRESS_BYTES";
  auto const* const own    = std::getenv(own_name);
  bool const is_own        = own && *own;
  auto const* const others = std::getenv("KOKKOS_ARENA_ADDRESS_BYTES");
  auto const* const text   = is_own ? own : others;
  if (!text || !*text) return most_bytes;
  char* end        = nullptr;
  errno            = 0;
  auto const bytes = std::strtoull(text, &end, 10);
  if (*end == '\0' && errno == 0 && *text != '-' && bytes >= least_bytes &&
      bytes <= most_bytes) {
    return align_down(bytes, alignment_bytes);
  }
  // That of all host memory may be 0, or whatever suits the rest.
  if (is_own) {
    CancellationOff const off;
    std::fprintf(stderr,
                 "KokkosArena: %s is \"%s\"; it has to be a number of bytes "
                 "from %zu to %zu; the latter is used\n",
                 own_name, text, least_bytes, most_bytes);
  }
  return most_bytes;
}

constinit std::mutex mutex;
constinit AddressSlices slices;
constinit std::size_t lost_bytes = 0;
constinit bool handed_out_once   = false;

/// Programs may fork late.
NeverDestroyed<ForkLock<std::mutex>> const fork_lock(ForkRank::registry, mutex);

CheckedAddresses reserve() noexcept {
  for (auto bytes = wanted_bytes(); bytes >= least_bytes;
       bytes      = align_down(bytes / 2, alignment_bytes)) {
    auto* const begin = static_cast<char*>(reserve_addresses(bytes));
    if (!begin) continue;
    // Zeros are unused slices, and usable pages.
    auto const count = bytes / slice_bytes;
    auto const table = reinterpret_cast<std::uintptr_t>(
        zeroed_pages(count * sizeof(Slice) + (bytes >> checked_page_shift)));
    if (table) {
      slices =
          AddressSlices(reinterpret_cast<Slice*>(table), count, slice_bytes);
      auto const pages = table + count * sizeof(Slice);
      auto const first =
          reinterpret_cast<std::uintptr_t>(begin) >> checked_page_shift;
      return {begin, begin + bytes, begin, CheckedPages::none,
              reinterpret_cast<CheckedPage*>(pages - first)};
    }
    unreserve_addresses(begin, bytes);
  }
  return {};
}

}  // namespace

constinit CheckedAddresses checked_addresses{};

bool reserve_checked_addresses() noexcept {
  static bool const reserved = [] {
    checked_addresses = reserve();
    return checked_addresses.begin != nullptr;
  }();
  return reserved;
}

namespace {

std::size_t slices_of(std::size_t bytes) noexcept {
  return align_up(bytes, slice_bytes) / slice_bytes;
}
std::size_t slice_at(std::uintptr_t address) noexcept {
  return (address - reinterpret_cast<std::uintptr_t>(checked_addresses.begin)) /
         slice_bytes;
}

std::size_t page_at(std::uintptr_t address) noexcept {
  return (address -
          reinterpret_cast<std::uintptr_t>(checked_addresses.begin)) >>
         checked_page_shift;
}

struct PageRange {
  std::size_t first = 0;
  std::size_t last  = 0;  ///< Without.
};

PageRange usable_pages() noexcept {
  auto const packed = static_cast<std::uint64_t>(checked_addresses.usable);
  auto const first  = static_cast<std::uint32_t>(packed);
  return {first, first + (packed >> 32)};
}

void set_usable_pages(PageRange range) noexcept {
  auto const count = range.last > range.first ? range.last - range.first : 0;
  // An enumeration for the compiler's sake alone.
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
  auto const pages = static_cast<CheckedPages>(
      std::uint64_t(count) << 32 | static_cast<std::uint32_t>(range.first));
  // Other threads read it without the lock; see CheckedAddresses.
  std::atomic_ref(checked_addresses.usable)
      .store(pages, std::memory_order_relaxed);
}

/// \pre The mutex is held.
void set_pages(PageRange range, CheckedPage state) noexcept {
  auto* const table = page_of(checked_addresses.begin);
  auto const count  = range.last - range.first;
  if (count > most_bytes_with_pages >> checked_page_shift) {
    // To read them first would fault twice for a page of the table.
    std::fill_n(table + range.first, count, state);
    return;
  }
  for (auto page = range.first; page < range.last; ++page) {
    // What was dropped before the rest may be read by whoever still has it.
    if (table[page] != state) table[page] = state;
  }
}

/// \pre The mutex is held.
void drop(PageRange dropped) noexcept {
  auto& all   = checked_addresses;
  auto usable = usable_pages();
  if (dropped.first < usable.last && usable.first < dropped.last) {
    // What is dropped is at its beginning, most often.
    usable.first = dropped.last;
    set_usable_pages(usable);
  }
  auto const* const to = all.begin + (dropped.last << checked_page_shift);
  // Other threads read it without the lock; see CheckedAddresses.
  std::atomic_ref(all.dropped_end)
      .store(std::max(all.dropped_end, to), std::memory_order_relaxed);
  set_pages(dropped, CheckedPage::dropped);
}

}  // namespace

std::uintptr_t take_addresses(std::size_t bytes) noexcept {
  auto const& all = checked_addresses;
  if (bytes == 0 || bytes > static_cast<std::size_t>(all.end - all.begin)) {
    return 0;
  }
  std::lock_guard const guard(mutex);
  auto const first =
      slices.take(slices_of(bytes),
                  bytes >= alignment_bytes ? alignment_bytes / slice_bytes : 1);
  if (first == AddressSlices::none) return 0;
  auto const begin =
      reinterpret_cast<std::uintptr_t>(all.begin) + first * slice_bytes;
  if (slices.came_round()) {
    set_pages({page_at(begin), page_at(begin + align_up(bytes, slice_bytes))},
              CheckedPage::usable);
  }
  return begin;
}

void untake_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  std::lock_guard const guard(mutex);
  slices.untake(slice_at(begin), slices_of(bytes));
}

void lose_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  std::lock_guard const guard(mutex);
  slices.lose(slice_at(begin), slices_of(bytes));
  lost_bytes += bytes;
}

bool may_lose_addresses() noexcept {
  auto const& all = checked_addresses;
  std::lock_guard const guard(mutex);
  return lost_bytes < static_cast<std::size_t>(all.end - all.begin) / 8;
}

void hand_addresses_out_once() noexcept {
  std::lock_guard const guard(mutex);
  if (std::exchange(handed_out_once, true)) return;
  slices.hand_out_once();
  CancellationOff const off;
  std::fprintf(stderr,
               "KokkosArena: the system can't take back the pages of checked "
               "memory that was dropped (too many mappings?); raw pointers to "
               "it may not fault. Raise vm.max_map_count\n");
}

void drop_pages(std::uintptr_t begin, std::size_t bytes) noexcept {
  std::lock_guard const guard(mutex);
  drop({page_at(begin), page_at(begin + bytes)});
}

void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  std::lock_guard const guard(mutex);
  slices.drop(slice_at(begin), slices_of(bytes));
  drop({page_at(begin), page_at(begin + align_up(bytes, slice_bytes))});
}

void expect_accesses(std::uintptr_t address) noexcept {
  // Beyond so many, a look at the table is as quick as the access itself.
  constexpr std::size_t most = 1024;
  auto const* const table    = page_of(checked_addresses.begin);
  auto const page            = page_at(address);
  auto const is_usable       = [table](std::size_t p) {
    return table[p] == CheckedPage::usable;
  };
  std::lock_guard const guard(mutex);
  auto const usable = usable_pages();
  auto const end =
      page_at(reinterpret_cast<std::uintptr_t>(checked_addresses.dropped_end));
  if (page >= end || (page >= usable.first && page < usable.last)) return;
  PageRange range{page, page};
  auto const least = page > most ? page - most : 0;
  while (range.first > least && is_usable(range.first - 1)) --range.first;
  auto const last = std::min(end, page + most);
  while (range.last < last && is_usable(range.last)) ++range.last;
  set_usable_pages(range);
}

}  // namespace KokkosArena::Impl
