// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the figures of an arena are printed.
#include <KokkosArena_Statistics.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <iomanip>
#include <ios>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

namespace {

using KokkosArena::ArenaStatistics;

constexpr std::uint64_t KiB = 1 << 10;
constexpr std::uint64_t MiB = 1 << 20;
constexpr std::uint64_t GiB = 1 << 30;

/// Every figure different.
ArenaStatistics example() {
  ArenaStatistics s;
  s.capacity_bytes              = 4 * MiB;
  s.used_bytes                  = 3 * MiB / 2;
  s.live_bytes                  = 1100 * KiB;
  s.peak_bytes                  = 3200 * KiB;
  s.peak_live_bytes             = 2 * MiB;
  s.live_allocations            = 3;
  s.total_allocations           = 1240;
  s.upstream_allocations        = 8;
  s.upstream_bytes              = 3 * GiB;
  s.blocks                      = 5;
  s.retired_blocks              = 2;
  s.retired_bytes               = 120 * KiB;
  s.resets                      = 17;
  s.escaped_views               = 514;
  s.unscoped_worker_allocations = 615;
  s.failed_handle_allocations   = 716;
  s.failed_adoptions            = 817;
  s.free_bytes                  = 5 * MiB / 2;
  s.largest_free_bytes          = MiB;
  s.label                       = "work";
  return s;
}

std::string printed(ArenaStatistics const& s) {
  std::ostringstream out;
  out << s;
  return out.str();
}

std::string printed_size(std::uint64_t bytes) {
  ArenaStatistics s;
  s.used_bytes     = bytes;
  auto const text  = printed(s);
  auto const begin = text.find(": ") + 2;
  return text.substr(begin, text.find(" of ") - begin);
}

TEST(statistics, print_every_figure_once) {
  EXPECT_EQ(printed(example()),
            "arena \"work\": 1.5 MiB of 4.0 MiB used, peak 3.1 MiB\n"
            "  3 Views alive (1.1 MiB, peak 2.0 MiB), 1240 allocations, "
            "17 resets\n"
            "  5 blocks, 8 upstream allocations (3.0 GiB)\n"
            "  2 retired blocks (120.0 KiB), kept for Views that are still "
            "alive\n"
            "  2.5 MiB free, of which 1.0 MiB in one piece (60% fragmented)\n"
            "  514 Views alive at a reset\n"
            "  615 unscoped allocations of workers\n"
            "  716 failed allocations of handles\n"
            "  817 failed adoptions");
}

TEST(statistics, print_one_of_each_in_the_singular) {
  auto s                        = example();
  s.live_allocations            = 1;
  s.total_allocations           = 1;
  s.upstream_allocations        = 1;
  s.blocks                      = 1;
  s.retired_blocks              = 1;
  s.resets                      = 1;
  s.escaped_views               = 1;
  s.unscoped_worker_allocations = 1;
  s.failed_handle_allocations   = 1;
  s.failed_adoptions            = 1;
  EXPECT_EQ(printed(s),
            "arena \"work\": 1.5 MiB of 4.0 MiB used, peak 3.1 MiB\n"
            "  1 View alive (1.1 MiB, peak 2.0 MiB), 1 allocation, 1 reset\n"
            "  1 block, 1 upstream allocation (3.0 GiB)\n"
            "  1 retired block (120.0 KiB), kept for Views that are still "
            "alive\n"
            "  2.5 MiB free, of which 1.0 MiB in one piece (60% fragmented)\n"
            "  1 View alive at a reset\n"
            "  1 unscoped allocation of workers\n"
            "  1 failed allocation of handles\n"
            "  1 failed adoption");
}

TEST(statistics, print_what_the_base_space_gave) {
  ArenaStatistics s;
  s.total_allocations              = 1;
  s.base_space_allocations         = 1;
  s.largest_base_space_allocations = {{"a", 1, 2 * KiB}};
  EXPECT_EQ(printed(s),
            "arena \"\": 0 B of 0 B used, peak 0 B\n"
            "  1 allocation\n"
            "  1 allocation of the base space in its scopes: "
            "\"a\" (1, 2.0 KiB)");
}

TEST(statistics, print_nothing_that_is_zero) {
  ArenaStatistics s;
  s.label = "new";
  EXPECT_EQ(printed(s), "arena \"new\": 0 B of 0 B used, peak 0 B");
  s.resets = 2;
  s.blocks = 1;
  EXPECT_EQ(printed(s),
            "arena \"new\": 0 B of 0 B used, peak 0 B\n"
            "  2 resets\n"
            "  1 block");
}

TEST(statistics, print_the_peak_of_views_that_are_gone) {
  ArenaStatistics s;
  s.peak_live_bytes = 2 * KiB;
  EXPECT_EQ(printed(s),
            "arena \"\": 0 B of 0 B used, peak 0 B\n"
            "  no View alive (peak 2.0 KiB)");
}

TEST(statistics, print_free_bytes_only_if_they_are_scattered) {
  ArenaStatistics s;
  s.free_bytes         = MiB;
  s.largest_free_bytes = MiB;
  EXPECT_EQ(printed(s).find("free"), std::string::npos);
  s.largest_free_bytes = MiB / 4;
  EXPECT_NE(printed(s).find("\n  1.0 MiB free, of which 256.0 KiB in one piece "
                            "(75% fragmented)"),
            std::string::npos)
      << printed(s);
}

TEST(statistics, print_sizes_in_the_unit_that_fits) {
  EXPECT_EQ(printed_size(0), "0 B");
  EXPECT_EQ(printed_size(1), "1 B");
  EXPECT_EQ(printed_size(KiB - 1), "1023 B");
  EXPECT_EQ(printed_size(KiB), "1.0 KiB");
  EXPECT_EQ(printed_size(KiB + 51), "1.0 KiB");
  EXPECT_EQ(printed_size(KiB + 52), "1.1 KiB");
  EXPECT_EQ(printed_size(2 * KiB - 1), "2.0 KiB");
  EXPECT_EQ(printed_size(1023 * KiB), "1023.0 KiB");
  // Which would be 1024.0 of the smaller unit.
  EXPECT_EQ(printed_size(MiB - 1), "1.0 MiB");
  EXPECT_EQ(printed_size(MiB), "1.0 MiB");
  EXPECT_EQ(printed_size(GiB - 1), "1.0 GiB");
  EXPECT_EQ(printed_size(GiB), "1.0 GiB");
  EXPECT_EQ(printed_size(5000 * GiB + GiB / 2), "5000.5 GiB");
  EXPECT_EQ(printed_size(std::numeric_limits<std::uint64_t>::max()),
            "17179869184.0 GiB");
}

/// As of a language with groups of two digits and a decimal comma.
struct Punctuation : std::numpunct<char> {
  char do_thousands_sep() const override { return '\''; }
  char do_decimal_point() const override { return ','; }
  std::string do_grouping() const override { return "\2"; }
};

TEST(statistics, print_the_same_whatever_the_streams_state) {
  auto const plain = printed(example());
  std::ostringstream out;
  out.imbue(std::locale(std::locale::classic(), new Punctuation));
  out << std::hex << std::showbase << std::showpos << std::uppercase
      << std::setfill('*') << std::left << std::setprecision(1)
      << std::scientific << example();
  EXPECT_EQ(out.str(), plain);
  out.str("");
  out << std::setw(1000) << std::setfill('*') << example();
  EXPECT_EQ(out.str(), plain);
}

TEST(statistics, print_the_same_whatever_the_global_locale) {
  auto const plain = printed(example());
  auto const before =
      std::locale::global(std::locale(std::locale::classic(), new Punctuation));
  auto const other = printed(example());
  std::locale::global(before);
  EXPECT_EQ(other, plain);
}

TEST(statistics, leave_the_streams_state_as_it_was_when_printed) {
  std::ostringstream out;
  out << std::hex << std::showbase << std::setfill('*') << std::left
      << std::setprecision(3);
  auto const flags = out.flags();
  out << example();
  EXPECT_EQ(out.flags(), flags);
  EXPECT_EQ(out.fill(), '*');
  EXPECT_EQ(out.precision(), 3);
  out.str("");
  out << 255 << std::setw(4) << 1;
  EXPECT_EQ(out.str(), "0xff0x1*");
}

TEST(statistics, can_be_chained_in_a_stream) {
  std::ostringstream out;
  out << '[' << std::setw(100) << example() << ']' << 5;
  EXPECT_EQ(out.str(), '[' + printed(example()) + "]5");
}

}  // namespace
