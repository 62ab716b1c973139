// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every heap allocation of every public call is made to fail once: the call
// succeeds all the same, or throws and leaves the arena as it was.
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaScope;
using KokkosArena::CheckedSpace;
using KokkosArena::ScopedSpace;

using Scope   = ScopedSpace<Host>;
using Checked = CheckedSpace<Host>;
using View    = Kokkos::View<double*, Scope>;

// Longer than what a std::string holds in itself.
constexpr char const* label = "a label that takes memory of the heap";

/// An arena with all that one may have: Views, checked ones, untracked memory,
/// holes, a mark.
template <class A>
struct Used {
  Used() {
    ArenaScope const scope(arena);
    keep.emplace_back(label, 100);
    View const hole("hole", 3000);
    keep.emplace_back(label, 20'000);
    escaped = Kokkos::View<double*, Checked>(label, 100);
    raw     = arena.allocate(500);
    mark    = std::make_unique<KokkosArena::ArenaMark>(arena.mark());
    fill_pattern(keep[0], 1);
    fill_pattern(keep[1], 2);
  }
  bool is_whole() const {
    return has_pattern(keep[0], 1) && has_pattern(keep[1], 2);
  }

  A arena{labelled("an arena whose label takes memory of the heap, too")};
  std::vector<View> keep;
  Kokkos::View<double*, Checked> escaped;
  void* raw = nullptr;
  std::unique_ptr<KokkosArena::ArenaMark> mark;
};

template <class Sync>
struct heap_failures : ::testing::Test {
  using Tested = KokkosArena::Arena<Host, Sync>;
  using State  = Used<Tested>;

  /// What an operation that throws leaves as it was.
  static auto lasting(State const& state) {
    auto s = state.arena.statistics();
    // A block that was taken for nothing may stay, and a View whose record
    // then failed has been one for a moment.
    s.capacity_bytes = s.blocks = s.upstream_allocations = s.upstream_bytes =
        s.free_bytes = s.largest_free_bytes = s.peak_bytes = 0;
    s.peak_live_bytes = s.total_allocations = 0;
    return figures(s);
  }

  static void check(std::string const& name,
                    std::function<void(State&)> const& operation) {
    SCOPED_TRACE(name);
    for (std::uint64_t n = 0;; ++n) {
      ASSERT_LT(n, 1000u);
      State state;
      auto const before = lasting(state);
      bool failed = false, threw = false;
      {
        HeapFailure const failure(n);
        try {
          operation(state);
        } catch (std::bad_alloc const&) {
          threw = true;
        }
        failed = HeapFailure::has_happened();
      }
      if (threw) {
        EXPECT_EQ(lasting(state), before) << n;
        EXPECT_NO_THROW(operation(state)) << n;
      }
      EXPECT_TRUE(state.is_whole()) << n;
      if (!failed) return;
    }
  }
};

using Syncs = ::testing::Types<KokkosArena::Unsynchronized, KokkosArena::Locked,
                               KokkosArena::ThreadCached>;
TYPED_TEST_SUITE(heap_failures, Syncs, SyncName);

TYPED_TEST(heap_failures, of_allocations) {
  using State = typename TestFixture::State;
  TestFixture::check("allocate", [](State& s) { s.arena.allocate(100); });
  TestFixture::check("allocate much",
                     [](State& s) { s.arena.allocate(1'000'000); });
  TestFixture::check("allocate aligned",
                     [](State& s) { s.arena.allocate(100, 4096); });
  TestFixture::check("many", [](State& s) {
    auto const mark = s.arena.mark();
    try {
      for (int i = 0; i < 200; ++i) s.arena.allocate(64);
    } catch (...) {
      s.arena.rewind(mark);
      throw;
    }
  });
  TestFixture::check("deallocate", [](State& s) {
    if (s.raw) s.arena.deallocate(s.raw);
    s.raw = nullptr;
  });
  TestFixture::check("handle", [](State& s) {
    static_cast<void>(s.arena.handle().template view<double*>(10));
  });
}

TYPED_TEST(heap_failures, of_views) {
  using State = typename TestFixture::State;
  TestFixture::check("scope",
                     [](State& s) { ArenaScope const scope(s.arena); });
  TestFixture::check("constructor", [](State& s) {
    ArenaScope const scope(s.arena);
    // Kokkos itself forgets the record if it can't copy a longer label.
    View const view("a short one", 100);
  });
  TestFixture::check("constructor, large", [](State& s) {
    ArenaScope const scope(s.arena);
    View const view("a short one", 1'000'000);
  });
  TestFixture::check("similar", [](State& s) {
    ArenaScope const scope(s.arena);
    auto const view = KokkosArena::similar(s.keep[0]);
  });
  TestFixture::check("make_view, checked", [](State& s) {
    ArenaScope const scope(s.arena);
    auto const view =
        KokkosArena::make_view<Kokkos::View<double**, Checked>>(label, 3, 4);
  });
  TestFixture::check("frame", [](State& s) {
    ArenaFrame const frame(s.arena);
    auto const view =
        KokkosArena::make_view<Kokkos::View<double*, Checked>>(label, 100);
  });
}

TYPED_TEST(heap_failures, of_ends) {
  using State = typename TestFixture::State;
  // These drop something, so that they can't be done again: they don't throw.
  auto const never_throws = [](char const* name,
                               std::function<void(State&)> const& operation) {
    SCOPED_TRACE(name);
    for (std::uint64_t n = 0;; ++n) {
      State state;
      HeapFailure const failure(n);
      EXPECT_NO_THROW(operation(state)) << n;
      EXPECT_TRUE(state.is_whole()) << n;
      if (!HeapFailure::has_happened()) return;
    }
  };
  never_throws("reset", [](State& s) { s.arena.reset(); });
  never_throws("release", [](State& s) { s.arena.release(); });
  never_throws("rewind", [](State& s) { s.arena.rewind(*s.mark); });
  never_throws("mark", [](State& s) { s.arena.mark(); });
  TestFixture::check("statistics", [](State& s) { s.arena.statistics(); });
  TestFixture::check("escapes", [](State& s) { s.arena.escapes(); });
}

TYPED_TEST(heap_failures, of_an_arena_itself) {
  using Tested = typename TestFixture::Tested;
  for (std::size_t const bytes : {std::size_t(0), std::size_t(100'000)}) {
    for (std::uint64_t n = 0;; ++n) {
      ASSERT_LT(n, 1000u);
      auto const options = [&] {
        auto result          = labelled("the label of an arena that is made");
        result.initial_bytes = bytes;
        return result;
      }();
      HeapFailure const failure(n);
      try {
        Tested arena(options);
        static_cast<void>(arena.allocate(100));
      } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
      }
      if (!HeapFailure::has_happened()) break;
    }
  }
}

}  // namespace
