// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Over memory at made-up addresses, and over an arena's own.
#include "KokkosArena_MockCheckedMemory.hpp"
#include "KokkosArena_TestCore.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_Error.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaStatistics;
using KokkosArena::EscapedViews;
using KokkosArena::EscapePolicy;
using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedStore;
using KokkosArena::Impl::ViewExtents;
using namespace KokkosArenaTest;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

constexpr std::size_t mib = std::size_t(1) << 20;

ArenaStatistics statistics(CheckedStore& store) {
  ArenaStatistics result;
  store.add_to(result);
  return result;
}

/// What an allocation that fails leaves as it was.
auto figures(CheckedStore& store) {
  auto const s = statistics(store);
  return std::tuple(s.capacity_bytes, s.used_bytes, s.live_bytes,
                    s.live_allocations, s.total_allocations,
                    s.upstream_allocations, s.upstream_bytes, s.blocks);
}

std::string description(CheckedStore& store, void const* address,
                        bool dropped) {
  char text[1024] = "";
  store.describe(address, dropped, text, sizeof(text));
  return text;
}

/// What the record of a View does, and how often.
struct Record {
  int* ended_elements;
  int* ended_records;

  static int use_count(void const*) { return 3; }
  static void end_elements(void* record) {
    ++*static_cast<Record*>(record)->ended_elements;
  }
  static void end_record(void* record) {
    ++*static_cast<Record*>(record)->ended_records;
  }
};

struct checked_store : ::testing::Test {
  MockCheckedMemory memory;
  TestCore<> core;

  CheckedStore& make(ArenaOptions const& options = {}) {
    core = make_core(options);
    return core->checked_store(&memory);
  }
  static CheckedAllocation* allocate(CheckedStore& store,
                                     std::size_t bytes   = 64,
                                     char const* label   = "v",
                                     std::uint64_t frame = 0) {
    return store.allocate(0, bytes, 64, label, {}, frame);
  }
  static void give_back(CheckedAllocation* allocation) {
    CheckedStore::give_back(allocation);
  }
  /// As an ArenaFrame does it. \return What stands for it.
  std::uint64_t begin_frame() { return core->mark().epoch(); }
  /// As Arena::mark() does it.
  std::uint64_t mark(CheckedStore& store) {
    auto const result = core->mark();
    store.count_mark();
    return result.epoch();
  }
};

TEST_F(checked_store, views_have_valid_addresses_with_room_in_front_of_data) {
  auto& store     = make();
  auto* const a   = store.allocate(100, 5000, 256, "a", {}, 0);
  auto const data = reinterpret_cast<std::uintptr_t>(a->data);
  EXPECT_EQ(data % 256, 0u);
  EXPECT_GE(data, a->begin + 100);
  EXPECT_LE(data + 5000, a->begin + a->bytes);
  EXPECT_TRUE(memory.is_valid(a->begin));
  EXPECT_TRUE(memory.is_valid(a->begin + a->bytes - 1));
  EXPECT_EQ(store.find(a->data, false), a);
  give_back(a);
  EXPECT_EQ(store.find(a->data, false), nullptr);
}

TEST_F(checked_store, serves_alignments_beyond_that_of_addresses) {
  auto& store   = make();
  auto* const a = store.allocate(0, 64, 4 * mib, "a", {}, 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a->data) % (4 * mib), 0u);
  EXPECT_TRUE(memory.is_valid(a->data));
  give_back(a);
}

TEST_F(checked_store, statistics_follow_what_is_made_dropped_and_ended) {
  auto& store    = make();
  auto* const a  = allocate(store, 1000);
  auto* const b  = allocate(store, 100'000);
  auto const all = a->bytes + b->bytes;
  auto s         = statistics(store);
  EXPECT_EQ(s.live_allocations, 2u);
  EXPECT_EQ(s.live_bytes, all);
  EXPECT_EQ(s.used_bytes, all);
  EXPECT_EQ(s.capacity_bytes, memory.lent_bytes());
  EXPECT_EQ(s.free_bytes, s.capacity_bytes - all);
  EXPECT_EQ(s.blocks, 2u);
  EXPECT_EQ(s.upstream_allocations, 2u);
  EXPECT_EQ(s.upstream_bytes, s.capacity_bytes);
  give_back(a);
  store.reset({});
  s = statistics(store);
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.total_allocations, 2u);
  EXPECT_EQ(s.escaped_views, 1u);
  EXPECT_EQ(s.peak_bytes, all);
  EXPECT_EQ(s.peak_live_bytes, all);
  give_back(b);
  EXPECT_EQ(statistics(store).live_allocations, 0u);
}

TEST_F(checked_store, keeps_one_window_for_all_of_a_cycle) {
  auto& store = make();
  for (int cycle = 0; cycle < 5; ++cycle) {
    std::vector<CheckedAllocation*> views;
    for (int i = 0; i < 30; ++i) views.push_back(allocate(store, 10'000));
    for (auto* const view : views) give_back(view);
    store.reset({});
    if (cycle > 0) {
      EXPECT_EQ(statistics(store).blocks, 1u);
    }
  }
  auto const asked = statistics(store).upstream_allocations;
  for (int i = 0; i < 30; ++i) give_back(allocate(store, 10'000));
  store.reset({});
  EXPECT_EQ(statistics(store).upstream_allocations, asked);
  store.release({});
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_store, reset_drops_all_and_remembers_the_labels_for_two_drops) {
  auto& store          = make({.label = "weights"});
  auto* const a        = allocate(store, 64, "a");
  auto const* const at = a->data;
  give_back(a);
  auto const where = std::source_location::current();
  store.reset(where);
  EXPECT_FALSE(memory.is_valid(at));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(description(store, at, true)
                  .find("View \"a\" (64 bytes) of arena \"weights\" was "
                        "accessed after reset() at " +
                        std::string(where.file_name()) + ':' +
                        std::to_string(where.line())),
              0u)
        << i;
    EXPECT_EQ(description(store, at, false), "");
    give_back(allocate(store));
    store.reset({});
  }
  EXPECT_EQ(description(store, at, true), "");
}

TEST_F(checked_store, a_view_that_has_escaped_is_found_until_it_ends) {
  auto& store    = make();
  auto* const a  = allocate(store);
  auto* const at = a->data;
  for (int i = 0; i < 5; ++i) {
    store.reset({});
    give_back(allocate(store));
  }
  EXPECT_EQ(store.find(at, true), a);
  EXPECT_EQ(store.find(at, false), nullptr);
  EXPECT_NE(description(store, at, true), "");
  give_back(a);
  EXPECT_EQ(store.find(at, true), nullptr);
  EXPECT_EQ(description(store, at, true), "");
}

TEST_F(checked_store, rewind_drops_what_was_made_after_the_mark) {
  auto& store       = make();
  auto* const old   = allocate(store);
  auto const mark   = this->mark(store);
  auto* const young = allocate(store);
  store.rewind(mark, {});
  EXPECT_TRUE(memory.is_valid(old->data));
  EXPECT_FALSE(memory.is_valid(young->data));
  EXPECT_NE(description(store, young->data, true).find("after rewind()"),
            std::string::npos);
  give_back(young);
  give_back(old);
}

TEST_F(checked_store, window_from_before_a_mark_serves_again_once_it_is_empty) {
  auto& store = make();
  give_back(allocate(store));
  for (int i = 0; i < 5; ++i) {
    auto const mark     = this->mark(store);
    auto* const view    = allocate(store);
    auto const* const p = view->data;
    EXPECT_EQ(statistics(store).blocks, 1u);
    give_back(view);
    store.rewind(mark, {});
    EXPECT_FALSE(memory.is_valid(p));
  }
}

TEST_F(checked_store, the_end_of_a_frame_drops_what_is_its_own) {
  auto& store         = make();
  auto* const outside = allocate(store);
  auto const first    = begin_frame();
  auto* const one     = allocate(store, 64, "one", first);
  auto const second   = begin_frame();
  auto* const two     = allocate(store, 64, "two", second);
  CaptureStderr();
  store.end_frame(second, {});
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_FALSE(memory.is_valid(two->data));
  EXPECT_TRUE(memory.is_valid(one->data));
  EXPECT_TRUE(memory.is_valid(outside->data));
  ASSERT_EQ(store.escapes().size(), 1u);
  EXPECT_EQ(store.escapes()[0].label, "two");
  EXPECT_NE(description(store, two->data, true)
                .find("after the end of the ArenaFrame made had"),
            std::string::npos);
  for (auto* const view : {two, one, outside}) give_back(view);
}

// Cycles and frames that share a window.

struct sharing_store : checked_store {
  CheckedStore& make(ArenaOptions const& options = {}) {
    memory.has_parts = true;
    auto& store      = checked_store::make(options);
    for (int i = 0; i < 2; ++i) {
      give_back(allocate(store));
      store.reset({});
    }
    return store;
  }
  /// A View, of which every access is checked.
  static CheckedAllocation* allocate(CheckedStore& store,
                                     std::size_t bytes   = 64,
                                     char const* label   = "v",
                                     std::uint64_t frame = 0,
                                     unsigned rank       = 1) {
    ViewExtents const extents{.rank = rank, .extent = {}};
    return store.allocate(0, bytes, 64, label, extents, frame);
  }
  static constexpr auto part = MockCheckedMemory::part;
};

TEST_F(sharing_store, has_fresh_addresses_in_one_window_for_each_cycle) {
  auto& store        = make();
  auto const asked   = statistics(store).upstream_allocations;
  std::uintptr_t old = 0;
  for (int i = 0; i < 20; ++i) {
    auto* const a  = allocate(store, 1000);
    auto* const b  = allocate(store, 1000);
    auto* const at = a->data;
    EXPECT_TRUE(memory.is_valid(at));
    EXPECT_TRUE(memory.is_valid(b->data));
    if (i > 0) {
      EXPECT_EQ(a->begin, old + part);
    }
    old = a->begin;
    give_back(a);
    store.reset({});
    EXPECT_FALSE(memory.is_valid(at));
    EXPECT_FALSE(memory.is_valid(b->data));
    EXPECT_EQ(store.find(b->data, true), b);
    give_back(b);
  }
  EXPECT_EQ(statistics(store).upstream_allocations, asked + 1);
  EXPECT_EQ(statistics(store).capacity_bytes, memory.lent_bytes());
}

TEST_F(sharing_store, grows_in_place) {
  auto& store   = make();
  auto* const a = allocate(store, part - 64);
  auto* const b = allocate(store, part);
  EXPECT_EQ(b->begin, a->begin + a->bytes);
  EXPECT_EQ(statistics(store).blocks, 1u);
  EXPECT_EQ(statistics(store).used_bytes, a->bytes + b->bytes);
  EXPECT_EQ(statistics(store).free_bytes,
            memory.lent_bytes() - a->bytes - b->bytes);
  store.reset({});
  EXPECT_FALSE(memory.is_valid(b->begin + b->bytes - 1));
  give_back(a);
  give_back(b);
}

TEST_F(sharing_store, uses_no_more_where_an_alignment_is_beyond_that_of_parts) {
  constexpr auto most = 8 * part;
  auto& store         = make({.maximum_bytes = most});
  std::size_t gaps    = 0;
  for (int i = 0; i < 6; ++i) {
    auto* const a =
        store.allocate(0, 64, 4 * part, "a", {.rank = 1, .extent = {}}, 0);
    EXPECT_TRUE(a->piece->section.window->is_shared);
    EXPECT_EQ(a->begin % (4 * part), 0u);
    EXPECT_EQ(statistics(store).used_bytes, 64u);
    gaps += a->begin - a->piece->section.begin;
    // All that the store may have, behind it.
    auto* const b = allocate(store, most - 64);
    EXPECT_EQ(b->begin, a->begin + a->bytes);
    EXPECT_TRUE(memory.is_valid(b->begin + b->bytes - 1));
    EXPECT_EQ(statistics(store).used_bytes, most);
    store.reset({});
    EXPECT_FALSE(memory.is_valid(b->begin + b->bytes - 1));
    give_back(a);
    give_back(b);
    give_back(allocate(store));  // One part.
    store.reset({});
  }
  EXPECT_GT(gaps, 0u);
}

TEST_F(sharing_store, frames_within_frames_lie_side_by_side) {
  auto& store        = make();
  auto const outer   = begin_frame();
  auto* const before = allocate(store, 64, "before", outer);
  std::vector<CheckedAllocation*> inner;
  for (int i = 0; i < 10; ++i) {
    auto const frame = begin_frame();
    inner.push_back(allocate(store, 64, "inner", frame));
    EXPECT_TRUE(memory.is_valid(inner.back()->data));
    store.end_frame(frame, {});
    EXPECT_FALSE(memory.is_valid(inner.back()->data));
    EXPECT_TRUE(memory.is_valid(before->data));
    // What comes next is most likely in the frame around it.
    EXPECT_EQ(memory.expected, before->begin);
  }
  // There is still room in front of the inner ones.
  auto* const small = allocate(store, 64, "small", outer);
  EXPECT_EQ(small->begin, before->begin + before->bytes);
  auto* const large = allocate(store, part, "large", outer);
  EXPECT_GT(large->begin, inner.back()->begin);
  EXPECT_EQ(statistics(store).blocks, 1u);
  store.end_frame(outer, {});
  for (auto* const view : {before, small, large}) {
    EXPECT_FALSE(memory.is_valid(view->data));
    give_back(view);
  }
  for (auto* const view : inner) give_back(view);
}

TEST_F(sharing_store, what_is_read_by_address_faults_at_once) {
  auto& store = make();
  for (unsigned const rank : {7u, unsigned(ViewExtents::unknown)}) {
    auto* const checked  = allocate(store);
    auto* const dyn_rank = allocate(store, 64, "dyn rank", 0, rank);
    EXPECT_TRUE(checked->piece->section.window->is_shared);
    EXPECT_FALSE(dyn_rank->piece->section.window->is_shared);
    give_back(checked);
    give_back(dyn_rank);
    store.reset({});
  }
}

TEST_F(sharing_store, overwrites_the_beginning_of_what_it_drops) {
  auto& store = make();
  std::vector<CheckedAllocation*> views;
  for (int i = 0; i < 3; ++i) views.push_back(allocate(store, 10'000));
  give_back(views[1]);
  memory.spoilt.clear();
  store.reset({});
  ASSERT_EQ(memory.spoilt.size(), 3u);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(memory.spoilt[i].begin, views[0]->begin + i * views[0]->bytes);
    EXPECT_GE(memory.spoilt[i].bytes, 5000u);
    sum += memory.spoilt[i].bytes;
  }
  EXPECT_LE(sum, std::size_t(16) << 10);
  give_back(views[0]);
  give_back(views[2]);
}

TEST_F(sharing_store, exhausted_is_as_it_was) {
  auto& store       = make({.maximum_bytes = part});
  auto* const a     = allocate(store, part - 640);
  auto const before = figures(store);
  auto const s      = statistics(store);
  EXPECT_THROW(allocate(store, 1024), ArenaExhausted);
  EXPECT_EQ(figures(store), before);
  EXPECT_EQ(statistics(store).largest_free_bytes, s.largest_free_bytes);
  give_back(a);
}

TEST_F(sharing_store, does_not_where_all_is_to_fault_at_once) {
  auto& store = make({.revoke = KokkosArena::Revoke::at_once});
  for (int i = 0; i < 5; ++i) {
    auto* const a = allocate(store);
    EXPECT_FALSE(a->piece->section.window->is_shared);
    give_back(a);
    store.reset({});
  }
}

TEST_F(sharing_store, returns_all_when_it_is_released) {
  auto& store = make();
  for (int i = 0; i < 3; ++i) {
    give_back(allocate(store));
    store.reset({});
  }
  EXPECT_GT(memory.lent_bytes(), 0u);
  store.release({});
  EXPECT_TRUE(memory.is_at_rest());
  give_back(allocate(store));
}

TEST_F(checked_store, escapes_are_those_of_the_last_drop_the_largest_first) {
  auto& store       = make();
  auto* const small = allocate(store, 10, "small");
  auto* const large = allocate(store, 1000, "large");
  int elements = 0, records = 0;
  ::new (large->record) Record{&elements, &records};
  store.set_record(*large, &Record::use_count, &Record::end_record,
                   &Record::end_elements, true);
  store.reset({});
  auto const escapes = store.escapes();
  ASSERT_EQ(escapes.size(), 2u);
  EXPECT_EQ(escapes[0].label, "large");
  EXPECT_EQ(escapes[0].bytes, 1000u);
  EXPECT_EQ(escapes[0].use_count, 3);
  EXPECT_EQ(escapes[1].label, "small");
  EXPECT_EQ(escapes[1].use_count, 1);
  store.reset({});
  EXPECT_TRUE(store.escapes().empty());
  give_back(small);
  give_back(large);
}

TEST_F(checked_store, elements_end_once_with_the_drop_or_with_their_view) {
  auto& store = make();
  int elements[3]{}, records[3]{};
  CheckedAllocation* views[3];
  for (int i = 0; i < 3; ++i) {
    views[i] = allocate(store);
    ::new (views[i]->record) Record{&elements[i], &records[i]};
    // The last has nothing to end.
    store.set_record(*views[i], &Record::use_count, &Record::end_record,
                     &Record::end_elements, i < 2);
  }
  give_back(views[0]);
  EXPECT_EQ(elements[0], 1);
  EXPECT_EQ(records[0], 1);
  EXPECT_EQ(elements[1], 0);
  store.reset({});
  EXPECT_EQ(elements[1], 1);
  EXPECT_EQ(records[1], 0);
  give_back(views[1]);
  give_back(views[2]);
  EXPECT_EQ(elements[1], 1);
  EXPECT_EQ(records[1], 1);
  EXPECT_EQ(elements[2], 0);
  EXPECT_EQ(records[2], 1);
}

/// A View of Views.
struct Nested {
  CheckedStore* store;
  CheckedAllocation* inner;
  static void end_elements(void* record) {
    auto& nested = *static_cast<Nested*>(record);
    CheckedStore::give_back(nested.inner);
    // Elements' ends may need memory themselves.
    CheckedStore::give_back(nested.store->allocate(0, 64, 64, "tmp", {}, 0));
  }
};

TEST_F(checked_store, elements_that_end_may_hold_views_of_the_same_store) {
  auto& store       = make();
  auto* const inner = allocate(store, 64, "inner");
  auto* const outer = allocate(store, 64, "outer");
  ::new (outer->record) Nested{&store, inner};
  store.set_record(*outer, nullptr, nullptr, &Nested::end_elements, true);
  store.reset({});
  EXPECT_EQ(statistics(store).live_allocations, 0u);
  EXPECT_EQ(statistics(store).used_bytes, 0u);
  give_back(outer);
  store.release({});
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_store, warns_where_views_escape) {
  auto& store   = make({.label = "w", .escape_policy = EscapePolicy::warn});
  auto* const a = allocate(store, 64, "a");
  CaptureStderr();
  store.release({});
  EXPECT_NE(GetCapturedStderr().find("arena \"w\": release() has dropped 1"),
            std::string::npos);
  EXPECT_EQ(store.escapes().size(), 1u);
  give_back(a);
}

TEST_F(checked_store, throws_where_views_escape_when_all_is_done) {
  auto& store = make({.escape_policy = EscapePolicy::throw_exception});
  auto* a     = allocate(store);
  EXPECT_THROW(store.reset({}), EscapedViews);
  EXPECT_FALSE(memory.is_valid(a->data));
  EXPECT_NO_THROW(store.reset({}));
  give_back(a);
  auto const mark = this->mark(store);
  a               = allocate(store);
  EXPECT_THROW(store.rewind(mark, {}), EscapedViews);
  give_back(a);
  // Whatever a destructor does can't throw.
  auto const frame = begin_frame();
  a                = allocate(store, 64, "a", frame);
  CaptureStderr();
  store.end_frame(frame, {});
  EXPECT_NE(GetCapturedStderr().find("has dropped 1"), std::string::npos);
  give_back(a);
}

TEST_F(checked_store, aborts_where_views_escape) {
  auto& store   = make({.escape_policy = EscapePolicy::abort});
  auto* const a = allocate(store);
  EXPECT_DEATH(store.reset({}), "reset\\(\\) has dropped 1");
  give_back(a);
}

TEST_F(checked_store, gives_no_more_than_the_maximum_at_once) {
  auto& store       = make({.maximum_bytes = 64 * 100});
  auto* const a     = allocate(store, 64 * 60);
  auto const before = figures(store);
  try {
    allocate(store, 64 * 50, "b");
    ADD_FAILURE() << "nothing was thrown";
  } catch (ArenaExhausted const& e) {
    EXPECT_STREQ(e.what(),
                 "KokkosArena: arena \"arena\" can't give 3200 checked bytes "
                 "for View \"b\": 3840 bytes are used, 2560 are available, "
                 "Views that are alive have 3840, and its maximum is 6400. "
                 "Give it a larger maximum_bytes, reset "
                 "it more often, or drop Views earlier");
  }
  EXPECT_EQ(figures(store), before);
  give_back(a);
  give_back(allocate(store, 64 * 100));
}

TEST_F(checked_store, refuses_what_no_memory_has) {
  auto& store = make();
  EXPECT_THROW(allocate(store, ~std::size_t(0)), ArenaExhausted);
  EXPECT_THROW(allocate(store, std::size_t(1) << 62), ArenaExhausted);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_store, is_as_it_was_where_the_system_has_no_memory) {
  auto& store          = make();
  auto* const a        = allocate(store, 64 << 10);
  auto const before    = figures(store);
  auto const lent      = memory.lent_bytes();
  auto const reason_of = [&] {
    try {
      allocate(store, mib);
    } catch (ArenaExhausted const& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  memory.failing_lends = 2;
  EXPECT_NE(reason_of().find("and the system has no memory, or no more "
                             "mappings. Ask for less"),
            std::string::npos);
  memory.has_no_addresses = true;
  EXPECT_NE(reason_of().find("and no addresses for checked memory are left"),
            std::string::npos);
  EXPECT_EQ(figures(store), before);
  EXPECT_EQ(memory.lent_bytes(), lent);
  memory.has_no_addresses = false;
  EXPECT_EQ(reason_of(), "");
  give_back(a);
}

TEST_F(checked_store, goes_on_where_pages_cannot_move) {
  auto& store       = make();
  memory.moves_fail = true;
  for (int i = 0; i < 3; ++i) {
    auto* const a = allocate(store);
    EXPECT_TRUE(memory.is_valid(a->data));
    store.reset({});
    EXPECT_FALSE(memory.is_valid(a->data));
    EXPECT_TRUE(memory.is_at_rest());
    give_back(a);
  }
  EXPECT_EQ(statistics(store).upstream_allocations, 3u);
}

TEST_F(checked_store, is_as_it_was_where_no_guard_page_can_be_had) {
  // There are no such addresses to protect.
  memory.guard_pages = true;
  auto& store        = make({.guard_pages = true});
  auto const before  = figures(store);
  try {
    allocate(store, 100);
    ADD_FAILURE() << "nothing was thrown";
  } catch (ArenaExhausted const& e) {
    EXPECT_NE(std::strstr(e.what(), "can't give 100 checked bytes"), nullptr);
    EXPECT_NE(std::strstr(e.what(), "the system can't protect a guard page"),
              nullptr);
    EXPECT_NE(std::strstr(e.what(), "ArenaOptions::guard_pages off"), nullptr);
  }
  EXPECT_EQ(figures(store), before);
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_store, is_as_it_was_where_the_heap_has_no_memory) {
  constexpr char const* label = "a label that takes memory of the heap";
  bool failed                 = true;
  std::uint64_t n             = 0;
  for (; failed; ++n) {
    ASSERT_LT(n, 100u);
    auto& store = make();
    // One window is a spare, and another full.
    auto const mark = this->mark(store);
    give_back(allocate(store));
    store.rewind(mark, {});
    this->mark(store);
    std::vector<CheckedAllocation*> views{allocate(store)};
    while (statistics(store).free_bytes > 0) views.push_back(allocate(store));
    for (int i = 0; i < 2; ++i) {
      SCOPED_TRACE(i);
      // The first of these takes the spare.
      auto const before       = figures(store);
      auto const lent         = memory.lent_bytes();
      CheckedAllocation* made = nullptr;
      {
        HeapFailure const failure(n);
        try {
          made = allocate(store, 64 << 10, label);
        } catch (std::bad_alloc const&) {
          EXPECT_TRUE(HeapFailure::has_happened());
        }
        failed = HeapFailure::has_happened();
      }
      if (!made) {
        EXPECT_EQ(figures(store), before) << n;
        EXPECT_EQ(memory.lent_bytes(), lent) << n;
        made = allocate(store, 64 << 10, label);
      }
      views.push_back(made);
    }
    for (auto* const view : views) give_back(view);
    core.reset();
    EXPECT_TRUE(memory.is_at_rest()) << n;
  }
  EXPECT_GT(n, 3u) << "the heap was hardly asked";
}

TEST_F(checked_store, is_dropped_without_heap_memory_where_it_collects) {
  auto& store = make();
  std::vector<CheckedAllocation*> views;
  for (int i = 0; i < 100; ++i) views.push_back(allocate(store, 10'000));
  {
    HeapFailure const all;
    EXPECT_NO_THROW(store.reset({}));
    for (auto* const view : views) give_back(view);
  }
  EXPECT_EQ(statistics(store).escaped_views, 100u);
  EXPECT_TRUE(store.escapes().empty());
}

TEST_F(checked_store, tells_memory_that_wants_it_what_was_dropped) {
  memory.descriptions = true;
  auto& store         = make();
  auto* const a       = allocate(store, 64, "a");
  store.reset({});
  ASSERT_EQ(memory.described.size(), 2u);
  EXPECT_EQ(memory.described[0].text.find("memory of arena"), 0u);
  EXPECT_EQ(memory.described[1].begin, a->begin);
  EXPECT_EQ(memory.described[1].text.find("View \"a\""), 0u);
  EXPECT_EQ(memory.published, 1);
  EXPECT_EQ(memory.waits, 1);
  // Nothing is there to be dropped.
  store.reset({});
  EXPECT_EQ(memory.waits, 1);
  give_back(a);
}

TEST_F(checked_store, ends_with_the_last_view) {
  auto& store   = make({.label = "ended"});
  auto* const a = allocate(store, 64, "late");
  auto const at = a->data;
  store.end();
  EXPECT_TRUE(memory.is_at_rest());
  EXPECT_THROW(allocate(store), std::logic_error);
  EXPECT_EQ(store.find(at, true), a);
  give_back(a);
  EXPECT_NE(description(store, at, true)
                .find("of arena \"ended\" was accessed after the arena's end"),
            std::string::npos);
  core.release()->end();
}

TEST_F(checked_store, writes_what_it_does_to_the_arenas_trace) {
  auto const path = ::testing::TempDir() + "engine_checked_store.json";
  {
    auto& store   = make({.label = "traced", .trace = path});
    auto* const a = allocate(store, 64, "ended");
    auto* const b = allocate(store, 64, "escaped");
    give_back(a);
    store.release({});
    give_back(b);
    core.reset();
  }
  std::ifstream file(path);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  for (char const* const what :
       {"block taken", "block returned", "\"ended", "\"escaped"}) {
    EXPECT_NE(text.find(what), std::string::npos) << what;
  }
}

// Where there is no CheckedMemory.

TEST_F(checked_store, of_the_arenas_own_memory_keeps_the_ledger_alone) {
  core                = make_core();
  auto& store         = core->checked_store(nullptr);
  auto* const a       = allocate(store, 1000, "a");
  auto const* const p = static_cast<char*>(a->data);
  std::memset(a->data, 1, 1000);
  EXPECT_EQ(store.find(a->data, false), a);
  EXPECT_EQ(core->statistics().live_allocations, 1u);
  EXPECT_EQ(statistics(store).live_allocations, 0u) << "the arena counts it";
  store.reset({});
  ASSERT_EQ(store.escapes().size(), 1u);
  EXPECT_EQ(store.escapes()[0].label, "a");
  EXPECT_EQ(p[999], 1);
  give_back(a);
  EXPECT_EQ(core->statistics().live_allocations, 0u);
}

TEST_F(checked_store, of_the_arenas_own_memory_is_exhausted_as_the_arena_is) {
  core              = make_core({.maximum_bytes = 64 * 100});
  auto& store       = core->checked_store(nullptr);
  auto* const a     = allocate(store, 64 * 60);
  auto const before = core->statistics().live_allocations;
  EXPECT_THROW(allocate(store, 64 * 60), ArenaExhausted);
  EXPECT_EQ(core->statistics().live_allocations, before);
  give_back(a);
  give_back(allocate(store, 64 * 60));
}

TEST_F(checked_store, of_the_arenas_own_memory_ends_with_the_last_view) {
  core          = make_core();
  auto& store   = core->checked_store(nullptr);
  auto* const a = allocate(store, 64, "late");
  store.end();
  EXPECT_EQ(store.escapes().size(), 1u);
  core.release()->end();
  std::memset(a->data, 1, 64);
  give_back(a);
  EXPECT_EQ(store.find(a->data, true), nullptr);
}

}  // namespace
