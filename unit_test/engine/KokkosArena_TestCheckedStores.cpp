// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockCheckedMemory.hpp"
#include "KokkosArena_TestCore.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace {

using KokkosArena::ArenaOptions;
using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedStore;
using KokkosArena::Impl::CheckedStores;
using namespace KokkosArenaTest;

/// Stores that the lists alone hold, and not those of the process.
struct checked_stores : ::testing::Test {
  MockCheckedMemory memory;
  TestCore<> core = make_core();
  CheckedStores stores;

  CheckedStore& add(std::string const& label) {
    auto store = std::make_shared<CheckedStore>(
        *core, ArenaOptions{.label = label}, &memory);
    auto& result = *store;
    stores.add(std::move(store));
    return result;
  }
  static CheckedAllocation* make_view(CheckedStore& store, char const* label) {
    return store.allocate(0, 64, 64, label, {}, 0);
  }
  std::string describe(void const* address) {
    char text[1024] = "";
    stores.describe(address, text, sizeof(text));
    return text;
  }
};

TEST_F(checked_stores, find_what_is_alive_in_any_of_them) {
  auto& a          = add("a");
  auto& b          = add("b");
  auto* const in_a = make_view(a, "in a");
  auto* const in_b = make_view(b, "in b");
  EXPECT_EQ(stores.find(in_a->data), in_a);
  EXPECT_EQ(stores.find(in_b->data), in_b);
  b.reset({});
  EXPECT_EQ(stores.find(in_b->data), in_b) << "dropped, but alive";
  CheckedStore::give_back(in_b);
  EXPECT_EQ(stores.find(in_b->data), nullptr);
  CheckedStore::give_back(in_a);
  a.release({});
  b.release({});
}

TEST_F(checked_stores, describe_what_any_has_dropped) {
  auto& a          = add("a");
  auto& b          = add("b");
  auto* const in_a = make_view(a, "in a");
  auto* const in_b = make_view(b, "in b");
  b.release({});
  EXPECT_EQ(describe(in_b->data)
                .find("View \"in b\" (64 bytes) of arena "
                      "\"b\" was accessed after release()"),
            0u);
  EXPECT_EQ(describe(in_a->data),
            "View \"in a\" (64 bytes) of arena \"a\" was accessed");
  CheckedStore::give_back(in_b);
  CheckedStore::give_back(in_a);
  a.release({});
}

TEST_F(checked_stores, of_ended_arenas_the_last_four_are_remembered) {
  std::vector<void*> addresses;
  for (char const* const label : {"a", "b", "c", "d", "e"}) {
    auto& store      = add(label);
    auto* const view = make_view(store, "v");
    addresses.push_back(view->data);
    CheckedStore::give_back(view);
    store.release({});
    stores.retire(store);
  }
  EXPECT_EQ(describe(addresses[0]).find("address 0x"), 0u);
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    EXPECT_NE(describe(addresses[i])
                  .find("of arena \"" + std::string(1, "abcde"[i]) + '"'),
              std::string::npos);
  }
  EXPECT_TRUE(memory.is_at_rest());
}

TEST_F(checked_stores, are_retired_without_heap_memory) {
  std::vector<CheckedStore*> all;
  for (int i = 0; i < 10; ++i) all.push_back(&add("a"));
  auto const before = heap_calls().allocations;
  for (auto* const store : all) stores.retire(*store);
  EXPECT_EQ(heap_calls().allocations, before);
}

TEST_F(checked_stores, are_asked_those_of_arenas_that_exist_first) {
  auto& ended = add("ended");
  auto& first = add("first");
  auto& last  = add("last");
  stores.retire(ended);
  std::vector<CheckedStore*> asked;
  EXPECT_FALSE(stores.any([&](CheckedStore& store) {
    asked.push_back(&store);
    return false;
  }));
  EXPECT_EQ(asked, (std::vector<CheckedStore*>{&first, &last, &ended}));
  EXPECT_TRUE(stores.any([&](CheckedStore& store) { return &store == &last; }));
}

TEST_F(checked_stores, are_all_asked_though_one_changes_its_place_meanwhile) {
  auto& a = add("a");
  auto& b = add("b");
  add("c");
  bool retired = false;
  // Where b was, c is then.
  EXPECT_TRUE(stores.any([&](CheckedStore& store) {
    if (&store == &a && !retired) {
      stores.retire(a);
      retired = true;
    }
    return &store == &b;
  }));
}

TEST_F(checked_stores, are_all_asked_though_one_is_made_meanwhile) {
  add("a");
  std::vector<CheckedStore*> asked;
  bool added = false;
  EXPECT_FALSE(stores.any([&](CheckedStore& store) {
    if (!added) asked.push_back(&add("d"));
    added = true;
    std::erase(asked, &store);
    return false;
  }));
  EXPECT_TRUE(added);
  EXPECT_TRUE(asked.empty());
}

}  // namespace
