// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_HPP
#define KOKKOSARENA_HPP

/// \file
/// All of core.

#include <KokkosArena_Adapt.hpp>
#include <KokkosArena_Arena.hpp>
#include <KokkosArena_ArenaAllocator.hpp>
#include <KokkosArena_ArenaHandle.hpp>
#include <KokkosArena_ArenaMark.hpp>
#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_ArenaScope.hpp>
#include <KokkosArena_CheckedSpace.hpp>
#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_Error.hpp>
#include <KokkosArena_EscapePolicy.hpp>
#include <KokkosArena_FaultHandler.hpp>
#include <KokkosArena_GrowthPolicy.hpp>
#include <KokkosArena_Revoke.hpp>
#include <KokkosArena_ScopedSpace.hpp>
#include <KokkosArena_Similar.hpp>
#include <KokkosArena_Statistics.hpp>
#include <KokkosArena_SyncPolicy.hpp>
#include <KokkosArena_Version.hpp>
#include <KokkosArena_WaitFor.hpp>

#endif
