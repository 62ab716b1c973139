// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_UPSTREAM_HPP
#define KOKKOSARENA_ENGINE_UPSTREAM_HPP

#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_Poison.hpp>

#include <cstddef>
#include <typeinfo>

namespace KokkosArena::Impl {

/// Where an arena gets its blocks. Called once a block, never in a steady
/// state, so a virtual call and a fence cost nothing there.
class Upstream {
 public:
  Upstream()                           = default;
  Upstream(Upstream const&)            = delete;
  Upstream& operator=(Upstream const&) = delete;
  virtual ~Upstream()                  = default;

  /// \return At least \c bytes, best aligned to 64: what lies in front of the
  /// first multiple can't be used. \throws What the upstream throws, or
  /// std::bad_alloc.
  virtual void* allocate(std::size_t bytes) = 0;
  /// What the arena has poisoned is unpoisoned then.
  virtual void deallocate(void* address, std::size_t bytes) noexcept = 0;
  /// \return Whether the arena is to poison what is free.
  virtual bool is_poisonable() const noexcept = 0;
  /// \return The name of the memory space that it takes from; a literal.
  virtual char const* space_name() const noexcept { return ""; }

  // Memory that grows in place.

  /// \brief A run of addresses, of which \c bytes are usable, for a block that
  /// may grow to \c most.
  /// \return An empty one if there are none, and there is \c allocate.
  virtual AddressRun begin_run(std::size_t /*bytes*/, std::size_t /*most*/) {
    return {};
  }
  /// \brief Changes how many bytes of it are usable. \return Whether that was
  /// possible; less always is.
  virtual bool resize_run(AddressRun, std::size_t /*from*/,
                          std::size_t /*to*/) noexcept {
    return false;
  }
  virtual void end_run(AddressRun, std::size_t /*bytes*/) noexcept {}
  /// \return Whether an arena is to go on around Views that outlive a reset,
  /// and not to retire their block.
  virtual bool leaves_survivors_in_place() const noexcept { return false; }

  // Where kernels run behind the host's back, what is given back may still be
  // in use. It is set aside then, and returned when the kernels have passed.

  /// \return Bytes that are set aside.
  virtual std::size_t bytes_set_aside() const noexcept { return 0; }
  /// \brief Returns what isn't in use any more. Not to be called on the way of
  /// a temporary: the memory space may wait for the whole device.
  virtual void return_what_has_passed() noexcept {}
  /// \brief Waits for the kernels and returns all.
  virtual void return_all() noexcept {}
  /// \return The instance in whose order memory is used again, if it is of that
  /// execution space; otherwise null.
  virtual void const* instance(std::type_info const&) const noexcept {
    return nullptr;
  }
  /// \brief Waits for that instance, of whatever execution space it is.
  virtual void fence(char const* /*why*/) const {}
};

/// \brief Host memory: blocks are runs of addresses, which grow in place, or,
/// where there are none, pages of their own. The arena's lock is held when a
/// report is made: it must not call the arena.
class HostUpstream : public Upstream {
 public:
  explicit HostUpstream(bool huge_pages) noexcept : m_huge_pages(huge_pages) {}

  void* allocate(std::size_t bytes) override;
  void deallocate(void* address, std::size_t bytes) noexcept override;
  bool is_poisonable() const noexcept override { return has_memory_checker(); }

  AddressRun begin_run(std::size_t bytes, std::size_t most) override;
  bool resize_run(AddressRun run, std::size_t from,
                  std::size_t to) noexcept override;
  void end_run(AddressRun run, std::size_t bytes) noexcept override;
  bool leaves_survivors_in_place() const noexcept override { return true; }

 protected:
  // For who wants to know of all memory.
  virtual void report_taken(void const* /*address*/, std::size_t /*bytes*/) {}
  virtual void report_returned(void const* /*address*/,
                               std::size_t /*bytes*/) noexcept {}

 private:
  bool m_huge_pages;
};

}  // namespace KokkosArena::Impl

#endif
