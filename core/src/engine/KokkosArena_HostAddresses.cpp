// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostAddresses.hpp"

#include "KokkosArena_Block.hpp"
#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_CheckedAddresses.hpp"
#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// A run has whole parts, and each part one owner.
constexpr unsigned part_shift    = 30;
constexpr std::size_t part_bytes = std::size_t(1) << part_shift;
#if defined(KOKKOSARENA_IMPL_THREAD_SANITIZER)
// ThreadSanitizer leaves programs less than others have.
constexpr std::size_t most_parts = 64;
#else
constexpr std::size_t most_parts = 8192;
#endif
/// Of the range, for an arena without a bound; it takes another when it needs.
constexpr std::size_t share = 64;

enum class State : char { free, taken };

constinit std::mutex mutex;  // of the next three
/// Programs may fork late.
NeverDestroyed<ForkLock<std::mutex>> const fork_lock(ForkRank::registry, mutex);
std::array<State, most_parts> states{};
std::size_t parts = 0;
bool reserved     = false;

/// relaxed: both are set before the first run is given out, and who asks for an
/// address in a run has got it from the thread that took that run.
constinit std::atomic<std::uintptr_t> range_begin{0};
constinit std::atomic<std::size_t> range_bytes{0};
/// release and acquire: who finds an owner sees it whole.
constinit std::array<std::atomic<Core*>, most_parts> owners{};
/// Bytes that have ever been usable in the run that begins there, whose they
/// are: what has been given up since still has the advice about its pages.
std::array<std::size_t, most_parts> once_usable{};

std::size_t wanted_parts() noexcept {
  auto const* const text = std::getenv("KOKKOS_ARENA_ADDRESS_BYTES");
  if (!text || !*text) return most_parts;
  char* end        = nullptr;
  errno            = 0;
  auto const bytes = std::strtoull(text, &end, 10);
  if (*end != '\0' || errno != 0 || *text == '-') {
    CancellationOff const off;
    std::fprintf(stderr,
                 "KokkosArena: KOKKOS_ARENA_ADDRESS_BYTES is \"%s\"; it has to "
                 "be a number of bytes, 0 for none; %zu are used\n",
                 text, most_parts * part_bytes);
    return most_parts;
  }
  return std::min<std::size_t>(bytes / part_bytes, most_parts);
}

/// \pre The mutex is held.
void reserve() noexcept {
  reserved = true;
  for (auto count = wanted_parts(); count > 0; count /= 2) {
    auto* const begin = reserve_addresses(count * part_bytes);
    if (!begin) continue;
    range_begin.store(reinterpret_cast<std::uintptr_t>(begin),
                      std::memory_order_relaxed);
    range_bytes.store(count * part_bytes, std::memory_order_relaxed);
    parts = count;
    return;
  }
}

std::size_t part_at(std::uintptr_t address) noexcept {
  return (address - range_begin.load(std::memory_order_relaxed)) >> part_shift;
}

}  // namespace

AddressRun take_run(std::size_t bytes) noexcept {
  std::lock_guard const guard(mutex);
  if (!reserved) reserve();
  auto const count =
      bytes > parts * part_bytes
          ? std::max<std::size_t>(parts / share, 1)
          : align_up(std::max<std::size_t>(bytes, 1), part_bytes) / part_bytes;
  auto const end   = states.begin() + static_cast<std::ptrdiff_t>(parts);
  auto const first = std::search_n(states.begin(), end, count, State::free);
  if (parts == 0 || first == end) return {};
  std::fill_n(first, count, State::taken);
  auto const index = static_cast<std::size_t>(first - states.begin());
  return {range_begin.load(std::memory_order_relaxed) + index * part_bytes,
          count * part_bytes};
}

void give_back_run(AddressRun run) noexcept {
  auto const usable = std::exchange(once_usable[part_at(run.begin)], 0);
  bool const faults =
      usable == 0 ||
      take_pages_back(reinterpret_cast<void*>(run.begin), usable);
  set_owner(run, nullptr);
  // Where they don't, the addresses may be somebody else's: nobody gets them.
  if (!faults) return;
  std::lock_guard const guard(mutex);
  std::fill_n(states.begin() + static_cast<std::ptrdiff_t>(part_at(run.begin)),
              run.bytes / part_bytes, State::free);
}

void set_owner(AddressRun run, Core* core) noexcept {
  auto const first = part_at(run.begin);
  for (std::size_t i = 0; i < run.bytes / part_bytes; ++i) {
    owners[first + i].store(core, std::memory_order_release);
  }
}

Core* owner_of(void const* address) noexcept {
  auto const offset = reinterpret_cast<std::uintptr_t>(address) -
                      range_begin.load(std::memory_order_relaxed);
  if (offset >= range_bytes.load(std::memory_order_relaxed)) return nullptr;
  return owners[offset >> part_shift].load(std::memory_order_acquire);
}

bool extend_run(AddressRun run, std::size_t from, std::size_t to,
                bool huge_pages) noexcept {
  // First, since what fails may have done a part of it.
  auto& once = once_usable[part_at(run.begin)];
  once       = std::max(once, to);
  if (!protect_pages(reinterpret_cast<void*>(run.begin + from), to - from,
                     true)) {
    return false;
  }
  // Whole huge pages only; what a small arena has touched already stays small.
  constexpr std::size_t huge = std::size_t(2) << 20;
  auto const first           = to < 2 * huge ? 0 : from / huge * huge;
  if (huge_pages && to / huge * huge > first) {
    advise_huge_pages(reinterpret_cast<void*>(run.begin + first),
                      to / huge * huge - first);
  }
  return true;
}

void shrink_run(AddressRun run, std::size_t from, std::size_t to) noexcept {
  if (to <= from) return;
  // No new mapping, which could fail and leave a hole. That addresses beyond
  // what is in use fault is no promise.
  auto* const begin = reinterpret_cast<void*>(run.begin + from);
  forget_pages(begin, to - from);
  static_cast<void>(protect_pages(begin, to - from, false));
}

void discard_pages(std::uintptr_t begin, std::uintptr_t end) noexcept {
  auto const first = align_up(begin, page_bytes());
  auto const last  = align_down(end, page_bytes());
  if (last > first) forget_pages(reinterpret_cast<void*>(first), last - first);
}

}  // namespace KokkosArena::Impl
