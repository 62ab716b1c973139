# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which benchmarks each run takes."""

import contextlib
import io
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import instructions
import run


def takes(pattern: str, name: str) -> bool:
    """As Google Benchmark does."""
    if pattern.startswith("-"):
        return not re.search(pattern[1:], name)
    return bool(re.search(pattern, name))


class Filters(unittest.TestCase):
    NAMES = ["raw/arena_Locked", "raw/malloc", "similar/HostSpace/256", "similar/HostSpace/100000",
             "View_initialized/HostSpace/8000000/real_time", "unmanaged/malloc/1000000",
             "View_initialized/HostSpace/16/real_time", "View_uninitialized/arena_Locked/8000000",
             "similar_by_threads/HostSpace/256/real_time/threads:2",
             "raw/Umpire_Monotonic/iterations:4096"]

    def takers(self, environment: dict[str, str], name: str) -> list[str]:
        return [one.name for one in run.runs_under_one_malloc("", environment)
                if one.program == "BenchmarkAllocate" and takes(one.filter, name)]

    def test_each_benchmark_is_run_once(self):
        for name in self.NAMES:
            self.assertEqual(len(self.takers({}, name)), 1, name)

    def test_large_sizes_have_processes_of_their_own(self):
        self.assertEqual(self.takers({}, self.NAMES[4]), ["allocate_8000000"])
        self.assertEqual(self.takers({}, self.NAMES[6]), ["allocate"])

    def test_another_malloc_is_for_what_it_is_a_part_of(self):
        environment = {"LD_PRELOAD": "libmalloc.so"}
        for name in self.NAMES:
            expected = 1 if "HostSpace" in name or "malloc" in name else 0
            self.assertEqual(len(self.takers(environment, name)), expected, name)

    def test_what_precedes_any_adoption_has_a_process_of_its_own(self):
        for name, taker in (("memory/not_adopted/1000/real_time/threads:2", "adoption_before_any"),
                            ("memory/not_adopted_beside_adopted/1000/real_time", "adoption"),
                            ("memory/adopted/8000/real_time/threads:1", "adoption")):
            takers = [one.name for one in run.adoption_runs() if takes(one.filter, name)]
            self.assertEqual(takers, [taker], name)

    def test_short_form_has_one_malloc(self):
        have = {"BenchmarkAllocate", "MemoryProfile", "BenchmarkSteadyState"}
        names = [one.name for one in run.suite({"jemalloc": "libjemalloc.so"}, have, True)]
        self.assertIn("steady_state", names)
        self.assertFalse([name for name in names if "jemalloc" in name or "tuned" in name])


class Device(unittest.TestCase):
    """With a program that only pretends."""

    MEASURES = """
out = [a.partition("=")[2] for a in sys.argv if a.startswith("--benchmark_out=")][0]
name = "View_uninitialized/plain/16/real_time"
json.dump({"context": {"device": "GPU of tests", "malloc": "glibc", "rmm": "no"},
           "benchmarks": [{"name": name, "run_name": name, "run_type": "iteration",
                           "real_time": 1.0, "cpu_time": 1.0, "time_unit": "ns"}]},
          open(out, "w"))
"""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.base = Path(temporary.name)

    def main(self, program, *arguments):
        """Exit status, output and errors of run.py, and its directory."""
        file = self.base / "KokkosArena_BenchmarkDevice"
        file.write_text(f"#!{sys.executable}\nimport json, sys, time\n{program}\n")
        file.chmod(0o755)
        output = self.base / "report"
        command = ["run.py", "--programs", str(self.base), "--output", str(output), *arguments]
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", command), contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err):
            status = run.main()
        return status, out.getvalue(), err.getvalue(), output

    def test_each_benchmark_is_run_once(self):
        for name in ("View_uninitialized/arena/16/real_time", "View_initialized/plain/16/real_time",
                     "arena_of_one_View/plain/1000000/real_time", "basic_reduction/arena/10000/",
                     "two_instances/plain/10000/real_time", "View_in_kernel/arena_handle/64/",
                     "triad/CheckedSpace/100000/real_time", "triad_of_older/ScopedSpace/100000/",
                     "reset/ScopedSpace/1000/real_time",
                     "device_steady_state/views/arena/real_time"):
            takers = [one.name for one in run.device_runs() if takes(one.filter, name)]
            self.assertEqual(len(takers), 1, name)

    def test_all_results_are_in_one_file(self):
        status, _, err, output = self.main(self.MEASURES, "--device")
        self.assertEqual(status, 0, err)
        results = json.loads((output / "results.json").read_text())
        self.assertEqual(results["context"]["device"], "GPU of tests")
        self.assertEqual([one["run"] for one in results["benchmarks"]],
                         [one.name for one in run.device_runs()])
        self.assertIn("RMM", results["suite"]["absent"][0]["peer"])
        page = (output / "index.html").read_text()
        self.assertIn("GPU of tests", page)
        self.assertIn("Device memory", page)

    def test_no_device(self):
        status, _, err, output = self.main("print('no device: none'); sys.exit(77)", "--device")
        self.assertEqual(status, 77)
        self.assertIn("no device: none", err)
        self.assertFalse((output / "index.html").exists())

    def test_what_hangs_is_ended_and_the_others_are_reported(self):
        program = "if any('triad' in a for a in sys.argv): time.sleep(60)\n" + self.MEASURES
        status, _, err, output = self.main(program, "--device", "--limit", "3")
        self.assertEqual(status, 1)
        self.assertIn("device_checked: exit status 124", err)
        self.assertIn("ended with exit status 124", (output / "index.html").read_text())

    def test_there_may_be_no_such_program(self):
        with contextlib.redirect_stderr(io.StringIO()), mock.patch.object(
                sys, "argv", ["run.py", "--programs", str(self.base), "--device"]):
            self.assertEqual(run.main(), 2)


class Instructions(unittest.TestCase):
    def test_total_is_found(self):
        self.assertEqual(instructions.total("events: Ir\nsummary: 123\n"), 123)
        self.assertEqual(instructions.total("events: Ir\n1 2\ntotals: 45\n"), 45)

    def test_missing_total_is_an_error(self):
        with self.assertRaises(instructions.CountError):
            instructions.total("events: Ir\n")


if __name__ == "__main__":
    unittest.main()
