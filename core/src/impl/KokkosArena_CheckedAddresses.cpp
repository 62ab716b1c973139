// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAddresses.hpp"

#include "KokkosArena_Block.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t alignment_bytes = std::size_t(2) << 20;

#if defined(KOKKOSARENA_IMPL_THREAD_SANITIZER)
// ThreadSanitizer leaves programs less than others have.
constexpr std::size_t most_bytes = std::size_t(64) << 30;
#else
constexpr std::size_t most_bytes = most_reserved_bytes;
#endif
constexpr std::size_t least_bytes = std::size_t(64) << 20;

/// For programs that can't have so many addresses, under ulimit -v for example.
std::size_t wanted_bytes() noexcept {
  auto const* const text = std::getenv("KOKKOS_ARENA_CHECKED_ADDRESS_BYTES");
  if (!text || !*text) return most_bytes;
  char* end        = nullptr;
  errno            = 0;
  auto const bytes = std::strtoull(text, &end, 10);
  if (*end != '\0' || errno != 0 || *text == '-' || bytes < least_bytes ||
      bytes > most_bytes) {
    std::fprintf(stderr,
                 "KokkosArena: KOKKOS_ARENA_CHECKED_ADDRESS_BYTES is \"%s\"; "
                 "it has to be a number of bytes from %zu to %zu; the latter "
                 "is used\n",
                 text, least_bytes, most_bytes);
    return most_bytes;
  }
  return align_down(bytes, alignment_bytes);
}

constinit std::mutex mutex;
std::size_t next_slice = 0;
bool came_round        = false;

CheckedAddresses reserve() noexcept {
  for (auto bytes = wanted_bytes(); bytes >= least_bytes;
       bytes      = align_down(bytes / 2, alignment_bytes)) {
    auto* const begin = static_cast<char*>(reserve_addresses(bytes));
    if (!begin) continue;
    // Zero is Slice::unused.
    if (auto* const table = static_cast<Slice*>(
            zeroed_pages(bytes / slice_bytes * sizeof(Slice)))) {
      auto const first = reinterpret_cast<std::uintptr_t>(begin) >> slice_shift;
      return {begin, begin + bytes, begin,
              reinterpret_cast<Slice*>(reinterpret_cast<std::uintptr_t>(table) -
                                       first * sizeof(Slice))};
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

std::uintptr_t take_addresses(std::size_t bytes) noexcept {
  auto const& all  = checked_addresses;
  auto const total = static_cast<std::size_t>(all.end - all.begin);
  if (bytes == 0 || bytes > total) return 0;
  auto const slices = align_up(bytes, slice_bytes) / slice_bytes;
  auto const step =
      bytes >= alignment_bytes ? alignment_bytes / slice_bytes : 1;
  auto* const table = slice_of(all.begin);
  std::lock_guard const guard(mutex);
  auto first = align_up(next_slice, step);
  for (int rounds = 0; rounds < 2;) {
    if (first + slices > total / slice_bytes) {
      ++rounds;
      first = 0;
      if (!came_round) {
        came_round = true;
        std::fprintf(stderr,
                     "KokkosArena: the %zu bytes of addresses for checked "
                     "Views have been used up; the oldest are used again, so a "
                     "View that was dropped that long ago may go unnoticed\n",
                     total);
      }
      continue;
    }
    auto const* const end = table + first + slices;
    // The last valid one in the way.
    auto const* obstacle = end;
    while (obstacle != table + first && obstacle[-1] != Slice::valid) {
      --obstacle;
    }
    if (obstacle == table + first) {
      std::fill_n(table + first, slices, Slice::valid);
      next_slice = first + slices;
      return reinterpret_cast<std::uintptr_t>(all.begin) + first * slice_bytes;
    }
    first = align_up(static_cast<std::size_t>(obstacle - table), step);
  }
  return 0;
}

void untake_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  auto const& all   = checked_addresses;
  auto const offset = begin - reinterpret_cast<std::uintptr_t>(all.begin);
  auto const slices = align_up(bytes, slice_bytes) / slice_bytes;
  std::lock_guard const guard(mutex);
  std::fill_n(slice_of(all.begin + offset), slices, Slice::unused);
  if (next_slice == offset / slice_bytes + slices) next_slice -= slices;
}

void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  auto& all         = checked_addresses;
  auto const slices = align_up(bytes, slice_bytes) / slice_bytes;
  auto const* const from =
      all.begin + (begin - reinterpret_cast<std::uintptr_t>(all.begin));
  auto const* const to = from + slices * slice_bytes;
  std::lock_guard const guard(mutex);
  std::fill_n(slice_of(from), slices, Slice::dropped);
  // Other threads read it without the lock; see CheckedAddresses.
  std::atomic_ref(all.dropped_end)
      .store(std::max(all.dropped_end, to), std::memory_order_relaxed);
}

}  // namespace KokkosArena::Impl
