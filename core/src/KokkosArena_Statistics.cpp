// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Statistics.hpp"

#include <locale>
#include <ostream>
#include <sstream>

namespace KokkosArena {

std::ostream& operator<<(std::ostream& out, ArenaStatistics const& s) {
  // Through a stream of its own, so that the caller's flags and width neither
  // change the paragraph nor are changed by it.
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "arena \"" << s.label << "\": " << s.used_bytes << " of "
       << s.capacity_bytes << " bytes used in " << s.blocks
       << " block(s), peak " << s.peak_bytes << "; " << s.live_allocations
       << " live View(s) of " << s.live_bytes << " bytes, peak "
       << s.peak_live_bytes << "; " << s.total_allocations
       << " allocation(s) and " << s.resets << " reset(s) with "
       << s.upstream_allocations << " upstream allocation(s) of "
       << s.upstream_bytes << " bytes; " << s.retired_blocks
       << " retired block(s) of " << s.retired_bytes << " bytes; "
       << s.escaped_views << " View(s) alive at a reset; "
       << s.unscoped_worker_allocations
       << " unscoped allocation(s) of workers, " << s.failed_handle_allocations
       << " failed one(s) of handles and " << s.failed_adoptions
       << " failed adoption(s)";
  out.width(0);
  return out << text.str();
}

}  // namespace KokkosArena
