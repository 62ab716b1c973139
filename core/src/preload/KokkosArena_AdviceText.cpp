// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdviceReport.hpp"
#include "KokkosArena_AdviceTables.hpp"
#include "KokkosArena_OneLine.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t most_rows = 20;

/// What a terminal shows without obeying it.
std::string printable(std::string const& text) { return one_line(text, '?'); }

void write_table(std::ostream& out, AdviceTable const& table) {
  out << '\n' << table.title << '\n';
  if (!table.note.empty()) out << table.note << '\n';
  // Names come last, and so need no width.
  std::vector<std::size_t> widths(table.headings.size() - 1);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = table.headings[i].size();
    for (auto const& row : table.rows) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  auto const write_row = [&](std::vector<std::string> const& row,
                             std::size_t indent) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      out << std::string(widths[i] - row[i].size() + 2, ' ') << row[i];
    }
    out << "  " << std::string(2 * indent, ' ') << printable(row.back())
        << '\n';
  };
  write_row(table.headings, 0);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    write_row(table.rows[i], table.depths[i]);
  }
  if (table.left_out > 0)
    out << "  and " << std::to_string(table.left_out) << " more\n";
}

}  // namespace

void write_text(std::ostream& out, Advice const& advice) {
  auto const& verdict = advice.verdict;
  out << "KokkosArena: " << printable(verdict.sentence) << '\n';
  if (!verdict.command.empty()) {
    out << "  try: " << printable(verdict.command) << '\n';
  }
  if (!verdict.malloc_command.empty()) {
    out << verdict.malloc_sentence << '\n'
        << "  try: " << printable(verdict.malloc_command) << '\n';
  }
  out << '\n';
  for (auto const& fact : advice_facts(advice)) {
    out << printable(fact) << '\n';
  }
  for (auto const& table : advice_tables(advice, most_rows)) {
    write_table(out, table);
  }
}

}  // namespace KokkosArena::Impl
