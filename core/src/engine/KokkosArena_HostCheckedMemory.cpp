// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostCheckedMemory.hpp"

#include "KokkosArena_CheckedAddresses.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>

namespace KokkosArena::Impl {

namespace {

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

bool has_changed(PageChange change, std::uintptr_t fresh,
                 std::size_t bytes) noexcept {
  if (change == PageChange::lost) lose_addresses(fresh, bytes);
  return change == PageChange::done;
}

}  // namespace

std::uintptr_t HostCheckedMemory::take_addresses(std::size_t bytes) noexcept {
  return Impl::take_addresses(bytes);
}

void HostCheckedMemory::untake_addresses(std::uintptr_t begin,
                                         std::size_t bytes) noexcept {
  Impl::untake_addresses(begin, bytes);
}

void HostCheckedMemory::drop_addresses(std::uintptr_t begin,
                                       std::size_t bytes) noexcept {
  Impl::drop_addresses(begin, bytes);
}

void HostCheckedMemory::drop_part(std::uintptr_t begin,
                                  std::size_t bytes) noexcept {
  drop_pages(begin, bytes);
}

std::size_t HostCheckedMemory::part_bytes() const noexcept {
  return std::max(checked_page_bytes, page_bytes());
}

void HostCheckedMemory::spoil(std::uintptr_t begin,
                              std::size_t bytes) noexcept {
  constexpr std::uint64_t pattern = 0x7ff4dead'7fa4dead;
  std::fill_n(static_cast<std::uint64_t*>(pointer(begin)),
              bytes / sizeof(pattern), pattern);
}

void HostCheckedMemory::expect_accesses(std::uintptr_t address) noexcept {
  Impl::expect_accesses(address);
}

bool HostCheckedMemory::lend(std::uintptr_t begin, std::size_t bytes,
                             bool huge_pages) noexcept {
  return has_changed(lend_pages(pointer(begin), bytes, huge_pages), begin,
                     bytes);
}

bool HostCheckedMemory::move(std::uintptr_t from, std::uintptr_t to,
                             std::size_t bytes) noexcept {
  // Where each move fails, each would lose addresses.
  if (!may_lose_addresses()) return false;
  bool old_ones_fault = true;
  bool const moved    = has_changed(
      move_pages(pointer(from), pointer(to), bytes, old_ones_fault), to, bytes);
  if (!old_ones_fault) hand_addresses_out_once();
  return moved;
}

void HostCheckedMemory::take_back(std::uintptr_t begin,
                                  std::size_t bytes) noexcept {
  if (!take_pages_back(pointer(begin), bytes)) hand_addresses_out_once();
}

std::size_t HostCheckedMemory::page_bytes() const noexcept {
  return Impl::page_bytes();
}

bool HostCheckedMemory::has_guard_pages() const noexcept {
  return can_protect_pages;
}

}  // namespace KokkosArena::Impl
