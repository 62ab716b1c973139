# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the figures that don't depend on the machine's mood against bounds.

A bounds file is a list of
  {"name": REGEX, "counter": "fences", "most": 0}      or "least"
  {"name": REGEX, "counter": "instructions", "recorded": 31, "tolerance": 0.1}
      at most recorded * (1 + tolerance); better by more is said, so that the
      record can be lowered
  {"ratio": {"of": REGEX, "to": REGEX, "statistic": "median"}, "least": 2}
      of times, each `of` over each `to` of the same run; where both have a
      group (?P<n>...), over those in which it is the same
each with an optional "run": REGEX. They match whole names. Counters are held
by the worst of all repetitions. With "where_known": true, a benchmark may lack
the counter, if the system doesn't tell. The instructions recorded are those of
the compiler and the Kokkos with which CI builds.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results import Benchmark, ResultsError, Run, Suite, load

BOUNDS = Path(__file__).with_name("bounds.json")
DEVICE_BOUNDS = Path(__file__).with_name("device_bounds.json")
KEYS = {"name", "run", "counter", "most", "least", "recorded", "tolerance", "ratio",
        "where_known"}
STATISTICS = {"median", "low", "high"}


@dataclass(frozen=True)
class Check:
    """One figure against one bound."""

    figure: str
    measured: float | None
    bound: str
    holds: bool
    remark: str = ""

    @property
    def verdict(self) -> str:
        return ("ok" if self.holds else "FAILED") + (f": {self.remark}" if self.remark else "")


def read_bounds(file: Path) -> list[dict]:
    """Raises ResultsError where a bound couldn't ever fail."""
    try:
        bounds = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{file}: can't be read: {error}") from error
    except ValueError as error:
        raise ResultsError(f"{file}: broken JSON ({error}); mend it") from error
    if not isinstance(bounds, list) or not bounds:
        raise ResultsError(f"{file}: a list with at least one bound was expected")
    for number, bound in enumerate(bounds, 1):
        try:
            _check_bound(bound)
        except (KeyError, TypeError, ValueError, re.error) as error:
            raise ResultsError(f"{file}, bound {number}: {error}; `guard.py --help` "
                               f"says what a bound is made of") from error
    return bounds


def bounds_of(suite: Suite, file: Path | None = None) -> list[dict]:
    """Those in the file, or those that there are of what the suite has run."""
    if file:
        return read_bounds(file)
    programs = suite.programs
    files = [] if programs == {"device"} else [BOUNDS]
    files += [DEVICE_BOUNDS] if "device" in programs else []
    return [bound for one in files for bound in read_bounds(one)]


def _check_bound(bound: dict) -> None:
    if not isinstance(bound, dict):
        raise ValueError("not an object")
    if unknown := set(bound) - KEYS:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    limits = [key for key in ("most", "least", "recorded") if key in bound]
    if len(limits) != 1:
        raise ValueError("exactly one of most, least and recorded is needed")
    float(bound[limits[0]])
    if "recorded" in bound:
        float(bound["tolerance"])
    if "ratio" in bound:
        ratio = bound["ratio"]
        patterns = [ratio["of"], ratio["to"]]
        if ratio.get("statistic", "median") not in STATISTICS:
            raise ValueError(f"a statistic is one of {', '.join(sorted(STATISTICS))}")
        if "recorded" in bound:
            raise ValueError("a ratio of times has no record")
    else:
        patterns = [bound["name"]]
        if not isinstance(bound["counter"], str):
            raise ValueError("counter is a name")
    for pattern in [*patterns, bound.get("run", "")]:
        re.compile(pattern)


def check(suite: Suite, bounds: list[dict]) -> list[Check]:
    """All figures that a bound names. What matches nothing has failed."""
    checks = []
    for bound in bounds:
        found = list(_ratios(suite, bound) if "ratio" in bound else _counters(suite, bound))
        checks += found or [Check(_title(bound), None, _limit(bound), False, "matches no measurement")]
    return checks


def _runs(suite: Suite, bound: dict) -> list[Run]:
    return [run for run in suite.runs if re.fullmatch(bound.get("run", ".*"), run.name)]


def _matching(run: Run, pattern: str) -> list[Benchmark]:
    return [b for b in run.benchmarks if re.fullmatch(pattern, b.name)]


def _counters(suite: Suite, bound: dict) -> Iterator[Check]:
    counter = bound["counter"]
    for run in _runs(suite, bound):
        for benchmark in _matching(run, bound["name"]):
            figure = f"{run.name}: {benchmark.name}: {counter}"
            values = benchmark.counters.get(counter)
            if values is None:
                may_lack = bool(bound.get("where_known", False))
                yield Check(figure, None, _limit(bound), may_lack, "lacks the counter")
            else:
                yield _verdict(figure, values.low if "least" in bound else values.high, bound)


def _ratios(suite: Suite, bound: dict) -> Iterator[Check]:
    ratio = bound["ratio"]
    statistic = ratio.get("statistic", "median")
    for run in _runs(suite, bound):
        for of in _matching(run, ratio["of"]):
            for to in _matching(run, ratio["to"]):
                if not _belong_together(ratio, of, to):
                    continue
                figure = f"{run.name}: {of.name} / {to.name}: {statistic}"
                if of.time is None or to.time is None or getattr(to.time, statistic) <= 0:
                    yield Check(figure, None, _limit(bound), False, "lacks a time")
                else:
                    value = getattr(of.time, statistic) / getattr(to.time, statistic)
                    yield _verdict(figure, value, bound)


def _belong_together(ratio: dict, of: Benchmark, to: Benchmark) -> bool:
    ours, theirs = (re.fullmatch(ratio[key], benchmark.name).groupdict()
                    for key, benchmark in (("of", of), ("to", to)))
    return all(ours[key] == theirs[key] for key in ours.keys() & theirs.keys())


def _verdict(figure: str, value: float, bound: dict) -> Check:
    if "least" in bound:
        return Check(figure, value, _limit(bound), value >= bound["least"])
    holds = value <= _most(bound)
    remark = ""
    if "recorded" in bound and value < bound["recorded"] * (1 - bound["tolerance"]):
        remark = f"better than the record of {bound['recorded']:g}, which can be lowered"
    return Check(figure, value, _limit(bound), holds, remark)


def _most(bound: dict) -> float:
    if "recorded" in bound:
        return bound["recorded"] * (1 + bound["tolerance"])
    return bound["most"]


def _limit(bound: dict) -> str:
    if "least" in bound:
        return f"at least {bound['least']:g}"
    return f"at most {_most(bound):g}"


def _title(bound: dict) -> str:
    if "ratio" in bound:
        return f"{bound['ratio']['of']} / {bound['ratio']['to']}"
    return f"{bound['name']}: {bound['counter']}"


def table(checks: list[Check]) -> str:
    """Aligned, one line for each."""
    rows = [("figure", "measured", "bound", "")] + [
        (c.figure, "-" if c.measured is None else f"{c.measured:.6g}", c.bound, c.verdict)
        for c in checks]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]),
                                row[2].ljust(widths[2]), row[3]]).rstrip() for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all bounds hold, 1 one doesn't or a run failed, 2 bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=main.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR", help="that perf_test/run.py filled")
    parser.add_argument("--bounds", type=Path,
                        help="instead of bounds.json, and device_bounds.json for a device")
    options = parser.parse_args(arguments)
    try:
        suite = load(options.directory)
        checks = check(suite, bounds_of(suite, options.bounds))
    except ResultsError as error:
        print(f"guard: {error}", file=sys.stderr)
        return 2
    print(table(checks))
    for failure in suite.failures:
        print(f"FAILED: {failure}")
    broken = sum(not c.holds for c in checks)
    print(f"{len(checks)} figures, {broken} out of bounds, {len(suite.failures)} failures")
    return 1 if broken or suite.failures else 0


if __name__ == "__main__":
    sys.exit(main())
