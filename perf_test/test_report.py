# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tests of the report, the comparison and the guard, on made-up results.

    python3 -m unittest discover -s perf_test
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))

import compare
import guard
import page
import plots
import report
from results import ResultsError, Summary, load, parse_name

CONTEXT = {
    "processor": "Processor of <tests>", "processors": "2", "compiler": "GCC 99", "kokkos": "5.2.0",
    "kokkos_configuration": "OPENMP SERIAL", "malloc": "glibc 2.43", "threads": "2",
    "transparent_huge_pages": "always",
}
NS = 1e-9


def spread(median, noise, count=9):
    """Values about a median, the quartiles `noise` away from it on both sides."""
    return [median * (1 + noise * (4 * i / (count - 1) - 2)) for i in range(count)] \
        if count > 1 else [median]


def entries(name, times, threads=1, **counters):
    """As Google Benchmark writes them, with an aggregate that must be ignored."""
    made = [{"name": name, "run_name": name, "run_type": "iteration", "repetitions": len(times),
             "repetition_index": i, "threads": threads, "iterations": 100, "real_time": time,
             "cpu_time": time, "time_unit": "ns", **counters} for i, time in enumerate(times)]
    return made + [{"name": name + "_mean", "run_name": name, "run_type": "aggregate",
                    "aggregate_name": "mean", "real_time": 1e9, "cpu_time": 1e9,
                    "time_unit": "ns"}]


def error(name, message):
    return [{"name": name, "run_name": name, "run_type": "iteration", "repetition_index": 0,
             "error_occurred": True, "error_message": message, "real_time": 0, "cpu_time": 0,
             "time_unit": "ns", "threads": 1, "iterations": 0}]


def full():
    """Runs with something for each plot, by name."""
    allocate, contention, reduction = [], [], []
    for n in (16, 256):
        for name, time in (("View_uninitialized/HostSpace", 200),
                           ("View_initialized/HostSpace", 300),
                           ("View_uninitialized/arena_ThreadCached", 100),
                           ("View_initialized/arena_ThreadCached", 150),
                           ("similar/arena_ThreadCached", 40), ("handle/arena_ThreadCached", 10),
                           ("unmanaged/std_pmr_monotonic", 8), ("unmanaged/preallocated", 2)):
            allocate += entries(f"{name}/{n}", spread(time + n / 100, 0.02))
        for name, time in (("HostSpace", 400), ("growing_arena", 110), ("preallocated", 100)):
            reduction += entries(f"basic_reduction/{name}/{n}/real_time", spread(time * n, 0.02))
    for name, time in (("HostSpace", 300), ("arena_handle", 110), ("preallocated", 100)):
        reduction += entries(f"plain_loops/{name}/256", spread(time, 0.02))
    for threads in (1, 2, 4):
        for name, time in (("arena_ThreadCached", 3), ("malloc", 20)):
            contention += entries(f"allocate/{name}/real_time/threads:{threads}",
                                  spread(time, 0.02), threads=threads)
    tuned = entries("View_uninitialized/HostSpace/256", spread(150, 0.02))
    return {
        "allocate": {"benchmarks": allocate}, "contention": {"benchmarks": contention},
        "reduction_256": {"benchmarks": reduction},
        "allocate_tcmalloc": {"context": {**CONTEXT, "malloc": "tcmalloc of gperftools 2.18"},
                              "benchmarks": tuned},
        "steady_state": {"benchmarks": entries("steady_state/arena", [5.0], fences=0,
                                               heap_allocations=0)},
        "memory_chain_arena": {"benchmarks": [], "series": {
            "name": "arena", "seconds": [0, 1, 2], "live_bytes": [0, 2e6, 0],
            "resident_bytes": [0, 3e6, 3e6]}},
    }


def on_device():
    """The same of a device."""
    views, reductions = [], []
    for n in (16, 4096):
        for name, time in (("plain", 9e5), ("stream_ordered", 900), ("arena", 200),
                           ("arena_similar", 60)):
            views += entries(f"View_uninitialized/{name}/{n}/real_time", spread(time, 0.02))
        for name, time in (("plain", 9e5), ("arena", 2500)):
            views += entries(f"View_initialized/{name}/{n}/real_time", spread(time, 0.02))
        for name, time in (("plain", 9e5), ("arena", 101 + n), ("preallocated", 100 + n)):
            reductions += entries(f"basic_reduction/{name}/{n}/real_time", spread(time, 0.01))
    context = {**CONTEXT, "device": "GPU of <tests>"}
    return {"device_views": {"context": context, "benchmarks": views},
            "device_reductions": {"context": context, "benchmarks": reductions}}


BOUNDS = [{"name": "steady_state/.*", "counter": "fences", "most": 0}]


class Case(unittest.TestCase):
    """A test with directories of results."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.base = Path(temporary.name)

    def directory(self, results, name="new", **about):
        """The path of a report directory with these runs."""
        raw = self.base / name / "raw"
        raw.mkdir(parents=True)
        said = {"commit": "abc1234", "date": "2026-01-02T03:04:05+00:00", "short": False,
                "runs": [{"name": run, "seconds": 1, "exit": 0} for run in results],
                "absent": [], **about}
        (raw / "suite.json").write_text(json.dumps(said))
        for run, data in results.items():
            (raw / f"{run}.json").write_text(json.dumps({"context": CONTEXT, **data}))
        return raw.parent

    def one(self, *args, name="new", context=CONTEXT, **more):
        """A directory with one benchmark."""
        return self.directory({"allocate": {"context": context,
                                            "benchmarks": entries(*args, **more)}}, name)

    def bounds(self, bounds):
        file = self.base / "bounds.json"
        file.write_text(json.dumps(bounds))
        return file

    def call(self, function, *args):
        """Its result, what it printed, and its errors."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = function(*args)
        return status, out.getvalue(), err.getvalue()

    def report(self, directory, bounds=None):
        """Exit status, the page, and errors."""
        file = self.bounds(BOUNDS if bounds is None else bounds)
        status, _, err = self.call(report.main, [str(directory), "--bounds", str(file)])
        html = directory / "index.html"
        return status, html.read_text(encoding="utf-8") if html.exists() else "", err


class WellFormed(HTMLParser):
    """Finds elements that aren't closed, identifiers that aren't unique, and
    references to elsewhere."""

    VOID = {"meta", "br", "hr", "link", "img"}

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.links = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            elif key in ("href", "src"):
                self.links.append(value)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> without its beginning")


class PageTest(Case):
    def test_says_what_was_measured_where(self):
        status, html, err = self.report(self.directory(
            full(), absent=[{"peer": "Umpire", "why": "CMake did not find it"}]))
        self.assertEqual(status, 0, err)
        for text in ("Processor of &lt;tests&gt;", "GCC 99", "5.2.0", "OPENMP SERIAL", "always",
                     "glibc 2.43", "abc1234", "2026-01-02",
                     "Umpire is absent: CMake did not find it",
                     "Ratios hold within one run only", "raw/allocate.json", "HostSpace, tcmalloc",
                     "baseline: preallocated", "baseline: HostSpace"):
            self.assertIn(text, html)
        self.assertNotIn('class="failed"', html)

    def test_is_well_formed_and_complete_in_itself(self):
        directory = self.directory(full())
        _, html, _ = self.report(directory)
        parsed = WellFormed(html)
        self.assertEqual(parsed.open, [])
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)))
        self.assertNotIn("http", html)
        self.assertNotIn("<script", html)
        self.assertNotIn("url(#)", html)
        for link in parsed.links:
            if link.startswith("#"):
                self.assertIn(link[1:], parsed.ids)
            else:
                self.assertTrue((directory / link).is_file(), link)

    def test_ratio_is_to_the_baseline_of_the_same_argument(self):
        suite = load(self.directory(full()))
        found = {(b.run, b.name): page.baseline_of(b, page.by_key(suite))
                 for b in suite.benchmarks()}
        self.assertEqual(found["reduction_256", "basic_reduction/HostSpace/16/real_time"].name,
                         "basic_reduction/preallocated/16/real_time")
        self.assertEqual(found["allocate_tcmalloc", "View_uninitialized/HostSpace/256"].run,
                         "allocate")
        self.assertEqual(found["allocate", "handle/arena_ThreadCached/16"].name,
                         "View_uninitialized/HostSpace/16")
        self.assertIsNone(found["allocate", "similar/arena_ThreadCached/16"])

    def test_device(self):
        directory = self.directory({**full(), **on_device()})
        status, html, err = self.report(directory)
        self.assertEqual(status, 0, err)
        self.assertIn('id="of-device"', html)
        found = {(b.run, b.name): page.baseline_of(b, page.by_key(load(directory)))
                 for b in load(directory).benchmarks()}
        self.assertEqual(found["device_views", "View_initialized/arena/16/real_time"].name,
                         "View_initialized/plain/16/real_time")
        self.assertEqual(found["device_reductions", "basic_reduction/plain/16/real_time"].name,
                         "basic_reduction/preallocated/16/real_time")

    def test_device_alone(self):
        directory = self.directory(on_device())
        status, html, err = self.report(directory)
        self.assertEqual((status, WellFormed(html).open), (0, []), err)
        self.assertIn("GPU of &lt;tests&gt;", html)
        self.assertNotIn("no plot ", err)

    def test_failures_are_prominent(self):
        runs = full()
        runs["allocate"]["benchmarks"] += error("raw/malloc", "wrong sum & more")
        directory = self.directory(runs)
        status, html, err = self.report(directory)
        self.assertEqual(status, 1)
        self.assertIn("allocate: raw/malloc: wrong sum &amp; more", html)
        self.assertLess(html.index('class="failed"'), html.index("How to read"))
        self.assertIn("wrong sum & more", err)

    def test_failed_run(self):
        directory = self.directory(full(), runs=[{"name": "checked", "seconds": 1, "exit": 139}])
        status, html, _ = self.report(directory)
        self.assertEqual(status, 1)
        self.assertIn("checked: ended with exit status 139", html)

    def test_broken_bound_is_said_and_left_to_the_guard(self):
        runs = full()
        runs["steady_state"]["benchmarks"] = entries("steady_state/arena", [5.0], fences=2)
        status, html, err = self.report(self.directory(runs))
        self.assertEqual(status, 0)
        self.assertIn("steady_state/arena", err)
        self.assertIn("does not hold", html)

    def test_bound_without_measurement_is_said(self):
        runs = full()
        del runs["steady_state"]
        status, html, _ = self.report(self.directory(runs))
        self.assertEqual(status, 0)
        self.assertIn("not measured", html)
        self.assertIn("1 of them could not be checked", html)

    def test_single_repetition_and_missing_questions(self):
        directory = self.one("View_uninitialized/HostSpace/16", [5.0])
        status, html, err = self.report(directory)
        self.assertEqual(status, 0, err)
        self.assertIn("one value", html)
        if plots.available():
            for name in ("throughput", "reduction", "memory"):
                self.assertIn(f"no plot {name}", err)
            self.assertEqual(html.count("Left out: "), 4)

    def test_without_matplotlib(self):
        with mock.patch.object(plots, "matplotlib", None):
            status, html, err = self.report(self.directory(full()))
        self.assertEqual(status, 0)
        self.assertIn("matplotlib is missing", html)
        self.assertEqual(err.count("\n"), 1)
        self.assertIn("python3-matplotlib", err)
        self.assertNotIn("<svg", html)

    def test_bad_input(self):
        status, _, err = self.report(self.base / "nowhere")
        self.assertEqual(status, 2)
        self.assertIn("no such directory", err)
        directory = self.directory(full())
        (directory / "raw" / "allocate.json").write_text('{"context": {')
        status, _, err = self.report(directory)
        self.assertEqual(status, 2)
        self.assertIn("allocate.json, line 1: broken JSON", err)

    def test_no_arguments(self):
        with self.assertRaises(SystemExit) as raised:
            self.call(report.main, [])
        self.assertEqual(raised.exception.code, 2)

    def test_units(self):
        for value, text in ((12.34 * NS, "12.3 ns"), (999.96 * NS, "1000 ns"), (1.5e-6, "1.5 µs"),
                            (0.25, "250 ms"), (3.0, "3 s"), (0.0, "0 ns")):
            self.assertEqual(page.seconds(value), text)


@unittest.skipUnless(plots.available(), "matplotlib is missing")
class PlotsTest(Case):
    def test_all_plots_exist(self):
        directory = self.directory(full())
        _, html, err = self.report(directory)
        self.assertEqual(err, "")
        self.assertEqual(html.count("<svg"), len(plots.PLOTS))
        for name, *_ in plots.PLOTS:
            svg = (directory / f"{name}.svg").read_text(encoding="utf-8")
            self.assertTrue(svg.startswith("<svg"))
            rest = re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)
            self.assertNotIn("http", rest)

    def test_a_device_has_plots_of_its_own(self):
        for results, count in ((on_device(), len(plots.DEVICE_PLOTS)),
                               ({**full(), **on_device()},
                                len(plots.PLOTS) + len(plots.DEVICE_PLOTS))):
            directory = self.directory(results, f"of {count}")
            _, html, err = self.report(directory)
            self.assertNotIn("no plot", err)
            self.assertEqual(html.count("<svg"), count)

    def test_equal_input_gives_equal_output(self):
        both = []
        for name in ("first", "second"):
            directory = self.directory(full(), name)
            self.report(directory)
            both.append({file.name: file.read_bytes() for file in directory.glob("*.*")})
        self.assertEqual(*both)

    def test_a_plot_of_an_earlier_run_is_removed(self):
        directory = self.directory({"allocate": full()["allocate"]})
        (directory / "memory.svg").write_text("<svg/>")
        self.report(directory)
        self.assertFalse((directory / "memory.svg").exists())

    def test_missing_baseline_leaves_the_plot_out(self):
        runs = full()
        runs["reduction_256"]["benchmarks"] = [
            entry for entry in runs["reduction_256"]["benchmarks"]
            if "preallocated" not in entry["name"]]
        status, _, err = self.report(self.directory(runs))
        self.assertEqual(status, 0)
        self.assertIn("no plot reduction", err)

    def test_throughput_is_capped_by_the_processors_time(self):
        runs = full()
        runs["contention"]["benchmarks"] = entries("allocate/malloc/real_time/threads:4",
                                                   [10.0] * 3, threads=4)
        [benchmark] = [b for b in load(self.directory(runs)).benchmarks() if b.run == "contention"]
        self.assertAlmostEqual(plots.throughput(benchmark, None).median, 400)
        self.assertAlmostEqual(plots.throughput(benchmark, 2).median, 200)


class CompareTest(Case):
    def compare(self, old, new):
        return self.call(report.main, ["--compare", str(old), str(new)])

    def pair(self, old, new):
        """Exit status and text for the times of one benchmark."""
        status, out, _ = self.compare(self.one("raw/malloc", old, name="old"),
                                      self.one("raw/malloc", new, name="new"))
        return status, out

    def test_20_percent_with_2_percent_noise_is_found(self):
        status, out = self.pair(spread(100, 0.02), spread(120, 0.02))
        self.assertEqual(status, 1)
        self.assertRegex(out, r"slower +100 ns +120 ns +1\.200 +\d+% +allocate: raw/malloc")

    def test_faster_is_found_too_and_isn_t_worse(self):
        status, out = self.pair(spread(120, 0.02), spread(100, 0.02))
        self.assertEqual(status, 0)
        self.assertRegex(out, r"faster +120 ns +100 ns")

    def test_3_percent_with_5_percent_noise_is_not_found(self):
        status, out = self.pair(spread(100, 0.05), spread(103, 0.05))
        self.assertEqual(status, 0)
        self.assertIn("0 slower, 0 faster, 1 within the noise", out)

    def test_4_percent_without_noise_is_not_found(self):
        self.assertEqual(self.pair([100.0] * 9, [104.0] * 9)[0], 0)

    def test_few_repetitions_need_30_percent(self):
        self.assertFalse(compare.Difference("", Summary((1.0,)), Summary((1.25,))).significant)
        self.assertTrue(compare.Difference("", Summary((1.0,)), Summary((1.35,))).significant)

    def test_many_repetitions_do_not_narrow_the_noise(self):
        few, many = (compare.Difference("", Summary(tuple(spread(1, 0.1, n))),
                                        Summary(tuple(spread(1.2, 0.1, n)))) for n in (9, 101))
        self.assertAlmostEqual(few.noise, many.noise, 2)
        self.assertAlmostEqual(few.noise, 2 * 2 ** 0.5 * 0.2 / 1.349)

    def test_both_directions_find_the_same(self):
        for change in (1.04, 1.06, 1.2, 1.4):
            one, other = Summary(tuple(spread(1, 0.02))), Summary(tuple(spread(change, 0.02)))
            self.assertEqual(compare.Difference("", one, other).significant,
                             compare.Difference("", other, one).significant)

    def test_the_largest_change_comes_first(self):
        times = {"raw/a": (100, 150), "raw/b": (100, 300), "raw/c": (100, 20)}
        both = []
        for i, where in enumerate(("old", "new")):
            made = [entries(name, spread(values[i], 0.01)) for name, values in times.items()]
            both.append(self.directory({"allocate": {"benchmarks": sum(made, [])}}, where))
        _, out, _ = self.compare(*both)
        self.assertEqual(re.findall(r"allocate: raw/(\w)", out), ["c", "b", "a"])

    def test_counters_are_compared_exactly(self):
        old = self.one("steady_state/arena", [5.0] * 3, name="old", fences=0, instructions=100)
        new = self.one("steady_state/arena", [5.0] * 3, name="new", fences=1, instructions=99)
        status, out, _ = self.compare(old, new)
        self.assertEqual(status, 1)
        self.assertRegex(out, r"worse +0 +1 +fences +allocate: steady_state/arena")
        self.assertRegex(out, r"better +100 +99 +instructions")
        self.assertEqual(self.compare(new, new)[0], 0)

    def test_warns_of_another_machine(self):
        old = self.one("raw/malloc", [5.0] * 3, name="old")
        new = self.one("raw/malloc", [5.0] * 3, name="new", context={
            **CONTEXT, "processor": "another", "compiler": "Clang 99", "malloc": "jemalloc 5",
            "kokkos": "6"})
        _, out, _ = self.compare(old, new)
        for key in ("processor", "compiler", "malloc", "kokkos"):
            self.assertIn(f"WARNING: {key} differs: ", out)

    def test_warns_of_the_short_form(self):
        runs = {"allocate": full()["allocate"]}
        _, out, _ = self.compare(self.directory(runs, "old", short=True), self.directory(runs))
        self.assertIn("WARNING: short differs: True, now False", out)

    def test_lists_what_is_in_one_only(self):
        old = self.one("raw/malloc", [5.0] * 3, name="old")
        new = self.one("raw/arena", [5.0] * 3, name="new")
        status, out, _ = self.compare(old, new)
        self.assertEqual(status, 0)
        self.assertIn("In old only: 1\n  allocate: raw/malloc", out)
        self.assertIn("In new only: 1\n  allocate: raw/arena", out)

    def test_a_new_failure_is_worse(self):
        old = self.directory(full(), "old")
        runs = full()
        runs["allocate"]["benchmarks"] += error("raw/malloc", "wrong sum")
        status, out, _ = self.compare(old, self.directory(runs))
        self.assertEqual(status, 1)
        self.assertIn("FAILED in new: allocate: raw/malloc: wrong sum", out)

    def test_bad_input(self):
        status, _, err = self.compare(self.base / "nowhere", self.base)
        self.assertEqual(status, 2)
        self.assertIn("nowhere: no such directory", err)

    def test_help_explains_the_criterion(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit):
            report.main(["--help"])
        self.assertIn("quartiles", out.getvalue())
        self.assertIn("5 %", out.getvalue())


class GuardTest(Case):
    def guard(self, directory, bounds):
        return self.call(guard.main, [str(directory), "--bounds", str(self.bounds(bounds))])

    def test_holds(self):
        status, out, _ = self.guard(self.directory(full()), BOUNDS)
        self.assertEqual(status, 0, out)

    def test_exceeded_by_the_worst_repetition(self):
        runs = full()
        runs["steady_state"]["benchmarks"] += entries("steady_state/arena", [5.0], fences=1)
        status, out, _ = self.guard(self.directory(runs), BOUNDS)
        self.assertEqual(status, 1)
        self.assertIn("FAILED", out)

    def test_missing_benchmark(self):
        status, out, _ = self.guard(self.directory(full()), [
            {"name": "no_such", "counter": "fences", "most": 0}])
        self.assertEqual(status, 1)
        self.assertIn("matches no measurement", out)

    def test_lacking_counter(self):
        status, out, _ = self.guard(self.directory(full()), [
            {"name": "steady_state/.*", "counter": "system_calls", "most": 0}])
        self.assertEqual(status, 1)
        self.assertIn("lacks the counter", out)

    def test_ratio(self):
        bound = {"ratio": {"of": "basic_reduction/HostSpace/16(/.*)?",
                           "to": "basic_reduction/growing_arena/16(/.*)?"}, "least": 2}
        self.assertEqual(self.guard(self.directory(full()), [bound])[0], 0)
        self.assertEqual(self.guard(self.base / "new", [{**bound, "least": 10}])[0], 1)

    def test_ratio_of_what_says_the_same_in_a_named_group(self):
        bound = {"ratio": {"of": "basic_reduction/arena/(?P<n>\\d+)/.*",
                           "to": "basic_reduction/preallocated/(?P<n>\\d+)/.*"}, "most": 1.05}
        checks = guard.check(load(self.directory(on_device())), [bound])
        self.assertEqual([round(check.measured, 3) for check in checks], [1.009, 1.0])

    def test_bounds_are_of_what_was_run(self):
        for results, files in ((full(), [guard.BOUNDS]), (on_device(), [guard.DEVICE_BOUNDS]),
                               ({**full(), **on_device()}, [guard.BOUNDS, guard.DEVICE_BOUNDS])):
            suite = load(self.directory(results, f"{len(results)}"))
            expected = [bound for file in files for bound in guard.read_bounds(file)]
            self.assertEqual(guard.bounds_of(suite), expected)

    def test_recorded_with_tolerance(self):
        directory = self.one("a/b", [5.0], instructions=108)
        for recorded, status in ((100, 0), (95, 1), (200, 0)):
            bound = {"name": "a/b", "counter": "instructions", "recorded": recorded,
                     "tolerance": 0.1}
            self.assertEqual(self.guard(directory, [bound])[0], status)

    def test_error_occurred(self):
        runs = full()
        runs["allocate"]["benchmarks"] += error("raw/malloc", "wrong sum")
        status, out, _ = self.guard(self.directory(runs), BOUNDS)
        self.assertEqual(status, 1)
        self.assertIn("FAILED: allocate: raw/malloc: wrong sum", out)

    def test_bounds_that_could_never_fail_are_refused(self):
        directory = self.directory(full())
        for bound in ({"name": "a", "counter": "b"}, {"name": "a", "counter": "b", "mots": 1},
                      {"name": "(", "counter": "b", "most": 1}, {"counter": "b", "most": 1}, 3):
            status, _, err = self.guard(directory, [bound])
            self.assertEqual(status, 2, bound)
            self.assertIn("bound 1", err)
        self.assertEqual(self.guard(directory, [])[0], 2)

    def test_own_bounds_can_be_read(self):
        self.assertTrue(guard.read_bounds(guard.BOUNDS))


class ResultsTest(Case):
    def test_names(self):
        for text, question, allocator, argument, n in (
                ("raw/malloc", "raw", "malloc", "", None),
                ("allocate/malloc/real_time/threads:2", "allocate", "malloc", "2 threads", None),
                ("basic_reduction/HostSpace/256/real_time", "basic_reduction", "HostSpace", "256",
                 256),
                ("chain/equal/arena/real_time", "chain", "arena", "equal", None),
                ("temporary_in_kernel/malloc/threads:1/real_time", "temporary_in_kernel", "malloc",
                 "1 thread", None)):
            name = parse_name(text)
            self.assertEqual((name.question, name.allocator, name.argument, name.n),
                             (question, allocator, argument, n), text)

    def test_aggregates_are_ignored(self):
        suite = load(self.one("raw/malloc", [5.0, 6.0, 7.0]))
        [benchmark] = suite.benchmarks()
        self.assertEqual(benchmark.time.count, 3)
        self.assertAlmostEqual(benchmark.time.median, 6 * NS)

    def test_raw_directory_itself(self):
        directory = self.directory(full())
        self.assertEqual(load(directory / "raw").directory, load(directory).directory)

    def test_here(self):
        directory = self.directory(full())
        with contextlib.chdir(directory / "raw"):
            suite = load(Path("."))
        self.assertEqual((suite.raw.name, suite.directory), ("raw", directory.resolve()))

    def test_errors_say_where(self):
        directory = self.directory({"allocate": {}})
        with self.assertRaisesRegex(ResultsError, 'allocate.json: neither "benchmarks"'):
            load(directory)
        with self.assertRaisesRegex(ResultsError, "neither raw/suite.json"):
            load(self.base)

    def test_another_commit_is_a_failure(self):
        suite = load(self.one("raw/malloc", [5.0], context={**CONTEXT, "commit": "other"}))
        self.assertIn("is of commit other", str(suite.failures[0]))

    def test_missing_file_is_a_failure(self):
        directory = self.directory(full())
        os.remove(directory / "raw" / "contention.json")
        self.assertIn("wrote no", str(load(directory).failures[0]))


if __name__ == "__main__":
    unittest.main()
