// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_ASYNCBACKEND_HPP
#define KOKKOSARENA_IMPL_ASYNCBACKEND_HPP

#include <KokkosArena_Concepts.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#if defined(KOKKOS_ENABLE_SYCL)
#include <vector>
#endif

/// \file
/// All that the library asks of a backend whose kernels run behind the host's
/// back: events, memory in the order of an instance, and two copies. The calls
/// of the devices' own runtimes stand here and nowhere else.

namespace KokkosArena::Impl {

/// \brief Memory of the space on the instance's device, where there are
/// several.
template <class MemorySpace, class ExecutionSpace>
void* allocate_on(ExecutionSpace const& instance, MemorySpace const& space,
                  char const* label, std::size_t bytes) {
  if constexpr (requires { space.allocate(instance, label, bytes); }) {
    return space.allocate(instance, label, bytes);
  } else {
    return space.allocate(label, bytes);
  }
}

/// \brief Any such backend: no events of it are known here, so whoever asks for
/// one waits.
///
/// An event is a point in the work of an instance. It is moved, not copied.
template <class ExecutionSpace>
struct FencingBackend {
  struct event_type {};

  /// \brief After all that the instance has been given so far.
  static event_type record(ExecutionSpace const& instance) {
    instance.fence("KokkosArena: in place of an event");
    return {};
  }
  static bool has_passed(event_type const&) noexcept { return true; }
  /// \brief Makes the host wait.
  static void wait(event_type const&) noexcept {}
  /// \brief What the instance is given from now on begins after the event.
  static void let_wait(ExecutionSpace const&, event_type const&) {}

  /// \brief Whether memory can be had in the order of an instance, as
  /// cudaMallocAsync gives it; then there are allocate and deallocate.
  template <class MemorySpace>
  static constexpr bool has_ordered_memory = false;

  /// \brief Zeroes, in the order of the instance, without a fence.
  template <class MemorySpace>
  static void zero(ExecutionSpace const& instance, void* address,
                   std::size_t bytes) {
    using device_type = Kokkos::Device<ExecutionSpace, MemorySpace>;
    Kokkos::deep_copy(instance,
                      Kokkos::View<char*, device_type,
                                   Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                          static_cast<char*>(address), bytes),
                      char(0));
  }

  /// \brief Copies to the host, which waits.
  template <class MemorySpace>
  static void read(ExecutionSpace const& instance, void* destination,
                   void const* source, std::size_t bytes) {
    using unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;
    Kokkos::deep_copy(
        instance,
        Kokkos::View<char*, Kokkos::HostSpace, unmanaged>(
            static_cast<char*>(destination), bytes),
        Kokkos::View<char const*, Kokkos::Device<ExecutionSpace, MemorySpace>,
                     unmanaged>(static_cast<char const*>(source), bytes));
    instance.fence("KokkosArena: before the host reads a copy");
  }
};

/// \brief What Cuda and HIP have in common, in the words of \c Runtime.
template <class Runtime>
struct StreamBackend : FencingBackend<typename Runtime::execution_space> {
  using execution_space = typename Runtime::execution_space;

  class event_type {
   public:
    explicit event_type(execution_space const& instance) {
      // An event is of the device that its stream is on.
      Runtime::select(instance);
      Runtime::check(Runtime::create(&m_event), "making an event");
      try {
        Runtime::check(Runtime::record(m_event, Runtime::stream(instance)),
                       "recording an event");
      } catch (...) {
        Runtime::destroy(m_event);
        throw;
      }
    }
    event_type(event_type&& other) noexcept
        : m_event(std::exchange(other.m_event, nullptr)) {}
    event_type& operator=(event_type&& other) noexcept {
      std::swap(m_event, other.m_event);
      return *this;
    }
    // One that hasn't passed yet ends when it has.
    ~event_type() {
      if (m_event) Runtime::destroy(m_event);
    }
    typename Runtime::event get() const noexcept { return m_event; }

   private:
    typename Runtime::event m_event = nullptr;
  };

  static event_type record(execution_space const& instance) {
    return event_type(instance);
  }
  /// An instance that has failed doesn't use memory any more.
  static bool has_passed(event_type const& event) noexcept {
    return !Runtime::is_running(event.get());
  }
  static void wait(event_type const& event) noexcept {
    Runtime::synchronize(event.get());
  }
  static void let_wait(execution_space const& instance,
                       event_type const& event) {
    Runtime::select(instance);
    Runtime::check(Runtime::wait(Runtime::stream(instance), event.get()),
                   "letting a stream wait");
  }

  template <class MemorySpace>
  static constexpr bool has_ordered_memory =
      std::is_same_v<MemorySpace, typename Runtime::memory_space>;

  /// \throws std::bad_alloc  There is none.
  static void* allocate(execution_space const& instance, std::size_t bytes) {
    Runtime::select(instance);
    void* address = nullptr;
    if (!Runtime::allocate(&address, bytes, Runtime::stream(instance))) {
      throw std::bad_alloc();
    }
    return address;
  }
  static void deallocate(execution_space const& instance,
                         void* address) noexcept {
    Runtime::select(instance);
    Runtime::deallocate(address, Runtime::stream(instance));
  }
};

/// The backend of an execution space; specialised for those with events.
template <class ExecutionSpace>
struct AsyncBackend : FencingBackend<ExecutionSpace> {};

// Cuda and HIP name the same functions with another prefix. Each call is for
// the device of the instance, which need not be the thread's present one.
#define KOKKOSARENA_IMPL_STREAM_RUNTIME(Backend, prefix)                     \
  struct Backend##Runtime {                                                  \
    using execution_space = Kokkos::Backend;                                 \
    using memory_space    = Kokkos::Backend##Space;                          \
    using event           = prefix##Event_t;                                 \
    using stream_type     = prefix##Stream_t;                                \
    using status          = prefix##Error_t;                                 \
    static void check(status s, char const* what) {                          \
      if (s == prefix##Success) return;                                      \
      static_cast<void>(prefix##GetLastError());                             \
      throw std::runtime_error(std::string("KokkosArena: ") + what +         \
                               " failed: " + prefix##GetErrorString(s));     \
    }                                                                        \
    static void select(execution_space const& instance) noexcept {           \
      static_cast<void>(prefix##SetDevice(instance.prefix##_device()));      \
    }                                                                        \
    static stream_type stream(execution_space const& instance) noexcept {    \
      return instance.prefix##_stream();                                     \
    }                                                                        \
    static status create(event* e) noexcept {                                \
      return prefix##EventCreateWithFlags(e, prefix##EventDisableTiming);    \
    }                                                                        \
    static void destroy(event e) noexcept {                                  \
      static_cast<void>(prefix##EventDestroy(e));                            \
    }                                                                        \
    static status record(event e, stream_type s) noexcept {                  \
      return prefix##EventRecord(e, s);                                      \
    }                                                                        \
    static bool is_running(event e) noexcept {                               \
      auto const s = prefix##EventQuery(e);                                  \
      if (s == prefix##Success) return false;                                \
      static_cast<void>(prefix##GetLastError());                             \
      return s == prefix##ErrorNotReady;                                     \
    }                                                                        \
    static void synchronize(event e) noexcept {                              \
      static_cast<void>(prefix##EventSynchronize(e));                        \
    }                                                                        \
    static status wait(stream_type s, event e) noexcept {                    \
      return prefix##StreamWaitEvent(s, e, 0);                               \
    }                                                                        \
    static bool allocate(void** address, std::size_t bytes, stream_type s) { \
      if (prefix##MallocAsync(address, bytes, s) == prefix##Success)         \
        return true;                                                         \
      static_cast<void>(prefix##GetLastError());                             \
      return false;                                                          \
    }                                                                        \
    static void deallocate(void* address, stream_type s) noexcept {          \
      static_cast<void>(prefix##FreeAsync(address, s));                      \
    }                                                                        \
  };                                                                         \
  template <>                                                                \
  struct AsyncBackend<Kokkos::Backend> : StreamBackend<Backend##Runtime> {}

#if defined(KOKKOS_ENABLE_CUDA)
KOKKOSARENA_IMPL_STREAM_RUNTIME(Cuda, cuda);
#endif
#if defined(KOKKOS_ENABLE_HIP)
KOKKOSARENA_IMPL_STREAM_RUNTIME(HIP, hip);
#endif
#undef KOKKOSARENA_IMPL_STREAM_RUNTIME

#if defined(KOKKOS_ENABLE_SYCL)
template <>
struct AsyncBackend<Kokkos::SYCL> : FencingBackend<Kokkos::SYCL> {
  using event_type = sycl::event;

  static event_type record(Kokkos::SYCL const& instance) {
    return instance.sycl_queue().ext_oneapi_submit_barrier();
  }
  /// An instance that has failed doesn't use memory any more.
  static bool has_passed(event_type const& event) noexcept {
    try {
      return event.get_info<sycl::info::event::command_execution_status>() ==
             sycl::info::event_command_status::complete;
    } catch (sycl::exception const&) {
      return true;
    }
  }
  static void wait(event_type event) noexcept {
    try {
      event.wait();
    } catch (sycl::exception const&) {  // NOLINT(bugprone-empty-catch)
      // As above.
    }
  }
  static void let_wait(Kokkos::SYCL const& instance, event_type const& event) {
    instance.sycl_queue().ext_oneapi_submit_barrier(
        std::vector<sycl::event>{event});
  }
};
#endif

}  // namespace KokkosArena::Impl

#endif
