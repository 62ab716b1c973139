// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CheckedSpace on a GPU: what escapes a reset is reported, and a kernel that
// uses what was dropped aborts with a message. Valid accesses raise no alarm.
#include <KokkosArena_ChildProcess.hpp>
#include <KokkosArena_TestDevice.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaScope;
using KokkosArena::CheckedSpace;
using KokkosArena::EscapedViews;
using KokkosArena::EscapePolicy;
using KokkosArena::make_view;
using KokkosArena::similar;

template <class MemorySpace>
using CheckedDevice = Kokkos::Device<Backend, CheckedSpace<MemorySpace>>;
template <class MemorySpace>
using CheckedNumbers =
    Kokkos::View<std::uint64_t*, typename Backend::array_layout,
                 CheckedDevice<MemorySpace>>;

// Element by element, by the View's own access: that is what is checked.

template <class V>
void write_each(Backend const& instance, V const& view, std::uint64_t seed) {
  Kokkos::parallel_for(
      "write_each", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        view(i) = pattern<std::uint64_t>(seed, i);
      });
}
template <class V>
void check_each(Backend const& instance, V const& view, std::uint64_t seed,
                ErrorCount const& errors) {
  Kokkos::parallel_for(
      "check_each", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        if (view(i) != pattern<std::uint64_t>(seed, i)) errors.add();
      });
}
template <class V>
void add_all(Backend const& instance, V const& target, V const& source) {
  Kokkos::parallel_for(
      "add_all", range(instance, target.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        for (std::size_t j = 0; j < target.extent(1); ++j) {
          target(i, j) += source(i, j);
        }
      });
}

template <class MemorySpace>
struct device_checked : ::testing::Test {
  using View         = CheckedNumbers<MemorySpace>;
  Backend m_instance = new_instance();
  typename Memory<MemorySpace>::arena_type m_arena{m_instance,
                                                   labelled("checked arena")};
  ErrorCount m_errors;
};
struct SpaceName {
  template <class MemorySpace>
  static std::string GetName(int i) {
    return MemoryName::GetName<Memory<MemorySpace>>(i);
  }
};
using Spaces = ::testing::Types<DeviceSpace, UvmSpace, PinnedSpace>;
TYPED_TEST_SUITE(device_checked, Spaces, SpaceName);

TYPED_TEST(device_checked, escapes_are_reported_with_labels_and_bytes) {
  using View = typename TestFixture::View;
  std::optional<View> small;
  std::optional<View> large;
  {
    ArenaScope const scope(this->m_arena);
    small.emplace("the small one", 100);
    large.emplace("the large one", 5000);
    View const within("within", 1000);
    write_each(this->m_instance, *small, 1);
    write_each(this->m_instance, *large, 2);
  }
  this->m_arena.reset();
  auto const escapes = this->m_arena.escapes();
  ASSERT_EQ(escapes.size(), 2u);
  EXPECT_EQ(escapes[0].label, "the large one");
  EXPECT_EQ(escapes[0].bytes, 40'000u);
  EXPECT_EQ(escapes[1].label, "the small one");
  EXPECT_EQ(escapes[1].bytes, 800u);
  EXPECT_EQ(this->m_arena.statistics().escaped_views, 2u);
  // Their end is safe, and what comes next is as good as before.
  small.reset();
  large.reset();
  {
    ArenaScope const scope(this->m_arena);
    View const next("next", 5000);
    write_each(this->m_instance, next, 3);
    check_each(this->m_instance, next, 3, this->m_errors);
  }
  this->m_arena.reset();
  EXPECT_TRUE(this->m_arena.escapes().empty());
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_checked, escapes_of_a_frame_are_reported) {
  using View = typename TestFixture::View;
  std::optional<View> escaped;
  ArenaScope const scope(this->m_arena);
  View const outer("outer", 1000);
  write_each(this->m_instance, outer, 1);
  {
    ArenaFrame const frame(this->m_arena);
    escaped.emplace("of the frame", 200);
  }
  auto const escapes = this->m_arena.escapes();
  ASSERT_EQ(escapes.size(), 1u);
  EXPECT_EQ(escapes[0].label, "of the frame");
  EXPECT_EQ(escapes[0].bytes, 1600u);
  check_each(this->m_instance, outer, 1, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_checked, policy_may_throw_what_escapes) {
  using View            = typename TestFixture::View;
  auto options          = labelled("strict arena");
  options.escape_policy = EscapePolicy::throw_exception;
  typename Memory<TypeParam>::arena_type arena(this->m_instance, options);
  std::optional<View> escaped;
  {
    ArenaScope const scope(arena);
    escaped.emplace("escaped", 200);
  }
  try {
    arena.reset();
    ADD_FAILURE() << "nothing was thrown";
  } catch (EscapedViews const& e) {
    ASSERT_EQ(e.views().size(), 1u);
    EXPECT_EQ(e.views()[0].label, "escaped");
  }
  escaped.reset();
  EXPECT_NO_THROW(arena.reset());
}

TYPED_TEST(device_checked, initialised_views_are_zero) {
  using View = typename TestFixture::View;
  for (int cycle = 0; cycle < 5; ++cycle) {
    {
      ArenaScope const scope(this->m_arena);
      {
        auto const dirty = make_view<View>("dirty", 50'000);
        keep_busy(this->m_instance, 2'000, this->m_errors);
        write_each(this->m_instance, dirty, 1);
      }
      View const view("view", 50'000);
      check_bytes(this->m_instance, view.data(), 400'000, 0, this->m_errors);
      write_each(this->m_instance, view, 2);
      check_each(this->m_instance, view, 2, this->m_errors);
    }
    this->m_arena.reset();
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_checked, valid_accesses_raise_no_alarm_in_many_cycles) {
  using View         = typename TestFixture::View;
  using Matrix       = Kokkos::View<std::uint64_t**, Backend::array_layout,
                                    CheckedDevice<TypeParam>>;
  auto const in      = this->m_instance;
  std::uint64_t seed = 0;
  for (int cycle = 0; cycle < repetitions(500); ++cycle) {
    {
      ArenaScope const scope(this->m_arena);
      View const a("a", 1000);
      auto const b = similar(a);
      auto const c = make_view<View>("c", 3000 + 10 * (seed % 50));
      write_each(in, a, ++seed);
      write_each(in, b, seed + 1000);
      write_each(in, c, seed + 2000);
      {
        ArenaFrame const frame(this->m_arena);
        View const d("d", 2000);
        write_each(in, d, seed + 3000);
        check_each(in, a, seed, this->m_errors);
        check_each(in, d, seed + 3000, this->m_errors);
      }
      {
        ArenaFrame const frame(this->m_arena);
        auto const e = similar(b);
        write_each(in, e, seed + 4000);
        check_each(in, e, seed + 4000, this->m_errors);
      }
      auto const part = Kokkos::subview(c, Kokkos::make_pair(1, 1000));
      write_each(in, part, seed + 5000);
      check_each(in, part, seed + 5000, this->m_errors);
      Kokkos::View<std::uint64_t const*, CheckedDevice<TypeParam>> const
          constant = b;
      check_each(in, constant, seed + 1000, this->m_errors);
      check_each(in, a, seed, this->m_errors);
      Matrix const m("m", 50, 20);
      auto const k = similar(m);
      Kokkos::deep_copy(in, k, std::uint64_t(3));
      add_all(in, m, k);
    }
    this->m_arena.reset();
    EXPECT_TRUE(this->m_arena.escapes().empty());
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_checked, arena_serves_scoped_views_as_well) {
  using View = typename TestFixture::View;
  using Scoped =
      Kokkos::View<std::uint64_t*, typename Memory<TypeParam>::device>;
  std::optional<Scoped> survivor;
  for (std::uint64_t cycle = 0; cycle < 50; ++cycle) {
    {
      ArenaScope const scope(this->m_arena);
      View const checked("checked", 2000);
      Scoped const scoped("scoped", 2000);
      write_each(this->m_instance, checked, cycle);
      write_each(this->m_instance, scoped, cycle + 100);
      check_each(this->m_instance, checked, cycle, this->m_errors);
      check_each(this->m_instance, scoped, cycle + 100, this->m_errors);
      if (cycle == 7) survivor = scoped;
    }
    this->m_arena.reset();
    EXPECT_TRUE(this->m_arena.escapes().empty());
  }
  check_each(this->m_instance, *survivor, 107, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_checked, outside_of_a_scope_nothing_is_checked) {
  using View = typename TestFixture::View;
  View const view("outside", 1000);
  Kokkos::fence();
  write_each(this->m_instance, view, 1);
  this->m_arena.reset();
  check_each(this->m_instance, view, 1, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_TRUE(this->m_arena.escapes().empty());
}

TYPED_TEST(device_checked, host_copies_valid_views) {
  using View = typename TestFixture::View;
  ArenaScope const scope(this->m_arena);
  View const view("view", 1000);
  Kokkos::View<std::uint64_t*, Kokkos::HostSpace> const host("host", 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    host(i) = pattern<std::uint64_t>(1, static_cast<std::int64_t>(i));
  }
  Kokkos::deep_copy(view, host);
  check_each(this->m_instance, view, 1, this->m_errors);
  write_each(this->m_instance, view, 2);
  this->m_instance.fence();
  Kokkos::deep_copy(host, view);
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(host(i), pattern<std::uint64_t>(2, static_cast<std::int64_t>(i)));
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// What was dropped. Each access in a process of its own.

using StaleView = CheckedNumbers<DeviceSpace>;

/// Uses Views of an arena in the way that is asked for, on the default
/// instance, and waits for the kernel.
struct Stale {
  Stale() {
    ArenaScope const scope(arena);
    valid.emplace("another_view", 1000);
    view.emplace("stale_view", 1000);
    write_each(Backend(), *valid, 1);
    write_each(Backend(), *view, 2);
    Kokkos::fence();
  }
  void use() {
    write_each(Backend(), *view, 3);
    Kokkos::fence();
  }

  InDevice::arena_type arena{Backend(), labelled("stale_arena")};
  std::optional<StaleView> valid;
  std::optional<StaleView> view;
};

void child_valid() {
  Stale test;
  test.use();
}

void child_write_after_reset() {
  Stale test;
  test.arena.reset();
  test.use();
}

void child_read_after_reset() {
  Stale test;
  ErrorCount const errors;
  test.arena.reset();
  check_each(Backend(), *test.view, 2, errors);
  Kokkos::fence();
}

/// Its memory may have been given to another View.
void child_read_after_reset_and_reuse() {
  Stale test;
  ErrorCount const errors;
  test.arena.reset();
  ArenaScope const scope(test.arena);
  std::vector<StaleView> next;
  for (int i = 0; i < 10; ++i) {
    next.emplace_back("next_view", 1000);
    write_each(Backend(), next.back(), 4);
  }
  Kokkos::fence();
  std::printf("next is valid\n");
  std::fflush(stdout);
  check_each(Backend(), *test.view, 2, errors);
  Kokkos::fence();
}

void child_part_after_reset() {
  Stale test;
  auto const part = Kokkos::subview(*test.view, Kokkos::make_pair(10, 20));
  test.arena.reset();
  write_each(Backend(), part, 3);
  Kokkos::fence();
}

void child_write_after_frame() {
  Stale test;
  test.view.reset();
  {
    ArenaFrame const frame(test.arena);
    test.view.emplace("stale_view", 500);
    test.use();
  }
  std::printf("the frame has ended\n");
  std::fflush(stdout);
  write_each(Backend(), *test.valid, 5);
  Kokkos::fence();
  std::printf("the outer one is valid\n");
  std::fflush(stdout);
  test.use();
}

void child_write_after_rewind() {
  Stale test;
  test.view.reset();
  auto const mark = test.arena.mark();
  {
    ArenaScope const scope(test.arena);
    test.view.emplace("stale_view", 500);
  }
  test.use();
  test.arena.rewind(mark);
  test.use();
}

void child_write_after_release() {
  Stale test;
  test.arena.release();
  test.use();
}

void child_write_after_end() {
  std::optional<StaleView> view;
  {
    Stale test;
    view = test.view;
  }
  write_each(Backend(), *view, 3);
  Kokkos::fence();
}

Child const children_of_this_test[] = {
    {"valid", child_valid},
    {"write_after_reset", child_write_after_reset},
    {"read_after_reset", child_read_after_reset},
    {"read_after_reset_and_reuse", child_read_after_reset_and_reuse},
    {"part_after_reset", child_part_after_reset},
    {"write_after_frame", child_write_after_frame},
    {"write_after_rewind", child_write_after_rewind},
    {"write_after_release", child_write_after_release},
    {"write_after_end", child_write_after_end},
};

/// Whether accesses in kernels are checked with this backend.
#if defined(KOKKOS_ENABLE_CUDA)
constexpr bool kernels_are_checked = true;
#else
constexpr bool kernels_are_checked = false;
#endif

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

/// The child aborts, with a message that says of what. \return Its output.
/// \param[in] before  What it has to have come to before that.
std::string expect_alarm(std::string const& child,
                         std::string const& before = "") {
  auto const result = run_child(child);
  EXPECT_FALSE(result.succeeded) << result.output;
  EXPECT_FALSE(has(result.output, "the child has come to its end"))
      << result.output;
  EXPECT_TRUE(has(result.output, before)) << result.output;
  EXPECT_TRUE(has(result.output, "stale_view")) << result.output;
  EXPECT_FALSE(has(result.output, "another_view")) << result.output;
  EXPECT_TRUE(has(result.output, "stale_arena")) << result.output;
  return result.output;
}

struct device_checked_kernels : ::testing::Test {
  void SetUp() override {
    if (!kernels_are_checked) {
      GTEST_SKIP() << "accesses in kernels of this backend aren't checked";
    }
  }
};

TEST_F(device_checked_kernels, valid_access_lets_a_child_come_to_its_end) {
  auto const result = run_child("valid");
  EXPECT_TRUE(result.succeeded) << result.output;
  EXPECT_TRUE(has(result.output, "the child has come to its end"))
      << result.output;
}

TEST_F(device_checked_kernels, write_after_a_reset_aborts_and_says_where) {
  auto const output = expect_alarm("write_after_reset");
  EXPECT_TRUE(has(output, "KokkosArena_TestDeviceChecked.cpp")) << output;
}

TEST_F(device_checked_kernels, read_after_a_reset_aborts) {
  expect_alarm("read_after_reset");
}

TEST_F(device_checked_kernels, read_of_what_others_have_by_now_aborts) {
  expect_alarm("read_after_reset_and_reuse", "next is valid");
}

TEST_F(device_checked_kernels, use_of_a_part_after_a_reset_aborts) {
  expect_alarm("part_after_reset");
}

TEST_F(device_checked_kernels, write_after_the_end_of_a_frame_aborts) {
  expect_alarm("write_after_frame", "the outer one is valid");
}

TEST_F(device_checked_kernels, write_after_a_rewind_aborts) {
  expect_alarm("write_after_rewind");
}

TEST_F(device_checked_kernels, write_after_a_release_aborts) {
  expect_alarm("write_after_release");
}

TEST_F(device_checked_kernels, write_after_the_end_of_the_arena_aborts) {
  expect_alarm("write_after_end");
}

}  // namespace
