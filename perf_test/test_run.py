# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which benchmarks each run takes."""

import re
import unittest

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

    def test_short_form_has_one_malloc(self):
        have = {"BenchmarkAllocate", "MemoryProfile", "BenchmarkSteadyState"}
        names = [one.name for one in run.suite({"jemalloc": "libjemalloc.so"}, have, True)]
        self.assertIn("steady_state", names)
        self.assertFalse([name for name in names if "jemalloc" in name or "tuned" in name])


class Instructions(unittest.TestCase):
    def test_total_is_found(self):
        self.assertEqual(instructions.total("events: Ir\nsummary: 123\n"), 123)
        self.assertEqual(instructions.total("events: Ir\n1 2\ntotals: 45\n"), 45)

    def test_missing_total_is_an_error(self):
        with self.assertRaises(instructions.CountError):
            instructions.total("events: Ir\n")


if __name__ == "__main__":
    unittest.main()
