// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_TraceEvents.hpp"

#include "KokkosArena_Process.hpp"

#include <chrono>

namespace KokkosArena::Impl {

void TraceEvents::begin_array() {
  m_threads.clear();
  m_json.clear();
  m_json.begin_array();
}

void TraceEvents::begin_any(char phase, std::string_view name) {
  m_json.begin_line();
  m_json.begin_object();
  m_json.name("ph");
  m_json.string({&phase, 1});
  m_json.name("name");
  m_json.string(name);
  m_json.name("pid");
  m_json.number(m_process);
  m_json.name("tid");
  m_json.number(thread_id());
}

void TraceEvents::begin(char phase, std::string_view category,
                        std::string_view name) {
  m_now = std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count();
  begin_any(phase, name);
  m_json.name("cat");
  m_json.string(category);
  m_json.name("ts");  // in microseconds
  m_json.thousandths(static_cast<std::uint64_t>(m_now));
}

void TraceEvents::id(std::uint64_t id) {
  m_json.name("id");
  m_json.hexadecimal(id);
}

void TraceEvents::thread_scope() {
  m_json.name("s");
  m_json.string("t");
}

void TraceEvents::begin_arguments() {
  m_json.name("args");
  m_json.begin_object();
}

void TraceEvents::argument(std::string_view name, std::uint64_t value) {
  m_json.name(name);
  m_json.number(value);
}

void TraceEvents::argument(std::string_view name, std::string_view value) {
  m_json.name(name);
  m_json.string(value);
}

void TraceEvents::address_argument(std::uintptr_t address) {
  m_json.name("address");
  m_json.hexadecimal(address);
}

void TraceEvents::end() {
  m_json.end_object();
  m_json.end_object();
}

void TraceEvents::metadata(std::string_view name,
                           std::string_view argument_name,
                           std::string_view value) {
  begin_any('M', name);
  begin_arguments();
  argument(argument_name, value);
  end();
}

void TraceEvents::name_thread() {
  auto const id = thread_id();
  if (!m_threads.insert(id).second) return;
  metadata("thread_name", "name",
           id == m_process ? "main thread"
                           : "thread " + std::to_string(m_threads.size()));
}

}  // namespace KokkosArena::Impl
