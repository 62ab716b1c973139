// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAddresses.hpp"

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
    CancellationOff const off;
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
    // Zero is Slice::unused.
    if (auto* const table = static_cast<Slice*>(
            zeroed_pages(bytes / slice_bytes * sizeof(Slice)))) {
      slices           = AddressSlices(table, bytes / slice_bytes, slice_bytes);
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

namespace {

std::size_t slices_of(std::size_t bytes) noexcept {
  return align_up(bytes, slice_bytes) / slice_bytes;
}
std::size_t slice_at(std::uintptr_t address) noexcept {
  return (address - reinterpret_cast<std::uintptr_t>(checked_addresses.begin)) /
         slice_bytes;
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
  return reinterpret_cast<std::uintptr_t>(all.begin) + first * slice_bytes;
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

void drop_addresses(std::uintptr_t begin, std::size_t bytes) noexcept {
  auto& all            = checked_addresses;
  auto const first     = slice_at(begin);
  auto const count     = slices_of(bytes);
  auto const* const to = all.begin + (first + count) * slice_bytes;
  std::lock_guard const guard(mutex);
  slices.drop(first, count);
  // Other threads read it without the lock; see CheckedAddresses.
  std::atomic_ref(all.dropped_end)
      .store(std::max(all.dropped_end, to), std::memory_order_relaxed);
}

}  // namespace KokkosArena::Impl
