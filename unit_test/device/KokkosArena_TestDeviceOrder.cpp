// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory is used again in the order of the arena's instance: what the host
// drops while kernels still use it, what arenas on two instances do side by
// side, what is handed from one instance to the other, and growth while kernels
// run.
#include <KokkosArena_TestDevice.hpp>
#include <KokkosArena_TestTools.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::similar;

template <class M>
using Numbers = ArenaView<std::uint64_t*, M>;

/// \brief A program's temporaries in an arena and on an instance of its own:
/// they come and go on the host, which never waits for the kernels that fill
/// and read them.
template <class M>
class Churn {
 public:
  Churn(Backend const& instance, std::uint64_t seed, ErrorCount const& errors)
      : m_instance(instance),
        m_arena(instance, M::options("churned")),
        m_random(seed),
        m_seed(seed << 32),
        m_errors(errors) {}

  void step() {
    make_one();
    auto const left = m_random.below(6);
    while (m_alive.size() > left) drop_one();
    auto const what = m_random.below(200);
    if (what < 4) m_arena.reset();
    if (what == 4) m_arena.release();
  }
  void end() {
    while (!m_alive.empty()) drop_one();
  }

 private:
  struct Temporary {
    Numbers<M> view;
    std::uint64_t seed;
  };

  void make_one() {
    ArenaScope const scope(m_arena);
    auto const n   = 1 + m_random.below(8000);
    auto const way = m_random.below(3);
    Temporary one{way == 0 ? Numbers<M>("initialised", n)
                  : way == 1 || m_alive.empty()
                      ? make_view<Numbers<M>>("made", n)
                      : similar(m_alive.back().view, n),
                  ++m_seed};
    if (way == 0) {
      check_bytes(m_instance, one.view.data(), n * 8, 0, m_errors);
    }
    write_pattern(m_instance, one.view, one.seed);
    m_alive.push_back(one);
  }
  /// Any of them, while its slow reader has yet to begin.
  void drop_one() {
    auto const one = m_alive.begin() + static_cast<std::ptrdiff_t>(
                                           m_random.below(m_alive.size()));
    check_pattern(m_instance, one->view, one->seed, m_errors, 8);
    m_alive.erase(one);
  }

  Backend m_instance;
  typename M::arena_type m_arena;
  Random m_random;
  std::uint64_t m_seed;
  ErrorCount m_errors;
  std::vector<Temporary> m_alive;
};

/// The host is slower where the making of a View waits.
template <class M>
int steps() {
  return repetitions(M::is_for_host ? 2000 : 10'000);
}

template <class M>
struct device_order : ::testing::Test {
  ErrorCount m_errors;
};
TYPED_TEST_SUITE(device_order, AllMemory, MemoryName);

TYPED_TEST(device_order, kernels_may_use_what_the_host_has_dropped) {
  Churn<TypeParam> program(new_instance(), 1, this->m_errors);
  for (int i = 0; i < steps<TypeParam>(); ++i) program.step();
  program.end();
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_order, default_instance_does_as_well) {
  Churn<TypeParam> program(Backend(), 2, this->m_errors);
  for (int i = 0; i < steps<TypeParam>() / 5; ++i) program.step();
  program.end();
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_order, arenas_of_two_instances_work_side_by_side) {
  Churn<TypeParam> one(new_instance(), 3, this->m_errors);
  Churn<TypeParam> two(new_instance(), 4, this->m_errors);
  for (int i = 0; i < steps<TypeParam>() / 4; ++i) {
    one.step();
    two.step();
  }
  one.end();
  two.end();
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_order, arenas_of_two_threads_work_side_by_side) {
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 2; ++t) {
    threads.emplace_back(
        [t, instance = new_instance(), errors = this->m_errors] {
          try {
            Churn<TypeParam> program(instance, t + 5, errors);
            for (int i = 0; i < steps<TypeParam>() / 4; ++i) program.step();
            program.end();
          } catch (std::exception const& e) {
            ADD_FAILURE() << "thread " << t << ": " << e.what();
          }
        });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_order, untracked_memory_is_in_order_too) {
  auto const instance = new_instance();
  typename TypeParam::arena_type arena(instance, TypeParam::options("raw"));
  Random random(7);
  auto const rounds = static_cast<std::uint64_t>(repetitions(2000));
  for (std::uint64_t i = 0; i < rounds; ++i) {
    auto const mark   = arena.mark();
    auto const n      = 1 + random.below(8000);
    auto* const first = static_cast<std::uint64_t*>(arena.allocate(n * 8));
    write_pattern(instance, first, n, i);
    check_pattern(instance, first, n, i, this->m_errors, 4);
    arena.deallocate(first);
    auto* const next = static_cast<std::uint64_t*>(arena.allocate(n * 8));
    write_pattern(instance, next, n, i + 5000);
    check_pattern(instance, next, n, i + 5000, this->m_errors, 4);
    if (i % 3 == 0) arena.rewind(mark);
    if (i % 5 == 0) arena.reset();
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// From one instance to the other. Memory that the host shares is left out: the
// making of its Views waits, for which a gate is no place.

template <class M>
struct device_hand_over : ::testing::Test {
  using View                     = Numbers<M>;
  static constexpr std::size_t n = 20'000;

  /// What has happened with the gate held; before that, all happens once with
  /// the gate open.
  template <class F>
  static void twice(F const& f) {
    f(false);
    f(true);
  }

  Backend m_own   = new_instance();  ///< The arena's.
  Backend m_other = new_instance();
  typename M::arena_type m_arena{m_own, M::options("handed over", 8 * MiB)};
  ErrorCount m_errors;
  Gate m_gate;
};
TYPED_TEST_SUITE(device_hand_over, DeviceMemory, MemoryName);

constexpr char const* not_at_once =
    "this device didn't run the two instances at the same time";

TYPED_TEST(device_hand_over, other_instance_waits_for_the_arenas) {
  using View = typename TestFixture::View;
  TestFixture::twice([&](bool held) {
    ArenaScope const scope(this->m_arena);
    auto const view = make_view<View>("view", this->n);
    write_pattern(this->m_own, view, 1);
    this->m_own.fence();
    if (held) this->m_gate.hold(this->m_own);
    write_pattern(this->m_own, view, 2);
    KokkosArena::wait_for(this->m_other, this->m_own);
    check_pattern(this->m_other, view, 2, this->m_errors);
    this->m_gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(this->m_gate.was_opened());
  });
}

TYPED_TEST(device_hand_over, without_waiting_the_other_sees_what_was_before) {
  using View   = typename TestFixture::View;
  bool at_once = true;
  TestFixture::twice([&](bool held) {
    ArenaScope const scope(this->m_arena);
    ErrorCount const errors;
    auto const view = make_view<View>("view", this->n);
    write_pattern(this->m_own, view, 1);
    this->m_own.fence();
    if (held) this->m_gate.hold(this->m_own);
    write_pattern(this->m_own, view, 2);
    check_pattern(this->m_other, view, 2, errors);
    if (held) this->m_other.fence();
    this->m_gate.open();
    auto const found = errors.read();
    if (held) at_once = this->m_gate.was_opened();
    // A kernel that doesn't wait errs in all but those that agree by chance.
    if (held && at_once) {
      EXPECT_GT(found, this->n * 9 / 10);
    }
  });
  if (!at_once) GTEST_SKIP() << not_at_once;
}

TYPED_TEST(device_hand_over, arena_waits_for_the_other_that_was_named) {
  using View = typename TestFixture::View;
  TestFixture::twice([&](bool held) {
    ArenaScope const scope(this->m_arena);
    void const* before = nullptr;
    {
      auto const view = make_view<View>("view", this->n);
      before          = view.data();
      write_pattern(this->m_own, view, 1);
      KokkosArena::wait_for(this->m_other, this->m_own);
      if (held) this->m_gate.hold(this->m_other);
      check_pattern(this->m_other, view, 1, this->m_errors);
      this->m_arena.wait_for(this->m_other);
    }
    auto const next = make_view<View>("next", this->n);
    EXPECT_EQ(next.data(), before);
    write_pattern(this->m_own, next, 2);
    check_pattern(this->m_own, next, 2, this->m_errors);
    this->m_gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(this->m_gate.was_opened());
  });
}

TYPED_TEST(device_hand_over, without_a_name_the_other_sees_what_comes_after) {
  using View   = typename TestFixture::View;
  bool at_once = true;
  TestFixture::twice([&](bool held) {
    ArenaScope const scope(this->m_arena);
    ErrorCount const errors;
    {
      auto const view = make_view<View>("view", this->n);
      write_pattern(this->m_own, view, 1);
      KokkosArena::wait_for(this->m_other, this->m_own);
      if (held) this->m_gate.hold(this->m_other);
      check_pattern(this->m_other, view, 1, errors);
    }
    auto const next = make_view<View>("next", this->n);
    if (!held) this->m_other.fence();
    write_pattern(this->m_own, next, 2);
    this->m_own.fence();
    this->m_gate.open();
    auto const found = errors.read();
    if (held) at_once = this->m_gate.was_opened();
    if (held && at_once) {
      EXPECT_GT(found, this->n * 9 / 10);
    }
  });
  if (!at_once) GTEST_SKIP() << not_at_once;
}

TYPED_TEST(device_hand_over, reset_waits_for_the_instance_that_it_names) {
  using View = typename TestFixture::View;
  TestFixture::twice([&](bool held) {
    void const* before = nullptr;
    {
      ArenaScope const scope(this->m_arena);
      auto const view = make_view<View>("view", this->n);
      before          = view.data();
      write_pattern(this->m_own, view, 1);
      KokkosArena::wait_for(this->m_other, this->m_own);
      if (held) this->m_gate.hold(this->m_other);
      check_pattern(this->m_other, view, 1, this->m_errors);
    }
    this->m_arena.reset(this->m_other);
    ArenaScope const scope(this->m_arena);
    auto const next = make_view<View>("next", this->n);
    EXPECT_EQ(next.data(), before);
    write_pattern(this->m_own, next, 2);
    check_pattern(this->m_own, next, 2, this->m_errors);
    this->m_gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(this->m_gate.was_opened());
  });
}

TYPED_TEST(device_hand_over,
           initialisation_by_another_instance_waits_for_the_arenas) {
  using View = typename TestFixture::View;
  TestFixture::twice([&](bool held) {
    ArenaScope const scope(this->m_arena);
    if (held) this->m_gate.hold(this->m_own);
    dirty_on_device(this->m_arena, MiB);
    View const view(Kokkos::view_alloc(this->m_other, "view"), this->n);
    check_bytes(this->m_other, view.data(), this->n * 8, 0, this->m_errors);
    this->m_gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(this->m_gate.was_opened());
    check_bytes(this->m_other, view.data(), this->n * 8, 0, this->m_errors);
    EXPECT_EQ(this->m_errors.read(), 0u);
  });
}

TYPED_TEST(device_hand_over, goes_to_and_fro) {
  using View = typename TestFixture::View;
  typename TypeParam::arena_type others(this->m_other,
                                        TypeParam::options("the other's"));
  auto const rounds = static_cast<std::uint64_t>(repetitions(500));
  for (std::uint64_t i = 0; i < rounds; ++i) {
    auto const own = [&] {
      ArenaScope const scope(this->m_arena);
      return make_view<View>("own", 1000 + i * 10);
    }();
    write_pattern(this->m_own, own, i);
    KokkosArena::wait_for(this->m_other, this->m_own);
    if (i % 3 == 0) keep_busy(this->m_other, 500, this->m_errors);
    check_pattern(this->m_other, own, i, this->m_errors);
    write_pattern(this->m_other, own, i + 1000);
    {
      ArenaScope const scope(others);
      View const temporary("temporary", 5000);
      write_pattern(this->m_other, temporary, i + 2000);
      check_pattern(this->m_other, temporary, i + 2000, this->m_errors);
      this->m_arena.wait_for(this->m_other);
      // What is the other's is read here, too.
      check_pattern(this->m_own, temporary, i + 2000, this->m_errors);
      others.wait_for(this->m_own);
    }
    if (i % 4 == 0) keep_busy(this->m_own, 500, this->m_errors);
    check_pattern(this->m_own, own, i + 1000, this->m_errors);
    if (i % 7 == 0) others.reset(this->m_own);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_hand_over, instance_may_wait_for_itself_and_for_the_host) {
  Kokkos::DefaultHostExecutionSpace const host;
  this->m_gate.hold(this->m_own);
  KokkosArena::wait_for(this->m_own, this->m_own);
  this->m_arena.wait_for(this->m_own);
  KokkosArena::wait_for(this->m_own, host);
  this->m_arena.wait_for(host);
  this->m_gate.open();
  this->m_own.fence();
  EXPECT_TRUE(this->m_gate.was_opened());
  // The host's kernels begin at once: what they wait for has to have ended.
  keep_busy(this->m_own, 20'000, this->m_errors);
  write_pattern(this->m_own,
                static_cast<std::uint64_t*>(this->m_arena.allocate(8000)), 1000,
                1);
  KokkosArena::wait_for(host, this->m_own);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// The host waits for nothing.

TYPED_TEST(device_hand_over,
           temporaries_come_and_go_while_the_instance_is_held) {
  using View = typename TestFixture::View;
  TestFixture::twice([&](bool held) {
    if (held) this->m_gate.hold(this->m_own);
    ToolsObserver const tools;
    for (std::uint64_t cycle = 0; cycle < 5; ++cycle) {
      {
        ArenaScope const scope(this->m_arena);
        auto const made = make_view<View>("made", this->n);
        View const initialised("initialised", this->n);
        check_bytes(this->m_own, initialised.data(), this->n * 8, 0,
                    this->m_errors);
        auto const alike = similar(made);
        View const bare(Kokkos::view_alloc("bare", Kokkos::WithoutInitializing),
                        this->n);
        std::uint64_t seed = cycle * 10;
        for (auto const& view : {made, initialised, alike, bare}) {
          write_pattern(this->m_own, view, ++seed);
        }
        seed = cycle * 10;
        for (auto const& view : {made, initialised, alike, bare}) {
          check_pattern(this->m_own, view, ++seed, this->m_errors);
        }
      }
      this->m_arena.reset();
    }
    EXPECT_EQ(tools.fences().size(), 0u);
    this->m_gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(this->m_gate.was_opened());
  });
}

// Growth.

template <class M>
struct device_growth : device_order<M> {};
TYPED_TEST_SUITE(device_growth, AllMemory, MemoryName);

TYPED_TEST(device_growth, contents_stay_while_the_arena_grows_under_kernels) {
  using View          = Numbers<TypeParam>;
  auto const instance = new_instance();
  for (int round = 0; round < 3; ++round) {
    typename TypeParam::arena_type arena(instance,
                                         TypeParam::options("growing"));
    ArenaScope const scope(arena);
    std::vector<View> views;
    for (std::uint64_t i = 0; i < 18; ++i) {
      // Of a size for which each is too small that has been there before.
      auto const n = std::size_t(1000) << (i / 2);
      keep_busy(instance, 2'000, this->m_errors);
      views.push_back(i % 2 ? View("view", n) : make_view<View>("view", n));
      if (i % 2) {
        check_bytes(instance, views.back().data(), n * 8, 0, this->m_errors);
      }
      write_pattern(instance, views.back(), i);
      for (std::uint64_t k = 0; k <= i; ++k) {
        check_pattern(instance, views[k], k, this->m_errors);
      }
    }
    EXPECT_GT(arena.statistics().blocks, 3u);
    views.clear();
    arena.reset();
    // What the next cycle gets may be what was given back.
    View const next("next", 200'000);
    check_bytes(instance, next.data(), 1'600'000, 0, this->m_errors);
    write_pattern(instance, next, 99);
    check_pattern(instance, next, 99, this->m_errors);
    EXPECT_EQ(this->m_errors.read(), 0u);
  }
}

TYPED_TEST(device_growth, each_cycle_may_be_larger_than_the_last) {
  using View          = Numbers<TypeParam>;
  auto const instance = new_instance();
  typename TypeParam::arena_type arena(instance, TypeParam::options("growing"));
  for (std::uint64_t cycle = 0; cycle < 40; ++cycle) {
    {
      ArenaScope const scope(arena);
      for (std::uint64_t i = 0; i < 4; ++i) {
        auto const view =
            make_view<View>("view", (i + 1) * 1000 + cycle * cycle * 100);
        write_pattern(instance, view, cycle * 10 + i);
        check_pattern(instance, view, cycle * 10 + i, this->m_errors, 8);
      }
    }
    arena.reset();
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

template <class M>
struct device_growth_unfenced : device_order<M> {};
TYPED_TEST_SUITE(device_growth_unfenced, DeviceMemory, MemoryName);

/// Blocks that tools have seen come (or go).
std::size_t blocks(ToolsObserver const& tools, bool come) {
  auto const events = tools.events_labelled("KokkosArena::block");
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(),
                    [&](auto const& e) { return e.is_allocation == come; }));
}

TYPED_TEST(device_growth_unfenced, arena_grows_without_a_fence) {
  using View          = Numbers<TypeParam>;
  auto const instance = new_instance();
  for (int round = 0; round < 3; ++round) {
    typename TypeParam::arena_type arena(instance,
                                         TypeParam::options("growing"));
    ArenaScope const scope(arena);
    auto const old = make_view<View>("old", 5000);
    write_pattern(instance, old, 1);
    ToolsObserver const tools;
    keep_busy(instance, 50'000, this->m_errors);
    check_pattern(instance, old, 1, this->m_errors);
    auto const large = make_view<View>("large", 1'000'000);
    EXPECT_EQ(blocks(tools, true), 1u);
    write_pattern(instance, large, 2);
    View const larger("larger", 5'000'000);
    EXPECT_EQ(blocks(tools, true), 2u);
    check_bytes(instance, larger.data(), 40'000'000, 0, this->m_errors);
    check_pattern(instance, large, 2, this->m_errors);
    check_pattern(instance, old, 1, this->m_errors);
    EXPECT_EQ(tools.fences().size(), 0u);
    EXPECT_EQ(this->m_errors.read(), 0u);
  }
}

TYPED_TEST(device_growth_unfenced,
           blocks_go_back_when_their_kernels_have_ended) {
  using View          = Numbers<TypeParam>;
  auto const instance = new_instance();
  Gate gate;
  for (bool const held : {false, true}) {
    typename TypeParam::arena_type arena(instance,
                                         TypeParam::options("returned"));
    std::optional<View> small;
    std::optional<View> large;
    {
      ArenaScope const scope(arena);
      small.emplace("small", 5000);
      large.emplace("large", 100'000);
    }
    write_pattern(instance, *small, 1);
    write_pattern(instance, *large, 2);
    ASSERT_EQ(arena.statistics().blocks, 2u);
    instance.fence();
    if (held) gate.hold(instance);
    check_pattern(instance, *small, 1, this->m_errors);
    check_pattern(instance, *large, 2, this->m_errors);
    ToolsObserver tools;
    small.reset();
    large.reset();
    arena.reset();
    EXPECT_EQ(tools.fences().size(), 0u);
    EXPECT_EQ(arena.statistics().blocks, 0u);
    if (held && !TypeParam::is_stream_ordered) {
      EXPECT_EQ(blocks(tools, false), 0u);
    }
    gate.open();
    EXPECT_EQ(this->m_errors.read(), 0u);
    EXPECT_TRUE(gate.was_opened());
    tools.forget();
    arena.reset();
    if (held && !TypeParam::is_stream_ordered) {
      EXPECT_EQ(blocks(tools, false), 2u);
    }
  }
}

}  // namespace
