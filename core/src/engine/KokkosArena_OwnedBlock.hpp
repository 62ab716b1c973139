// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_OWNEDBLOCK_HPP
#define KOKKOSARENA_ENGINE_OWNEDBLOCK_HPP

#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <algorithm>
#include <cstddef>

namespace KokkosArena::Impl {

class Core;

/// \brief A block with the memory behind it, which goes back upstream in the
/// destructor. It either lies in a run of addresses, and grows in place, or is
/// one allocation of its own.
class OwnedBlock final : public Block {
 public:
  /// \brief No memory yet.
  /// \param[in] owner  Whose its addresses are to be, for find_core().
  OwnedBlock(Upstream& upstream, Core* owner) noexcept;
  OwnedBlock(OwnedBlock const&)            = delete;
  OwnedBlock& operator=(OwnedBlock const&) = delete;
  ~OwnedBlock();

  // One of these, once.

  /// \brief Takes a run of which \c bytes are usable, and which may grow to
  /// \c most. \return Whether there was one.
  bool begin_run(std::size_t bytes, std::size_t most);
  /// \throws What the upstream throws; std::bad_alloc. Nothing is taken then.
  void allocate_upstream(std::size_t bytes);

  bool grows_in_place() const noexcept { return m_run.bytes > 0; }
  /// That the upstream has given.
  std::size_t upstream_bytes() const noexcept { return m_upstream_bytes; }

  // Of a block that grows in place.

  /// Bytes more that its run has room for.
  std::size_t growth_left() const noexcept { return m_run.bytes - capacity(); }
  /// \brief Makes so many bytes more usable. \return Whether that was possible.
  bool enlarge(std::size_t more) noexcept;
  /// \brief Gives back what lies behind the first \c bytes, at least
  /// \c least_bytes() of it.
  void shrink_to(std::size_t bytes) noexcept;
  /// \brief Lets the memory go of what is free, but for the first \c kept bytes
  /// of the room. Once, until more has been touched again.
  void discard_free(std::size_t kept) noexcept;

  /// \brief Ends a cycle: its peak is known, and the next one's begins.
  void end_cycle() noexcept {
    m_touched = std::max(m_touched, peak());
    restart_peak();
  }

  /// Since the last reset.
  bool has_grown = false;

 private:
  Upstream& m_upstream;
  Core* m_owner;
  void* m_memory               = nullptr;  ///< Of an allocation.
  std::size_t m_upstream_bytes = 0;
  AddressRun m_run{};
  /// No more than that has memory, once the capacity has been trimmed.
  std::size_t m_touched = 0;
};

}  // namespace KokkosArena::Impl

#endif
