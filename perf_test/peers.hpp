// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_PEERS_HPP
#define KOKKOSARENA_PERF_PEERS_HPP

#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory_resource>
#include <new>
#include <string>

#ifdef KOKKOSARENA_PERF_HAS_UMPIRE
#include <umpire/Allocator.hpp>
#include <umpire/ResourceManager.hpp>
#include <umpire/strategy/MonotonicAllocationStrategy.hpp>
#include <umpire/strategy/QuickPool.hpp>
#include <umpire/strategy/ThreadSafeAllocator.hpp>
#endif

/// \file
/// Allocators of raw memory: the arena and what a program might use instead.
/// Each is made for a Demand. Some take single blocks back, and the others all
/// at once by reset(). Where a peer is told an alignment it is the arena's.

namespace KokkosArena::Perf {

/// \brief What a benchmark will ask for.
struct Demand {
  std::size_t bytes;   ///< Of each block, the same in all calls.
  std::size_t blocks;  ///< That a thread holds at once, or until a reset.
  int threads = 1;     ///< That share the allocator.

  std::size_t total_bytes() const {
    return bytes * blocks * static_cast<std::size_t>(threads);
  }
};

template <class Allocator>
concept FreesBlocks =
    requires(Allocator allocator, void* block, std::size_t bytes) {
      allocator.deallocate(block, bytes);
    };

inline constexpr std::size_t peer_alignment = 64;

template <class Sync>
class SharedArena {
 public:
  explicit SharedArena(Demand const&) {}
  void* allocate(std::size_t bytes, int = 0) { return m_arena.allocate(bytes); }
  void reset() { m_arena.reset(); }

 private:
  Arena<Kokkos::HostSpace, Sync> m_arena;
};

/// The same, but each block is given back by itself.
template <class Sync>
class SharedArenaOfBlocks {
 public:
  explicit SharedArenaOfBlocks(Demand const&) {}
  void* allocate(std::size_t bytes, int = 0) { return m_arena.allocate(bytes); }
  void deallocate(void* block, std::size_t) { m_arena.deallocate(block); }

 private:
  Arena<Kokkos::HostSpace, Sync> m_arena;
};

/// Whatever malloc the process has; aligned to 16 bytes.
class Malloc {
 public:
  explicit Malloc(Demand const&) {}
  void* allocate(std::size_t bytes, int = 0) { return std::malloc(bytes); }
  void deallocate(void* block, std::size_t) { std::free(block); }
};

/// \brief As much memory as is asked for between two resets.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes)
      : m_bytes(bytes),
        m_memory(static_cast<std::byte*>(
            ::operator new(m_bytes, std::align_val_t(peer_alignment)))) {}
  Buffer(Buffer const&)            = delete;
  Buffer& operator=(Buffer const&) = delete;
  ~Buffer() { ::operator delete(m_memory, std::align_val_t(peer_alignment)); }

  void* at(std::size_t offset) const {
    if (offset >= m_bytes) throw std::bad_alloc();
    return m_memory + offset;
  }
  std::size_t bytes() const { return m_bytes; }

 private:
  std::size_t m_bytes;
  std::byte* m_memory;
};

/// \brief The standard library's bump allocator on a buffer that is large
/// enough, as the arena's block is.
class PmrMonotonic {
 public:
  explicit PmrMonotonic(Demand const& demand)
      : m_buffer(demand.total_bytes() + demand.blocks * peer_alignment) {}
  /// Called by its own type, as the arena is.
  void* allocate(std::size_t bytes, int = 0) {
    return m_resource.allocate(bytes, peer_alignment);
  }
  void reset() { m_resource.release(); }
  std::pmr::memory_resource& resource() { return m_resource; }

 private:
  Buffer m_buffer;
  std::pmr::monotonic_buffer_resource m_resource{
      m_buffer.at(0), m_buffer.bytes(), std::pmr::null_memory_resource()};
};

/// Called by its base class, as containers do.
class PmrMonotonicByInterface {
 public:
  explicit PmrMonotonicByInterface(Demand const& demand)
      : m_monotonic(demand) {}
  void* allocate(std::size_t bytes, int = 0) {
    return m_resource->allocate(bytes, peer_alignment);
  }
  void reset() { m_monotonic.reset(); }

 private:
  PmrMonotonic m_monotonic;
  // volatile, so that compilers don't see what is behind it.
  std::pmr::memory_resource* volatile m_resource = &m_monotonic.resource();
};

class PmrSynchronizedPool {
 public:
  explicit PmrSynchronizedPool(Demand const&) {}
  void* allocate(std::size_t bytes, int = 0) {
    return m_pool.allocate(bytes, peer_alignment);
  }
  void deallocate(void* block, std::size_t bytes) {
    m_pool.deallocate(block, bytes, peer_alignment);
  }

 private:
  std::pmr::synchronized_pool_resource m_pool;
};

/// \brief Kokkos' own pool, with blocks of just the size that is asked for,
/// rounded up to a power of two as it always is.
class KokkosMemoryPool {
 public:
  explicit KokkosMemoryPool(Demand const& demand)
      : m_pool(Kokkos::HostSpace(), 2 * superblocks(demand), demand.bytes,
               demand.bytes, superblock(demand)) {}
  void* allocate(std::size_t bytes, int = 0) { return m_pool.allocate(bytes); }
  void deallocate(void* block, std::size_t bytes) {
    m_pool.deallocate(block, bytes);
  }

 private:
  static std::size_t superblock(Demand const& demand) {
    return std::max(std::size_t(1) << 20, demand.bytes);
  }
  static std::size_t superblocks(Demand const& demand) {
    // Powers of two: a block may take twice its bytes.
    return std::max(2 * demand.total_bytes(), superblock(demand)) +
           superblock(demand) * static_cast<std::size_t>(demand.threads);
  }
  Kokkos::MemoryPool<Kokkos::DefaultHostExecutionSpace> m_pool;
};

#ifdef KOKKOSARENA_PERF_HAS_UMPIRE

/// \return A name that no other allocator has.
inline std::string new_umpire_name() {
  static int number = 0;
  return "KokkosArena peer " + std::to_string(number++);
}

/// \brief Removed by nobody, as Umpire keeps all until the program ends.
template <class Strategy, class... Arguments>
umpire::Allocator make_umpire_allocator(Arguments const&... arguments) {
  return umpire::ResourceManager::getInstance().makeAllocator<Strategy>(
      new_umpire_name(), arguments...);
}

inline umpire::Allocator umpire_host() {
  return umpire::ResourceManager::getInstance().getAllocator("HOST");
}

/// Under a lock where there are several threads.
class UmpireQuickPool {
 public:
  explicit UmpireQuickPool(Demand const& demand)
      : m_pool(make_umpire_allocator<umpire::strategy::QuickPool>(
            umpire_host(), demand.total_bytes() + (std::size_t(1) << 20))) {
    if (demand.threads > 1) {
      m_pool =
          make_umpire_allocator<umpire::strategy::ThreadSafeAllocator>(m_pool);
    }
  }
  void* allocate(std::size_t bytes, int = 0) { return m_pool.allocate(bytes); }
  void deallocate(void* block, std::size_t) { m_pool.deallocate(block); }

 private:
  umpire::Allocator m_pool;
};

/// \brief Takes blocks back, but uses none again: it serves so many batches of
/// the demand, and then throws.
class UmpireMonotonic {
 public:
  /// But those that warm up.
  static constexpr int batches = 4096;

  explicit UmpireMonotonic(Demand const& demand)
      : m_allocator(make_umpire_allocator<
                    umpire::strategy::MonotonicAllocationStrategy>(
            umpire_host(), demand.total_bytes() * (batches + 8))) {}
  void* allocate(std::size_t bytes, int = 0) {
    return m_allocator.allocate(bytes);
  }
  void deallocate(void* block, std::size_t) { m_allocator.deallocate(block); }

 private:
  umpire::Allocator m_allocator;
};

#endif

}  // namespace KokkosArena::Perf

#endif
