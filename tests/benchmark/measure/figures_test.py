"""What is made of figures: medians, tables, charts, and the verdict on the machine."""
import unittest
import xml.etree.ElementTree

import comparison
import counters
import machine
import rounds
import session
import table
from chart import chart
from special import NeighbourPoint


def figures(**changes):
    return {"answered": 10, "failed": 0, "first_failure": "", "p50_us": 1.0, "p999_us": None, "unanswered": 0, "unexpected": 0,
            "cpu_us": {"bridge": 4.0}, "busy": False} | changes


class MedianTest(unittest.TestCase):
    def test_takes_the_median_of_figures_and_the_sum_of_faults(self):
        median = rounds.median_of([figures(p50_us=1.0, failed=1), figures(p50_us=9.0, failed=2, cpu_us={"bridge": 6.0}),
                                   figures(p50_us=2.0, cpu_us={"bridge": 5.0})])
        self.assertEqual(median["p50_us"], 2.0)
        self.assertEqual(median["failed"], 3)
        self.assertEqual(median["cpu_us"], {"bridge": 5.0})

    def test_keeps_the_first_failure_and_leaves_unknown_what_no_round_knows(self):
        median = rounds.median_of([figures(), figures(first_failure="too large")])
        self.assertEqual(median["first_failure"], "too large")
        self.assertIsNone(median["p999_us"])


class PointTest(unittest.TestCase):
    def test_says_what_it_is(self):
        self.assertEqual(str(rounds.Point(300, 64)), "300 B, 64 in flight")
        self.assertEqual(str(rounds.Point(16 << 10, per_second=500, plugins=10)), "16 KB, 500 calls/s, 10 plugins")

    def test_floods_only_the_neighbour(self):
        near, beside = NeighbourPoint(300, per_second=100, flood=1).loads(["a", "b", "c"])
        self.assertEqual((near["topics"], beside["topics"]), (["a"], ["b"]))
        self.assertEqual(len(NeighbourPoint(300, per_second=100).loads(["a", "b", "c"])), 1)


class RoundsTest(unittest.TestCase):
    def test_leaves_out_a_subject_that_fails_and_goes_on_with_the_others(self):
        class FakeMachine:
            def check(self):
                return []

            def watch(self, work):
                return work(), machine.Sample(others=0, steal=0, load=0)

        class FakeRunning:
            topics = ["a"]

            def __init__(self, answers):
                self.answers = answers

            def run(self, *_, **__):
                return {"loads": [figures(answered=self.answers, p99_us=None)], "cpu_us": {"bridge": 40.0}, "unanswered": 0,
                        "unexpected": 0}

        failures = []
        points = [rounds.Point(300, 1), rounds.Point(300, 8)]
        rows = rounds.Rounds(FakeMachine(), True, lambda _: None, failures.append).measure(
            "calls", {"good": FakeRunning(10), "bad": FakeRunning(0)}, points, session.Effort(2, 0.1, 0, 0))
        self.assertEqual([row["subject"] for row in rows], ["good", "good"])
        self.assertEqual(rows[0]["median"]["cpu_us"], {"bridge": 4.0})
        self.assertEqual(failures, ["calls: bad, 300 B, 1 in flight: no call is answered"])


class MachineTest(unittest.TestCase):
    def test_complains_about_others_about_steal_and_about_a_slow_processor(self):
        quiet = machine.Sample(others=0.01, steal=0.0, load=0.1, spin=1.0)
        self.assertEqual(quiet.complaints(best_spin=1.0), [])
        busy = machine.Sample(others=0.5, steal=0.1, load=3.0, spin=2.0)
        self.assertEqual(len(busy.complaints(best_spin=1.0)), 3)


class TableTest(unittest.TestCase):
    def test_aligns_figures_and_shows_unknown_ones(self):
        self.assertEqual(table.format_table(["", "p50"], [["chain", 12.34], ["bridge+lean", None]]),
                         "              p50\n"
                         "chain        12.3\n"
                         "bridge+lean     –")


class ComparisonTest(unittest.TestCase):
    def test_compares_what_was_measured_in_the_same_round(self):
        def row(subject, p50s):
            return {"scenario": "calls", "subject": subject, "bytes": 300, "in_flight": 1, "per_second": 0, "plugins": 1,
                    "rounds": [{"p50_us": p50, "p99_us": None, "per_second": 5, "cpu_us": {"bridge": 2}} for p50 in p50s]}

        text = comparison.compare([row("old+lean", [10, 100]), row("new+lean", [9, 70]), row("chain", [1, 1])], "old", "new")
        self.assertIn("300 B, 1 in flight, lean  0.80 (0.70–0.90)    –", text)
        self.assertIsNone(comparison.compare([row("old+lean", [10])], "old", "new"))


class ChartTest(unittest.TestCase):
    def test_draws_every_curve(self):
        svg = chart("a < b", "x", "y", {"one": [(1, 10), (100, 20)], "two": [(5, 5)], "none": [(1, None)]})
        lines = xml.etree.ElementTree.fromstring(svg).findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(lines), 2)

    def test_draws_nothing_without_figures(self):
        self.assertIsNone(chart("a", "x", "y", {"none": [(1, None)]}))


class CountersTest(unittest.TestCase):
    def test_reads_what_strace_and_callgrind_print(self):
        self.assertEqual(counters.total_of("     calls syscall\n--------- ------\n       12 futex\n--------- -----\n       30 total\n"), 30)
        self.assertEqual(counters.collected("==1== Events    : Ir\n==1== Collected : 123456\n"), 123456)


if __name__ == "__main__":
    unittest.main()
