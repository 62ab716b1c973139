// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_RuntimeCalls.hpp>

#include <Kokkos_Core.hpp>

#include <atomic>
#include <cstddef>
#include <stdexcept>

// Those in CMakeLists.txt: F(name, parameters, arguments).
#if defined(KOKKOS_ENABLE_CUDA)
#define KOKKOSARENA_TEST_COUNTED_CALLS(F)                                      \
  F(cudaMalloc, (void** p, std::size_t n), (p, n))                             \
  F(cudaMallocAsync, (void** p, std::size_t n, cudaStream_t s), (p, n, s))     \
  F(cudaMallocManaged, (void** p, std::size_t n, unsigned f), (p, n, f))       \
  F(cudaMallocHost, (void** p, std::size_t n), (p, n))                         \
  F(cudaHostAlloc, (void** p, std::size_t n, unsigned f), (p, n, f))           \
  F(cudaFree, (void* p), (p))                                                  \
  F(cudaFreeAsync, (void* p, cudaStream_t s), (p, s))                          \
  F(cudaFreeHost, (void* p), (p))                                              \
  F(cudaDeviceSynchronize, (), ())                                             \
  F(cudaStreamSynchronize, (cudaStream_t s), (s))                              \
  F(cudaEventSynchronize, (cudaEvent_t e), (e))                                \
  F(cudaEventCreateWithFlags, (cudaEvent_t * e, unsigned f), (e, f))           \
  F(cudaEventRecord, (cudaEvent_t e, cudaStream_t s), (e, s))                  \
  F(cudaStreamWaitEvent, (cudaStream_t s, cudaEvent_t e, unsigned f),          \
    (s, e, f))                                                                 \
  F(cudaMemcpy, (void* d, void const* s, std::size_t n, cudaMemcpyKind k),     \
    (d, s, n, k))                                                              \
  F(cudaMemcpyAsync,                                                           \
    (void* d, void const* s, std::size_t n, cudaMemcpyKind k, cudaStream_t i), \
    (d, s, n, k, i))                                                           \
  F(cudaMemset, (void* d, int v, std::size_t n), (d, v, n))                    \
  F(cudaMemsetAsync, (void* d, int v, std::size_t n, cudaStream_t s),          \
    (d, v, n, s))
#else
#define KOKKOSARENA_TEST_COUNTED_CALLS(F)
#endif

namespace {

// relaxed: plain counts, read when no other thread is at it.
struct Counter {
  char const* name;
  std::atomic<std::uint64_t> count;
};

#define KOKKOSARENA_TEST_COUNTER(name, parameters, arguments) \
  Counter name##_counter{#name, 0};
KOKKOSARENA_TEST_COUNTED_CALLS(KOKKOSARENA_TEST_COUNTER)

#define KOKKOSARENA_TEST_ADDRESS(name, parameters, arguments) &name##_counter,
Counter* const counters[] = {
    KOKKOSARENA_TEST_COUNTED_CALLS(KOKKOSARENA_TEST_ADDRESS) nullptr};

}  // namespace

// What --wrap=NAME makes of it: calls of NAME come to __wrap_NAME, and
// __real_NAME is what was NAME.
#define KOKKOSARENA_TEST_WRAPPER(name, parameters, arguments)     \
  extern "C" cudaError_t __real_##name parameters;                \
  extern "C" cudaError_t __wrap_##name parameters {               \
    name##_counter.count.fetch_add(1, std::memory_order_relaxed); \
    return __real_##name arguments;                               \
  }
KOKKOSARENA_TEST_COUNTED_CALLS(KOKKOSARENA_TEST_WRAPPER)

namespace KokkosArenaTest {

RuntimeCalls::RuntimeCalls() {
  for (auto const* counter : counters) {
    if (counter) m_before[counter->name] = 0;
  }
  // Last, since the map takes memory: what is counted begins here.
  for (auto const* counter : counters) {
    if (counter) m_before.find(counter->name)->second = counter->count;
  }
}

std::uint64_t RuntimeCalls::since(char const* name) const {
  for (auto const* counter : counters) {
    if (counter && counter->name == std::string(name)) {
      return counter->count - m_before.at(name);
    }
  }
#if defined(KOKKOS_ENABLE_CUDA)
  throw std::logic_error(std::string(name) + " isn't counted");
#else
  return 0;
#endif
}

std::string RuntimeCalls::list() const {
  std::string result;
  for (auto const& [name, before] : m_before) {
    auto const n = since(name.c_str());
    if (n > 0) result += name + ": " + std::to_string(n) + ' ';
  }
  return result;
}

}  // namespace KokkosArenaTest
