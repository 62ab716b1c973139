// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Region.hpp"

#include "../KokkosArena_Error.hpp"
#include "../engine/KokkosArena_Fork.hpp"
#include "../engine/KokkosArena_NeverDestroyed.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <Kokkos_Macros.hpp>

#if defined(KOKKOS_ENABLE_OPENMP)
#include <omp.h>
#endif

namespace KokkosArena::Impl {

#if defined(KOKKOS_ENABLE_OPENMP)

/// An allocator handle and what it stands for. Never destroyed, so that a
/// handle that was a token once can't become something else.
class RegionToken {
 public:
  RegionToken(std::uintptr_t allocator, std::uintptr_t stands_for)
      : handle(allocator), predefined(stands_for) {}
  std::uintptr_t const handle;
  std::uintptr_t const predefined;  ///< The allocator that it is like.
  // Written by the thread that has the token, before it launches a region, and
  // read by that region's threads. The launch orders the two already; release
  // and acquire say so to tools that can't see into the OpenMP runtime.
  std::atomic<void const*> value{nullptr};
};

namespace {

/// These are small numbers. A program or its user (OMP_ALLOCATOR) may have made
/// any of them the default one.
constexpr auto last_predefined =
    static_cast<std::uintptr_t>(omp_thread_mem_alloc);
bool is_predefined(std::uintptr_t allocator) noexcept {
  return allocator <= last_predefined;
}

std::uintptr_t default_allocator() noexcept {
  return static_cast<std::uintptr_t>(omp_get_default_allocator());
}

void set_default_allocator(std::uintptr_t handle) noexcept {
  omp_set_default_allocator(static_cast<omp_allocator_handle_t>(handle));
}

using Tokens = std::vector<RegionToken*>;

/// \return One that is like that allocator, taken out of the list; null if
/// there is none.
RegionToken* take_token(Tokens& tokens, std::uintptr_t predefined) noexcept {
  auto const found = std::find_if(
      tokens.rbegin(), tokens.rend(),
      [&](auto const* token) { return token->predefined == predefined; });
  if (found == tokens.rend()) return nullptr;
  auto* const token = *found;
  tokens.erase(std::prev(found.base()));
  return token;
}

struct AllTokens {
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  std::unordered_map<std::uintptr_t, RegionToken*> by_handle;
  Tokens unused;
  std::atomic<std::uint64_t> created{0};
};

AllTokens& all_tokens() noexcept {
  static NeverDestroyed<AllTokens> const instance;
  return instance.get();
}

/// \brief An allocator with the properties of a predefined one.
std::uintptr_t make_allocator(std::uintptr_t predefined) noexcept {
  struct Properties {
    omp_memspace_handle_t space;
    int access;
  };
  auto const properties = [&]() -> Properties {
    switch (predefined) {
      case omp_large_cap_mem_alloc:
        return {omp_large_cap_mem_space, omp_atv_all};
      case omp_const_mem_alloc:
        return {omp_const_mem_space, omp_atv_all};
      case omp_high_bw_mem_alloc:
        return {omp_high_bw_mem_space, omp_atv_all};
      case omp_low_lat_mem_alloc:
        return {omp_low_lat_mem_space, omp_atv_all};
      case omp_cgroup_mem_alloc:
        return {omp_default_mem_space, omp_atv_cgroup};
      case omp_pteam_mem_alloc:
        return {omp_default_mem_space, omp_atv_pteam};
      case omp_thread_mem_alloc:
        return {omp_default_mem_space, omp_atv_thread};
      default:
        return {omp_default_mem_space, omp_atv_all};
    }
  }();
  // What malloc aligns to. Not const: LLVM's header wants it so.
  omp_alloctrait_t traits[] = {
      {omp_atk_alignment, alignof(std::max_align_t)},
      {omp_atk_access, static_cast<omp_uintptr_t>(properties.access)}};
  auto const allocator = static_cast<std::uintptr_t>(
      omp_init_allocator(properties.space, 2, traits));
  if (allocator != static_cast<std::uintptr_t>(omp_null_allocator)) {
    return allocator;
  }
  // Where there is no such memory, the predefined one gives the default kind.
  return static_cast<std::uintptr_t>(
      omp_init_allocator(omp_default_mem_space, 2, traits));
}

RegionToken* make_token(std::uintptr_t predefined) {
  auto& all = all_tokens();
  std::lock_guard const guard(all.mutex);
  if (auto* const token = take_token(all.unused, predefined)) return token;
  auto const allocator = make_allocator(predefined);
  if (allocator == static_cast<std::uintptr_t>(omp_null_allocator)) {
    return nullptr;
  }
  try {
    auto token = std::make_unique<RegionToken>(allocator, predefined);
    all.by_handle.emplace(allocator, token.get());
    // relaxed: read under the lock, or as a hint that a miss is out of date.
    all.created.fetch_add(1, std::memory_order_relaxed);
    return token.release();
  } catch (...) {
    omp_destroy_allocator(static_cast<omp_allocator_handle_t>(allocator));
    throw;
  }
}

/// t_store has been destroyed, since the thread ends.
constinit thread_local bool t_store_ended = false;

/// Tokens that this thread has used and may use again.
struct Store {
  Tokens tokens;
  ~Store() {
    t_store_ended = true;
    auto& all     = all_tokens();
    std::lock_guard const guard(all.mutex);
    try {
      all.unused.insert(all.unused.end(), tokens.begin(), tokens.end());
    } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
      // Nobody uses them again.
    }
  }
};
thread_local Store t_store;

/// The last handle that this thread has looked up.
struct LastSeen {
  std::uintptr_t handle = 0;
  RegionToken* token    = nullptr;
  std::uint64_t created = 0;
};
thread_local LastSeen t_last_seen;

RegionToken* find_token(std::uintptr_t handle) {
  auto& all = all_tokens();
  // relaxed: a token that this thread has inherited was made before the region.
  auto const created = all.created.load(std::memory_order_relaxed);
  auto& last         = t_last_seen;
  if (last.handle == handle && (last.token || last.created == created)) {
    return last.token;
  }
  std::lock_guard const guard(all.mutex);
  auto const entry = all.by_handle.find(handle);
  last = {handle, entry == all.by_handle.end() ? nullptr : entry->second,
          created};
  return last.token;
}

/// \return The predefined allocator that it is or is like; 0 for the program's
/// own.
std::uintptr_t predefined_of(std::uintptr_t allocator) noexcept {
  if (is_predefined(allocator)) return allocator;
  auto const* const token = find_token(allocator);
  return token ? token->predefined : 0;
}

}  // namespace

Bequest bequeath(void const* value) noexcept {
  auto const current    = default_allocator();
  auto const predefined = predefined_of(current);
  // One that the program has made stays: its omp_alloc() depends on it.
  if (predefined == 0) return {.failed = true};
  RegionToken* token = nullptr;
  if (t_store_ended) {
    // In the destructor of a thread-local variable: no token to give back.
  } else if (auto& tokens = t_store.tokens;
             !tokens.empty() && tokens.back()->predefined == predefined)
      [[likely]] {
    token = tokens.back();
    tokens.pop_back();
  } else {
    try {
      token = take_token(tokens, predefined);
      if (!token) {
        tokens.reserve(tokens.capacity() + 1);  // for revoke()
        token = make_token(predefined);
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // Without memory for a token the regions' threads use the base space.
    }
  }
  if (token) token->value.store(value, std::memory_order_release);
  // Without a token, what was bequeathed before must not pass for the value.
  set_default_allocator(token ? token->handle : predefined);
  return {.token              = token,
          .previous_allocator = current,
          .failed             = token == nullptr};
}

void revoke(Bequest const& bequest) noexcept {
  if (bequest.previous_allocator == 0) return;
  auto* const token = bequest.token;
  auto const ours =
      token ? token->handle : predefined_of(bequest.previous_allocator);
  // A default allocator that the program has set meanwhile stays.
  if (default_allocator() == ours) {
    set_default_allocator(bequest.previous_allocator);
  }
  if (!token) return;
  token->value.store(nullptr, std::memory_order_release);
  t_store.tokens.push_back(token);
}

void const* inherited() noexcept {
  auto const handle = default_allocator();
  if (is_predefined(handle)) return nullptr;
  auto* const token = find_token(handle);
  return token ? token->value.load(std::memory_order_acquire) : nullptr;
}

int region_level() noexcept { return omp_get_level(); }
bool in_parallel_region() noexcept { return omp_in_parallel(); }

#else

Bequest bequeath(void const*) noexcept { return {}; }
void revoke(Bequest const&) noexcept {}
void const* inherited() noexcept { return nullptr; }
int region_level() noexcept { return 0; }
bool in_parallel_region() noexcept { return false; }

#endif

void end_if_in_region() {
  if (region_level() == 0) return;
  std::string text = "something that isn't a std::exception was thrown";
  try {
    throw;
  } catch (std::exception const& e) {
    text = e.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
  constexpr std::string_view prefix = "KokkosArena: ";
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
  abort(text + ". That was inside a parallel region, where it can't be caught");
}

}  // namespace KokkosArena::Impl
