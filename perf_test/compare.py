# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparison of two runs of the suite.

Benchmarks are matched by run and name. Their times differ if the intervals
between the quartiles don't overlap, and the larger median exceeds the smaller
one by more than the noise: the larger of 15 % and 2 * sqrt(s_old^2 + s_new^2),
where s is the standard deviation of the repetitions relative to the median,
estimated by the quartiles' distance / 1.349. It isn't divided by the root of
their number: what drifts from one run to the next doesn't shrink with it. Of
fewer than 3 repetitions, 30 % takes the place of 15 %. The repetitions of one
process also share where its memory happens to lie; 5 % called 9 % of the
benchmarks different in two processes of one build, hence 15 %. It can't hold
where a shared machine is slower for seconds: of two whole runs 40 minutes
apart on such a one, 10 % of the times still differ, so that what is called
different is to be run again before it is believed.

Counters that don't depend on the machine's mood are compared exactly.

Exit status for --compare: 0 nothing is worse, 1 something is slower, has
failed, or a counter is worse, 2 bad input.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import page
from results import Benchmark, Suite, Summary

FLOOR = 0.15
FLOOR_OF_FEW = 0.30
FEW = 3

# A larger one is worse.
EXACT = ("fences", "heap_allocations", "upstream_allocations", "system_calls", "peak_over_live",
         "capacity_over_live", "instructions", "device_allocations")

CONTEXT = ("processor", "processors", "compiler", "malloc", "kokkos", "kokkos_configuration",
           "transparent_huge_pages", "device")

Key = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """Of the time of one benchmark."""

    name: str
    old: Summary
    new: Summary

    @property
    def ratio(self) -> float:
        return self.new.median / self.old.median

    @property
    def change(self) -> float:
        """The same, whichever of both comes first."""
        return max(self.ratio, 1 / self.ratio) - 1

    @property
    def noise(self) -> float:
        """What a change has to exceed."""
        few = min(self.old.count, self.new.count) < FEW
        deviation = math.hypot(_deviation(self.old), _deviation(self.new))
        return max(FLOOR_OF_FEW if few else FLOOR, 2 * deviation)

    @property
    def significant(self) -> bool:
        old, new = self.old.quartiles, self.new.quartiles
        return (old[1] < new[0] or new[1] < old[0]) and self.change > self.noise

    @property
    def slower(self) -> bool:
        return self.ratio > 1


def _deviation(values: Summary) -> float:
    return values.spread / 1.349


@dataclass(frozen=True)
class Counted:
    """A counter that has changed; the worst of all repetitions."""

    name: str
    counter: str
    old: float
    new: float

    @property
    def worse(self) -> bool:
        return self.new > self.old


def benchmarks_of(suite: Suite) -> dict[Key, Benchmark]:
    """By run and name."""
    return {(b.run, b.name): b for b in suite.benchmarks()}


def times(old: dict[Key, Benchmark], new: dict[Key, Benchmark]) -> list[Difference]:
    """All common ones, the largest change first."""
    found = []
    for key in old.keys() & new.keys():
        before, after = old[key].time, new[key].time
        if before and after and before.median > 0 and after.median > 0:
            found.append(Difference(": ".join(key), before, after))
    return sorted(found, key=lambda one: (-one.change, one.name))


def counters(old: dict[Key, Benchmark], new: dict[Key, Benchmark]) -> tuple[list[Counted], int]:
    """Those that have changed, the worse first, and how many haven't."""
    changed, equal = [], 0
    for key in sorted(old.keys() & new.keys()):
        for counter in EXACT:
            before, after = (side[key].counters.get(counter) for side in (old, new))
            if before is None or after is None:
                continue
            if before.high == after.high:
                equal += 1
            else:
                changed.append(Counted(": ".join(key), counter, before.high, after.high))
    return sorted(changed, key=lambda one: (not one.worse, one.name, one.counter)), equal


def warnings(old: Suite, new: Suite) -> list[str]:
    """Why both might not be comparable."""
    pairs = [(key, old.context.get(key, "none"), new.context.get(key, "none")) for key in CONTEXT]
    pairs.append(("short", bool(old.about.get("short")), bool(new.about.get("short"))))
    mallocs = {run.name: run.malloc for run in old.runs}
    pairs += [(f"malloc of {run.name}", mallocs[run.name], run.malloc)
              for run in new.runs if run.name in mallocs and mallocs[run.name] != old.malloc]
    return [f"{key} differs: {before}, now {after}" for key, before, after in pairs
            if before != after]


def run(old: Suite, new: Suite) -> int:
    """Prints the comparison; the exit status."""
    before, after = benchmarks_of(old), benchmarks_of(new)
    all_times = times(before, after)
    differing = [one for one in all_times if one.significant]
    changed, equal = counters(before, after)
    failures = [str(one) for one in new.failures if one not in old.failures]

    print(f"old: {_which(old)}\nnew: {_which(new)}")
    _print_each("WARNING: ", warnings(old, new))
    _print_each("FAILED in new: ", failures)
    _print_each("failed in old: ", [str(one) for one in old.failures])
    _print_times(all_times, differing)
    _print_counters(changed, equal)
    _print_lone("old", before, after)
    _print_lone("new", after, before)

    slower = sum(one.slower for one in differing)
    worse = sum(one.worse for one in changed)
    print(f"\n{slower} slower, {len(differing) - slower} faster, "
          f"{len(all_times) - len(differing)} within the noise; {worse} counters worse, "
          f"{len(changed) - worse} better, {equal} equal")
    return 1 if slower or worse or failures else 0


def _which(suite: Suite) -> str:
    return (f"{suite.directory}, commit {suite.about.get('commit', 'unknown')}, "
            f"{suite.about.get('date', 'unknown date')}")


def _print_each(before: str, items: Iterable[str]) -> None:
    for item in items:
        print(before + item)


def _print_times(all_times: list[Difference], differing: list[Difference]) -> None:
    if not all_times:
        print("\nNo benchmark with a time is in both.")
        return
    print(f"\nTimes: {len(differing)} of {len(all_times)} differ by more than the noise.")
    if differing:
        rows = [(f"{'slower' if one.slower else 'faster'}", page.seconds(one.old.median),
                 page.seconds(one.new.median), f"{one.ratio:.3f}", f"{one.noise:.0%}", one.name)
                for one in differing]
        print(text_table(("", "old", "new", "new/old", "noise", "benchmark"), rows))


def _print_counters(changed: list[Counted], equal: int) -> None:
    print(f"\nCounters that are compared exactly: {len(changed)} of {len(changed) + equal} differ.")
    if changed:
        rows = [("worse" if one.worse else "better", f"{one.old:.10g}", f"{one.new:.10g}",
                 one.counter, one.name) for one in changed]
        print(text_table(("", "old", "new", "counter", "benchmark"), rows))


def _print_lone(where: str, ours: dict[Key, Benchmark], theirs: dict[Key, Benchmark]) -> None:
    lone = [": ".join(key) for key in ours if key not in theirs]
    if lone:
        print(f"\nIn {where} only: {len(lone)}")
        _print_each("  ", sorted(lone))


def text_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Aligned; numbers to the right, the last column and the first to the left."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [text.ljust(width) if i in (0, len(row) - 1) else text.rjust(width)
                 for i, (text, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(["", *cells]).rstrip())
    return "\n".join(lines)
