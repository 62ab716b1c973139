// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_OwnedBlock.hpp"

#include "KokkosArena_Owners.hpp"

#include <cstdint>

namespace KokkosArena::Impl {

OwnedBlock::OwnedBlock(Upstream& upstream, Core* owner) noexcept
    : Block(granule, 0, upstream.is_poisonable()),
      m_upstream(upstream),
      m_owner(owner) {}

OwnedBlock::~OwnedBlock() {
  if (grows_in_place()) {
    m_upstream.end_run(m_run, m_upstream_bytes);
  } else if (m_memory) {
    remove_block_owner(begin());
    m_upstream.deallocate(m_memory, m_upstream_bytes);
  }
}

bool OwnedBlock::begin_run(std::size_t bytes, std::size_t most) {
  auto const run = m_upstream.begin_run(bytes, most);
  if (run.bytes == 0) return false;
  m_run            = run;
  m_upstream_bytes = bytes;
  restart(run.begin, align_down(bytes, granule));
  set_owner(run, m_owner);
  return true;
}

void OwnedBlock::allocate_upstream(std::size_t bytes) {
  auto* const memory = m_upstream.allocate(bytes);
  auto const address = reinterpret_cast<std::uintptr_t>(memory);
  auto const first   = align_up(address, granule);
  auto const end     = align_down(address + bytes, granule);
  try {
    add_block_owner(first, end, m_owner);
  } catch (...) {
    m_upstream.deallocate(memory, bytes);
    throw;
  }
  m_memory         = memory;
  m_upstream_bytes = bytes;
  restart(first, end - first);
}

bool OwnedBlock::enlarge(std::size_t more) noexcept {
  auto const have = capacity();
  if (!m_upstream.resize_run(m_run, have, have + more)) return false;
  extend(have + more);
  m_upstream_bytes = m_touched = have + more;
  return true;
}

void OwnedBlock::shrink_to(std::size_t bytes) noexcept {
  auto const have = capacity();
  shrink(bytes);
  m_upstream.resize_run(m_run, have, bytes);
  m_upstream_bytes = bytes;
}

void OwnedBlock::discard_free(std::size_t kept) noexcept {
  if (m_touched <= kept + kept / 4) return;
  for_free_ranges(kept, discard_pages);
  m_touched = kept;
}

}  // namespace KokkosArena::Impl
