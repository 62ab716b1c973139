// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checked Views whose cycles and frames come often, and share a window of
// addresses: what is found at once, and when the addresses fault.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestEnvironment.hpp>

#include <Kokkos_DynRankView.hpp>

#include <cstdint>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>

#if defined(__linux__)
#include <sys/uio.h>
#include <unistd.h>
#endif

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::InvalidViewAccess;

using Space  = KokkosArena::CheckedSpace<Host>;
using Vector = Kokkos::View<double*, Space>;
using Matrix = Kokkos::View<double**, Space>;

/// Runs \c f in a scope on the arena, and returns what it returns.
template <class F>
auto inside(Arena<Host>& arena, F const& f) {
  ArenaScope const scope(arena);
  return f();
}

/// An arena whose cycles come often, so that they share a window of addresses.
struct busy_arena : ::testing::Test {
  explicit busy_arena(ArenaOptions const& options = {.label = "busy"})
      : arena(options) {
    for (int i = 0; i < 5; ++i) {
      inside(arena, [] { return Vector("early", 10); });
      arena.reset();
    }
  }
  /// A View whose memory has been dropped.
  template <class ViewType, class... Extents>
  ViewType dropped(std::string const& label, Extents... n) {
    auto const view = inside(arena, [&] { return ViewType(label, n...); });
    arena.reset();
    return view;
  }
  Arena<Host> arena;
};

TEST_F(busy_arena, finds_accesses_through_views_at_once) {
  auto const view = dropped<Vector>("view", 100);
  try {
    view(3) = 1;
    ADD_FAILURE() << "nothing was thrown";
  } catch (InvalidViewAccess const& e) {
    std::string const message = e.what();
    EXPECT_NE(message.find("View \"view\" (100, 800 bytes) of arena \"busy\" "
                           "was accessed after reset()"),
              std::string::npos)
        << message;
  }
  auto const matrix = dropped<Matrix>("matrix", 5, 5);
  EXPECT_THROW(view(0) = 1, InvalidViewAccess);
  EXPECT_THROW(matrix(4, 4) = 1, InvalidViewAccess);
  EXPECT_THROW(Kokkos::subview(matrix, 1, Kokkos::ALL)(2), InvalidViewAccess);
  Kokkos::View<double*, Host> const host("host", 100);
  EXPECT_THROW(Kokkos::deep_copy(host, view), InvalidViewAccess);
  EXPECT_THROW(Kokkos::deep_copy(view, host), InvalidViewAccess);
}

TEST_F(busy_arena, finds_them_in_frames_within_frames) {
  ArenaFrame const outer(arena);
  Vector const first("first", 100);
  Vector stale;
  for (int i = 0; i < 100; ++i) {
    ArenaFrame const inner(arena);
    Vector const second("second", 100 + 10 * i);
    second(99) = first(0) = i;
    if (i > 0) {
      EXPECT_THROW(stale(0), InvalidViewAccess);
    }
    stale = second;
  }
  EXPECT_THROW(stale(0), InvalidViewAccess);
  EXPECT_EQ(first(0), 99);
  EXPECT_LE(arena.statistics().blocks, 3u);
}

TEST_F(busy_arena, asks_the_system_for_nothing) {
  auto const before = arena.statistics().upstream_allocations;
  std::set<std::uintptr_t> addresses;
  for (int i = 0; i < 500; ++i) {
    addresses.insert(address_of(dropped<Vector>("view", 100).data()));
  }
  EXPECT_EQ(addresses.size(), 500u);
  EXPECT_LE(arena.statistics().upstream_allocations, before + 1);
}

TEST_F(busy_arena, shows_raw_pointers_signalling_nans) {
  if (is_sanitized) GTEST_SKIP() << "the sanitizer refuses that";
  auto const view = dropped<Vector>("view", 100);
  for (int i = 0; i < 100; ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, view.data() + i, sizeof(bits));
    EXPECT_EQ(bits & 0xfff8000000000000, 0x7ff0000000000000);  // Not quiet.
    EXPECT_NE(bits & 0x0007ffffffffffff, 0u);
  }
}

struct strict_arena : busy_arena {
  strict_arena()
      : busy_arena(
            {.label = "strict", .revoke = KokkosArena::Revoke::at_once}) {}
};

#if defined(__linux__)

/// Whether the address is among pages that can be read.
bool can_be_read(void const* address) {
  // Copies what it can.
  char byte = 0;
  iovec const here{&byte, 1};
  iovec const there{const_cast<void*>(address), 1};
  return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1;
}

TEST_F(strict_arena, has_addresses_that_fault_at_once) {
  for (int i = 0; i < 5; ++i) {
    auto const view = dropped<Vector>("view", 100);
    EXPECT_FALSE(can_be_read(view.data()));
    ArenaFrame const outer(arena);
    Vector const valid("valid", 100);
    Vector stale;
    {
      ArenaFrame const inner(arena);
      stale = Vector("stale", 100);
    }
    EXPECT_FALSE(can_be_read(stale.data()));
    EXPECT_TRUE(can_be_read(valid.data()));
  }
}

TEST_F(busy_arena, has_addresses_that_fault_once_its_window_is_used_up) {
  auto const* const data = dropped<Vector>("view", 100).data();
  int cycles             = 0;
  for (; can_be_read(data) && cycles < 1000; ++cycles) {
    dropped<Vector>("view", 100);
  }
  EXPECT_GT(cycles, 1);
  EXPECT_LE(cycles, 256);
}

TEST_F(busy_arena, has_addresses_that_fault_on_release) {
  auto const* const data = dropped<Vector>("view", 100).data();
  arena.release();
  EXPECT_FALSE(can_be_read(data));
}

TEST_F(busy_arena, has_large_views_that_fault_at_once) {
  auto const* const data = dropped<Vector>("large", 100'000).data();
  EXPECT_FALSE(can_be_read(data));
}

// What reads by address, past the accessor, does so.
TEST_F(busy_arena, has_memory_without_checks_that_faults_at_once) {
  using Dynamic      = Kokkos::DynRankView<double, Space>;
  auto const dynamic = dropped<Dynamic>("dynamic", 3, 3);
  EXPECT_FALSE(can_be_read(dynamic.data()));
  auto* const raw =
      inside(arena, [] { return Kokkos::kokkos_malloc<Space>("raw", 100); });
  EXPECT_TRUE(can_be_read(raw));
  arena.reset();
  EXPECT_FALSE(can_be_read(raw));
  Kokkos::kokkos_free<Space>(raw);
}

TEST(revoke, is_set_by_the_environment) {
  Environment const variable("KOKKOS_ARENA_REVOKE", "at_once");
  Arena<Host> arena;
  for (int i = 0; i < 5; ++i) {
    auto const view = inside(arena, [] { return Vector("view", 10); });
    arena.reset();
    EXPECT_FALSE(can_be_read(view.data()));
  }
}

#endif

TEST(revoke, that_does_not_exist_is_refused) {
  Environment const variable("KOKKOS_ARENA_REVOKE", "later");
  try {
    Arena<Host> const arena;
    ADD_FAILURE();
  } catch (std::invalid_argument const& e) {
    EXPECT_STREQ(e.what(),
                 "KokkosArena: the environment variable KOKKOS_ARENA_REVOKE is "
                 "\"later\"; set it to window or at_once, or unset it");
  }
}

}  // namespace
