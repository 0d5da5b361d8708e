"""Speaks with the programs that make calls and measure them (tests/benchmark/load/driver.h)."""
import json
import select
import time

PATIENCE = 120.0


class MeasurementError(Exception):
    """A process did not do what it should."""


class Driver:
    def __init__(self, child):
        self.child = child
        self.hello = self._read(PATIENCE)

    def wait(self, topics, patience=PATIENCE):
        """Seconds until so many topics can be called."""
        return self._ask({"wait": topics}, patience)["seconds"]

    def run(self, loads, watched, warm_seconds=0.0, seconds=0.0, calls=0, patience=PATIENCE):
        """Figures of one run: see driver.h."""
        run = {"loads": loads, "watched": watched, "warm_seconds": warm_seconds, "seconds": seconds,
               "calls": calls}
        return self._ask({"run": run}, warm_seconds + seconds + patience)

    def _ask(self, command, patience):
        self.child.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.child.process.stdin.flush()
        return self._read(patience)

    def _read(self, patience):
        line = b""
        deadline = time.monotonic() + patience
        stdout = self.child.process.stdout
        while not line.endswith(b"\n"):
            if not select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise MeasurementError(f"{self.child.name} says nothing for {patience:.0f} s")
            read = stdout.read1()
            if not read:
                raise MeasurementError(f"{self.child.name} ended:\n{self.child.last_words()}")
            line += read
        return json.loads(line)
