// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>
#include <engine/KokkosArena_CheckedPieces.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace {

using KokkosArena::Impl::CheckedPiece;
using KokkosArena::Impl::CheckedPieces;
using KokkosArena::Impl::CheckedWindow;
using KokkosArenaTest::HeapFailure;

constexpr std::size_t kib          = 1024;
constexpr std::uintptr_t base      = std::uintptr_t(1) << 60;
constexpr std::size_t window_bytes = std::size_t(1) << 20;
constexpr auto all                 = [](CheckedPiece const&) { return true; };
constexpr auto nothing             = [](CheckedPiece const&) {};

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

struct checked_pieces : ::testing::Test {
  CheckedPieces pieces;
  CheckedWindow own, shared{.is_shared = true};

  CheckedPiece& add(std::uintptr_t window, std::uint64_t frame = 0) {
    pieces.prepare_add();
    auto& piece   = pieces.add();
    piece.section = {&own, base + window * window_bytes, window_bytes};
    piece.block.restart(piece.section.begin, piece.section.bytes);
    piece.frame = frame;
    return piece;
  }
  /// \return Its data.
  void* make_view(CheckedPiece& piece, std::size_t bytes = 64) {
    auto const begin = pieces.allocate(piece, bytes, 64);
    auto& made       = pieces.enter(piece, begin, bytes);
    made.data        = pointer(begin);
    made.alive       = true;
    ++piece.live;
    return made.data;
  }
  void end_view(void* data, bool dropped) {
    auto* const a = pieces.find(data, dropped);
    ASSERT_NE(a, nullptr);
    a->alive = false;
    --a->piece->live;
  }
  void drop_all() {
    pieces.drop_if(0, all, {"a drop", {}}, 1, nothing);
    pieces.forget_old();
  }
};

TEST_F(checked_pieces, that_are_dropped_leave_the_others_in_their_order) {
  std::vector<CheckedPiece*> made;
  for (std::uint64_t i = 0; i < 6; ++i) made.push_back(&add(i, i % 2));
  std::vector<CheckedPiece const*> seen;
  pieces.drop_if(
      1, [](CheckedPiece const& p) { return p.frame == 1; }, {"a drop", {}}, 7,
      [&](CheckedPiece const& p) {
        EXPECT_TRUE(p.dropped);
        EXPECT_EQ(p.dropped_cycle, 7u);
        seen.push_back(&p);
      });
  EXPECT_EQ(seen,
            (std::vector<CheckedPiece const*>{made[1], made[3], made[5]}));
  ASSERT_EQ(pieces.in_use().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(pieces.in_use()[i].get(), made[2 * i]);
    EXPECT_FALSE(made[2 * i]->dropped);
    EXPECT_EQ(pieces.dropped()[i].get(), made[2 * i + 1]);
  }
}

TEST_F(checked_pieces, are_remembered_for_two_drops) {
  for (std::uintptr_t i = 0; i < 5; ++i) {
    add(i);
    drop_all();
    EXPECT_EQ(pieces.dropped().size(), i == 0 ? 1u : 2u);
    EXPECT_EQ(pieces.dropped().back()->section.begin, base + i * window_bytes);
  }
}

TEST_F(checked_pieces, with_a_view_that_is_alive_are_remembered_until_it_ends) {
  auto* const data = make_view(add(0));
  drop_all();
  for (std::uintptr_t i = 1; i < 5; ++i) {
    add(i);
    drop_all();
  }
  EXPECT_EQ(pieces.dropped().size(), 3u);
  end_view(data, true);
  pieces.forget_old();
  EXPECT_EQ(pieces.dropped().size(), 2u);
  EXPECT_EQ(pieces.find(data, true), nullptr);
}

TEST_F(checked_pieces, find_what_is_alive_among_those_asked_for) {
  auto* const dropped = make_view(add(0));
  drop_all();
  auto* const valid = make_view(add(1));
  EXPECT_NE(pieces.find(dropped, true), nullptr);
  EXPECT_EQ(pieces.find(dropped, false), nullptr);
  EXPECT_NE(pieces.find(valid, false), nullptr);
  EXPECT_EQ(pieces.find(valid, true), nullptr);
}

TEST_F(checked_pieces, at_an_address_are_the_newest) {
  add(0).cycle = 1;
  drop_all();
  add(0).cycle = 2;
  drop_all();
  auto const* const found = pieces.newest_at(pointer(base + 5), true);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->cycle, 2u);
  EXPECT_EQ(pieces.newest_at(pointer(base + 5), false), nullptr);
  EXPECT_EQ(pieces.newest_at(pointer(base + window_bytes), true), nullptr);
  EXPECT_EQ(pieces.newest_at(pointer(base - 1), true), nullptr);
}

TEST_F(checked_pieces, count_what_is_used) {
  auto* const a = make_view(add(0), 128);
  auto& piece   = add(1);
  make_view(piece, 64);
  auto* const b = make_view(piece, 64);
  EXPECT_EQ(pieces.used(), 256u);
  pieces.deallocate(piece, reinterpret_cast<std::uintptr_t>(b), 64);
  EXPECT_EQ(pieces.used(), 192u);
  end_view(a, false);
  pieces.drop_if(1, all, {"a drop", {}}, 1, nothing);
  EXPECT_EQ(pieces.used(), 128u);
  drop_all();
  EXPECT_EQ(pieces.used(), 0u);
}

TEST_F(checked_pieces, of_shared_windows_grow_at_their_end) {
  auto& piece   = add(0);
  piece.section = {&shared, base, 32 * kib};
  piece.block.restart(base, 32 * kib);
  // Of a window of its own, the second would lie at the other end.
  auto const a = pieces.allocate(piece, 17 * kib, 64);
  EXPECT_EQ(a, base);
  EXPECT_EQ(pieces.allocate(piece, 17 * kib, 64), 0u);
  piece.section.bytes = 64 * kib;
  pieces.extend(piece);
  EXPECT_EQ(pieces.used(), 17 * kib);
  EXPECT_EQ(pieces.allocate(piece, 17 * kib, 64), base + 17 * kib);
  EXPECT_EQ(pieces.allocate(piece, 17 * kib, 64), base + 34 * kib);
  EXPECT_EQ(pieces.used(), 51 * kib);
}

TEST_F(checked_pieces, are_found_by_the_epoch_that_they_were_made_after) {
  EXPECT_EQ(pieces.first_after(0), 0u);
  for (std::uint64_t const epoch : {1, 2, 2, 5}) add(epoch).made_in = epoch;
  EXPECT_EQ(pieces.first_after(0), 0u);
  EXPECT_EQ(pieces.first_after(1), 1u);
  EXPECT_EQ(pieces.first_after(2), 3u);
  EXPECT_EQ(pieces.first_after(4), 3u);
  EXPECT_EQ(pieces.first_after(5), 4u);
}

TEST_F(checked_pieces, that_are_undone_come_again_as_new) {
  auto& first = add(0, 3);
  pieces.enter(first, first.section.begin, 64);
  pieces.undo_add();
  EXPECT_TRUE(pieces.in_use().empty());
  pieces.prepare_add();
  auto& second = pieces.add();
  EXPECT_EQ(&second, &first);
  EXPECT_EQ(second.ledger.size(), 0u);
  EXPECT_EQ(second.section.bytes, 0u);
}

TEST_F(checked_pieces, that_are_undone_are_not_used_where_a_hole_has_no_note) {
  auto& piece = add(0);
  {
    HeapFailure const no_heap;
    pieces.allocate(piece, 64, 64);
    auto const begin = pieces.allocate(piece, 64, 4 * kib);
    pieces.deallocate(piece, begin, 64);
  }
  EXPECT_GT(pieces.used(), 0u);
  pieces.undo_add();
  EXPECT_EQ(pieces.used(), 0u);
}

TEST_F(checked_pieces, take_no_memory_to_be_dropped_and_forgotten) {
  for (std::uintptr_t i = 0; i < 100; ++i) {
    auto& piece = add(i);
    for (std::uintptr_t k = 0; k < 10; ++k) {
      pieces.enter(piece, piece.section.begin + 64 * k, 64);
    }
  }
  auto const before = KokkosArenaTest::heap_calls().allocations;
  pieces.undo_add();
  drop_all();
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
  EXPECT_EQ(pieces.dropped().size(), 99u);
  for (int i = 0; i < 2; ++i) {
    add(200);
    drop_all();
  }
  EXPECT_EQ(pieces.dropped().size(), 2u);
  // All that has been made serves again.
  auto const later = KokkosArenaTest::heap_calls().allocations;
  for (std::uintptr_t i = 0; i < 97; ++i) {
    auto& piece = add(i);
    for (std::uintptr_t k = 0; k < 10; ++k) {
      pieces.enter(piece, piece.section.begin + 64 * k, 64);
    }
  }
  EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, later);
}

TEST(checked_pieces_heap, failures_of_it_leave_them_as_they_were) {
  bool failed = true;
  for (std::uint64_t n = 0; failed; ++n) {
    ASSERT_LT(n, 100u);
    CheckedPieces pieces;
    {
      HeapFailure const failure(n);
      try {
        pieces.prepare_add();
        EXPECT_FALSE(HeapFailure::has_happened());
      } catch (std::bad_alloc const&) {
        EXPECT_TRUE(pieces.in_use().empty());
      }
      failed = HeapFailure::has_happened();
    }
    pieces.prepare_add();
    auto const before = KokkosArenaTest::heap_calls().allocations;
    pieces.add();
    pieces.drop_if(0, all, {"a drop", {}}, 1, nothing);
    EXPECT_EQ(KokkosArenaTest::heap_calls().allocations, before);
    EXPECT_EQ(pieces.dropped().size(), 1u);
  }
}

}  // namespace
