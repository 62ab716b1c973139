// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_EscapePolicy.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace KokkosArena {

EscapedViews::EscapedViews(std::string const& message,
                           std::vector<EscapedView> views)
    : std::runtime_error(message), m_views(std::move(views)) {}

namespace {

/// \return Empty if the environment asks for none.
std::string_view policy_of_environment() noexcept {
  auto const* const text = std::getenv("KOKKOS_ARENA_ESCAPE_POLICY");
  return text ? text : "";
}

}  // namespace

EscapePolicy Impl::escape_policy_or(EscapePolicy otherwise) {
  auto const name = policy_of_environment();
  if (name.empty()) return otherwise;
  if (name == "collect") return EscapePolicy::collect;
  if (name == "warn") return EscapePolicy::warn;
  if (name == "throw_exception") return EscapePolicy::throw_exception;
  if (name == "abort") return EscapePolicy::abort;
  throw std::invalid_argument(
      "KokkosArena: the environment variable KOKKOS_ARENA_ESCAPE_POLICY is \"" +
      std::string(name) +
      "\"; set it to collect, warn, throw_exception or abort, or unset it");
}

bool Impl::names_survivors(EscapePolicy policy) noexcept {
  return policy != EscapePolicy::collect || !policy_of_environment().empty();
}

}  // namespace KokkosArena
