// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ADOPTEDREGIONS_HPP
#define KOKKOSARENA_PRELOAD_ADOPTEDREGIONS_HPP

#include <engine/KokkosArena_Adoption.hpp>

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

/// \brief Has an adoption hold on each thread while it is in a region of
/// certain names, or everywhere, and in no kernel.
/// Threads: any, each for itself; a region ends on the thread that began it.
class AdoptedRegions {
 public:
  /// \param[in] patterns  Of the regions' names; see fnmatch. With "*" it holds
  /// everywhere from now on.
  AdoptedRegions(Adoption const& adoption, std::vector<std::string> patterns);

  void push_region(char const* name);
  void pop_region() noexcept;
  void begin_kernel() noexcept;
  void end_kernel() noexcept;

  /// \brief In a child process: it holds no more.
  static void forget_in_child() noexcept;

  /// \return Whether something adopts on the calling thread.
  static bool holds() noexcept;

  /// \return The patterns that no region has matched, for a message; and the
  /// names of the regions that there were, a hundred at most.
  std::vector<std::string> unmatched_patterns() const;
  std::vector<std::string> region_names() const;

 private:
  bool matches(char const* name);
  void set_for_thread() const noexcept;

  Adoption const& m_adoption;
  std::vector<std::string> m_patterns;
  bool m_everywhere = false;

  mutable std::mutex m_mutex;  ///< For what follows.
  std::vector<bool> m_has_matched;
  std::set<std::string, std::less<>> m_names;
};

}  // namespace KokkosArena::Impl

#endif
