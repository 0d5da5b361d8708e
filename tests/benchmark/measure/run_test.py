"""The whole benchmark, as short as can be. Nothing is asserted about times.

Usage: run_test.py BUILD_DIR
"""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

MEASURE = pathlib.Path(__file__).resolve().parent
SUBJECTS = ["websocket", "grpc", "chain", "bridge+lean", "bridge+sdk"]
PATIENCE = 60
BUILD_DIR = None


def command(folder, *options):
    return [sys.executable, "-B", str(MEASURE), "--build-dir", BUILD_DIR, "--output", str(folder), "--anyway",
            "--subjects", ",".join(SUBJECTS), "--rounds", "1", "--seconds", "0.05", *options]


def children_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


class RunTest(unittest.TestCase):
    def test_measures_every_subject_with_every_workload(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(command(folder, "--quick"), check=True, stdout=subprocess.DEVNULL)
            result = json.loads(pathlib.Path(folder, "results.json").read_text())
            text = pathlib.Path(folder, "table.txt").read_text()
            charts = list(pathlib.Path(folder).glob("*.svg"))
        workloads = {(row["bytes"], row["in_flight"]) for row in result["rows"]}
        self.assertEqual(len(result["rows"]), len(workloads) * len(SUBJECTS))
        for row in result["rows"]:
            with self.subTest(subject=row["subject"], bytes=row["bytes"], in_flight=row["in_flight"]):
                figures = row["median"]
                self.assertGreater(figures["answered"], 0)
                self.assertGreater(figures["per_second"], 0)
                self.assertGreater(figures["p50_us"], 0)
                self.assertGreater(figures["cpu_us"]["bridge"], 0)
                self.assertEqual((figures["failed"], figures["unanswered"], figures["unexpected"]), (0, 0, 0))
                self.assertIn(row["subject"], text)
        self.assertGreater(len(charts), 0)

    def test_leaves_no_process_behind_when_it_is_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            with subprocess.Popen(command(folder, "--only", "growth"), stdout=subprocess.DEVNULL) as run:
                wait_until(lambda: len(children_of(run.pid)) == 3)  # hub, bridge, plugin
                children = children_of(run.pid)
                left_behind = pathlib.Path("/proc", children[0], "cwd").resolve()  # the run's folder
                run.send_signal(signal.SIGKILL)
            wait_until(lambda: not any(pathlib.Path("/proc", child).exists() for child in children))
            shutil.rmtree(left_behind)


if __name__ == "__main__":
    BUILD_DIR = sys.argv.pop()
    unittest.main()
