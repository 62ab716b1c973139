// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__NVCC__)
// It takes every operator new for one that kernels might call, too.
#pragma nv_diag_suppress 20011
#endif

namespace {

std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> deallocations{0};
constexpr std::uint64_t never            = ~std::uint64_t(0);
thread_local bool t_fails                = false;
thread_local std::uint64_t t_until_fails = never;

bool fails() noexcept {
  if (t_until_fails == never) return t_fails;
  if (t_until_fails > 0) {
    --t_until_fails;
    return false;
  }
  t_until_fails = never;
  return true;
}

void* counted(std::size_t bytes) noexcept {
  if (fails()) return nullptr;
  ++allocations;
  return std::malloc(bytes ? bytes : 1);
}

void* counted(std::size_t bytes, std::align_val_t alignment) noexcept {
  if (fails()) return nullptr;
  ++allocations;
  auto const multiple = static_cast<std::size_t>(alignment);
  if (bytes > static_cast<std::size_t>(-1) - multiple) return nullptr;
  bytes += bytes == 0;
  return std::aligned_alloc(multiple,
                            (bytes + multiple - 1) / multiple * multiple);
}

void* or_throw(void* address) {
  if (!address) throw std::bad_alloc();
  return address;
}

void give_back(void* address) noexcept {
  if (!address) return;
  ++deallocations;
  std::free(address);
}

}  // namespace

namespace KokkosArenaTest {

HeapCalls heap_calls() noexcept { return {allocations, deallocations}; }

HeapFailure::HeapFailure() noexcept { t_fails = true; }
HeapFailure::HeapFailure(std::uint64_t others) noexcept {
  t_until_fails = others;
}
bool HeapFailure::has_happened() noexcept { return t_until_fails == never; }
HeapFailure::~HeapFailure() {
  t_fails       = false;
  t_until_fails = never;
}

}  // namespace KokkosArenaTest

// Every form by itself: under AddressSanitizer the library's nothrow forms
// don't call the others.

void* operator new(std::size_t n) { return or_throw(counted(n)); }
void* operator new[](std::size_t n) { return or_throw(counted(n)); }
void* operator new(std::size_t n, std::align_val_t a) {
  return or_throw(counted(n, a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
  return or_throw(counted(n, a));
}
void* operator new(std::size_t n, std::nothrow_t const&) noexcept {
  return counted(n);
}
void* operator new[](std::size_t n, std::nothrow_t const&) noexcept {
  return counted(n);
}
void* operator new(std::size_t n, std::align_val_t a,
                   std::nothrow_t const&) noexcept {
  return counted(n, a);
}
void* operator new[](std::size_t n, std::align_val_t a,
                     std::nothrow_t const&) noexcept {
  return counted(n, a);
}

void operator delete(void* p) noexcept { give_back(p); }
void operator delete[](void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { give_back(p); }
void operator delete(void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  give_back(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  give_back(p);
}
void operator delete(void* p, std::nothrow_t const&) noexcept { give_back(p); }
void operator delete[](void* p, std::nothrow_t const&) noexcept {
  give_back(p);
}
void operator delete(void* p, std::align_val_t,
                     std::nothrow_t const&) noexcept {
  give_back(p);
}
void operator delete[](void* p, std::align_val_t,
                       std::nothrow_t const&) noexcept {
  give_back(p);
}
