// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedEscapes.hpp"

#include "../KokkosArena_Error.hpp"
#include "KokkosArena_Cancellation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <sstream>
#include <utility>

namespace KokkosArena::Impl {

namespace {

std::string message_of(std::string const& arena,
                       std::vector<EscapedView> const& views,
                       CheckedDrop const& drop) {
  std::ostringstream message;
  message << "arena \"" << arena << "\": " << drop.operation;
  if (drop.where.line() != 0) {
    message << " at " << drop.where.file_name() << ':' << drop.where.line();
  }
  message << " has dropped " << views.size()
          << (views.size() == 1 ? " CheckedSpace View that is"
                                : " CheckedSpace Views that are")
          << " alive:";
  constexpr std::size_t most_named = 10;
  for (std::size_t i = 0; i < std::min(views.size(), most_named); ++i) {
    message << (i ? ", \"" : " \"") << views[i].label << "\" ("
            << views[i].bytes << " bytes, use count " << views[i].use_count
            << ')';
  }
  if (views.size() > most_named) {
    message << ", and " << views.size() - most_named << " smaller ones";
  }
  message << ". Let them end before, or copy what has to outlive it into "
             "memory of its own; an access to one of them is an error";
  return message.str();
}

}  // namespace

void CheckedEscapes::keep(std::vector<EscapedView>& views) {
  if (m_policy == EscapePolicy::collect) {
    // Without a copy, which could fail: a reset that collects doesn't throw.
    m_views = std::move(views);
  } else {
    m_views = views;
  }
}

void CheckedEscapes::report(std::vector<EscapedView> views,
                            CheckedDrop const& drop, bool may_throw) const {
  if (m_policy == EscapePolicy::collect) return;
  auto const message = message_of(m_arena, views, drop);
  if (m_policy == EscapePolicy::abort) abort(message);
  if (m_policy == EscapePolicy::throw_exception && may_throw) {
    throw EscapedViews("KokkosArena: " + message, std::move(views));
  }
  CancellationOff const off;
  std::fprintf(stderr, "KokkosArena: %s\n", message.c_str());
}

}  // namespace KokkosArena::Impl
