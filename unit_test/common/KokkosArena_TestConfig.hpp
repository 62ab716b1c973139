// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTCONFIG_HPP
#define KOKKOSARENA_TESTCONFIG_HPP

#include <KokkosArena.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <KokkosArena_TestSpaces.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

// What a compiler says of the sanitizers that it builds with.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define KOKKOSARENA_TEST_SANITIZED 1
#endif
#endif
#if !defined(KOKKOSARENA_TEST_SANITIZED) && \
    (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define KOKKOSARENA_TEST_SANITIZED 1
#endif
#ifndef KOKKOSARENA_TEST_SANITIZED
#define KOKKOSARENA_TEST_SANITIZED 0
#endif

namespace KokkosArenaTest {

/// Whether memory, system calls and time are those of a sanitizer, too.
inline constexpr bool is_sanitized = KOKKOSARENA_TEST_SANITIZED;

using Host = Kokkos::HostSpace;

/// Whether host arenas have no range of addresses to grow in, as the
/// environment says.
inline bool const in_blocks = [] {
  auto const* const bytes = std::getenv("KOKKOS_ARENA_ADDRESS_BYTES");
  return bytes && std::string(bytes) == "0";
}();

inline KokkosArena::ArenaOptions labelled(char const* label) {
  KokkosArena::ArenaOptions options;
  options.label = label;
  return options;
}

// The suites run twice: CheckedSpace has all that ScopedSpace has.
#if defined(KOKKOSARENA_TEST_CHECKED)
inline constexpr bool is_checked = true;
template <class MemorySpace>
using ArenaSpace = KokkosArena::CheckedSpace<MemorySpace>;
#else
inline constexpr bool is_checked = false;
template <class MemorySpace>
using ArenaSpace = KokkosArena::ScopedSpace<MemorySpace>;
#endif
using Scoped = ArenaSpace<Host>;

/// Blocks of an arena that has one, once there was a View: checked memory is
/// apart from what a fixed arena has taken at its start.
template <class C>
constexpr std::uint64_t blocks_with_views() {
  return is_checked && C::is_fixed ? 2 : 1;
}

/// A sync policy and a way to get memory; the same tests run over all.
template <class Sync, bool Fixed>
struct Config {
  using sync_policy              = Sync;
  static constexpr bool is_fixed = Fixed;

  template <class Space>
  using arena_type = KokkosArena::Arena<Space, Sync>;

  /// An arena of so many bytes if it is fixed.
  static KokkosArena::ArenaOptions options(std::size_t bytes) {
    KokkosArena::ArenaOptions result;
    result.label = "tested arena";
    if constexpr (Fixed) result.initial_bytes = result.maximum_bytes = bytes;
    return result;
  }
};

using Growing = ::testing::Types<Config<KokkosArena::Unsynchronized, false>,
                                 Config<KokkosArena::Locked, false>,
                                 Config<KokkosArena::ThreadCached, false>>;
using Fixed   = ::testing::Types<Config<KokkosArena::Unsynchronized, true>,
                                 Config<KokkosArena::Locked, true>,
                                 Config<KokkosArena::ThreadCached, true>>;
using All     = ::testing::Types<Config<KokkosArena::Unsynchronized, false>,
                                 Config<KokkosArena::Unsynchronized, true>,
                                 Config<KokkosArena::Locked, false>,
                                 Config<KokkosArena::Locked, true>,
                                 Config<KokkosArena::ThreadCached, false>,
                                 Config<KokkosArena::ThreadCached, true>>;

template <class Sync>
std::string name_of() {
  if (std::is_same_v<Sync, KokkosArena::Unsynchronized>) {
    return "unsynchronized";
  }
  return std::is_same_v<Sync, KokkosArena::Locked> ? "locked" : "thread_cached";
}

struct SyncName {
  template <class Sync>
  static std::string GetName(int) {
    return name_of<Sync>();
  }
};
struct ConfigName {
  template <class C>
  static std::string GetName(int) {
    return name_of<typename C::sync_policy>() +
           (C::is_fixed ? "_fixed" : "_growing");
  }
};

/// Whoever uses mock upstreams gets fresh ones, to which all was given back
/// when the test ends.
template <class... Spaces>
class WithUpstream : public ::testing::Test {
 protected:
  WithUpstream() { ((Spaces::log() = UpstreamLog{}), ...); }
  void TearDown() override {
    auto const check = [](UpstreamLog const& log) {
      EXPECT_EQ(log.live.size(), 0u);
      EXPECT_EQ(log.wrong_deallocations, 0u);
    };
    (check(Spaces::log()), ...);
  }
};

/// All figures, for comparison; a new field has to be added to compile.
inline auto figures(KokkosArena::ArenaStatistics const& s) {
  auto const& [capacity_bytes, used_bytes, live_bytes, peak_bytes,
               peak_live_bytes, live_allocations, total_allocations,
               upstream_allocations, upstream_bytes, blocks, retired_blocks,
               retired_bytes, resets, escaped_views,
               unscoped_worker_allocations, failed_handle_allocations,
               failed_adoptions, free_bytes, largest_free_bytes, label,
               survivors, base_space_allocations,
               largest_base_space_allocations] = s;
  return std::tuple(
      capacity_bytes, used_bytes, live_bytes, peak_bytes, peak_live_bytes,
      live_allocations, total_allocations, upstream_allocations, upstream_bytes,
      blocks, retired_blocks, retired_bytes, resets, escaped_views,
      unscoped_worker_allocations, failed_handle_allocations, failed_adoptions,
      free_bytes, largest_free_bytes, label, survivors.size(),
      base_space_allocations, largest_base_space_allocations.size());
}

/// Where library code runs: in a scope on an arena, or outside of all.
template <class C, bool Inside>
struct Place {
  using config                    = C;
  static constexpr bool is_inside = Inside;
};
using Places =
    ::testing::Types<Place<Config<KokkosArena::Unsynchronized, false>, true>,
                     Place<Config<KokkosArena::Unsynchronized, true>, true>,
                     Place<Config<KokkosArena::Locked, false>, true>,
                     Place<Config<KokkosArena::Locked, true>, true>,
                     Place<Config<KokkosArena::ThreadCached, false>, true>,
                     Place<Config<KokkosArena::ThreadCached, true>, true>,
                     Place<Config<KokkosArena::Locked, false>, false>>;

struct PlaceName {
  template <class P>
  static std::string GetName(int i) {
    return (P::is_inside ? "inside_" : "outside_") +
           ConfigName::GetName<typename P::config>(i);
  }
};

/// A place with an arena, whose memory is not zero when the test begins and
/// is all given back when it ends. Outside of the scope nothing touches it.
template <class P>
class AtPlace : public ::testing::Test {
 protected:
  static constexpr std::size_t arena_bytes = std::size_t(32) << 20;
  static constexpr std::size_t dirty_bytes = std::size_t(4) << 20;

  void SetUp() override {
    auto* const memory = m_arena.allocate(dirty_bytes);
    std::memset(memory, 0xa5, dirty_bytes);
    m_arena.deallocate(memory);
    m_before = figures(m_arena.statistics());
    if constexpr (P::is_inside) m_scope.emplace(m_arena);
  }
  void TearDown() override {
    m_scope.reset();
    auto const s = m_arena.statistics();
    EXPECT_EQ(s.live_allocations, 0u);
    EXPECT_EQ(s.live_bytes, 0u);
    EXPECT_EQ(s.used_bytes, 0u);
    if constexpr (!P::is_inside) {
      EXPECT_EQ(figures(s), m_before);
    } else {
      EXPECT_GT(s.total_allocations, std::get<6>(m_before));
    }
  }

  /// Whether the arena serves so many allocations now.
  ::testing::AssertionResult draws(std::size_t allocations) {
    auto const live = m_arena.statistics().live_allocations;
    if (live == (P::is_inside ? allocations : 0)) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "the arena serves " << live;
  }
  ::testing::AssertionResult draws_some() {
    auto const live = m_arena.statistics().live_allocations;
    if ((live > 0) == P::is_inside) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "the arena serves " << live;
  }

  typename P::config::template arena_type<Host> m_arena{
      P::config::options(arena_bytes)};
  std::optional<KokkosArena::ArenaScope> m_scope;
  decltype(figures(KokkosArena::ArenaStatistics{})) m_before;
};

inline std::uintptr_t address_of(void const* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

/// Contents that tell one array from every other.
template <class ViewType>
void fill_pattern(ViewType const& view, std::uint64_t seed) {
  auto* const data = view.data();
  for (std::size_t i = 0; i < view.span(); ++i) {
    data[i] =
        static_cast<typename ViewType::value_type>((seed * 1000003 + i) % 251);
  }
}
template <class ViewType>
bool has_pattern(ViewType const& view, std::uint64_t seed) {
  auto const* const data = view.data();
  for (std::size_t i = 0; i < view.span(); ++i) {
    if (data[i] != static_cast<typename ViewType::value_type>(
                       (seed * 1000003 + i) % 251)) {
      return false;
    }
  }
  return true;
}

/// Leaves nonzero bytes wherever the arena will allocate next.
template <class A>
void dirty(A& arena, std::size_t bytes) {
  auto* const address = arena.allocate(bytes);
  std::memset(address, 0xa5, bytes);
  arena.deallocate(address);
}

}  // namespace KokkosArenaTest

#endif
