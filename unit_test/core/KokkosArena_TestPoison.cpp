// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In builds with AddressSanitizer: what is free is poisoned, what is handed out
// isn't, and neither is what went back upstream.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTeam.hpp>

#include <Kokkos_Core.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define KOKKOSARENA_TEST_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KOKKOSARENA_TEST_ASAN
#endif
#endif

#ifdef KOKKOSARENA_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace {

using namespace KokkosArenaTest;

#ifdef KOKKOSARENA_TEST_ASAN

constexpr bool has_address_sanitizer = true;

bool is_poisoned(void const* address) {
  return __asan_address_is_poisoned(address);
}

#else

constexpr bool has_address_sanitizer = false;

bool is_poisoned(void const*) { return false; }

#endif

bool is_poisoned_throughout(void const* first, std::size_t bytes) {
  auto const* const begin = static_cast<char const*>(first);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (!is_poisoned(begin + i)) return false;
  }
  return true;
}

bool is_usable_throughout(void const* first, std::size_t bytes) {
  auto const* const begin = static_cast<char const*>(first);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (is_poisoned(begin + i)) return false;
  }
  return true;
}

void read(void const* address) {
  [[maybe_unused]] char const c = *static_cast<char const volatile*>(address);
}

/// Something of every way to be served: small ones from chunks of threads,
/// others from the block; not all are multiples of a granule.
constexpr std::size_t some_sizes[] = {1,
                                      3,
                                      8,
                                      13,
                                      63,
                                      64,
                                      65,
                                      100,
                                      4093,
                                      8192,
                                      8193,
                                      20001,
                                      std::size_t(1) << 17};

constexpr std::size_t arena_bytes = std::size_t(4) << 20;

class Poison : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_address_sanitizer) {
      GTEST_SKIP() << "built without AddressSanitizer";
    }
  }
};

template <class C>
class PoisonInArena : public Poison {
 protected:
  using arena_type = typename C::template arena_type<Host>;
  using view_type  = Kokkos::View<double*, Scoped>;

  /// In one block, so that what a reset drops doesn't go upstream.
  static std::unique_ptr<arena_type> make_arena() {
    auto options          = C::options(arena_bytes);
    options.initial_bytes = arena_bytes;
    return std::make_unique<arena_type>(options);
  }

  std::unique_ptr<arena_type> m_arena = make_arena();
};

template <class C>
class poison : public PoisonInArena<C> {};
TYPED_TEST_SUITE(poison, All, ConfigName);

template <class C>
class poison_threads : public PoisonInArena<C> {};
TYPED_TEST_SUITE(poison_threads, Shared, ConfigName);

template <class C>
class poison_death_test : public PoisonInArena<C> {
 protected:
  poison_death_test() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
TYPED_TEST_SUITE(poison_death_test, Growing, ConfigName);

TYPED_TEST(poison_death_test, stale_pointer_after_reset_is_reported) {
  auto* const p = this->m_arena->allocate(100);
  this->m_arena->reset();
  EXPECT_DEATH(read(p), "use-after-poison");
}

TYPED_TEST(poison_death_test, stale_pointer_after_rewind_is_reported) {
  auto const mark = this->m_arena->mark();
  auto* const p   = this->m_arena->allocate(100);
  this->m_arena->rewind(mark);
  EXPECT_DEATH(read(p), "use-after-poison");
}

TYPED_TEST(poison_death_test, stale_pointer_after_frame_is_reported) {
  void* p = nullptr;
  {
    KokkosArena::ArenaFrame const frame(*this->m_arena);
    p = this->m_arena->allocate(100);
  }
  EXPECT_DEATH(read(p), "use-after-poison");
}

TYPED_TEST(poison_death_test, stale_pointer_after_deallocate_is_reported) {
  auto* const p = this->m_arena->allocate(100);
  this->m_arena->deallocate(p);
  EXPECT_DEATH(read(p), "use-after-poison");
}

TYPED_TEST(poison_death_test, stale_data_of_a_view_is_reported) {
  KokkosArena::ArenaScope const scope(*this->m_arena);
  double* p = nullptr;
  {
    typename TestFixture::view_type const view("v", 10);
    p = view.data();
  }
  EXPECT_DEATH(*p = 1.0, "use-after-poison");
}

TYPED_TEST(poison_death_test, stale_unmanaged_view_of_handle_is_reported) {
  auto const handle = this->m_arena->handle();
  auto const view   = handle.template view<double*>(10);
  this->m_arena->reset();
  EXPECT_DEATH(view(3) = 1.0, "use-after-poison");
}

TYPED_TEST(poison_death_test, overrun_is_reported) {
  auto* const p = static_cast<char*>(this->m_arena->allocate(100));
  EXPECT_DEATH(read(p + 100), "use-after-poison");
}

TYPED_TEST(poison_death_test, overrun_by_the_c_library_is_reported) {
  auto* const p = this->m_arena->allocate(100);
  EXPECT_DEATH(std::memset(p, 0, 101), "use-after-poison");
}

TYPED_TEST(poison, bytes_are_usable_exactly_as_far_as_asked_for) {
  for (auto const alignment : {1, 64, 256, 4096}) {
    for (auto const bytes : some_sizes) {
      auto* const p = static_cast<char*>(
          this->m_arena->allocate(bytes, static_cast<std::size_t>(alignment)));
      EXPECT_TRUE(is_usable_throughout(p, bytes)) << bytes;
      auto const rounded = (bytes + 63) / 64 * 64;
      EXPECT_TRUE(is_poisoned_throughout(p + bytes, rounded - bytes)) << bytes;
      std::memset(p, 1, bytes);
    }
  }
}

TYPED_TEST(poison, a_new_block_is_poisoned_behind_its_first_allocation) {
  auto* const p = static_cast<char*>(this->m_arena->allocate(1));
  auto const s  = this->m_arena->statistics();
  EXPECT_FALSE(is_poisoned(p));
  EXPECT_TRUE(is_poisoned_throughout(p + 1, s.capacity_bytes - 1));
}

TYPED_TEST(poison, a_hole_is_poisoned_and_usable_once_it_is_filled) {
  for (auto const bytes : some_sizes) {
    auto* const a = this->m_arena->allocate(bytes);
    auto* const b = this->m_arena->allocate(bytes);
    auto* const c = this->m_arena->allocate(bytes);
    this->m_arena->deallocate(b);
    EXPECT_TRUE(is_usable_throughout(a, bytes)) << bytes;
    EXPECT_TRUE(is_poisoned_throughout(b, bytes)) << bytes;
    EXPECT_TRUE(is_usable_throughout(c, bytes)) << bytes;
    auto* const d = this->m_arena->allocate(bytes);
    EXPECT_EQ(d, b) << bytes;
    EXPECT_TRUE(is_usable_throughout(d, bytes)) << bytes;
  }
}

TYPED_TEST(poison, rewind_poisons_what_is_newer_and_nothing_else) {
  for (auto const bytes : some_sizes) {
    auto* const older = this->m_arena->allocate(bytes);
    auto const mark   = this->m_arena->mark();
    auto* const newer = this->m_arena->allocate(bytes);
    this->m_arena->rewind(mark);
    EXPECT_TRUE(is_usable_throughout(older, bytes)) << bytes;
    EXPECT_TRUE(is_poisoned_throughout(newer, bytes)) << bytes;
  }
}

TYPED_TEST(poison, reset_poisons_all_and_memory_is_usable_in_the_next_cycle) {
  for (int cycle = 0; cycle < 5; ++cycle) {
    std::vector<std::pair<void*, std::size_t>> all;
    for (auto const bytes : some_sizes) {
      auto* const p = this->m_arena->allocate(bytes);
      std::memset(p, cycle, bytes);
      all.emplace_back(p, bytes);
    }
    this->m_arena->reset();
    for (auto const& [p, bytes] : all) {
      EXPECT_TRUE(is_poisoned_throughout(p, bytes)) << bytes;
    }
  }
}

TYPED_TEST(poison, reset_poisons_the_high_end_of_a_block) {
  using view_type  = typename TestFixture::view_type;
  constexpr auto n = std::size_t(10000);
  KokkosArena::ArenaScope const scope(*this->m_arena);
  // Large ones alternate between the ends.
  auto first  = view_type("low", n);
  auto second = view_type("high", n);
  auto third  = view_type("low", n);
  auto fourth = view_type("high", n);
  ASSERT_GT(second.data(), fourth.data());
  ASSERT_GT(fourth.data(), third.data());
  auto* const above = fourth.data() + n;
  second            = view_type();
  auto* const raw =
      static_cast<double*>(this->m_arena->allocate(n * sizeof(double)));
  ASSERT_GE(raw, above) << "it isn't where the second was";
  first = third = fourth = view_type();
  this->m_arena->reset();
  EXPECT_TRUE(is_poisoned_throughout(raw, n * sizeof(double)));
}

TYPED_TEST(poison, views_are_poisoned_with_their_last_copy) {
  using view_type = typename TestFixture::view_type;
  KokkosArena::ArenaScope const scope(*this->m_arena);
  auto const check = [](view_type view) {
    auto* const data = view.data();
    auto const n     = view.extent(0);
    auto copy        = view;
    view             = view_type();
    EXPECT_TRUE(is_usable_throughout(data, n * sizeof(double))) << n;
    // All sizes but whole granules have something behind them.
    EXPECT_TRUE(n % 8 == 0 || is_poisoned(data + n)) << n;
    copy = view_type();
    EXPECT_TRUE(is_poisoned_throughout(data, n * sizeof(double))) << n;
  };
  for (auto const n : some_sizes) {
    check(view_type("v", n));
    check(KokkosArena::make_view<view_type>("v", n));
  }
}

TYPED_TEST(poison, survivors_of_a_reset_stay_readable) {
  using view_type = typename TestFixture::view_type;
  struct Entry {
    view_type survivor;
    void* dropped;
  };
  KokkosArena::ArenaScope const scope(*this->m_arena);
  std::vector<Entry> all;
  for (auto const n : some_sizes) {
    all.push_back({view_type("survivor", n), this->m_arena->allocate(n)});
    fill_pattern(all.back().survivor, n);
  }
  this->m_arena->reset();
  for (auto const& [survivor, dropped] : all) {
    auto const n = survivor.size();
    EXPECT_TRUE(is_poisoned_throughout(dropped, n)) << n;
    EXPECT_TRUE(has_pattern(survivor, n)) << n;
  }
  for (auto const n : some_sizes) {
    std::memset(this->m_arena->allocate(n), 0xff, n);
  }
  for (auto const& entry : all) {
    auto const n = entry.survivor.size();
    EXPECT_TRUE(has_pattern(entry.survivor, n)) << n;
  }
}

TYPED_TEST(poison, memory_given_back_upstream_is_not_poisoned) {
  // A growing arena gets another block for the second.
  auto const bytes   = arena_bytes / (TypeParam::is_fixed ? 2 : 1);
  auto* const first  = this->m_arena->allocate(bytes);
  auto* const second = this->m_arena->allocate(bytes);
  this->m_arena->deallocate(second);
  EXPECT_TRUE(is_poisoned(second));
  this->m_arena->release();
  EXPECT_TRUE(is_usable_throughout(first, bytes));
  EXPECT_TRUE(is_usable_throughout(second, bytes));
}

TYPED_TEST(poison, memory_of_an_ended_arena_is_not_poisoned) {
  using view_type = typename TestFixture::view_type;
  auto* const raw = this->m_arena->allocate(1000);
  view_type view;
  {
    KokkosArena::ArenaScope const scope(*this->m_arena);
    view = view_type("v", 1000);
  }
  auto* const data = view.data();
  fill_pattern(view, 1);
  this->m_arena.reset();
  EXPECT_TRUE(has_pattern(view, 1));
  EXPECT_TRUE(is_poisoned_throughout(raw, 1000));
  view = view_type();
  EXPECT_TRUE(is_usable_throughout(raw, 1000));
  EXPECT_TRUE(is_usable_throughout(data, 1000 * sizeof(double)));
}

TYPED_TEST(poison, handles_give_usable_memory_until_reset) {
  auto const handle = this->m_arena->handle();
  for (int cycle = 0; cycle < 3; ++cycle) {
    auto const view = handle.template view<double**>(7, 5);
    ASSERT_NE(view.data(), nullptr);
    EXPECT_TRUE(is_usable_throughout(view.data(), 35 * sizeof(double)));
    EXPECT_TRUE(is_poisoned(view.data() + 35));
    this->m_arena->reset();
    EXPECT_TRUE(is_poisoned_throughout(view.data(), 35 * sizeof(double)));
  }
}

bool s_block_was_usable = false;

TYPED_TEST(poison, a_block_is_unpoisoned_before_it_goes_upstream) {
  // munmap would do it too, so it is looked at before.
  namespace Tools  = Kokkos::Tools::Experimental;
  auto const outer = Tools::get_callbacks();
  Tools::set_deallocate_data_callback([](Kokkos_Profiling_SpaceHandle,
                                         char const*, void const* address,
                                         std::uint64_t bytes) {
    s_block_was_usable = is_usable_throughout(address, bytes);
  });
  s_block_was_usable = false;
  this->m_arena->allocate(1);
  this->m_arena->release();
  Tools::set_callbacks(outer);
  EXPECT_TRUE(s_block_was_usable);
}

/// \brief What another thread has, which is there and idle while this one does
/// something to the arena.
template <class Work, class Meanwhile, class Afterwards>
void beside_another_thread(Work const& work, Meanwhile const& meanwhile,
                           Afterwards const& afterwards) {
  Meeting meeting(2);
  std::thread other([&] {
    work();
    meeting.wait();
    meeting.wait();
    afterwards();
  });
  meeting.wait();
  meanwhile();
  meeting.wait();
  other.join();
}

TYPED_TEST(poison_threads, reset_poisons_what_other_threads_have) {
  auto& arena = *this->m_arena;
  std::vector<std::pair<void*, std::size_t>> all;
  auto const fill = [&] {
    all.clear();
    for (auto const bytes : some_sizes) {
      all.emplace_back(arena.allocate(bytes), bytes);
      std::memset(all.back().first, 1, bytes);
    }
  };
  for (int cycle = 0; cycle < 3; ++cycle) {
    beside_another_thread(
        fill,
        [&] {
          arena.allocate(1);
          arena.reset();
          for (auto const& [p, bytes] : all) {
            EXPECT_TRUE(is_poisoned_throughout(p, bytes)) << bytes;
          }
        },
        fill);
    arena.reset();
  }
}

TYPED_TEST(poison_threads, rewind_poisons_what_other_threads_have) {
  auto& arena = *this->m_arena;
  std::optional<KokkosArena::ArenaMark> mark;
  for (auto const bytes : some_sizes) {
    void* older = nullptr;
    void* newer = nullptr;
    beside_another_thread(
        [&] {
          older = arena.allocate(bytes);
          mark  = arena.mark();
          newer = arena.allocate(bytes);
        },
        [&] {
          arena.rewind(*mark);
          EXPECT_TRUE(is_usable_throughout(older, bytes)) << bytes;
          EXPECT_TRUE(is_poisoned_throughout(newer, bytes)) << bytes;
        },
        [&] {
          auto* const again = arena.allocate(bytes);
          std::memset(again, 1, bytes);
          std::memset(older, 1, bytes);
        });
  }
}

TYPED_TEST(poison_threads, views_that_another_thread_drops_are_poisoned) {
  using view_type = typename TestFixture::view_type;
  auto& arena     = *this->m_arena;
  for (auto const bytes : some_sizes) {
    view_type view;
    view_type kept;
    auto const make = [&] {
      KokkosArena::ArenaScope const scope(arena);
      view = view_type("dropped", bytes);
      kept = view_type("kept", bytes);
    };
    beside_another_thread(
        make,
        [&] {
          auto* const data = view.data();
          view             = view_type();
          EXPECT_TRUE(is_poisoned_throughout(data, bytes * sizeof(double)));
          fill_pattern(kept, bytes);
        },
        [&] {
          EXPECT_TRUE(has_pattern(kept, bytes));
          make();
          fill_pattern(view, bytes);
          fill_pattern(kept, bytes);
        });
  }
}

TYPED_TEST(poison_threads, views_of_other_threads_survive_a_reset) {
  using view_type = typename TestFixture::view_type;
  auto& arena     = *this->m_arena;
  // So that the next resets keep the block.
  arena.deallocate(arena.allocate(arena_bytes / 2));
  arena.reset();
  view_type view;
  void* raw          = nullptr;
  auto* const before = arena.allocate(20000);
  beside_another_thread(
      [&] {
        KokkosArena::ArenaScope const scope(arena);
        view = view_type("survivor", 10);
        raw  = arena.allocate(100);
        fill_pattern(view, 1);
      },
      [&] {
        auto* const own = arena.allocate(1000);
        arena.reset();
        EXPECT_TRUE(is_poisoned_throughout(before, 20000));
        EXPECT_TRUE(is_poisoned_throughout(own, 1000));
        EXPECT_TRUE(is_poisoned_throughout(raw, 100));
        EXPECT_TRUE(has_pattern(view, 1));
        auto* const next = arena.allocate(1000);
        std::memset(next, 0xff, 1000);
      },
      [&] {
        auto* const next = arena.allocate(1000);
        std::memset(next, 0xff, 1000);
        EXPECT_TRUE(has_pattern(view, 1));
      });
}

TYPED_TEST(poison_threads, memory_is_usable_while_others_reset_and_rewind) {
  auto& arena = *this->m_arena;
  EXPECT_TRUE(at_once(4, [&](int t) {
    KokkosArena::ArenaScope const scope(arena);
    for (std::size_t i = 0; i < 300; ++i) {
      auto const n = 1 + i * 37 % 400;
      typename TestFixture::view_type const view("v", n);
      fill_pattern(view, i);
      if (t == 0 && i % 10 == 0) arena.reset();
      if (t == 1 && i % 10 == 0) arena.rewind(arena.mark());
      if (!has_pattern(view, i)) return false;
    }
    return true;
  }));
}

class poison_mock : public Poison {};

TEST_F(poison_mock, memory_that_the_host_cant_access_is_left_alone) {
  KokkosArena::Arena<CountingSpace, KokkosArena::Locked> real;
  auto* const p = real.allocate(100);
  real.deallocate(p);
  EXPECT_TRUE(is_usable_throughout(p, 100));

  KokkosArena::Arena<MadeUpSpace, KokkosArena::ThreadCached> made_up;
  made_up.deallocate(made_up.allocate(100));
  made_up.allocate(100);
  made_up.reset();
}

}  // namespace
