// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_ASYNCUPSTREAM_HPP
#define KOKKOSARENA_IMPL_ASYNCUPSTREAM_HPP

#include <engine/KokkosArena_AdoptionPause.hpp>
#include <impl/KokkosArena_AsyncBackend.hpp>
#include <impl/KokkosArena_SpaceUpstream.hpp>

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <typeinfo>
#include <vector>

namespace KokkosArena::Impl {

/// \brief A Kokkos memory space as upstream of an arena whose kernels run
/// behind the host's back. What the arena gives back is set aside with an
/// event, and returned when the instance has passed that: no fence, and no
/// cudaFree, which waits for the whole device, on the way of a temporary.
template <class MemorySpace, class ExecutionSpace>
class AsyncUpstream final : public SpaceUpstream<MemorySpace> {
  using parent_type = SpaceUpstream<MemorySpace>;
  using backend     = AsyncBackend<ExecutionSpace>;

 public:
  AsyncUpstream(ExecutionSpace const& instance, bool huge_pages)
      : parent_type(huge_pages), m_instance(instance) {}
  ~AsyncUpstream() override { return_all(); }

  void* allocate(std::size_t bytes) override {
    return_what_has_passed();
    // One more than the arena has, so that giving back takes no memory.
    m_set_aside.reserve(m_set_aside.size() + m_given + 1);
    void* address = nullptr;
    try {
      address = take(bytes);
    } catch (...) {
      if (m_set_aside.empty()) throw;
      return_all();
      address = take(bytes);
    }
    ++m_given;
    return address;
  }

  void deallocate(void* address, std::size_t bytes) noexcept override {
    --m_given;
    try {
      m_set_aside.push_back({address, bytes, backend::record(m_instance)});
      m_bytes_set_aside += bytes;
    } catch (...) {
      m_instance.fence("KokkosArena: before a block is given back");
      parent_type::deallocate(address, bytes);
    }
  }

  // HostSpace's, too: what was given back can only be set aside as a block.
  AddressRun begin_run(std::size_t, std::size_t) override { return {}; }
  bool leaves_survivors_in_place() const noexcept override { return false; }

  // A kernel that the program doesn't wait for may rightly read what the
  // program has dropped.
  bool is_poisonable() const noexcept override {
    return parent_type::is_poisonable() &&
           !Kokkos::SpaceAccessibility<ExecutionSpace,
                                       Kokkos::HostSpace>::accessible;
  }

  std::size_t bytes_set_aside() const noexcept override {
    return m_bytes_set_aside;
  }
  void return_what_has_passed() noexcept override {
    // In the order of the instance: the oldest pass first.
    auto const end = std::find_if(
        m_set_aside.begin(), m_set_aside.end(),
        [](Block const& b) { return !backend::has_passed(b.last_use); });
    return_up_to(end);
  }
  void return_all() noexcept override {
    if (m_set_aside.empty()) return;
    backend::wait(m_set_aside.back().last_use);
    return_up_to(m_set_aside.end());
  }
  void const* instance(std::type_info const& type) const noexcept override {
    return type == typeid(ExecutionSpace) ? &m_instance : nullptr;
  }
  void fence(char const* why) const override { m_instance.fence(why); }

 private:
  struct Block {
    void* address;
    std::size_t bytes;
    typename backend::event_type last_use;
  };

  void* take(std::size_t bytes) {
    // HostSpace's are pages, which don't come from the space.
    if constexpr (std::is_same_v<MemorySpace, Kokkos::HostSpace>) {
      return parent_type::allocate(bytes);
    } else {
      AdoptionPause const pause;
      return allocate_on(m_instance, this->m_space, block_label, bytes);
    }
  }
  void return_up_to(typename std::vector<Block>::iterator end) noexcept {
    for (auto block = m_set_aside.begin(); block != end; ++block) {
      m_bytes_set_aside -= block->bytes;
      parent_type::deallocate(block->address, block->bytes);
    }
    m_set_aside.erase(m_set_aside.begin(), end);
  }

  ExecutionSpace m_instance;
  std::vector<Block> m_set_aside;
  std::size_t m_bytes_set_aside = 0;
  std::size_t m_given           = 0;  ///< And not given back.
};

/// \brief The same by the backend's own allocator in the order of the instance
/// (cudaMallocAsync), where nothing has to be set aside.
template <class MemorySpace, class ExecutionSpace>
class OrderedUpstream final : public Upstream {
  using backend = AsyncBackend<ExecutionSpace>;

 public:
  explicit OrderedUpstream(ExecutionSpace const& instance)
      : m_instance(instance) {}

  void* allocate(std::size_t bytes) override {
    void* const address = backend::allocate(m_instance, bytes);
    if (Kokkos::Tools::profileLibraryLoaded() && tools_see_spaces()) {
      Kokkos::Tools::allocateData(
          Kokkos::Tools::make_space_handle(MemorySpace::name()), block_label,
          address, bytes);
    }
    return address;
  }
  void deallocate(void* address, std::size_t bytes) noexcept override {
    if (Kokkos::Tools::profileLibraryLoaded() && tools_see_spaces()) {
      Kokkos::Tools::deallocateData(
          Kokkos::Tools::make_space_handle(MemorySpace::name()), block_label,
          address, bytes);
    }
    backend::deallocate(m_instance, address);
  }
  bool is_poisonable() const noexcept override { return false; }
  char const* space_name() const noexcept override {
    return MemorySpace::name();
  }
  void const* instance(std::type_info const& type) const noexcept override {
    return type == typeid(ExecutionSpace) ? &m_instance : nullptr;
  }
  void fence(char const* why) const override { m_instance.fence(why); }

 private:
  ExecutionSpace m_instance;
};

}  // namespace KokkosArena::Impl

#endif
