// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_DeviceChecks.hpp"

#if defined(KOKKOS_ENABLE_CUDA)

#include "../engine/KokkosArena_AddressSlices.hpp"
#include "../engine/KokkosArena_Block.hpp"
#include "../engine/KokkosArena_Cancellation.hpp"
#include "../engine/KokkosArena_CheckedMemory.hpp"
#include "../engine/KokkosArena_Upstream.hpp"

#include <Kokkos_Core.hpp>

#include <cuda.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t slice_bytes = std::size_t(1) << device_slice_shift;
constexpr std::size_t most_bytes  = std::size_t(1) << 40;
constexpr std::size_t least_bytes = std::size_t(1) << 34;
constexpr unsigned ring_size      = 256;

/// Of all files; they are made before main(), or when a library is loaded.
constinit std::mutex copies_mutex;
constinit DeviceChecksCopy* copies = nullptr;

/// \brief Memory that the driver maps to addresses of our choice.
class CudaCheckedMemory final : public CheckedMemory {
 public:
  /// \return Null if the driver can't do that.
  static CudaCheckedMemory* make() noexcept {
    std::unique_ptr<CudaCheckedMemory> memory(new (std::nothrow)
                                                  CudaCheckedMemory);
    if (memory && memory->reserve()) return memory.release();
    CancellationOff const off;
    std::fprintf(stderr,
                 "KokkosArena: the Cuda driver can't map memory to chosen "
                 "addresses, so that accesses to CheckedSpace Views in kernels "
                 "aren't checked\n");
    return nullptr;
  }

  std::uintptr_t take_addresses(std::size_t bytes) noexcept override {
    std::lock_guard const guard(m_mutex);
    auto const count = bytes / slice_bytes;
    if (count > m_slices.count()) return 0;
    auto const first = m_slices.take(count, 1);
    if (first == AddressSlices::none) return 0;
    // Once addresses come round.
    send_table(first, count);
    return m_checks.begin + first * slice_bytes;
  }
  void untake_addresses(std::uintptr_t begin,
                        std::size_t bytes) noexcept override {
    std::lock_guard const guard(m_mutex);
    m_slices.untake(slice_at(begin), bytes / slice_bytes);
    send_table(slice_at(begin), bytes / slice_bytes);
  }
  void drop_addresses(std::uintptr_t begin,
                      std::size_t bytes) noexcept override {
    std::lock_guard const guard(m_mutex);
    m_slices.drop(slice_at(begin), bytes / slice_bytes);
    send_table(slice_at(begin), bytes / slice_bytes);
    m_checks.dropped_bytes =
        std::max(m_checks.dropped_bytes, begin + bytes - m_checks.begin);
    send_checks();
  }

  bool lend(std::uintptr_t begin, std::size_t bytes, bool) noexcept override {
    std::lock_guard const guard(m_mutex);
    auto const properties = memory_properties();
    CUmemGenericAllocationHandle handle{};
    if (cuMemCreate(&handle, bytes, &properties, 0) != CUDA_SUCCESS) {
      return false;
    }
    bool noted = false;
    try {
      noted = m_handles.emplace(begin, handle).second;
    } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
      // As if there had been no memory.
    }
    if (noted && map(begin, bytes, handle)) return true;
    if (noted) m_handles.erase(begin);
    cuMemRelease(handle);
    return false;
  }
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override {
    std::lock_guard const guard(m_mutex);
    auto node         = m_handles.extract(from);
    auto const handle = node.mapped();
    cuMemUnmap(from, bytes);
    node.key() = to;
    m_handles.insert(std::move(node));
    if (map(to, bytes, handle)) return true;
    // Nobody may reach the old addresses, so the memory goes.
    m_handles.erase(to);
    cuMemRelease(handle);
    return false;
  }
  void take_back(std::uintptr_t begin, std::size_t bytes) noexcept override {
    std::lock_guard const guard(m_mutex);
    auto const found = m_handles.find(begin);
    if (found == m_handles.end()) return;
    cuMemUnmap(begin, bytes);
    cuMemRelease(found->second);
    m_handles.erase(found);
  }
  std::size_t page_bytes() const noexcept override { return slice_bytes; }

  /// Of all instances, since any may use a View.
  void wait_for_kernels() noexcept override {
    Kokkos::fence("KokkosArena: before checked memory is dropped");
  }
  bool keeps_descriptions() const noexcept override { return true; }
  void describe(std::uintptr_t begin, std::uintptr_t end,
                char const* text) noexcept override {
    std::lock_guard const guard(m_mutex);
    m_checks.newest = (m_checks.newest + 1) % ring_size;
    auto& range     = m_ring[m_checks.newest];
    range.begin     = begin;
    range.end       = end;
    std::snprintf(range.text, sizeof(range.text), "KokkosArena: %s", text);
    ++m_described;
  }
  void publish() noexcept override {
    std::lock_guard const guard(m_mutex);
    auto const count = std::min(m_described, ring_size);
    // In two parts if it comes round.
    auto const first  = (m_checks.newest + 1 + ring_size - count) % ring_size;
    auto const before = std::min(count, ring_size - first);
    send_ring(first, before);
    send_ring(0, count - before);
    m_described = 0;
    send_checks();
  }

  void report_taken(std::uintptr_t begin, std::size_t bytes) const override {
    if (!Kokkos::Tools::profileLibraryLoaded() || !tools_see_spaces()) return;
    Kokkos::Tools::allocateData(tools_handle(), block_label,
                                reinterpret_cast<void*>(begin), bytes);
  }
  void report_returned(std::uintptr_t begin, std::size_t bytes) const override {
    if (!Kokkos::Tools::profileLibraryLoaded() || !tools_see_spaces()) return;
    Kokkos::Tools::deallocateData(tools_handle(), block_label,
                                  reinterpret_cast<void*>(begin), bytes);
  }

  bool is_dropped(void const* address) noexcept {
    auto const a = reinterpret_cast<std::uintptr_t>(address);
    std::lock_guard const guard(m_mutex);
    return a - m_checks.begin < m_checks.dropped_bytes &&
           m_slices[slice_at(a)] == Slice::dropped;
  }

 private:
  CudaCheckedMemory() : m_ring(ring_size) {}

  static Kokkos::Tools::SpaceHandle tools_handle() {
    return Kokkos::Tools::make_space_handle(Kokkos::CudaSpace::name());
  }

  bool reserve() noexcept {
    Kokkos::Cuda const instance;
    m_device = instance.cuda_device();
    select();
    auto const properties   = memory_properties();
    std::size_t granularity = 0;
    if (cuMemGetAllocationGranularity(&granularity, &properties,
                                      CU_MEM_ALLOC_GRANULARITY_MINIMUM) !=
            CUDA_SUCCESS ||
        granularity == 0 || slice_bytes % granularity != 0) {
      return false;
    }
    CUdeviceptr begin = 0;
    auto bytes        = most_bytes;
    while (cuMemAddressReserve(&begin, bytes, slice_bytes, 0, 0) !=
           CUDA_SUCCESS) {
      bytes /= 2;
      if (bytes < least_bytes) return false;
    }
    auto const count = bytes / slice_bytes;
    // As sparse as what has been used: zeros are Slice::unused.
    m_table.reset(static_cast<Slice*>(std::calloc(count, sizeof(Slice))));
    Slice* table        = nullptr;
    DroppedRange* ring  = nullptr;
    auto const ring_all = ring_size * sizeof(DroppedRange);
    if (!m_table || cudaMalloc(&table, count * sizeof(Slice)) != cudaSuccess ||
        cudaMemset(table, 0, count * sizeof(Slice)) != cudaSuccess ||
        cudaMalloc(&ring, ring_all) != cudaSuccess ||
        cudaMemset(ring, 0, ring_all) != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      cudaFree(table);
      cudaFree(ring);
      cuMemAddressFree(begin, bytes);
      return false;
    }
    m_slices           = AddressSlices(m_table.get(), count, slice_bytes);
    m_device_table     = table;
    m_device_ring      = ring;
    m_checks.begin     = begin;
    m_checks.table     = table;
    m_checks.dropped   = ring;
    m_checks.ring_size = ring_size;
    return true;
  }

  CUmemAllocationProp memory_properties() const noexcept {
    CUmemAllocationProp properties{};
    properties.type          = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    properties.location.id   = m_device;
    return properties;
  }

  bool map(std::uintptr_t begin, std::size_t bytes,
           CUmemGenericAllocationHandle handle) noexcept {
    if (cuMemMap(begin, bytes, 0, handle, 0) != CUDA_SUCCESS) return false;
    CUmemAccessDesc access{};
    access.location = memory_properties().location;
    access.flags    = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    if (cuMemSetAccess(begin, bytes, &access, 1) == CUDA_SUCCESS) return true;
    cuMemUnmap(begin, bytes);
    return false;
  }

  std::size_t slice_at(std::uintptr_t address) const noexcept {
    return (address - m_checks.begin) / slice_bytes;
  }

  // Each of these waits; only drops come here.

  void select() const noexcept { static_cast<void>(cudaSetDevice(m_device)); }
  void send_table(std::size_t first, std::size_t count) noexcept {
    select();
    static_cast<void>(cudaMemcpy(m_device_table + first, m_table.get() + first,
                                 count * sizeof(Slice),
                                 cudaMemcpyHostToDevice));
  }
  void send_ring(unsigned first, unsigned count) noexcept {
    if (count == 0) return;
    select();
    static_cast<void>(cudaMemcpy(m_device_ring + first, m_ring.data() + first,
                                 count * sizeof(DroppedRange),
                                 cudaMemcpyHostToDevice));
  }
  void send_checks() noexcept {
    select();
    std::lock_guard const guard(copies_mutex);
    for (auto* copy = copies; copy; copy = copy->next) copy->update(m_checks);
    // Also for streams that don't wait for the one on which copies run.
    static_cast<void>(cudaStreamSynchronize(cudaStreamLegacy));
  }

  struct Free {
    void operator()(Slice* table) const noexcept { std::free(table); }
  };

  std::mutex m_mutex;
  int m_device = 0;
  AddressSlices m_slices;
  std::unique_ptr<Slice[], Free> m_table;
  Slice* m_device_table       = nullptr;
  DroppedRange* m_device_ring = nullptr;
  DeviceChecks m_checks;
  std::vector<DroppedRange> m_ring;
  unsigned m_described = 0;  ///< And not sent yet.
  std::map<std::uintptr_t, CUmemGenericAllocationHandle> m_handles;
};

/// acquire and release: who sees it sees what make() has written.
constinit std::atomic<CudaCheckedMemory*> the_memory{nullptr};

}  // namespace

DeviceChecksCopy::DeviceChecksCopy(
    void (*function)(DeviceChecks const&)) noexcept
    : update(function) {
  std::lock_guard const guard(copies_mutex);
  next   = copies;
  copies = this;
}

DeviceChecksCopy::~DeviceChecksCopy() {
  std::lock_guard const guard(copies_mutex);
  auto** place = &copies;
  while (*place && *place != this) place = &(*place)->next;
  if (*place) *place = next;
}

CheckedMemory* cuda_checked_memory() noexcept {
  // Never destroyed: Views may die after the statics of this library.
  static auto* const memory = [] {
    auto* const made = CudaCheckedMemory::make();
    the_memory.store(made, std::memory_order_release);
    return made;
  }();
  return memory;
}

bool is_dropped_cuda_address(void const* address) noexcept {
  auto* const memory = the_memory.load(std::memory_order_acquire);
  return memory && memory->is_dropped(address);
}

}  // namespace KokkosArena::Impl

#endif
