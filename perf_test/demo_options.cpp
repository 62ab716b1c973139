// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_options.hpp"

#include "demo_workload.hpp"

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>
#include <string_view>

namespace KokkosArena::Perf {

namespace {

/// Of any workload; each has a limit of its own.
constexpr double most_n       = 1e13;
constexpr double most_samples = 1e6;

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

/// \throws UsageError  There is no such workload, or not in this build.
WorkloadKind const& parse_workload(std::string const& name) {
  std::string choices;
  for (auto const& kind : workload_kinds()) {
    if (kind.name != name) {
      choices += (choices.empty() ? "" : ", ") + kind.name;
    } else if (!kind.make) {
      throw UsageError("--workload " + name +
                       ": this program was built without Kokkos Kernels; "
                       "install that, or set KokkosKernels_ROOT, and "
                       "configure with KokkosArena_ENABLE_KERNELS=ON");
    } else {
      return kind;
    }
  }
  throw UsageError("--workload takes one of " + choices + ", not \"" + name +
                   '"');
}

std::vector<std::string> default_workloads() {
  for (auto const& kind : workload_kinds()) {
    if (kind.name == "digits" && kind.make) return {"reduction", "digits"};
  }
  return {"reduction", "elements"};
}

/// What makes sense alone, but not together.
void check_together(DemoOptions const& options) {
  if (!options.sizes.empty() && !options.matrix.empty()) {
    throw UsageError("--n and --matrix both say the size; give one of them");
  }
  if (!options.sizes.empty() && options.workloads.size() > 1) {
    throw UsageError(
        "--n means something else for each workload; give one --workload "
        "with it");
  }
  for (auto const& name : options.workloads) {
    auto const& kind = parse_workload(name);
    if (!options.matrix.empty() && !kind.takes_matrix) {
      throw UsageError(
          "--matrix is for the workloads galerkin and krylov, not "
          "for " +
          name + "; give --workload with it");
    }
    for (auto const n : options.sizes) {
      if (n > kind.most_n) {
        throw UsageError("--n takes at most " + std::to_string(kind.most_n) +
                         " for " + name + ", which are " + kind.n_means +
                         ", not " + std::to_string(n));
      }
    }
  }
}

}  // namespace

DemoOptions parse_demo_options(int argc, char const* const* argv) {
  DemoOptions options;
  for (Arguments arguments(argc, argv); !arguments.empty();) {
    auto const& option = arguments.next();
    if (option == "--help" || option == "-h") {
      options.help = true;
    } else if (option == "--workload") {
      options.workloads.push_back(
          parse_workload(arguments.value_of(option)).name);
    } else if (option == "--matrix") {
      options.matrix = arguments.value_of(option);
    } else if (option == "--n") {
      options.sizes.push_back(static_cast<std::size_t>(
          parse_count(option, arguments.value_of(option), most_n)));
    } else if (option == "--samples") {
      options.samples = static_cast<int>(
          parse_count(option, arguments.value_of(option), most_samples));
    } else if (option == "--short") {
      options.is_short = true;
    } else if (option == "--json") {
      options.json = arguments.value_of(option);
    } else {
      throw UsageError("unknown option \"" + option + "\"");
    }
  }
  if (options.workloads.empty()) {
    options.workloads = options.sizes.empty()
                            ? default_workloads()
                            : std::vector<std::string>{"reduction"};
  }
  check_together(options);
  if (options.samples == 0) options.samples = options.is_short ? 3 : 15;
  return options;
}

char const* demo_help() {
  return R"(usage: demo [--workload NAME]... [--n N]... [--matrix FILE] [--samples N]
            [--short] [--json FILE]

Runs code that makes temporaries and knows nothing of arenas. These come

  HostSpace          from the heap, one by one, as always;
  growing arena      from an arena that takes what it needs and keeps it;
  fixed arena        from an arena that was given its size;
  adopted HostSpace  from an arena, without a change of the code's types;
  checked arena      from an arena that finds every use after a reset.

For each it prints the median time of a call and how many times as fast as the
first row it is, the bytes of the temporaries in a call, how many allocations and
bytes a call takes from the heap or the system once it has run a few times, the
most bytes that were in use at once, the page faults in a call, and whether the
result has the same bits as it should, or by how much a number is off. Arenas are
reset in each call, which the time includes.

  --workload NAME  one of these; may be given several times (default: reduction
                   and digits)
     reduction     sums up an array by way of three temporaries; the last row
                   has temporaries that were made beforehand
     digits        a convolutional neural network reads images
     elements      a finite element residual with temporaries inside the kernel,
                   where HostSpace Views hang: from malloc, from an arena in
                   several ways, and from a workspace of each thread
     galerkin      algebraic multigrid: products of sparse matrices, and V-cycles
     krylov        conjugate gradients and GMRES for 8 right-hand sides
  --n N            size, for one workload; may be given several times. For
                   reduction, which is meant if none is named, doubles of the
                   input, for example 5000 or 1e6 (default: 256, 1e5, 1e6 and
                   8e6); for digits images (default: 1000); for the others
                   elements or nodes along each edge of a cube (default: 20 for
                   elements, 24 for galerkin, 16 for krylov)
  --matrix FILE    a Matrix Market file, for galerkin and krylov instead of the
                   matrix of Poisson's equation
  --samples N      timed samples for each row (default: 15)
  --short          3 samples, and 320 images
  --json FILE      writes the same to FILE
  --help           prints this
  --kokkos-...     goes to Kokkos, for example --kokkos-num-threads=2

digits, galerkin and krylov are there if this was built with Kokkos Kernels;
otherwise the default is reduction and elements.

The exit code is 0, 1 after a wrong result or another failure, or 2 if an option
makes no sense or a matrix can't be read.
)";
}

}  // namespace KokkosArena::Perf
