"""What a call costs in things that can be counted: these say the same on a busy machine."""
import re
import shutil
import signal
import struct
import time

from driver import MeasurementError
from rounds import Point
from subjects import Setting

KB = 1 << 10
POINTS = [Point(300, 1), Point(300, 64), Point(16 * KB, 64)]
COUNTED_ROLES = ("bridge", "plugin")
WARM_CALLS = 500
CALLS = 2000
# With callgrind everything takes fifty times as long.
FEW_CALLS = 100
MORE_CALLS = 600
PATIENCE = 300


class Counters:
    def __init__(self, session):
        self.session = session

    def allocations(self):
        """Calls of malloc and its kin, by a library that is loaded first."""
        return self._rows("allocations", self._count_allocations)

    def syscalls(self):
        """By strace."""
        if not shutil.which("strace"):
            return self._skip("syscalls", "strace is not installed")
        return self._rows("syscalls", self._count_syscalls)

    def instructions(self):
        """By callgrind."""
        if not shutil.which("valgrind"):
            return self._skip("instructions", "valgrind is not installed")
        return self._rows("instructions", self._count_instructions)

    def _skip(self, scenario, why):
        self.session.notes.append(f"{scenario}: skipped, {why}")
        return []

    def _rows(self, scenario, count):
        rows = []
        for subject in self.session.subjects:
            if subject.kind == "other":
                continue  # an interpreter's allocations and instructions compare with nothing
            for point in POINTS[:2] if self.session.quick else POINTS:
                self.session.say(f"{scenario}: {subject.name}, {point}")
                rows.append({"scenario": scenario, "subject": subject.name, "bytes": point.bytes,
                             "in_flight": point.in_flight, "per_call": count(subject, point)})
        return rows

    def _setting(self, **more):
        return Setting(**self.session.setting, **more)

    def _count_allocations(self, subject, point):
        files = {}

        def wrap(role, command):
            if role not in COUNTED_ROLES:
                return command, {}
            path = files.setdefault(role, self.session.children.new_path(".count"))
            return command, {"LD_PRELOAD": str(self.session.programs.load("libcount_allocations.so")), "COUNT_ALLOCATIONS": str(path)}

        def read():
            return {role: struct.unpack("QQ", path.read_bytes())[0] for role, path in files.items()}

        running = subject.start(self.session.children, self._setting(wrap=wrap))
        try:
            call(running, point, WARM_CALLS)
            before = read()
            call(running, point, CALLS)
            return {role: (count - before[role]) / CALLS for role, count in read().items()}
        finally:
            running.stop()

    def _count_syscalls(self, subject, point):
        running = subject.start(self.session.children, self._setting())
        try:
            call(running, point, WARM_CALLS)
            traced = [(role, child) for role in COUNTED_ROLES for child in running.roles.get(role, [])]
            tracers = [self._trace(role, child) for role, child in traced]
            call(running, point, CALLS)
            result = {}
            for role, path, tracer in tracers:
                tracer.process.send_signal(signal.SIGINT)
                tracer.process.wait(PATIENCE)
                result[role] = total_of(path.read_text()) / CALLS
            return result
        finally:
            running.stop()

    def _trace(self, role, child):
        path = self.session.children.new_path(".strace")
        tracer = self.session.children.start(["strace", "-f", "-c", "-U", "calls,name", "-o", path, "-p", child.pid])
        deadline = time.monotonic() + PATIENCE
        while "attached" not in tracer.log.read_text():
            if not tracer.is_running() or time.monotonic() > deadline:
                raise MeasurementError(f"strace cannot watch {child.name}: {tracer.last_words()}")
            time.sleep(0.01)
        return role, path, tracer

    def _count_instructions(self, subject, point):
        few = self._instructions_of(subject, point, FEW_CALLS)
        more = self._instructions_of(subject, point, MORE_CALLS)
        return {role: (more[role] - few[role]) / (MORE_CALLS - FEW_CALLS) for role in more}

    def _instructions_of(self, subject, point, calls):
        """Of the whole life of the processes, by role."""
        def wrap(role, command):
            if role not in COUNTED_ROLES:
                return command, {}
            return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], {}

        running = subject.start(self.session.children, self._setting(wrap=wrap))
        try:
            call(running, point, calls)
            result = {}
            for role in COUNTED_ROLES:
                for child in running.roles.get(role, []):
                    child.stop(PATIENCE)
                    result[role] = collected(child.log.read_text(errors="replace"))
            return result
        finally:
            running.stop()


def call(running, point, calls):
    """Makes exactly so many calls; all must be answered."""
    figures = running.run(point.loads(running.topics), calls=calls, patience=PATIENCE)
    load = figures["loads"][0]
    if load["answered"] < calls or load["failed"]:
        raise MeasurementError(f"{load['failed']} of {load['answered']} calls failed: {load['first_failure']}")


def total_of(summary):
    """The last number of strace's summary that has a name beside it: that of the line "total"."""
    found = re.search(r"^\s*(\d+)\s+total$", summary, re.MULTILINE)
    if not found:
        raise MeasurementError(f"cannot read strace's summary:\n{summary}")
    return int(found[1])


def collected(log):
    found = re.search(r"Collected : (\d+)", log)
    if not found:
        raise MeasurementError(f"callgrind says nothing:\n{log[-500:]}")
    return int(found[1])
