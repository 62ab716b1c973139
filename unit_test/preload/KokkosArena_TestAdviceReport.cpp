// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_MockSources.hpp"

#include <KokkosArena_TestJson.hpp>
#include <preload/KokkosArena_AdviceReport.hpp>
#include <preload/KokkosArena_AllocationLog.hpp>
#include <preload/KokkosArena_LivePicture.hpp>
#include <preload/KokkosArena_ReadableNumbers.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace {

using KokkosArena::Impl::Advice;
using KokkosArena::Impl::AllocationLog;
using KokkosArena::Impl::readable_bytes;
using KokkosArena::Impl::readable_count;
using KokkosArena::Impl::readable_percent;
using KokkosArena::Impl::readable_time;
using KokkosArenaTest::address;
using KokkosArenaTest::JsonParser;
using KokkosArenaTest::MockSources;

constexpr char const* nasty = "<b>&\"it's\"\n\x1b[31m\xc3\xa4</script>\xff";

template <class Write>
std::string text_of(Write const& write, Advice const& advice) {
  std::ostringstream out;
  write(out, advice);
  return out.str();
}

Advice of_nothing() {
  MockSources::reset();
  return AllocationLog(MockSources::sources()).finish();
}

/// Half of the time of a region goes to page faults, of which the first hundred
/// are needed.
Advice of_a_region(char const* name) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  log.push_region("step");
  log.push_region(name);
  for (int i = 0; i < 100; ++i) {
    log.allocated("Host", name, address(1), 409'600);
    MockSources::fault(100);
    MockSources::ns += 200'000;
    log.deallocated(address(1), 409'600);
  }
  log.fence("HostSpace::impl_deallocate before free");
  log.pop_region();
  log.pop_region();
  log.allocated("Host", "kept", address(2), 4096);
  log.allocated(name, "x", address(3), 10);
  log.deallocated(address(4), 10);
  return log.finish();
}

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t result = 0;
  for (auto at = text.find(part); at != std::string::npos;
       at      = text.find(part, at + 1)) {
    ++result;
  }
  return result;
}

/// \return What is wrong with the tags of a page, or nothing.
std::string fault_of_html(std::string const& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos;
       at             = page.find('<', at)) {
    auto const end = page.find('>', at);
    if (end == std::string::npos) return "no end of a tag";
    auto const tag = page.substr(at + 1, end - at - 1);
    at             = end;
    if (tag.empty() || std::count(tag.begin(), tag.end(), '"') % 2 != 0) {
      return "tag " + tag;
    }
    auto const name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '!' || name == "meta" || tag.back() == '/') continue;
    if (tag[0] != '/') {
      open.push_back(name);
    } else if (open.empty() || "/" + open.back() != tag) {
      return "unbalanced " + tag;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "open " + open.back();
}

TEST(advice_text, says_the_verdict_and_the_command_first) {
  auto const text =
      text_of(KokkosArena::Impl::write_text, of_a_region("solve"));
  EXPECT_EQ(text.find("KokkosArena: A gain of about 49 % of the time is to be "
                      "expected in the region \"solve\".\n  try: "
                      "kokkos-arena run --adopt 'solve' -- ./app args...\n"),
            0u);
  EXPECT_NE(text.find("GLIBC_TUNABLES="), std::string::npos);
  EXPECT_NE(text.find("1 ends of memory that was made before"),
            std::string::npos);
  // In its row: 100 Views of 400 KiB, all of which died in it.
  EXPECT_NE(text.find("39.1 MiB  100 %"), std::string::npos);
  EXPECT_NE(text.find("      solve\n"), std::string::npos);
}

TEST(advice_text, has_no_control_characters_of_names) {
  auto const text = text_of(KokkosArena::Impl::write_text, of_a_region(nasty));
  EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c != '\n' && (c < 0x20 || c == 0x7f);
  }));
  EXPECT_NE(text.find("\xc3\xa4"), std::string::npos);
  EXPECT_EQ(text.find("\"it's\"\n"), std::string::npos);
}

TEST(advice_text, leaves_out_what_is_too_much) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  for (std::uint64_t i = 1; i <= 50; ++i) {
    auto const name = "view " + std::to_string(i) + " of them";
    log.allocated("Host", name.c_str(), address(i), 100 * i);
  }
  auto const text = text_of(KokkosArena::Impl::write_text, log.finish());
  EXPECT_NE(text.find("view 50 of them"), std::string::npos);
  EXPECT_EQ(text.find("view 30 of them"), std::string::npos);
  EXPECT_NE(text.find("  and 30 more\n"), std::string::npos);
}

TEST(advice_json, has_the_figures_as_numbers) {
  auto const json =
      JsonParser(text_of(KokkosArena::Impl::write_json, of_a_region("solve")))
          .parse();
  EXPECT_EQ(json["verdict"]["result"].text, "gain");
  EXPECT_NEAR(json["verdict"]["gain_percent"].number, 49.5, 0.1);
  ASSERT_EQ(json["verdict"]["adopt"].items.size(), 1u);
  EXPECT_EQ(json["verdict"]["adopt"].items[0].text, "solve");
  EXPECT_EQ(json["machine"]["fault_ns"].number, 1000);
  EXPECT_EQ(json["program"]["ns"].number, 20'000'000);
  EXPECT_EQ(json["program"]["unknown_ends"].number, 1);
  EXPECT_EQ(json["program"]["alive_at_end"].number, 1);
  ASSERT_EQ(json["regions"].items.size(), 3u);
  auto const& solve = json["regions"].items[2];
  EXPECT_EQ(solve["path"].text, "step/solve");
  EXPECT_EQ(solve["parent"].number, 1);
  EXPECT_EQ(solve["allocations"].number, 100);
  EXPECT_EQ(solve["bytes"].number, 40'960'000);
  EXPECT_EQ(solve["died_in_entry"].number, 100);
  EXPECT_EQ(solve["most_live_bytes"].number, 409'600);
  EXPECT_EQ(solve["arena_bytes"].number, 409'856);
  EXPECT_EQ(solve["faults"].number, 10'000);
  EXPECT_EQ(solve["end_fences"].number, 1);
  EXPECT_EQ(json["regions"].items[1]["own"]["allocations"].number, 0);
  EXPECT_EQ(json["regions"].items[1]["allocations"].number, 100);
  ASSERT_EQ(json["labels"].items.size(), 2u);
  EXPECT_EQ(json["labels"].items[1]["name"].text, "kept");
  EXPECT_EQ(json["other_spaces"].items[0]["allocations"].number, 1);
  ASSERT_EQ(json["live"]["series"].items.size(), 2u);
  EXPECT_EQ(json["live"]["series"].items[1].text, "step/solve");
  ASSERT_FALSE(json["live"]["samples"].items.empty());
  auto const& last = json["live"]["samples"].items.back();
  EXPECT_EQ(last["ns"].number, 20'000'000);
  ASSERT_EQ(last["bytes"].items.size(), 2u);
  EXPECT_EQ(last["bytes"].items[0].number, 4096);
}

TEST(advice_json, is_json_with_names_of_any_bytes) {
  auto const json =
      JsonParser(text_of(KokkosArena::Impl::write_json, of_a_region(nasty)))
          .parse();
  EXPECT_EQ(json["labels"].items[0]["name"].text,
            "<b>&\"it's\"\n\x1b[31m\xc3\xa4</script>?");
}

TEST(advice_json, of_nothing_is_json) {
  auto const json =
      JsonParser(text_of(KokkosArena::Impl::write_json, of_nothing())).parse();
  EXPECT_EQ(json["verdict"]["result"].text, "no gain");
  EXPECT_EQ(json["regions"].items.size(), 1u);
  EXPECT_TRUE(json["labels"].items.empty());
}

TEST(advice_html, is_one_page_with_a_picture_and_needs_nothing_else) {
  auto const page =
      text_of(KokkosArena::Impl::write_html, of_a_region("solve"));
  EXPECT_EQ(fault_of_html(page), "");
  EXPECT_EQ(count(page, "<svg "), 1u);
  EXPECT_EQ(count(page, "<table>"), 2u);
  EXPECT_NE(page.find("<title>step/solve</title>"), std::string::npos);
  EXPECT_NE(page.find("--adopt &#39;solve&#39; -- "), std::string::npos);
  for (char const* const foreign : {"http:", "https:", "src=", "href=",
                                    "<script", "<link", "@import", "url("}) {
    EXPECT_EQ(page.find(foreign), std::string::npos) << foreign;
  }
}

TEST(advice_html, escapes_names_of_any_bytes) {
  auto const page = text_of(KokkosArena::Impl::write_html, of_a_region(nasty));
  EXPECT_EQ(fault_of_html(page), "");
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("</script>"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;&amp;&quot;it&#39;s&quot;&#xfffd;&#xfffd;[31m"
                      "\xc3\xa4&lt;/script&gt;"),
            std::string::npos);
}

TEST(advice_html, of_nothing_has_no_picture) {
  auto const page = text_of(KokkosArena::Impl::write_html, of_nothing());
  EXPECT_EQ(fault_of_html(page), "");
  EXPECT_EQ(count(page, "<svg "), 0u);
  EXPECT_NE(page.find("Nothing was alive at any time."), std::string::npos);
}

// 300 units high from 310 upwards, 900 wide from 90 on.
TEST(live_picture, has_one_region_on_top_of_the_other) {
  MockSources::reset();
  AllocationLog log(MockSources::sources());
  log.allocated("Host", "x", address(1), 100'000);
  MockSources::ns += 5'000'000;
  log.push_region("a");
  log.allocated("Host", "y", address(2), 200'000);
  MockSources::ns += 5'000'000;
  log.pop_region();
  auto const picture = KokkosArena::Impl::live_picture(log.finish());
  EXPECT_NE(picture.find("d=\"M90 210H90V210H990V310H90Z\"><title>(no "
                         "region)</title>"),
            std::string::npos)
      << picture;
  EXPECT_NE(picture.find("d=\"M90 210H90V210H540V10H990V210H90Z\"><title>a"
                         "</title>"),
            std::string::npos)
      << picture;
}

TEST(readable_numbers, have_the_unit_that_fits) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1024), "1.00 KiB");
  EXPECT_EQ(readable_bytes(1024.0 * 1024 - 1), "1.00 MiB");
  EXPECT_EQ(readable_bytes(123.4 * 1024 * 1024 * 1024), "123 GiB");
  EXPECT_EQ(readable_time(0), "0 s");
  EXPECT_EQ(readable_time(1.5), "1.50 ns");
  EXPECT_EQ(readable_time(12'345), "12.3 us");
  EXPECT_EQ(readable_time(999'600), "1.00 ms");
  EXPECT_EQ(readable_time(3.6e12), "3600 s");
  EXPECT_EQ(readable_count(0), "0");
  EXPECT_EQ(readable_count(999), "999");
  EXPECT_EQ(readable_count(1'234'567), "1,234,567");
  EXPECT_EQ(readable_percent(0.0342), "3.4 %");
  EXPECT_EQ(readable_percent(0.25), "25 %");
}

}  // namespace
