// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the exceptions say, and that they leave the arena as it was.
#include <KokkosArena_TestConfig.hpp>

#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;

using View = Kokkos::View<char*, Scoped>;

/// What f throws when it throws an E; anything else fails the test.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (E const& e) {
    return e.what();
  } catch (std::exception const& e) {
    ADD_FAILURE() << "another exception: " << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no exception";
  return "";
}

#define EXPECT_CONTAINS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << (text)
#define EXPECT_CONTAINS_NOT(text, part) \
  EXPECT_EQ((text).find(part), std::string::npos) << (text)

ArenaOptions fixed_options(std::size_t bytes) {
  ArenaOptions options;
  options.label         = "small";
  options.initial_bytes = bytes;
  options.maximum_bytes = bytes;
  return options;
}

// ------------------------------------------------------------- ArenaExhausted

TEST(arena_exhausted, is_a_bad_alloc_that_copies_without_throwing) {
  static_assert(std::is_base_of_v<std::bad_alloc, ArenaExhausted>);
  static_assert(std::is_nothrow_copy_constructible_v<ArenaExhausted>);
  ArenaExhausted const error("the message");
  auto const copy = error;
  EXPECT_STREQ(copy.what(), "the message");
  std::bad_alloc const& base = error;
  EXPECT_STREQ(base.what(), "the message");
}

template <class C>
struct arena_exhausted_of : ::testing::Test {
  using Tested = typename C::template arena_type<Host>;
};
TYPED_TEST_SUITE(arena_exhausted_of, Fixed, ConfigName);

TYPED_TEST(arena_exhausted_of, is_caught_as_what_host_space_throws_is) {
  typename TypeParam::template arena_type<Host> arena(TypeParam::options(1024));
  // Kokkos throws a std::runtime_error, which a bad_alloc can't be as well.
  auto const falls_back = [](auto const& make) {
    try {
      make();
    } catch (std::exception const&) {
      return true;
    }
    return false;
  };
  if (!is_sanitized) {  // They end the program.
    EXPECT_TRUE(falls_back([] {
      Kokkos::View<char*, Host> const host("host", std::size_t(1) << 60);
    }));
  }
  ArenaScope const scope(arena);
  EXPECT_TRUE(falls_back([] { View const view("view", 4096); }));
  EXPECT_THROW(View("view", 4096), std::bad_alloc);
}

TYPED_TEST(arena_exhausted_of, names_view_arena_bytes_and_remedy) {
  typename TestFixture::Tested arena(fixed_options(8192));
  ArenaScope const scope(arena);
  arena.allocate(1000);
  // Checked memory is apart from what the arena allocates itself.
  View const held(is_checked ? View("held", 1000 - 128) : View());
  auto const before = figures(arena.statistics());
  auto const message =
      message_of<ArenaExhausted>([] { View const view("velocity", 1000000); });
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_CONTAINS(message, "arena \"small\"");
  EXPECT_CONTAINS(message, "View \"velocity\"");
  // A View takes somewhat more than its data.
  auto const asked = std::stoull(message.substr(message.find("give ") + 5));
  EXPECT_GE(asked, 1000000u);
  EXPECT_LE(asked, 1001024u);
  EXPECT_CONTAINS(message, is_checked ? ": 1024 bytes are used"
                                      : "1024 of its 8192 bytes are used");
  EXPECT_CONTAINS(message, "7168 are available");
  EXPECT_CONTAINS(message, "maximum is 8192");
  EXPECT_CONTAINS(message, "larger maximum_bytes");
  EXPECT_CONTAINS(message, "reset it more often");
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TYPED_TEST(arena_exhausted_of, names_no_view_when_raw_bytes_were_asked_for) {
  typename TestFixture::Tested arena(fixed_options(8192));
  arena.allocate(64);
  auto const message =
      message_of<ArenaExhausted>([&] { arena.allocate(1000000); });
  EXPECT_CONTAINS(message, "arena \"small\"");
  EXPECT_CONTAINS(message, "give 1000000 bytes:");
  EXPECT_CONTAINS(message, "64 of its 8192 bytes are used");
  EXPECT_CONTAINS(message, "8128 are available");
  EXPECT_CONTAINS(message, "larger maximum_bytes");
  EXPECT_CONTAINS_NOT(message, "for View");
}

TYPED_TEST(arena_exhausted_of, leaves_every_figure_and_the_next_one_works) {
  typename TestFixture::Tested arena(fixed_options(64 * 1024));
  ArenaScope const scope(arena);
  View const kept("kept", 1000);
  Kokkos::deep_copy(kept, 'k');
  arena.deallocate(arena.allocate(10000));
  auto const before = figures(arena.statistics());

  // By each way in which memory can be asked for.
  using KokkosArena::make_view;
  EXPECT_THROW(View("constructor", 100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(make_view<View>("make_view", 100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(KokkosArena::similar(kept, 100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(Scoped().allocate("space", 100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(Kokkos::kokkos_malloc<Scoped>("malloc", 100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(arena.allocate(100000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(arena.allocate(1, std::size_t(1) << 40), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_THROW(arena.allocate(std::numeric_limits<std::size_t>::max()),
               ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);

  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(kept(i), 'k');
  View const next("next", 10000);
  EXPECT_EQ(arena.statistics().live_allocations, 2u);
  EXPECT_EQ(arena.statistics().upstream_allocations,
            blocks_with_views<TypeParam>());
}

TYPED_TEST(arena_exhausted_of, leaves_the_old_view_when_resize_throws) {
  typename TestFixture::Tested arena(fixed_options(64 * 1024));
  ArenaScope const scope(arena);
  View view("view", 1000);
  Kokkos::deep_copy(view, 'v');
  auto const before = figures(arena.statistics());
  auto const message =
      message_of<ArenaExhausted>([&] { Kokkos::resize(view, 100000); });
  EXPECT_CONTAINS(message, "View \"view\"");
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_EQ(view.extent(0), 1000u);
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(view(i), 'v');
}

TYPED_TEST(arena_exhausted_of, ends_no_elements_that_were_not_made) {
  struct Counting {
    Counting() { ++count(); }
    ~Counting() { --count(); }
    static int& count() {
      static int instances = 0;
      return instances;
    }
  };
  typename TestFixture::Tested arena(fixed_options(4096));
  ArenaScope const scope(arena);
  using Elements = Kokkos::View<Counting*, Scoped>;
  View const used("used", 64);
  EXPECT_THROW(Elements("too many", 100000), ArenaExhausted);
  EXPECT_EQ(Counting::count(), 0);
  {
    Elements const some("some", 10);
    EXPECT_EQ(Counting::count(), 10);
  }
  EXPECT_EQ(Counting::count(), 0);
}

TYPED_TEST(arena_exhausted_of, says_that_survivors_hold_memory) {
  typename TestFixture::Tested arena(fixed_options(8192));
  View view;
  {
    ArenaScope const scope(arena);
    view = View("survivor", 1000);
  }
  arena.reset();
  if constexpr (is_checked) {
    ArenaScope const scope(arena);
    auto const message = message_of<ArenaExhausted>(
        [] { View const too_large("too large", 8192); });
    EXPECT_CONTAINS(message, ": 0 bytes are used, 8192 are available");
    View const next("next", 8192 - 128);
    return;
  }
  auto const used   = arena.statistics().used_bytes;
  auto const before = figures(arena.statistics());
  auto const message =
      message_of<ArenaExhausted>([&] { arena.allocate(8192); });
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_GE(used, 1000u);
  EXPECT_CONTAINS(message, std::to_string(used) + " of its 8192 bytes");
}

TEST(arena_exhausted, names_labels_of_any_length) {
  auto options  = fixed_options(4096);
  options.label = std::string(300, 'a');
  Arena<Host> arena(options);
  ArenaScope const scope(arena);
  std::string const label(300, 'v');
  auto const message =
      message_of<ArenaExhausted>([&] { View const view(label, 10000); });
  EXPECT_CONTAINS(message, '"' + options.label + '"');
  EXPECT_CONTAINS(message, '"' + label + '"');
}

TEST(arena_exhausted, asks_to_check_the_extents_when_an_arena_grows) {
  ArenaOptions options;
  options.label = "growing";
  Arena<Host> arena(options);
  arena.allocate(1);
  auto const before  = figures(arena.statistics());
  auto const message = message_of<ArenaExhausted>(
      [&] { arena.allocate(std::numeric_limits<std::size_t>::max()); });
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_CONTAINS(message, "arena \"growing\"");
  EXPECT_CONTAINS(message, "give 18446744073709551615 bytes");
  EXPECT_CONTAINS(message, "Check the extents");
  EXPECT_CONTAINS_NOT(message, "maximum_bytes");
}

struct upstream_failure : WithUpstream<CountingSpace> {
  using Space = KokkosArenaTest::ArenaSpace<CountingSpace>;
};

TEST_F(upstream_failure, is_named_with_its_remedy_and_leaves_every_figure) {
  ArenaOptions options;
  options.label = "growing";
  Arena<CountingSpace> arena(options);
  arena.allocate(100);
  Space const space(arena);
  void* const kept                = space.allocate("kept", 100);
  CountingSpace::log().fail_above = 0;
  auto const before               = figures(arena.statistics());
  auto const message =
      message_of<ArenaExhausted>([&] { space.allocate("velocity", 10000000); });
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_CONTAINS(message, "arena \"growing\"");
  EXPECT_CONTAINS(message, "View \"velocity\"");
  EXPECT_CONTAINS(message, "give 10000000 bytes");
  EXPECT_CONTAINS(message, "256 of its ");
  EXPECT_CONTAINS(message, "(the mock refuses)");
  EXPECT_CONTAINS(message, "free memory");

  // What fits still works, and what does not, once the upstream recovers.
  space.deallocate("small", space.allocate("small", 100), 100);
  CountingSpace::log().fail_above = unlimited;
  void* const large               = space.allocate("velocity", 10000000);
  EXPECT_EQ(arena.statistics().live_allocations, 2u);
  space.deallocate("velocity", large, 10000000);
  space.deallocate("kept", kept, 100);
}

TEST_F(upstream_failure, throws_from_the_constructor_of_a_fixed_arena) {
  CountingSpace::log().fail_above = 1000;
  auto const message              = message_of<ArenaExhausted>(
      [] { Arena<CountingSpace> const arena(fixed_options(10048)); });
  EXPECT_CONTAINS(message, "arena \"small\"");
  EXPECT_CONTAINS(message, "give 10048 bytes");
  EXPECT_CONTAINS(message, "(the mock refuses)");
  EXPECT_EQ(CountingSpace::log().allocations, 0u);
}

TEST_F(upstream_failure, settles_for_what_is_needed_when_more_is_refused) {
  Arena<CountingSpace> arena;
  arena.allocate(500000);
  CountingSpace::log().fail_above = 200000;
  EXPECT_NE(arena.allocate(150000), nullptr);
  EXPECT_EQ(arena.statistics().blocks, 2u);
}

// -------------------------------------------------------------------- options

TEST(arena_options, names_the_arena_when_maximum_is_zero) {
  auto const message = message_of<std::invalid_argument>(
      [] { Arena<Host> const arena(fixed_options(0)); });
  EXPECT_CONTAINS(message, "arena \"small\"");
  EXPECT_CONTAINS(message, "maximum_bytes is 0");
  EXPECT_THROW(Arena<Host>(0), std::invalid_argument);
}

TEST(arena_options, names_both_figures_when_initial_exceeds_maximum) {
  auto options          = fixed_options(1000);
  options.initial_bytes = 2000;
  auto const message    = message_of<std::invalid_argument>(
      [&] { Arena<Host> const arena(options); });
  EXPECT_CONTAINS(message, "arena \"small\"");
  EXPECT_CONTAINS(message, "initial_bytes (2000)");
  EXPECT_CONTAINS(message, "maximum_bytes (1000)");
  EXPECT_CONTAINS(message, "raise maximum_bytes");
}

TEST(arena_options, names_the_least_when_history_is_zero) {
  ArenaOptions options;
  options.label          = "forgetful";
  options.history_length = 0;
  auto const message     = message_of<std::invalid_argument>(
      [&] { Arena<Host> const arena(options); });
  EXPECT_CONTAINS(message, "arena \"forgetful\"");
  EXPECT_CONTAINS(message, "history_length is 0");
  EXPECT_CONTAINS(message, "at least 1");
}

TEST(arena_options, take_the_least_and_the_largest_values) {
  ArenaOptions options;
  options.history_length = 1;
  options.maximum_bytes  = 1;
  Arena<Host> arena(options);
  EXPECT_NE(arena.allocate(1), nullptr);
  EXPECT_THROW(arena.allocate(65), ArenaExhausted);
  EXPECT_THROW(Arena<Host>(std::numeric_limits<std::size_t>::max()),
               ArenaExhausted);
}

// ------------------------------------------------------------ wrong arguments

TEST(arena, names_the_alignment_that_is_no_power_of_two) {
  Arena<Host> arena;
  arena.allocate(1);
  auto const before = figures(arena.statistics());
  for (std::size_t const alignment : {0, 3, 48, 100, 4097}) {
    auto const message = message_of<std::invalid_argument>(
        [&] { arena.allocate(64, alignment); });
    EXPECT_CONTAINS(message, "alignment " + std::to_string(alignment) + " ");
    EXPECT_CONTAINS(message, "power of two");
  }
  EXPECT_EQ(figures(arena.statistics()), before);
}

TEST(arena, names_itself_when_given_back_a_foreign_pointer) {
  ArenaOptions options;
  options.label = "mine";
  Arena<Host> arena(options), other;
  void* const kept = arena.allocate(100);
  ArenaScope const scope(arena);
  View const view("view", 100);
  int local = 0;
  void* gone;
  {
    KokkosArena::ArenaFrame const frame(arena);
    gone = arena.allocate(100);
  }
  auto const before = figures(arena.statistics());
  for (void* const pointer :
       {static_cast<void*>(&local), other.allocate(100),
        static_cast<void*>(view.data()),
        static_cast<void*>(static_cast<char*>(kept) + 1), gone}) {
    auto const message =
        message_of<std::invalid_argument>([&] { arena.deallocate(pointer); });
    EXPECT_CONTAINS(message, "arena \"mine\"");
    EXPECT_CONTAINS(message, "at most once");
  }
  EXPECT_EQ(figures(arena.statistics()), before);

  arena.deallocate(kept);
  EXPECT_THROW(arena.deallocate(kept), std::invalid_argument);
  arena.deallocate(nullptr);
}

TEST(arena, names_itself_when_rewound_to_a_foreign_mark) {
  ArenaOptions options;
  options.label = "mine";
  Arena<Host> arena(options), other;
  auto const mark = other.mark();
  arena.allocate(100);
  auto const before = figures(arena.statistics());
  auto const message =
      message_of<std::invalid_argument>([&] { arena.rewind(mark); });
  EXPECT_CONTAINS(message, "arena \"mine\"");
  EXPECT_CONTAINS(message, "mark of another arena");
  EXPECT_EQ(figures(arena.statistics()), before);
  other.rewind(mark);
}

TEST(arena_exhausted, keeps_the_empty_block_of_a_fixed_arena) {
  Arena<Host> arena(4096);
  auto const before = figures(arena.statistics());
  EXPECT_THROW(arena.allocate(10000), ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  arena.allocate(100);
  EXPECT_EQ(arena.statistics().upstream_allocations, 1u);
}

}  // namespace
