// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTDEVICE_HPP
#define KOKKOSARENA_TESTDEVICE_HPP

#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_Core.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>

/// \file
/// What the tests on a GPU share: the backend and its memory spaces, kernels
/// that write and check contents, and a gate that holds an instance up.
///
/// The body of a test is a private member function, in which no device lambda
/// may stand: kernels are in functions and functors beside them.

namespace KokkosArenaTest {

#if defined(KOKKOS_ENABLE_CUDA)
using Backend     = Kokkos::Cuda;
using DeviceSpace = Kokkos::CudaSpace;
using UvmSpace    = Kokkos::CudaUVMSpace;
using PinnedSpace = Kokkos::CudaHostPinnedSpace;
#elif defined(KOKKOS_ENABLE_HIP)
using Backend     = Kokkos::HIP;
using DeviceSpace = Kokkos::HIPSpace;
using UvmSpace    = Kokkos::HIPManagedSpace;
using PinnedSpace = Kokkos::HIPHostPinnedSpace;
#elif defined(KOKKOS_ENABLE_SYCL)
using Backend     = Kokkos::SYCL;
using DeviceSpace = Kokkos::SYCLDeviceUSMSpace;
using UvmSpace    = Kokkos::SYCLSharedUSMSpace;
using PinnedSpace = Kokkos::SYCLHostUSMSpace;
#else
#error "these tests are for Kokkos with Cuda, HIP or SYCL"
#endif

inline constexpr std::size_t KiB = std::size_t(1) << 10;
inline constexpr std::size_t MiB = std::size_t(1) << 20;

/// A memory space on the backend, and how its arenas get their blocks.
template <class MemorySpace, bool StreamOrdered = false>
struct Memory {
  using memory_space = MemorySpace;
  using space        = KokkosArena::ScopedSpace<MemorySpace>;
  using base_device  = Kokkos::Device<Backend, MemorySpace>;
  using device       = Kokkos::Device<Backend, space>;
  static constexpr bool is_stream_ordered = StreamOrdered;
  static constexpr bool is_for_host =
      Kokkos::SpaceAccessibility<Kokkos::DefaultHostExecutionSpace,
                                 MemorySpace>::accessible;
  static constexpr bool is_pinned = std::is_same_v<MemorySpace, PinnedSpace>;

  template <class Sync>
  using arena_of   = KokkosArena::Arena<base_device, Sync>;
  using arena_type = KokkosArena::Arena<base_device>;

  /// \param[in] bytes  Of a fixed arena; 0: it grows.
  static KokkosArena::ArenaOptions options(char const* label,
                                           std::size_t bytes = 0) {
    auto result           = labelled(label);
    result.stream_ordered = StreamOrdered;
    if (bytes > 0) result.initial_bytes = result.maximum_bytes = bytes;
    return result;
  }
};

using InDevice = Memory<DeviceSpace>;
using InOrder  = Memory<DeviceSpace, true>;
using InUvm    = Memory<UvmSpace>;
using InPinned = Memory<PinnedSpace>;

#if defined(KOKKOS_ENABLE_SYCL)
using AllMemory    = ::testing::Types<InDevice, InUvm, InPinned>;
using DeviceMemory = ::testing::Types<InDevice>;
#else
using AllMemory    = ::testing::Types<InDevice, InOrder, InUvm, InPinned>;
using DeviceMemory = ::testing::Types<InDevice, InOrder>;
#endif
using EachSpace = ::testing::Types<InDevice, InUvm, InPinned>;

struct MemoryName {
  template <class M>
  static std::string GetName(int) {
    if (M::is_stream_ordered) return "stream_ordered";
    if (std::is_same_v<typename M::memory_space, UvmSpace>) return "uvm";
    return M::is_pinned ? "pinned" : "device";
  }
};

/// With the layout that \c similar would give it.
template <class DataType, class M>
using ArenaView =
    Kokkos::View<DataType, typename Backend::array_layout, typename M::device>;

/// \brief How often something is done: as often as usual, or less often where
/// the environment says so, since all is slow under a tool that watches.
inline int repetitions(int usual) {
  auto const* const wish = std::getenv("KOKKOS_ARENA_TEST_DEVICE_REPETITIONS");
  return wish ? std::clamp(std::atoi(wish), 1, usual) : usual;
}

/// \brief One that isn't the default, nor any other.
inline Backend new_instance() {
  return Kokkos::Experimental::partition_space(Backend(), 1)[0];
}

using Policy = Kokkos::RangePolicy<Backend, Kokkos::IndexType<std::int64_t>>;

inline Policy range(Backend const& instance, std::size_t n) {
  return Policy(instance, 0, static_cast<std::int64_t>(n));
}

/// \brief Looks random, and differs between seeds and between indices.
KOKKOS_INLINE_FUNCTION std::uint64_t mixed(std::uint64_t seed,
                                           std::uint64_t i) {
  auto z = seed * 0x9e3779b97f4a7c15u + i * 0xd1342543de82ef95u + 1;
  z      = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z      = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// \brief Element i of the pattern that the seed names; any arithmetic T.
template <class T>
KOKKOS_INLINE_FUNCTION T pattern(std::uint64_t seed, std::int64_t i) {
  return static_cast<T>(mixed(seed, static_cast<std::uint64_t>(i)) % 251);
}

/// \brief Errors that kernels find. Copied into them by value.
class ErrorCount {
 public:
  ErrorCount() : m_count("errors") {}
  KOKKOS_FUNCTION void add() const { Kokkos::atomic_inc(m_count.data()); }
  /// \brief Waits for all instances.
  unsigned long long read() const {
    Kokkos::fence("ErrorCount::read");
    unsigned long long result = 0;
    Kokkos::deep_copy(result, m_count);
    return result;
  }

 private:
  Kokkos::View<unsigned long long, Kokkos::Device<Backend, DeviceSpace>>
      m_count;
};

/// \brief Sets each of n bytes.
inline void fill_bytes(Backend const& instance, void* address, std::size_t n,
                       unsigned char value) {
  auto* const bytes = static_cast<unsigned char*>(address);
  Kokkos::parallel_for(
      "fill_bytes", range(instance, n),
      KOKKOS_LAMBDA(std::int64_t i) { bytes[i] = value; });
}

/// \brief Counts those that differ.
inline void check_bytes(Backend const& instance, void const* address,
                        std::size_t n, unsigned char value,
                        ErrorCount const& errors) {
  auto const* const bytes = static_cast<unsigned char const*>(address);
  Kokkos::parallel_for(
      "check_bytes", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        if (bytes[i] != value) errors.add();
      });
}

template <class T>
void write_pattern(Backend const& instance, T* data, std::size_t n,
                   std::uint64_t seed) {
  Kokkos::parallel_for(
      "write_pattern", range(instance, n),
      KOKKOS_LAMBDA(std::int64_t i) { data[i] = pattern<T>(seed, i); });
}

/// \param[in] rounds  How often each element is read: what slows it down.
template <class T>
void check_pattern(Backend const& instance, T const* data, std::size_t n,
                   std::uint64_t seed, ErrorCount const& errors,
                   int rounds = 1) {
  Kokkos::parallel_for(
      "check_pattern", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        T const volatile* const element = data + i;
        bool right                      = true;
        for (int r = 0; r < rounds; ++r) {
          right = *element == pattern<T>(seed, i) && right;
        }
        if (!right) errors.add();
      });
}

/// The same for all elements of a contiguous View.
template <class ViewType>
  requires(Kokkos::is_view_v<ViewType>)
void write_pattern(Backend const& instance, ViewType const& view,
                   std::uint64_t seed) {
  write_pattern(instance, view.data(), view.span(), seed);
}
template <class ViewType>
  requires(Kokkos::is_view_v<ViewType>)
void check_pattern(Backend const& instance, ViewType const& view,
                   std::uint64_t seed, ErrorCount const& errors,
                   int rounds = 1) {
  using value_type = typename ViewType::non_const_value_type;
  check_pattern<value_type>(instance, view.data(), view.span(), seed, errors,
                            rounds);
}

/// \brief Occupies the instance for about a tenth of a microsecond a round.
inline void keep_busy(Backend const& instance, int rounds,
                      ErrorCount const& errors) {
  Kokkos::parallel_for(
      "keep_busy", range(instance, 1), KOKKOS_LAMBDA(std::int64_t i) {
        auto x = static_cast<std::uint64_t>(i);
        for (int r = 0; r < rounds; ++r) x = mixed(x, 1);
        // It isn't, but only who has computed it knows.
        if (x == 0x5eed5eed5eed5eed) errors.add();
      });
}

/// \brief Leaves nonzero bytes wherever the arena will allocate next, in the
/// order of its instance.
template <class A>
void dirty_on_device(A& arena, std::size_t bytes) {
  auto* const address = arena.allocate(bytes);
  fill_bytes(arena.instance(), address, bytes, 0xa5);
  arena.deallocate(address);
}

/// \brief Holds an instance up: what it is given after \c hold doesn't begin
/// before \c open. In case the host waits for the instance before it opens the
/// gate, which would be forever, the gate gives up after some seconds.
///
/// A kernel that is launched for the first time, and memory that the backend
/// takes for itself, may wait for the device: what is to happen before \c open
/// has to have happened once before \c hold.
class Gate {
 public:
  Gate() : m_flags("gate", 2) { Kokkos::fence(); }
  Gate(Gate const&)            = delete;
  Gate& operator=(Gate const&) = delete;
  ~Gate() {
    open();
    Kokkos::fence();
  }

  /// \pre No instance is being held.
  void hold(Backend const& instance) {
    set(0, 0);
    set(1, 0);
    auto* const flags = m_flags.data();
    Kokkos::parallel_for(
        "gate", range(instance, 1), KOKKOS_LAMBDA(std::int64_t) {
          int volatile* const f = flags;
          for (int poll = 0; poll < 3'000'000; ++poll) {
            if (f[0] != 0) return;
          }
          f[1] = 1;
        });
  }
  void open() { set(0, 1); }
  /// \brief Whether nothing has waited for the instance before it was opened.
  /// \pre The instance has been fenced since.
  bool was_opened() const {
    int const volatile* const flags = m_flags.data();
    return flags[1] == 0;
  }

 private:
  void set(int flag, int value) {
    std::atomic_ref<int>(m_flags.data()[flag])
        .store(value, std::memory_order_seq_cst);
  }

  Kokkos::View<int*, PinnedSpace> m_flags;
};

}  // namespace KokkosArenaTest

#endif
