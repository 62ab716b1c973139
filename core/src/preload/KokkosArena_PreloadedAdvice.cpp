// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadedAdvice.hpp"

#include "KokkosArena_AdviceReport.hpp"
#include "KokkosArena_PreloadMessage.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace KokkosArena::Impl {

namespace {

void check_writable(std::string const& name) {
  if (name.empty() || std::ofstream(name, std::ios::app)) return;
  tell("the report can't be written to %s: %s", name.c_str(),
       std::strerror(errno));
}

template <class Write>
void write_file(std::string const& name, Advice const& advice,
                Write const& write) {
  if (name.empty()) return;
  std::ofstream file(name);
  write(file, advice);
}

}  // namespace

PreloadedAdvice::PreloadedAdvice(PreloadSettings const& settings)
    : m_settings(settings) {
  // Now, and not when all has been done.
  check_writable(settings.json);
  check_writable(settings.html);
}

void PreloadedAdvice::end() {
  auto const advice = m_settings.program.empty()
                          ? m_log.finish()
                          : m_log.finish(m_settings.program);
  std::ostringstream text;
  write_text(text, advice);
  tell_text(text.str());
  write_file(m_settings.json, advice, write_json);
  write_file(m_settings.html, advice, write_html);
}

}  // namespace KokkosArena::Impl
