// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Kokkos Tools sees of Views in an arena: what it sees of the same Views
// in HostSpace, under the name of the arena space.

#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;

struct Event {
  bool allocates;
  std::string space;
  std::string label;
  void const* pointer;
  std::uint64_t bytes;

  friend std::ostream& operator<<(std::ostream& out, Event const& e) {
    return out << (e.allocates ? "allocate " : "deallocate ") << e.bytes
               << " bytes at " << e.pointer << " in " << e.space << " for \""
               << e.label << '"';
  }
};

std::vector<Event> events;

/// Writes allocations down while it lives.
class Recorder {
 public:
  Recorder() {
    events.clear();
    Kokkos::Tools::Experimental::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle const space, char const* label,
           void const* pointer, std::uint64_t bytes) {
          events.push_back({true, space.name, label, pointer, bytes});
        });
    Kokkos::Tools::Experimental::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle const space, char const* label,
           void const* pointer, std::uint64_t bytes) {
          events.push_back({false, space.name, label, pointer, bytes});
        });
  }
  ~Recorder() {
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_deallocate_data_callback(nullptr);
  }
  Recorder(Recorder const&)            = delete;
  Recorder& operator=(Recorder const&) = delete;
};

/// What there is to compare of the events of one thing, made and dropped.
struct Trace {
  std::vector<Event> all;
  std::uintptr_t data = 0;

  /// From the pointer of the event to the data.
  std::uintptr_t distance(std::size_t event) const {
    return data - address_of(all.at(event).pointer);
  }
};

/// \brief Makes a thing, and drops it.
/// \param[in] make  Gives its data and the function that drops it.
template <class Make>
Trace trace(Make const& make) {
  Recorder const recorder;
  Trace result;
  auto thing  = make();
  result.data = address_of(thing.first);
  thing.second();
  result.all = events;
  return result;
}

/// A View that dies when its drop function is called.
template <class ViewType>
auto keep(ViewType view) {
  auto* const data = view.data();
  return std::pair<void const*, std::function<void()>>(
      data, [held = std::optional<ViewType>(std::move(view))]() mutable {
        held.reset();
      });
}

/// Both are one allocation and one deallocation, the same but for the space.
void expect_same(Trace const& tested, Trace const& host,
                 std::string const& label) {
  ASSERT_EQ(host.all.size(), 2u) << ::testing::PrintToString(host.all);
  ASSERT_EQ(tested.all.size(), 2u) << ::testing::PrintToString(tested.all);
  for (std::size_t i = 0; i < 2; ++i) {
    SCOPED_TRACE(i == 0 ? "allocate event" : "deallocate event");
    auto const& event = tested.all[i];
    EXPECT_EQ(event.allocates, i == 0);
    EXPECT_EQ(event.space, Scoped::name());
    EXPECT_EQ(event.label, label);
    EXPECT_EQ(event.pointer, tested.all[0].pointer);
    EXPECT_EQ(event.bytes, host.all[i].bytes);
    EXPECT_EQ(tested.distance(i), host.distance(i));
    EXPECT_EQ(host.all[i].allocates, i == 0);
    EXPECT_EQ(host.all[i].space, Host::name());
    EXPECT_EQ(host.all[i].label, label);
  }
}

/// Elements that own something.
struct Owner {
  std::unique_ptr<int> value = std::make_unique<int>(1);
};

std::string const long_label(300, 'x');

template <class C>
class tools : public ::testing::Test {
 protected:
  // Takes its block before the recorder.
  tools() {
    KokkosArena::ArenaScope const scope(arena);
    (void)arena.allocate(1);
    Kokkos::View<char*, Scoped> const view("first", 1);
  }

  typename C::template arena_type<Host> arena{C::options(std::size_t(1) << 20)};

  template <class Make>
  Trace trace_in_scope(Make const& make) {
    KokkosArena::ArenaScope const scope(arena);
    return trace(make);
  }
};
TYPED_TEST_SUITE(tools, All, ConfigName);

template <class Space>
auto make_initialised(std::size_t n) {
  return keep(Kokkos::View<double*, Space>("initialised", n));
}

TYPED_TEST(tools, see_views_as_in_host_space) {
  for (std::size_t const n : {1u, 7u, 8u, 1000u}) {
    SCOPED_TRACE(n);
    auto const tested =
        this->trace_in_scope([&] { return make_initialised<Scoped>(n); });
    expect_same(tested, trace([&] { return make_initialised<Host>(n); }),
                "initialised");
  }
}

template <class Space>
auto make_uninitialised() {
  return keep(Kokkos::View<char**, Kokkos::LayoutLeft, Space>(
      Kokkos::view_alloc("raw", Kokkos::WithoutInitializing), 3, 7));
}

TYPED_TEST(tools, see_uninitialised_views_as_in_host_space) {
  expect_same(this->trace_in_scope([] { return make_uninitialised<Scoped>(); }),
              trace([] { return make_uninitialised<Host>(); }), "raw");
}

template <class Space>
auto make_with_instances() {
  return keep(Kokkos::View<int*, Space>(
      Kokkos::view_alloc("instances", Space{},
                         Kokkos::DefaultHostExecutionSpace{}),
      10));
}

TYPED_TEST(tools, see_views_with_instances_as_in_host_space) {
  expect_same(
      this->trace_in_scope([] { return make_with_instances<Scoped>(); }),
      trace([] { return make_with_instances<Host>(); }), "instances");
}

template <class Space>
auto make_owners() {
  return keep(Kokkos::View<Owner*, Space>("owners", 5));
}

TYPED_TEST(tools, see_views_of_owning_elements_as_in_host_space) {
  expect_same(this->trace_in_scope([] { return make_owners<Scoped>(); }),
              trace([] { return make_owners<Host>(); }), "owners");
}

template <class Space>
auto make_long() {
  return keep(Kokkos::View<int, Space>(long_label));
}

TYPED_TEST(tools, see_labels_of_any_length_as_in_host_space) {
  expect_same(this->trace_in_scope([] { return make_long<Scoped>(); }),
              trace([] { return make_long<Host>(); }), long_label);
}

template <class Space>
auto make_made(std::size_t n) {
  return keep(KokkosArena::make_view<Kokkos::View<char*, Space>>("made", n));
}

TYPED_TEST(tools, see_views_of_make_view_as_in_host_space) {
  for (std::size_t const n : {1u, 7u, 8u, 1000u}) {
    SCOPED_TRACE(n);
    auto const tested =
        this->trace_in_scope([&] { return make_made<Scoped>(n); });
    expect_same(tested, trace([&] { return make_made<Host>(n); }), "made");
  }
}

TYPED_TEST(tools, see_views_of_similar_with_the_label_of_their_model) {
  KokkosArena::ArenaScope const scope(this->arena);
  auto const tested_model = Kokkos::View<double*, Scoped>("model", 10);
  auto const host_model   = Kokkos::View<double*, Host>("model", 10);
  auto const tested =
      trace([&] { return keep(KokkosArena::similar(tested_model)); });
  ASSERT_EQ(tested.all.size(), 2u);
  EXPECT_EQ(tested.all[0].label, "model");
  EXPECT_EQ(tested.all[1].label, "model");
  EXPECT_EQ(tested.all[0].space, Scoped::name());
  EXPECT_EQ(tested.all[0].pointer, tested.all[1].pointer);
  auto const host = trace([&] {
    return keep(KokkosArena::make_view<Kokkos::View<double*, Host>>(
        "model", host_model.extent(0)));
  });
  expect_same(tested, host, "model");
}

template <class Space>
auto make_malloced(std::size_t bytes) {
  void* const address = Kokkos::kokkos_malloc<Space>("malloced", bytes);
  return std::pair<void const*, std::function<void()>>(
      address, [address] { Kokkos::kokkos_free<Space>(address); });
}

TYPED_TEST(tools, see_kokkos_malloc_as_in_host_space) {
  for (std::size_t const bytes : {1u, 64u, 1001u}) {
    SCOPED_TRACE(bytes);
    auto const tested =
        this->trace_in_scope([&] { return make_malloced<Scoped>(bytes); });
    expect_same(tested, trace([&] { return make_malloced<Host>(bytes); }),
                "malloced");
  }
}

/// Without the names of the spaces and the addresses.
std::vector<std::tuple<bool, std::string, std::uint64_t>> outline(
    std::vector<Event> const& all) {
  std::vector<std::tuple<bool, std::string, std::uint64_t>> result;
  for (auto const& e : all) {
    result.emplace_back(e.allocates, e.label, e.bytes);
  }
  return result;
}

template <class Space>
std::vector<Event> events_of_resizing() {
  Recorder const recorder;
  {
    Kokkos::View<double*, Space> view("view", 10);
    auto const copy = view;
    Kokkos::resize(view, 20);
    Kokkos::realloc(view, 5);
  }
  return events;
}

TYPED_TEST(tools, see_resize_and_realloc_in_the_order_of_host_space) {
  std::vector<Event> tested;
  {
    KokkosArena::ArenaScope const scope(this->arena);
    tested = events_of_resizing<Scoped>();
  }
  auto const host = events_of_resizing<Host>();
  ASSERT_GE(host.size(), 6u);
  EXPECT_EQ(outline(tested), outline(host));
  for (auto const& event : tested) EXPECT_EQ(event.space, Scoped::name());
}

TYPED_TEST(tools, see_one_pair_for_all_copies) {
  KokkosArena::ArenaScope const scope(this->arena);
  Recorder const recorder;
  {
    Kokkos::View<double*, Scoped> const view("view", 10);
    Kokkos::View<double const*, Scoped> const copy = view;
    Kokkos::View<double*, Host> const base         = view;
    auto const part = Kokkos::subview(view, std::pair<int, int>(2, 5));
    EXPECT_EQ(events.size(), 1u);
  }
  ASSERT_EQ(events.size(), 2u);
  EXPECT_FALSE(events[1].allocates);
  EXPECT_EQ(events[1].space, Scoped::name());
}

TYPED_TEST(tools, see_the_end_of_a_view_that_outlives_scope_and_cycle) {
  Recorder const recorder;
  Kokkos::View<double*, Scoped> view;
  {
    KokkosArena::ArenaScope const scope(this->arena);
    view = Kokkos::View<double*, Scoped>("survivor", 10);
  }
  ASSERT_EQ(events.size(), 1u);
  auto const begin = events[0];
  this->arena.reset();
  if constexpr (is_checked) {
    // Its memory moves.
    ASSERT_EQ(events.size(), 3u);
    EXPECT_FALSE(events[1].allocates);
    EXPECT_TRUE(events[2].allocates);
    EXPECT_NE(events[2].pointer, events[1].pointer);
    EXPECT_EQ(events[2].bytes, events[1].bytes);
    EXPECT_EQ(events[2].space, Host::name());
  } else {
    ASSERT_EQ(events.size(), 1u);
  }
  events.clear();
  view = {};
  // The block may go as well, after the View.
  ASSERT_GE(events.size(), 1u);
  EXPECT_FALSE(events[0].allocates);
  EXPECT_EQ(events[0].space, Scoped::name());
  EXPECT_EQ(events[0].label, "survivor");
  EXPECT_EQ(events[0].pointer, begin.pointer);
  EXPECT_EQ(events[0].bytes, begin.bytes);
}

TYPED_TEST(tools, see_the_base_space_outside_a_scope) {
  auto const check = [](Trace const& tested, Trace const& host) {
    ASSERT_EQ(host.all.size(), 2u);
    ASSERT_EQ(tested.all.size(), 2u);
    EXPECT_EQ(outline(tested.all), outline(host.all));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(tested.all[i].space, Host::name());
      EXPECT_EQ(tested.distance(i), host.distance(i));
    }
  };
  check(trace([] { return make_initialised<Scoped>(10); }),
        trace([] { return make_initialised<Host>(10); }));
  check(trace([] { return make_made<Scoped>(10); }),
        trace([] { return make_made<Host>(10); }));
  check(trace([] { return make_malloced<Scoped>(10); }),
        trace([] { return make_malloced<Host>(10); }));
}

/// Kernels and fences too, by their names.
class FullRecorder {
 public:
  FullRecorder() {
    names().clear();
    Kokkos::Tools::Experimental::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle const, char const* label, void const*,
           std::uint64_t) { names().push_back(std::string("new ") + label); });
    Kokkos::Tools::Experimental::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle const, char const* label, void const*,
           std::uint64_t) {
          names().push_back(std::string("delete ") + label);
        });
    Kokkos::Tools::Experimental::set_begin_parallel_for_callback(
        [](char const* name, std::uint32_t, std::uint64_t*) {
          names().push_back(name);
        });
    Kokkos::Tools::Experimental::set_begin_fence_callback(
        [](char const* name, std::uint32_t, std::uint64_t*) {
          names().push_back(name);
        });
  }
  ~FullRecorder() {
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_deallocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_parallel_for_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_fence_callback(nullptr);
  }
  FullRecorder(FullRecorder const&)            = delete;
  FullRecorder& operator=(FullRecorder const&) = delete;

  static std::vector<std::string>& names() {
    static std::vector<std::string> instance;
    return instance;
  }
};

/// Of a View that is made with these properties, and dropped.
template <class T, class Space, class... Properties>
std::vector<std::string> names_of(Properties const&... properties) {
  FullRecorder const recorder;
  {
    Kokkos::View<T*, Space> const view(
        Kokkos::view_alloc("view", properties...), 10);
  }
  return FullRecorder::names();
}

TYPED_TEST(tools, see_kernels_and_fences_of_the_base_space_outside_a_scope) {
  if (Kokkos::num_threads() == 1) {
    GTEST_SKIP() << "where a kernel can't be told from what is outside of one";
  }
  Kokkos::DefaultHostExecutionSpace const exec;
  EXPECT_EQ((names_of<double, Scoped>()), (names_of<double, Host>()));
  EXPECT_EQ((names_of<double, Scoped>(exec)), (names_of<double, Host>(exec)));
  EXPECT_EQ((names_of<double, Scoped>(Kokkos::WithoutInitializing)),
            (names_of<double, Host>(Kokkos::WithoutInitializing)));
  EXPECT_EQ((names_of<Owner, Scoped>()), (names_of<Owner, Host>()));
  EXPECT_EQ((names_of<Owner, Scoped>(Kokkos::SequentialHostInit)),
            (names_of<Owner, Host>(Kokkos::SequentialHostInit)));
  // And in a scope no fence, but for those that the tool itself asks for.
  KokkosArena::ArenaScope const scope(this->arena);
  for (auto const& name : names_of<double, Scoped>()) {
    EXPECT_TRUE(name == "new view" || name == "delete view" ||
                name == "Kokkos::View::initialization [view] via memset" ||
                name.find("Kokkos::Tools::") == 0)
        << name;
  }
}

TYPED_TEST(tools, see_nothing_of_what_the_arena_refuses) {
  using View = Kokkos::View<char*, Scoped>;
  KokkosArena::ArenaScope const scope(this->arena);
  Recorder const recorder;
  auto const too_many = std::size_t(1) << 60;
  EXPECT_THROW(View("view", too_many), std::exception);
  EXPECT_THROW(KokkosArena::make_view<View>("view", too_many),
               KokkosArena::ArenaExhausted);
  EXPECT_EQ(events.size(), 0u) << ::testing::PrintToString(events);
}

TYPED_TEST(tools, see_a_block_come_and_go_in_the_base_space) {
  Recorder const recorder;
  {
    typename TypeParam::template arena_type<Host> arena{
        TypeParam::options(std::size_t(1) << 16)};
    KokkosArena::ArenaScope const scope(arena);
    Kokkos::View<double*, Scoped> const view("view", 10);
  }
  if constexpr (is_checked && TypeParam::is_fixed) {
    // The View isn't in the block that the arena has taken at its start.
    ASSERT_EQ(events.size(), 6u) << ::testing::PrintToString(events);
    EXPECT_TRUE(events.front().allocates);
    EXPECT_FALSE(events.back().allocates);
    EXPECT_EQ(events.front().pointer, events.back().pointer);
    events.erase(events.begin());
    events.pop_back();
  }
  ASSERT_EQ(events.size(), 4u) << ::testing::PrintToString(events);
  EXPECT_TRUE(events[0].allocates);
  EXPECT_EQ(events[0].space, Host::name());
  EXPECT_GE(events[0].bytes, std::size_t(1) << 16);
  EXPECT_EQ(events[1].space, Scoped::name());
  EXPECT_EQ(events[2].space, Scoped::name());
  EXPECT_FALSE(events[3].allocates);
  EXPECT_EQ(events[3].space, Host::name());
  EXPECT_EQ(events[3].pointer, events[0].pointer);
  EXPECT_EQ(events[3].bytes, events[0].bytes);
  EXPECT_EQ(events[3].label, events[0].label);
}

// --------------------------------------------- an arena that listens as well

// Once in a process, so only one test can see it begin.
TEST(tools, of_the_program_hear_what_an_arena_counts_of_the_base_space) {
  Recorder const recorder;
  KokkosArena::ArenaOptions options;
  options.escape_policy = KokkosArena::EscapePolicy::warn;
  KokkosArena::Arena<Host> arena(options);
  KokkosArena::ArenaScope const scope(arena);
  Kokkos::View<double*, Scoped> const drawn("drawn", 10);
  Kokkos::View<double*, Host> const host("host", 20);
  // The first is the arena's block.
  ASSERT_EQ(events.size(), 3u) << ::testing::PrintToString(events);
  EXPECT_EQ(events[1].label, "drawn");
  EXPECT_EQ(events[2].label, "host");
  EXPECT_EQ(events[2].bytes, 160u);
  EXPECT_EQ(arena.statistics().base_space_allocations, 1u);
}

}  // namespace
