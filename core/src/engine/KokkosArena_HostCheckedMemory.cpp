// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostCheckedMemory.hpp"

#include "KokkosArena_CheckedAddresses.hpp"
#include "KokkosArena_Pages.hpp"

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
