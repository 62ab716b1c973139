// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Upstream.hpp"

#include "KokkosArena_Block.hpp"
#include "KokkosArena_Pages.hpp"

#include <cstdint>
#include <new>

namespace KokkosArena::Impl {

namespace {

std::size_t usable(std::size_t bytes) noexcept {
  return align_up(bytes, run_page_bytes);
}

void const* begin_of(AddressRun run) noexcept {
  return reinterpret_cast<void const*>(run.begin);
}

}  // namespace

void* HostUpstream::allocate(std::size_t bytes) {
  void* const pages = map_pages(bytes, m_huge_pages);
  if (!pages) throw std::bad_alloc();
  report_taken(pages, bytes);
  return pages;
}

void HostUpstream::deallocate(void* address, std::size_t bytes) noexcept {
  if (is_poisonable()) {
    unpoison_memory(reinterpret_cast<std::uintptr_t>(address), bytes);
  }
  report_returned(address, bytes);
  unmap_pages(address, bytes);
}

AddressRun HostUpstream::begin_run(std::size_t bytes, std::size_t most) {
  auto const run = take_run(most);
  if (run.bytes >= bytes && extend_run(run, 0, usable(bytes), m_huge_pages)) {
    report_taken(begin_of(run), bytes);
    return run;
  }
  if (run.bytes > 0) give_back_run(run);
  return {};
}

bool HostUpstream::resize_run(AddressRun run, std::size_t from,
                              std::size_t to) noexcept {
  if (usable(to) > usable(from) &&
      !extend_run(run, usable(from), usable(to), m_huge_pages)) {
    return false;
  }
  if (to < from) {
    if (is_poisonable()) unpoison_memory(run.begin + to, from - to);
    shrink_run(run, usable(to), usable(from));
  }
  // As a tool that knows allocations by their address has to see it.
  report_returned(begin_of(run), from);
  report_taken(begin_of(run), to);
  return true;
}

void HostUpstream::end_run(AddressRun run, std::size_t bytes) noexcept {
  if (is_poisonable()) unpoison_memory(run.begin, bytes);
  report_returned(begin_of(run), bytes);
  give_back_run(run);
}

}  // namespace KokkosArena::Impl
