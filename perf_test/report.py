#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a page of what the benchmarks have measured, or compares two runs.

    report.py DIR                  writes DIR/index.html and DIR/*.svg
    report.py --compare OLD NEW    says what differs by more than the noise

DIR is what perf_test/run.py has filled. The page opens without a network. The
plots need matplotlib (in Debian: python3-matplotlib); without it, the page has
none.

Exit status for DIR: 0 a page was written, 1 it was and a run or benchmark has
failed, 2 bad input. A figure out of its bounds is said, and guard.py's matter.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import compare
import page
import plots
from guard import bounds_of, check
from results import ResultsError, Suite, load


def write(suite: Suite, bounds: list[dict]) -> int:
    """Writes the page beside raw/; the exit status."""
    drawn = plots.draw_all(suite)
    if not plots.available():
        print("report: no plots, as matplotlib is missing (in Debian: python3-matplotlib)",
              file=sys.stderr)
    for plot in drawn:
        file = suite.directory / f"{plot.name}.svg"
        if plot.missing:
            # One of an earlier run would pass for this one's.
            file.unlink(missing_ok=True)
            print(f"report: no plot {plot.name}: {plot.missing}", file=sys.stderr)
        else:
            file.write_text(plot.svg, encoding="utf-8")
    checks = check(suite, bounds)
    (suite.directory / "index.html").write_text(page.page(suite, drawn, checks), encoding="utf-8")
    for failure in suite.failures:
        print(f"report: FAILED: {failure}", file=sys.stderr)
    for one in page.broken(checks):
        print(f"report: {one.figure}: {one.measured:.6g}, out of its bound: {one.bound}",
              file=sys.stderr)
    return 1 if suite.failures else 0


def main(arguments: list[str] | None = None) -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=compare.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, metavar="DIR",
                        help="that perf_test/run.py has filled")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"),
                        help="two such directories")
    parser.add_argument("--bounds", type=Path, metavar="FILE",
                        help="instead of bounds.json, and device_bounds.json for a device")
    options = parser.parse_args(arguments)
    if (options.directory is None) == (options.compare is None):
        parser.error("give either DIR or --compare OLD NEW")
    try:
        if options.compare:
            return compare.run(*map(load, options.compare))
        suite = load(options.directory)
        return write(suite, bounds_of(suite, options.bounds))
    except ResultsError as error:
        print(f"report: {error}", file=sys.stderr)
    except OSError as error:
        print(f"report: {error.filename}: can't be written: {error.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
