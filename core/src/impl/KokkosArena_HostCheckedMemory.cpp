// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAddresses.hpp"
#include "KokkosArena_CheckedMemory.hpp"
#include "KokkosArena_Pages.hpp"
#include "KokkosArena_Upstream.hpp"

namespace KokkosArena::Impl {

namespace {

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

class HostCheckedMemory final : public CheckedMemory {
 public:
  std::uintptr_t take_addresses(std::size_t bytes) noexcept override {
    return Impl::take_addresses(bytes);
  }
  void untake_addresses(std::uintptr_t begin,
                        std::size_t bytes) noexcept override {
    Impl::untake_addresses(begin, bytes);
  }
  void drop_addresses(std::uintptr_t begin,
                      std::size_t bytes) noexcept override {
    Impl::drop_addresses(begin, bytes);
  }
  bool lend(std::uintptr_t begin, std::size_t bytes,
            bool huge_pages) noexcept override {
    return has_changed(lend_pages(pointer(begin), bytes, huge_pages), begin,
                       bytes);
  }
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override {
    // Where each move fails, each would lose addresses.
    if (!may_lose_addresses()) return false;
    bool old_ones_fault = true;
    bool const moved    = has_changed(
        move_pages(pointer(from), pointer(to), bytes, old_ones_fault), to,
        bytes);
    if (!old_ones_fault) hand_addresses_out_once();
    return moved;
  }
  void take_back(std::uintptr_t begin, std::size_t bytes) noexcept override {
    if (!take_pages_back(pointer(begin), bytes)) hand_addresses_out_once();
  }
  std::size_t page_bytes() const noexcept override {
    return Impl::page_bytes();
  }
  bool has_guard_pages() const noexcept override { return can_protect_pages; }
  void report_taken(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_taken(pointer(begin), bytes);
  }
  void report_returned(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_given_back(pointer(begin), bytes);
  }

 private:
  static bool has_changed(PageChange change, std::uintptr_t fresh,
                          std::size_t bytes) noexcept {
    if (change == PageChange::lost) lose_addresses(fresh, bytes);
    return change == PageChange::done;
  }
};

}  // namespace

CheckedMemory& host_checked_memory() noexcept {
  // Has no state, and no destructor that does anything: Views may end late.
  static HostCheckedMemory memory;
  return memory;
}

}  // namespace KokkosArena::Impl
