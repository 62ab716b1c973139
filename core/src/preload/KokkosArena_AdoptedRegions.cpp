// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdoptedRegions.hpp"

#include <algorithm>
#include <bitset>
#include <limits>
#include <utility>

#include <fnmatch.h>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t most_names = 100;

constexpr Adoption nothing{
    .core            = nullptr,
    .threshold_bytes = std::numeric_limits<std::size_t>::max(),
    .name            = ""};

/// Without a destructor, since programs finalize late. A region that is deeper
/// than this isn't adopted by its own name.
constexpr std::size_t most_depth = 1024;
struct Thread {
  std::size_t depth = 0;               ///< Regions around it.
  std::bitset<most_depth> is_adopted;  ///< Of each of these.
  std::size_t adopted = 0;             ///< How many of them are.
  std::size_t kernels = 0;             ///< Around it.
};
constinit thread_local Thread t_thread;

}  // namespace

AdoptedRegions::AdoptedRegions(Adoption const& adoption,
                               std::vector<std::string> patterns)
    : m_adoption(adoption), m_patterns(std::move(patterns)) {
  auto const star = std::find(m_patterns.begin(), m_patterns.end(), "*");
  if (star != m_patterns.end()) {
    m_everywhere = true;
    m_patterns.clear();
    set_process_adoption(&m_adoption);
  }
  m_has_matched.resize(m_patterns.size());
}

void AdoptedRegions::push_region(char const* name) {
  if (m_everywhere) return;
  auto& thread          = t_thread;
  bool const is_adopted = matches(name) && thread.depth < most_depth;
  if (thread.depth < most_depth) thread.is_adopted[thread.depth] = is_adopted;
  ++thread.depth;
  thread.adopted += is_adopted;
  set_for_thread();
}

void AdoptedRegions::pop_region() noexcept {
  auto& thread = t_thread;
  // One more than there were is the program's mistake.
  if (m_everywhere || thread.depth == 0) return;
  --thread.depth;
  if (thread.depth < most_depth)
    thread.adopted -= thread.is_adopted[thread.depth];
  set_for_thread();
}

void AdoptedRegions::begin_kernel() noexcept {
  ++t_thread.kernels;
  set_for_thread();
}

void AdoptedRegions::end_kernel() noexcept {
  auto& kernels = t_thread.kernels;
  if (kernels > 0) --kernels;
  set_for_thread();
}

void AdoptedRegions::set_for_thread() const noexcept {
  auto const& thread = t_thread;
  // Where nothing is said, what holds everywhere does.
  set_thread_adoption(thread.kernels > 0   ? &nothing
                      : thread.adopted > 0 ? &m_adoption
                                           : nullptr);
}

bool AdoptedRegions::matches(char const* name) {
  bool result = false;
  std::lock_guard const guard(m_mutex);
  for (std::size_t i = 0; i < m_patterns.size(); ++i) {
    // A name may have what means something in a pattern.
    if (m_patterns[i] != name && fnmatch(m_patterns[i].c_str(), name, 0) != 0) {
      continue;
    }
    m_has_matched[i] = true;
    result           = true;
  }
  if (m_names.size() < most_names && !m_names.contains(name)) {
    m_names.emplace(name);
  }
  return result;
}

bool AdoptedRegions::holds() noexcept {
  auto const* const adoption = current_adoption();
  return adoption && adoption->core;
}

void AdoptedRegions::forget_in_child() noexcept {
  set_process_adoption(nullptr);
  set_thread_adoption(&nothing);
}

std::vector<std::string> AdoptedRegions::unmatched_patterns() const {
  std::lock_guard const guard(m_mutex);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < m_patterns.size(); ++i) {
    if (!m_has_matched[i]) result.push_back(m_patterns[i]);
  }
  return result;
}

std::vector<std::string> AdoptedRegions::region_names() const {
  std::lock_guard const guard(m_mutex);
  return {m_names.begin(), m_names.end()};
}

}  // namespace KokkosArena::Impl
