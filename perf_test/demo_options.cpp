// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_options.hpp"

#include <cmath>
#include <locale>
#include <sstream>
#include <string_view>

namespace KokkosArena::Perf {

namespace {

/// Beyond it the sums would no longer be exact in double.
constexpr double most_elements = 1e13;
constexpr double most_samples  = 1e6;

/// The arguments one after the other, with "--name=value" as two.
class Arguments {
 public:
  Arguments(int argc, char const* const* argv) {
    for (int i = 1; i < argc; ++i) {
      std::string const argument = argv[i];
      auto const equals          = argument.find('=');
      if (argument.starts_with("--kokkos-")) continue;
      m_arguments.push_back(argument.substr(0, equals));
      if (argument.starts_with("--") && equals != argument.npos) {
        m_arguments.push_back(argument.substr(equals + 1));
      }
    }
  }

  bool empty() const { return m_next == m_arguments.size(); }
  std::string const& next() { return m_arguments[m_next++]; }
  std::string const& value_of(std::string const& option) {
    if (empty()) throw UsageError(option + " needs a value");
    return next();
  }

 private:
  std::vector<std::string> m_arguments;
  std::size_t m_next = 0;
};

/// A whole number from 1 to \c most; "1e6" is one as well.
double parse_count(std::string const& option, std::string const& text,
                   double most) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  double value         = 0;
  char trailing        = 0;
  bool const is_number = (in >> value) && !(in >> trailing);
  if (!is_number || value != std::floor(value) || value < 1 || value > most) {
    std::ostringstream message;
    message << option << " takes a whole number from 1 to " << most
            << ", for example " << option << " " << std::min(most, 1e6)
            << ", not \"" << text << '"';
    throw UsageError(message.str());
  }
  return value;
}

}  // namespace

DemoOptions parse_demo_options(int argc, char const* const* argv) {
  DemoOptions options;
  bool is_short = false;
  for (Arguments arguments(argc, argv); !arguments.empty();) {
    auto const& option = arguments.next();
    if (option == "--help" || option == "-h") {
      options.help = true;
    } else if (option == "--n") {
      options.sizes.push_back(static_cast<std::size_t>(
          parse_count(option, arguments.value_of(option), most_elements)));
    } else if (option == "--samples") {
      options.samples = static_cast<int>(
          parse_count(option, arguments.value_of(option), most_samples));
    } else if (option == "--short") {
      is_short = true;
    } else if (option == "--json") {
      options.json = arguments.value_of(option);
    } else {
      throw UsageError("unknown option \"" + option + "\"");
    }
  }
  if (options.sizes.empty()) options.sizes = {256, 100000, 1000000, 8000000};
  if (options.samples == 0) options.samples = is_short ? 3 : 15;
  return options;
}

char const* demo_help() {
  return R"(usage: demo [--n N]... [--samples N] [--short] [--json FILE]

Runs a library function that makes three temporaries like its input, adds two of
them into the third and sums that up, and that knows nothing of arenas. Its
temporaries come

  HostSpace      from the heap, one by one, as always;
  growing arena  from an arena that takes what it needs and keeps it;
  fixed arena    from an arena that was given its size;
  preallocated   from nowhere: made once, and handed to a variant of the
                 function. What the computation alone costs.

For each it prints the median time of a call, the bytes of the temporaries in a
call, how many allocations went to the heap or the system, the page faults in a
call, and how many times as fast as HostSpace it is. Every sum is compared with
the exact value.

  --n N          elements (doubles) of the input, for example 5000 or 1e6; may be
                 given several times (default: 256, 1e5, 1e6 and 8e6)
  --samples N    timed samples for each row (default: 15)
  --short        3 samples
  --json FILE    writes the same to FILE
  --help         prints this
  --kokkos-...   goes to Kokkos, for example --kokkos-num-threads=2

The exit code is 0, 1 after a wrong sum or another failure, or 2 if an option
makes no sense.
)";
}

}  // namespace KokkosArena::Perf
