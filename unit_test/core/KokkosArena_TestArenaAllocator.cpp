// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Containers of the C++ library with their memory from arenas.
#include <KokkosArena_ArenaAllocator.hpp>
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaAllocator;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaResource;
using KokkosArena::ArenaScope;

template <class T>
using Vector = std::vector<T, ArenaAllocator<T>>;
using String =
    std::basic_string<char, std::char_traits<char>, ArenaAllocator<char>>;
template <class K, class V>
using UnorderedMap = std::unordered_map<K, V, std::hash<K>, std::equal_to<K>,
                                        ArenaAllocator<std::pair<K const, V>>>;

template <class C>
struct arena_allocator : ::testing::Test {
  using Arena = typename C::template arena_type<Host>;
  Arena arena{C::options(std::size_t(1) << 20)};

  std::uint64_t live() { return arena.statistics().live_allocations; }
};
TYPED_TEST_SUITE(arena_allocator, All, ConfigName);

TYPED_TEST(arena_allocator, draws_from_the_arena_in_scope_where_it_is_made) {
  Vector<double> outside;
  outside.resize(10);
  EXPECT_EQ(this->live(), 0u);
  std::optional<Vector<double>> inside;
  {
    ArenaScope const scope(this->arena);
    inside.emplace(100, 1.5);
    // That of the scope in which it was made goes on.
    outside.resize(1000);
  }
  EXPECT_EQ(this->live(), 1u);
  EXPECT_GE(this->arena.statistics().live_bytes, 800u);
  inside->resize(1000, 1.5);
  EXPECT_EQ(this->live(), 1u);
  EXPECT_GE(this->arena.statistics().live_bytes, 8000u);
  EXPECT_EQ(std::accumulate(inside->begin(), inside->end(), 0.0), 1500.0);
  inside.reset();
  EXPECT_EQ(this->live(), 0u);
}

TYPED_TEST(arena_allocator, is_that_of_an_arena_that_is_named) {
  ArenaAllocator<int> const allocator(this->arena);
  Vector<int> named(100, 7, allocator);
  std::list<int, ArenaAllocator<int>> list({1, 2, 3}, allocator);
  EXPECT_EQ(this->live(), 4u);
  EXPECT_EQ(named.get_allocator(), allocator);
  EXPECT_EQ(list.back(), 3);
}

TYPED_TEST(arena_allocator, serves_every_container) {
  ArenaScope const scope(this->arena);
  Vector<int> vector;
  std::list<int, ArenaAllocator<int>> list;
  std::deque<int, ArenaAllocator<int>> deque;
  std::map<int, int, std::less<>, ArenaAllocator<std::pair<int const, int>>>
      map;
  UnorderedMap<int, String> unordered;
  Vector<Vector<String>> nested(3);
  for (int i = 0; i < 500; ++i) {
    auto const text = "a string beyond the small ones, " + std::to_string(i);
    vector.push_back(i);
    list.push_front(i);
    deque.push_back(i);
    map.emplace(i, 2 * i);
    unordered.emplace(i, text.c_str());
    nested[static_cast<std::size_t>(i % 3)].emplace_back(text.c_str());
  }
  for (int i = 0; i < 500; i += 2) {
    list.remove(i);
    map.erase(i);
    unordered.erase(i);
  }
  auto const check = [&] {
    for (int i = 0; i < 500; ++i) {
      auto const text = "a string beyond the small ones, " + std::to_string(i);
      auto const n    = static_cast<std::size_t>(i);
      ASSERT_EQ(vector[n], i);
      ASSERT_EQ(deque[n], i);
      ASSERT_EQ(nested[n % 3][n / 3], text.c_str());
      ASSERT_EQ(map.count(i), n % 2);
      ASSERT_EQ(unordered.count(i), n % 2);
      if (i % 2 == 1) {
        ASSERT_EQ(unordered.at(i), text.c_str());
      }
    }
    ASSERT_EQ(list.size(), 250u);
  };
  check();
  this->arena.reset();
  EXPECT_GT(this->live(), 500u);
  Vector<int> const more(1000, -1);  // In what is free.
  check();
}

TYPED_TEST(arena_allocator, gives_back_all_that_containers_give_back) {
  for (int round = 0; round < 3; ++round) {
    ArenaScope const scope(this->arena);
    UnorderedMap<int, int> map;
    for (int i = 0; i < 2000; ++i) map[i] = i;
    EXPECT_GT(this->live(), 2000u);
    map = {};
  }
  EXPECT_EQ(this->live(), 0u);
  EXPECT_EQ(this->arena.statistics().live_bytes, 0u);
}

TYPED_TEST(arena_allocator, memory_outlives_the_arena) {
  Vector<int> vector;
  {
    typename TestFixture::Arena brief(TypeParam::options(1 << 16));
    ArenaScope const scope(brief);
    vector = Vector<int>(1000, 42);
  }
  for (int const i : vector) ASSERT_EQ(i, 42);
}

TYPED_TEST(arena_allocator, copies_are_of_the_scope_in_which_they_are_made) {
  std::optional<Vector<int>> inside;
  {
    ArenaScope const scope(this->arena);
    inside.emplace(100, 1);
  }
  auto const copy = *inside;
  EXPECT_EQ(copy.get_allocator(), ArenaAllocator<int>());
  EXPECT_EQ(this->live(), 1u);
  Vector<int> assigned;
  assigned = *inside;
  EXPECT_EQ(this->live(), 1u);
  auto const* const data = inside->data();
  assigned               = std::move(*inside);
  EXPECT_EQ(assigned.data(), data);
  Vector<int> other(3, 2);
  swap(other, assigned);
  EXPECT_EQ(other.data(), data);
  EXPECT_EQ(assigned, Vector<int>(3, 2));
}

TYPED_TEST(arena_allocator, too_much_is_an_error_that_changes_nothing) {
  ArenaScope const scope(this->arena);
  ArenaAllocator<double> allocator;
  EXPECT_THROW(static_cast<void>(allocator.allocate(~std::size_t(0) / 4)),
               std::bad_array_new_length);
  EXPECT_THROW(static_cast<void>(allocator.allocate(~std::size_t(0) / 9)),
               ArenaExhausted);
  EXPECT_EQ(this->live(), 0u);
  Vector<double> vector(10, 1.0);
  EXPECT_THROW(vector.reserve(std::size_t(1) << 58), std::bad_alloc);
  EXPECT_EQ(vector, Vector<double>(10, 1.0));
}

TYPED_TEST(arena_allocator, takes_no_heap_memory) {
  ArenaScope const scope(this->arena);
  auto const work = [] {
    Vector<int> vector;
    for (int i = 0; i < 1000; ++i) vector.push_back(i);
    UnorderedMap<int, int> map;
    for (int i = 0; i < 100; ++i) map[i] = i;
    return vector.back() + map[99];
  };
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += work();
  auto const before = heap_calls().allocations;
  for (int i = 0; i < 10; ++i) sum += work();
  EXPECT_EQ(heap_calls().allocations, before);
  EXPECT_EQ(sum, 13 * (999 + 99));
}

struct alignas(256) Aligned {
  std::array<char, 300> bytes;
};

TYPED_TEST(arena_allocator, aligns_as_elements_want_it) {
  ArenaScope const scope(this->arena);
  for (std::size_t n = 1; n < 10; ++n) {
    Vector<Aligned> const vector(n);
    EXPECT_EQ(address_of(vector.data()) % 256, 0u);
  }
}

TYPED_TEST(arena_allocator, of_a_resource_serves_pmr_containers) {
  ArenaResource resource(this->arena);
  std::pmr::vector<std::pmr::string> names(&resource);
  for (int i = 0; i < 200; ++i) {
    names.emplace_back("a name beyond the small ones, " + std::to_string(i));
  }
  EXPECT_EQ(this->live(), 201u);
  EXPECT_EQ(names[7].get_allocator().resource(), &resource);
  this->arena.reset();
  std::pmr::unordered_map<int, int> map(&resource);
  for (int i = 0; i < 200; ++i) map[i] = i;
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(names[i],
              ("a name beyond the small ones, " + std::to_string(i)).c_str());
  }
  map.clear();
  names = std::pmr::vector<std::pmr::string>(&resource);
  map   = std::pmr::unordered_map<int, int>(&resource);
  EXPECT_EQ(this->live(), 0u);
  // Nothing is different from the next.
  EXPECT_NE(resource.allocate(0), resource.allocate(0));
}

TYPED_TEST(arena_allocator, resources_are_equal_if_their_arena_is_the_same) {
  typename TestFixture::Arena other(TypeParam::options(1 << 16));
  ArenaResource const a(this->arena), b(this->arena), c(other);
  EXPECT_TRUE(a == b);
  EXPECT_FALSE(a == c);
  EXPECT_FALSE(a == *std::pmr::new_delete_resource());
}

TYPED_TEST(arena_allocator, names_itself_where_there_is_no_room) {
  typename TestFixture::Arena small(ArenaOptions{
      .label = "small", .initial_bytes = 4096, .maximum_bytes = 4096});
  ArenaResource resource(small);
  std::pmr::vector<char> vector(&resource);
  try {
    vector.resize(100'000);
    ADD_FAILURE() << "nothing was thrown";
  } catch (ArenaExhausted const& e) {
    EXPECT_NE(std::string(e.what()).find(
                  "arena \"small\" can't give 100000 bytes for View "
                  "\"ArenaResource\""),
              std::string::npos)
        << e.what();
  }
}

template <class C>
struct arena_allocator_threads : arena_allocator<C> {};
using Shared = ::testing::Types<Config<KokkosArena::Locked, false>,
                                Config<KokkosArena::ThreadCached, false>>;
TYPED_TEST_SUITE(arena_allocator_threads, Shared, ConfigName);

TYPED_TEST(arena_allocator_threads, may_give_back_what_others_took) {
  constexpr std::size_t threads = 4;
  std::array<Vector<Vector<std::size_t>>, threads> made;
  auto const on_all = [](auto const& f) {
    std::vector<std::thread> team;
    for (std::size_t t = 0; t < threads; ++t) team.emplace_back(f, t);
    for (auto& thread : team) thread.join();
  };
  for (std::size_t round = 0; round < 5; ++round) {
    on_all([&](std::size_t t) {
      ArenaScope const scope(this->arena);
      Vector<Vector<std::size_t>> vectors;
      for (std::size_t i = 0; i < 100; ++i) vectors.emplace_back(i, t + i);
      made[t] = std::move(vectors);
    });
    on_all([&](std::size_t t) {
      auto& others = made[(t + 1) % threads];
      for (std::size_t i = 0; i < 100; ++i) {
        for (auto const value : others[i]) {
          EXPECT_EQ(value, (t + 1) % threads + i);
        }
      }
      Vector<Vector<std::size_t>>().swap(others);
    });
    EXPECT_EQ(this->live(), 0u);
  }
}

#if defined(KOKKOS_ENABLE_OPENMP)
TYPED_TEST(arena_allocator_threads, draw_from_the_scope_around_a_kernel) {
  {
    ArenaScope const scope(this->arena);
    std::size_t sum = 0;
    Kokkos::parallel_reduce(
        "containers", Kokkos::RangePolicy<Kokkos::OpenMP>(0, 1000),
        [](std::size_t i, std::size_t& partial) {
          Vector<std::size_t> vector;
          for (std::size_t k = 0; k <= i % 50; ++k) vector.push_back(i);
          partial += vector.size();
        },
        sum);
    EXPECT_EQ(sum, 20u * (50 * 51 / 2));
  }
  auto const s = this->arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_GE(s.total_allocations, 1000u);
}
#endif

}  // namespace
