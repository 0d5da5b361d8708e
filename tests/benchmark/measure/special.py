"""Workloads that ask one question each: memory, growth, late heartbeats, neighbours."""
import time
from dataclasses import dataclass

from grid import LARGEST, MB
from rounds import Point
from subjects import Setting, Subject

MEMORY_POINTS = [Point(300, 64), Point(MB, 24), Point(LARGEST, 4)]
# The bridge proves its answers with the next heartbeat, and keeps some for a second more.
SETTLE_SECONDS = 4
MEMORY_SECONDS = 2
GROWTH_STEPS = 10
LATE_MS = 150
LATE_SECONDS = 2
NEIGHBOUR_SECONDS = 5  # enough calls for a p99


@dataclass(frozen=True)
class NeighbourPoint(Point):
    """A plugin that is called now and then, beside one that is flooded with large calls."""
    flood: int = 0  # the index of the flooded topic; 0: none
    flood_bytes: int = 4_000_000
    flood_in_flight: int = 24

    def loads(self, topics):
        loads = super().loads(topics[:1])
        if self.flood:
            loads.append({"topics": [topics[self.flood]], "bytes": self.flood_bytes, "in_flight": self.flood_in_flight})
        return loads

    def figures_of(self, run):
        figures = super().figures_of(run)
        flood = run["loads"][1] if self.flood else {"per_second": 0.0, "failed": 0, "first_failure": ""}
        return figures | {"flood_per_second": flood["per_second"], "flood_failed": flood["failed"],
                          "first_failure": figures["first_failure"] or flood["first_failure"]}

    def __str__(self):
        return ["alone", "a flood on the same bridge", "a flood on a bridge of its own"][self.flood]


class Special:
    def __init__(self, session):
        self.session = session

    def _start(self, subject, **more):
        return subject.start(self.session.children, Setting(**self.session.setting, **more))

    def memory(self):
        """RSS before, at the peak of, and after a load."""
        rows = []
        for subject in self.session.subjects:
            for point in MEMORY_POINTS:
                self.session.say(f"memory: {subject.name}, {point}")
                running = self._start(subject)
                try:
                    rows.append({"scenario": "memory", "subject": subject.name, "bytes": point.bytes,
                                 "in_flight": point.in_flight, "memory_mb": self._memory_of(running, point)})
                finally:
                    running.stop()
        return rows

    def _memory_of(self, running, point):
        running.run(point.loads(running.topics), calls=1)
        before = running.memory_mb("VmRSS")
        for child in running.all():
            child.forget_peak_memory()
        running.run(point.loads(running.topics), seconds=MEMORY_SECONDS)
        peak = running.memory_mb("VmHWM")
        time.sleep(SETTLE_SECONDS)
        after = running.memory_mb("VmRSS")
        return {role: {"before": before[role], "peak": peak[role], "after": after[role]} for role in before}

    def growth(self):
        """Memory and speed over a million calls."""
        rows = []
        steps = self.session.effort.growth_calls // GROWTH_STEPS
        point = Point(300, 64)
        for subject in self.session.subjects:
            if subject.kind == "floor":
                continue
            running = self._start(subject)
            try:
                series = [{"calls": 0, "memory_mb": running.memory_mb("VmRSS")}]
                for step in range(1, GROWTH_STEPS + 1):
                    self.session.say(f"growth: {subject.name}, step {step} of {GROWTH_STEPS}")
                    run, busy = self.session.rounds.watch(
                        lambda: running.run(point.loads(running.topics), calls=steps, patience=3600), repeats=0)
                    figures = point.figures_of(run)
                    series.append({"calls": step * steps, "memory_mb": running.memory_mb("VmRSS"), "p99_us": figures["p99_us"],
                                   "per_second": figures["per_second"], "failed": figures["failed"], "busy": busy})
                time.sleep(SETTLE_SECONDS)
                series.append({"calls": GROWTH_STEPS * steps, "memory_mb": running.memory_mb("VmRSS")})
                rows.append({"scenario": "growth", "subject": subject.name, "series": series})
            finally:
                running.stop()
        return rows

    def late_heartbeats(self):
        """A hub whose replies to heartbeats come late, beside one where they do not."""
        running = {}
        try:
            for subject in self.session.subjects:
                if subject.kind == "bridge":
                    running[f"{subject.name}, on time"] = self._start(subject)
                    running[f"{subject.name}, {LATE_MS} ms late"] = self._start(subject, heartbeat_delay_ms=LATE_MS)
            rows = self.session.measure("late-heartbeats", running, [Point(300, 64)], LATE_SECONDS)
            for row in rows:
                row["log_lines"] = {role: sum(len(child.log.read_text(errors="replace").splitlines()) for child in children)
                                    for role, children in running[row["subject"]].roles.items()}
                row["memory_mb"] = running[row["subject"]].memory_mb("VmHWM")
            return rows
        finally:
            for subject in running.values():
                subject.stop()

    def neighbour(self):
        """What a plugin that is called 100 times a second notices of a flooded one."""
        running = {}
        points = [NeighbourPoint(300, per_second=100, flood=flood) for flood in range(3)]
        try:
            for label, binary in self.session.bridges.items():
                running[label] = self._start(two_bridges(self.session.programs, label, binary))
            rows = self.session.measure("neighbour", running, points, NEIGHBOUR_SECONDS)
            for row in rows:
                row["beside"] = str(points[row["flood"]])
            return rows
        finally:
            for subject in running.values():
                subject.stop()


def two_bridges(programs, label, binary):
    """A bridge with two plugins, and beside it one with a third."""
    def begin(running):
        port = running.start_hub(programs)
        running.start_lean_plugins(programs, running.start_bridge(binary, port), "near", 0, 2)
        running.start_lean_plugins(programs, running.start_bridge(binary, port), "far", 0, 1)
        return ["debug_plugin:near-0", "debug_plugin:near-1", "debug_plugin:far-0"]
    return Subject(label, "bridge", begin)
