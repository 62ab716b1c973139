// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdviceReport.hpp"
#include "KokkosArena_AdviceTables.hpp"
#include "KokkosArena_LivePicture.hpp"

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t most_rows = 500;

constexpr char const* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>KokkosArena: advice</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; }
h2 { font-size: 1.15em; margin-top: 2em; }
pre { padding: .6em 1em; border: 1px solid #8886; border-radius: 4px; overflow-x: auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: right; padding: .2em .6em; border-bottom: 1px solid #8884; white-space: nowrap; }
th:last-child, td:last-child { text-align: left; }
svg { width: 100%; height: auto; }
svg text { font-size: 13px; fill: currentColor; }
.line { stroke: currentColor; stroke-opacity: .25; fill: none; }
.legend { list-style: none; padding: 0; }
.legend li { display: inline-block; margin-right: 1.5em; }
.legend span { display: inline-block; width: .9em; height: .9em; margin-right: .4em; }
</style>
</head>
<body>
)";

void write_command(std::ostream& out, std::string const& command) {
  if (!command.empty()) out << "<pre>" << html_text(command) << "</pre>\n";
}

void write_row(std::ostream& out, std::vector<std::string> const& row,
               std::size_t depth, char const* cell) {
  out << "<tr>";
  for (std::size_t i = 0; i < row.size(); ++i) {
    out << '<' << cell;
    if (i + 1 == row.size() && depth > 0) {
      out << " style=\"padding-left:" << std::to_string(depth + 1) << "em\"";
    }
    out << '>' << html_text(row[i]) << "</" << cell << '>';
  }
  out << "</tr>\n";
}

void write_table(std::ostream& out, AdviceTable const& table) {
  out << "<h2>" << html_text(table.title) << "</h2>\n";
  if (!table.note.empty()) out << "<p>" << html_text(table.note) << "</p>\n";
  out << "<div class=\"table\"><table>\n";
  write_row(out, table.headings, 0, "th");
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    write_row(out, table.rows[i], table.depths[i], "td");
  }
  out << "</table></div>\n";
  if (table.left_out > 0) {
    out << "<p>And " << std::to_string(table.left_out) << " more.</p>\n";
  }
}

}  // namespace

void write_html(std::ostream& out, Advice const& advice) {
  auto const& verdict = advice.verdict;
  out << head << "<h1>" << html_text(verdict.sentence) << "</h1>\n";
  write_command(out, verdict.command);
  if (!verdict.malloc_command.empty()) {
    out << "<p>" << html_text(verdict.malloc_sentence) << "</p>\n";
    write_command(out, verdict.malloc_command);
  }
  out << "<h2>What it rests on</h2>\n<ul>\n";
  for (auto const& fact : advice_facts(advice)) {
    out << "<li>" << html_text(fact) << "</li>\n";
  }
  out << "</ul>\n<h2>Bytes of Views that are alive, by the region that made "
         "them</h2>\n<p>The most at once in each piece of time.</p>\n"
      << live_picture(advice);
  for (auto const& table : advice_tables(advice, most_rows)) {
    write_table(out, table);
  }
  out << "</body>\n</html>\n";
}

}  // namespace KokkosArena::Impl
