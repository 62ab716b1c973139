// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedShortage.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

namespace KokkosArena::Impl {

std::string CheckedShortage::message() const {
  bool const bounded = maximum_bytes != std::numeric_limits<std::size_t>::max();
  std::ostringstream message;
  message << "KokkosArena: arena \"" << arena << "\" can't give " << bytes
          << " checked bytes for View \"" << view << "\": " << used_bytes
          << " bytes are used";
  if (bounded) {
    message << ", " << maximum_bytes - std::min(used_bytes, maximum_bytes)
            << " are available";
  }
  message << ", Views that are alive have " << live_bytes;
  if (*failure) {
    message << ", and " << failure << ". ";
    if (*remedy) {
      message << remedy;
    } else {
      message << "Ask for less, reset the arena more often, or free memory";
    }
  } else if (bounded) {
    message << ", and its maximum is " << maximum_bytes
            << ". Give it a larger maximum_bytes, reset it more often, or drop "
               "Views earlier";
  } else {
    message << ". Check the extents: no memory has that many bytes";
  }
  return message.str();
}

}  // namespace KokkosArena::Impl
