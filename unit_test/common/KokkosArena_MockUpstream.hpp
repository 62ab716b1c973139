// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_MOCKUPSTREAM_HPP
#define KOKKOSARENA_MOCKUPSTREAM_HPP

#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

namespace KokkosArenaTest {

/// \brief What a mock was asked for, and what it shall do about it. It outlives
/// the mock, which is the arena's.
struct MockLog {
  /// Refuse more bytes than these.
  std::size_t fail_above = unlimited;
  /// Of what it gives, from a multiple of 64 KiB.
  std::size_t offset = 0;
  /// Set aside what is given back, until all of it is returned.
  bool sets_aside = false;

  std::map<std::uintptr_t, std::size_t> live;
  std::vector<std::size_t> requests;  ///< Those refused included.
  std::size_t set_aside           = 0;
  std::size_t wrong_deallocations = 0;
  std::size_t waits               = 0;  ///< For what was set aside.
};

/// \brief An upstream whose addresses are made up: nobody may use the memory.
class MockUpstream final : public KokkosArena::Impl::Upstream {
 public:
  explicit MockUpstream(MockLog& log) noexcept : m_log(log) {}

  void* allocate(std::size_t bytes) override {
    m_log.requests.push_back(bytes);
    if (bytes > m_log.fail_above) throw std::runtime_error("mock is out");
    auto const address = m_next + m_log.offset;
    m_next += (bytes + 0xffff) / 0x10000 * 0x10000;
    m_log.live[address] = bytes;
    return reinterpret_cast<void*>(address);
  }
  void deallocate(void* address, std::size_t bytes) noexcept override {
    auto const found =
        m_log.live.find(reinterpret_cast<std::uintptr_t>(address));
    if (found == m_log.live.end() || found->second != bytes) {
      ++m_log.wrong_deallocations;
      return;
    }
    m_log.live.erase(found);
    if (m_log.sets_aside) m_log.set_aside += bytes;
  }
  bool is_poisonable() const noexcept override { return false; }
  std::size_t bytes_set_aside() const noexcept override {
    return m_log.set_aside;
  }
  void return_all() noexcept override {
    m_log.waits += m_log.set_aside > 0;
    m_log.set_aside = 0;
  }

 private:
  MockLog& m_log;
  std::uintptr_t m_next = std::uintptr_t(1) << 45;
};

}  // namespace KokkosArenaTest

#endif
