// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_PRELOADEDADVICE_HPP
#define KOKKOSARENA_PRELOAD_PRELOADEDADVICE_HPP

#include "KokkosArena_AllocationLog.hpp"
#include "KokkosArena_Listener.hpp"
#include "KokkosArena_PreloadSettings.hpp"

#include <cstdint>

namespace KokkosArena::Impl {

/// \brief Watches a program, and says at its end whether an arena would help.
class PreloadedAdvice final : public Listener {
 public:
  /// \param[in] settings  Stay as long as this.
  explicit PreloadedAdvice(PreloadSettings const& settings);

  void end() override;
  void end_in_child() noexcept override {}
  void push_region(char const* name) override { m_log.push_region(name); }
  void pop_region() override { m_log.pop_region(); }
  void begin_kernel(char const*) override { m_log.kernel(); }
  void end_kernel() override {}
  void allocated(char const* space, char const* label, void const* address,
                 std::uint64_t bytes) override {
    m_log.allocated(space, label, address, bytes);
  }
  void deallocated(void const* address, std::uint64_t bytes) override {
    m_log.deallocated(address, bytes);
  }
  void fence(char const* name) override { m_log.fence(name); }

 private:
  PreloadSettings const& m_settings;
  AllocationLog m_log;
};

}  // namespace KokkosArena::Impl

#endif
