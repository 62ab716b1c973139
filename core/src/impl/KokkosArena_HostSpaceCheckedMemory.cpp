// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostSpaceCheckedMemory.hpp"

#include "../KokkosArena_FaultHandler.hpp"
#include "../engine/KokkosArena_HostCheckedMemory.hpp"
#include "KokkosArena_SpaceUpstream.hpp"

namespace KokkosArena::Impl {

namespace {

class HostSpaceCheckedMemory final : public HostCheckedMemory {
 public:
  HostSpaceCheckedMemory() noexcept { install_fault_handler_by_default(); }
  void report_taken(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_taken(reinterpret_cast<void*>(begin), bytes);
  }
  void report_returned(std::uintptr_t begin, std::size_t bytes) const override {
    report_pages_given_back(reinterpret_cast<void*>(begin), bytes);
  }
};

}  // namespace

CheckedMemory& host_checked_memory() noexcept {
  static HostSpaceCheckedMemory memory;
  return memory;
}

}  // namespace KokkosArena::Impl
