// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_TRACE_HPP
#define KOKKOSARENA_ENGINE_TRACE_HPP

#include <engine/KokkosArena_ArenaTrace.hpp>

#endif
