// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTSPACES_HPP
#define KOKKOSARENA_TESTSPACES_HPP

#include <KokkosArena_TestRandom.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace KokkosArenaTest {

/// What an upstream was asked for, and what it shall refuse.
struct UpstreamLog {
  std::map<void*, std::size_t> live;
  std::vector<std::size_t> requests;  ///< Bytes, refused ones included.
  std::size_t allocations         = 0;
  std::size_t deallocations       = 0;
  std::size_t wrong_deallocations = 0;  ///< Unknown address or other bytes.

  std::size_t fail_above   = unlimited;  ///< Refuse more bytes than these.
  std::size_t fail_request = unlimited;  ///< Refuse the n-th, from 0.

  /// Called once, inside the next request.
  std::function<void()> during_request;

  std::size_t live_bytes() const {
    std::size_t sum = 0;
    for (auto const& [address, bytes] : live) sum += bytes;
    return sum;
  }
};

/// Real memory, aligned as HostSpace's is.
struct HeapMemory {
  static void* allocate(std::size_t bytes) {
    return ::operator new(bytes, std::align_val_t(64));
  }
  static void deallocate(void* address, std::size_t) {
    ::operator delete(address, std::align_val_t(64));
  }
};

/// Addresses at which there is nothing: whoever looks there crashes. None is
/// handed out twice. They are Offset past a multiple of 4096.
template <std::size_t Offset>
struct MadeUpMemory {
  static void* allocate(std::size_t bytes) {
    static std::uintptr_t next = (std::uintptr_t(1) << 56) * (Offset + 1);
    auto const address         = next + Offset;
    next += (bytes / 4096 + 2) * 4096;
    return reinterpret_cast<void*>(address);
  }
  static void deallocate(void*, std::size_t) {}
};

/// \brief A memory space whose only purpose is to be an arena's upstream: it
/// writes down what it is asked for and fails on demand.
template <class Memory>
class MockSpace {
 public:
  using memory_space    = MockSpace;
  using execution_space = Kokkos::DefaultHostExecutionSpace;
  using device_type     = Kokkos::Device<execution_space, memory_space>;
  using size_type       = std::size_t;

  void* allocate(std::size_t bytes) const { return allocate("", bytes); }
  void* allocate(char const*, std::size_t bytes, std::size_t = 0) const {
    log().requests.push_back(bytes);
    if (auto const f = std::exchange(log().during_request, nullptr)) f();
    if (bytes > log().fail_above ||
        log().requests.size() - 1 == log().fail_request) {
      throw std::runtime_error("the mock refuses");
    }
    void* const address = Memory::allocate(bytes);
    ++log().allocations;
    log().live[address] = bytes;
    return address;
  }
  void deallocate(void* address, std::size_t bytes) const {
    deallocate("", address, bytes);
  }
  void deallocate(char const*, void* address, std::size_t bytes,
                  std::size_t = 0) const {
    ++log().deallocations;
    auto const entry = log().live.find(address);
    if (entry == log().live.end() || entry->second != bytes) {
      ++log().wrong_deallocations;
      return;
    }
    log().live.erase(entry);
    Memory::deallocate(address, bytes);
  }

  static constexpr char const* name() { return "Mock"; }

  /// Of all instances together, since an arena makes its own.
  static UpstreamLog& log() {
    static UpstreamLog instance;
    return instance;
  }
};

using CountingSpace   = MockSpace<HeapMemory>;
using MadeUpSpace     = MockSpace<MadeUpMemory<0>>;
using MisalignedSpace = MockSpace<MadeUpMemory<16>>;

}  // namespace KokkosArenaTest

#endif
