// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ESCAPEPOLICY_HPP
#define KOKKOSARENA_ESCAPEPOLICY_HPP

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace KokkosArena {

/// \brief What an arena does about managed CheckedSpace Views that are alive
/// when it drops their memory. The environment variable
/// KOKKOS_ARENA_ESCAPE_POLICY sets it for all arenas that are made from then
/// on, whatever their options say: collect, warn, throw_exception or abort.
enum class EscapePolicy {
  collect,          ///< Keep them for \c Arena::escapes.
  warn,             ///< And name them on stderr.
  throw_exception,  ///< And throw EscapedViews; where a destructor drops them,
                    ///< which can't throw, as warn.
  abort             ///< Name them and end the program.
};

/// \brief A View that was alive when its memory was dropped.
struct EscapedView {
  std::string label;
  std::uint64_t bytes = 0;  ///< Of its elements.
  /// Views that shared it then; 1 where only Kokkos knows (device spaces), 0
  /// for survivors.
  int use_count = 0;
};

/// \brief Views escaped a reset or rewind, which has been done all the same.
class EscapedViews : public std::runtime_error {
 public:
  EscapedViews(std::string const& message, std::vector<EscapedView> views);
  /// The largest first.
  std::vector<EscapedView> const& views() const noexcept { return m_views; }

 private:
  std::vector<EscapedView> m_views;
};

namespace Impl {

/// \return The policy that the environment asks for, or else this one.
/// \throws std::invalid_argument  It asks for none that exists.
EscapePolicy escape_policy_or(EscapePolicy otherwise);

/// \return Whether an arena with that policy is to know the names of the
/// ScopedSpace Views that outlive a reset: if it isn't \c collect, or if the
/// environment asks for one.
bool names_survivors(EscapePolicy policy) noexcept;

}  // namespace Impl

}  // namespace KokkosArena

#endif
