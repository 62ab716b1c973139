// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestJson.hpp>
#include <engine/KokkosArena_JsonText.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace {

using KokkosArena::Impl::JsonText;
using KokkosArenaTest::JsonParser;

std::string string(std::string_view value) {
  JsonText json;
  json.string(value);
  return json.text();
}

TEST(json_text, strings_are_quoted) {
  EXPECT_EQ(string(""), R"("")");
  EXPECT_EQ(string("a view"), R"("a view")");
  EXPECT_EQ(string("\"\\/"), R"("\"\\/")");
}

TEST(json_text, control_characters_are_escaped) {
  EXPECT_EQ(string("\n\t\x01\x1f\x7f"), R"("\u000a\u0009\u0001\u001f\u007f")");
  EXPECT_EQ(string({"\0", 1}), R"("\u0000")");
}

TEST(json_text, utf8_is_left_as_it_is) {
  for (std::string_view const character :
       {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(string(character), '"' + std::string(character) + '"');
  }
}

TEST(json_text, bytes_that_are_not_utf8_are_replaced_one_by_one) {
  std::string const replacement = "\\ufffd";
  for (std::string_view const bytes :
       {"\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    std::string expected;
    for (std::size_t i = 0; i < bytes.size(); ++i) expected += replacement;
    EXPECT_EQ(string(bytes), '"' + expected + '"');
  }
  // Cut off, at the end and within.
  EXPECT_EQ(string("\xc3"), '"' + replacement + '"');
  EXPECT_EQ(string("\xe2\x82"), '"' + replacement + replacement + '"');
  EXPECT_EQ(string("\xc3(\xc3\xa4"), '"' + replacement + "(\xc3\xa4\"");
}

TEST(json_text, numbers_are_written_in_full) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  JsonText json;
  json.begin_object();
  json.name("least");
  json.number(0);
  json.name("most");
  json.number(most);
  json.name("small");
  json.thousandths(7);
  json.name("large");
  json.thousandths(most);
  json.name("hexadecimal");
  json.hexadecimal(most);
  json.end_object();
  EXPECT_EQ(json.text(),
            R"({"least":0,"most":18446744073709551615,"small":0.007,)"
            R"("large":18446744073709551.615,)"
            R"("hexadecimal":"0xffffffffffffffff"})");
}

/// With its line.
void add(JsonText& json, std::string_view name) {
  json.begin_line();
  json.begin_object();
  json.name(name);
  json.begin_object();
  json.end_object();
  json.name("text");
  json.string("{[");
  json.name("next");
  json.number(1);
  json.end_object();
}

TEST(json_text, commas_are_where_they_have_to_be) {
  JsonText json;
  json.begin_array();
  add(json, "a");
  add(json, "b");
  EXPECT_EQ(json.text(),
            "[\n{\"a\":{},\"text\":\"{[\",\"next\":1},\n"
            "{\"b\":{},\"text\":\"{[\",\"next\":1}");
}

TEST(json_text, array_goes_on_after_its_text_was_taken_away) {
  JsonText json;
  json.begin_array();
  add(json, "a");
  auto text = json.text();
  json.clear();
  add(json, "b");
  auto const size = json.size();
  add(json, "dropped");
  json.cut(size);
  add(json, "c");
  text += json.text();
  text += JsonText::end_of_array;
  auto const items = JsonParser(text).parse().items;
  ASSERT_EQ(items.size(), 3u);
  EXPECT_TRUE(items[0].members.contains("a"));
  EXPECT_TRUE(items[1].members.contains("b"));
  EXPECT_TRUE(items[2].members.contains("c"));
}

TEST(json_text, array_begins_anew_where_its_first_item_was_dropped) {
  JsonText json;
  json.begin_array();
  auto const size = json.size();
  add(json, "dropped");
  json.cut(size);
  add(json, "a");
  auto const items =
      JsonParser(json.text() + std::string(JsonText::end_of_array))
          .parse()
          .items;
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0]["text"].text, "{[");
}

}  // namespace
