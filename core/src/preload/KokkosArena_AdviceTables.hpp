// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ADVICETABLES_HPP
#define KOKKOSARENA_PRELOAD_ADVICETABLES_HPP

#include "KokkosArena_Advice.hpp"

#include <cstddef>
#include <string>
#include <vector>

/// \file
/// What the reports for people say, without their form.

namespace KokkosArena::Impl {

/// \brief Numbers, and in the last column names, with any bytes in them.
struct AdviceTable {
  std::string title;
  std::string note;
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> depths;  ///< Of the name in each row.
  std::size_t left_out = 0;         ///< Rows.
};

/// \brief Of the regions and of the labels: those with most bytes.
std::vector<AdviceTable> advice_tables(Advice const& advice,
                                       std::size_t most_rows);

/// \brief Sentences: what the verdict rests on, and what was not as it should
/// be.
std::vector<std::string> advice_facts(Advice const& advice);

}  // namespace KokkosArena::Impl

#endif
