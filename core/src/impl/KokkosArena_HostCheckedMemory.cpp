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
    return lend_pages(pointer(begin), bytes, huge_pages);
  }
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override {
    return move_pages(pointer(from), pointer(to), bytes);
  }
  void take_back(std::uintptr_t begin, std::size_t bytes) noexcept override {
    take_pages_back(pointer(begin), bytes);
  }
  std::size_t page_bytes() const noexcept override {
    return Impl::page_bytes();
  }
  bool has_guard_pages() const noexcept override { return true; }
  void report_taken(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_taken(pointer(begin), bytes);
  }
  void report_returned(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_given_back(pointer(begin), bytes);
  }
};

}  // namespace

CheckedMemory& host_checked_memory() noexcept {
  // Has no state, and no destructor that does anything: Views may end late.
  static HostCheckedMemory memory;
  return memory;
}

}  // namespace KokkosArena::Impl
