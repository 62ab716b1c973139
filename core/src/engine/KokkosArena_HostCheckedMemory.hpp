// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_HOSTCHECKEDMEMORY_HPP
#define KOKKOSARENA_ENGINE_HOSTCHECKEDMEMORY_HPP

#include <engine/KokkosArena_CheckedMemory.hpp>

#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// \brief The host's: pages behind the addresses of
/// KokkosArena_CheckedAddresses.hpp. Has no state, and no destructor that does
/// anything: Views may end late.
class HostCheckedMemory : public CheckedMemory {
 public:
  std::uintptr_t take_addresses(std::size_t bytes) noexcept override;
  void untake_addresses(std::uintptr_t begin,
                        std::size_t bytes) noexcept override;
  void drop_addresses(std::uintptr_t begin,
                      std::size_t bytes) noexcept override;
  void drop_part(std::uintptr_t begin, std::size_t bytes) noexcept override;
  std::size_t part_bytes() const noexcept override;
  /// With signalling NaNs, if it is read as double; as float, every other is.
  void spoil(std::uintptr_t begin, std::size_t bytes) noexcept override;
  void expect_accesses(std::uintptr_t address) noexcept override;
  bool lend(std::uintptr_t begin, std::size_t bytes,
            bool huge_pages) noexcept override;
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override;
  void take_back(std::uintptr_t begin, std::size_t bytes) noexcept override;
  std::size_t page_bytes() const noexcept override;
  bool has_guard_pages() const noexcept override;

 protected:
  ~HostCheckedMemory() = default;
};

}  // namespace KokkosArena::Impl

#endif
