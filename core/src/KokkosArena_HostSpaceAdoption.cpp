// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostSpaceAdoption.hpp"

#include "KokkosArena_Error.hpp"

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

// A program that opens an adoption gets the operators from a static library,
// too, since what is called here stands in their file.

namespace KokkosArena {

namespace {

constinit thread_local HostSpaceAdoption const* t_innermost = nullptr;

/// \brief Has it hold for as long as this object exists.
class Holding {
 public:
  explicit Holding(Impl::Adoption const& adoption)
      : m_outer(Impl::thread_adoption()) {
    Impl::set_thread_adoption(&adoption);
  }
  Holding(Holding const&)            = delete;
  Holding& operator=(Holding const&) = delete;
  ~Holding() { Impl::set_thread_adoption(m_outer); }

 private:
  Impl::Adoption const* m_outer;
};

/// Whether Kokkos calls the operators of this library. Where they are in a
/// shared library, the program, one that was loaded before, or a sanitizer may
/// have others.
bool operators_are_called() {
  static bool const result = [] {
    Impl::Adoption const nothing{
        .core            = nullptr,
        .threshold_bytes = std::numeric_limits<std::size_t>::max(),
        .name            = ""};
    Holding const holding(nothing);
    auto const before = Impl::adoption_requests();
    Kokkos::HostSpace const space;
    space.deallocate("KokkosArena::probe",
                     space.allocate("KokkosArena::probe", 64), 64);
    return Impl::adoption_requests() != before;
  }();
  return result;
}

std::string why_not_in_effect() {
  auto const other = Impl::other_operator();
  if (other.empty()) {
    return "Kokkos calls an operator new that nothing can replace from "
           "outside: it was linked with a C++ library, or a malloc, whose "
           "symbols are hidden (-static-libstdc++ with --exclude-libs, a "
           "version script). Link Kokkos and KokkosArena::adopt into one "
           "program or library, or leave the symbols visible. Or this Kokkos "
           "asks for another alignment than 64 bytes";
  }
  return "Kokkos calls the operator new of " + other +
         " and not the one of KokkosArena::adopt. Link KokkosArena::adopt into "
         "the program itself, before other libraries, or leave the other one "
         "out. For what is loaded later (dlopen, a module of Python), name "
         "libkokkosarena_adopt.so, KokkosArena::adopt_shared, in LD_PRELOAD "
         "when the program is started";
}

}  // namespace

bool HostSpaceAdoption::is_in_effect() { return operators_are_called(); }

HostSpaceAdoption::HostSpaceAdoption(Impl::Core& core,
                                     std::size_t threshold_bytes)
    : m_adoption{.core            = &core,
                 .threshold_bytes = threshold_bytes,
                 .name            = "HostSpace"},
      m_outer(t_innermost),
      m_outer_adoption(Impl::thread_adoption()) {
  if (!is_in_effect()) {
    throw std::logic_error("KokkosArena: a HostSpaceAdoption of arena \"" +
                           core.label() + "\" would have no effect, since " +
                           why_not_in_effect());
  }
  core.open_scope();
  t_innermost = this;
  Impl::set_thread_adoption(&m_adoption);
}

HostSpaceAdoption::~HostSpaceAdoption() {
  if (t_innermost != this) {
    Impl::abort("a HostSpaceAdoption of arena \"" + m_adoption.core->label() +
                "\" ends on another thread than the one that opened it, or "
                "before one that was opened after it; keep it as a local "
                "variable");
  }
  t_innermost = m_outer;
  Impl::set_thread_adoption(m_outer_adoption);
  m_adoption.core->close_scope();
}

}  // namespace KokkosArena
