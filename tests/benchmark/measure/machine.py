"""How busy the machine is with other things than the benchmark."""
import os
import platform
import time
from dataclasses import dataclass

# More than this, and figures say more about the machine than about the bridge.
MOST_OTHERS = 0.10  # of one processor, used by other processes
MOST_STEAL = 0.02  # of all processors, taken by the hypervisor
MOST_SPIN = 1.15  # how long a loop that only computes takes, in terms of its best time

IDLE_SECONDS = 0.3
SPINS = 5
SPIN_TURNS = 100_000
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class CpuTimes:
    """Seconds since the machine's start, of all processors together."""
    working: float
    stolen: float
    total: float


def read_cpu_times():
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    user, nice, system, idle, wait, irq, soft_irq, steal = ticks[:8]
    total = user + nice + system + idle + wait + irq + soft_irq + steal
    return CpuTimes((user + nice + system) * TICK, steal * TICK, total * TICK)


def spin():
    """Seconds that a fixed piece of work takes: the best of a few times."""
    best = float("inf")
    for _ in range(SPINS):
        start = time.perf_counter()
        for _ in range(SPIN_TURNS):
            pass
        best = min(best, time.perf_counter() - start)
    return best


@dataclass
class Sample:
    """What the machine did beside the benchmark for a while."""
    others: float  # processors used by other processes
    steal: float  # part of all processors' time
    load: float
    spin: float = 0.0  # seconds; 0: not measured

    def complaints(self, best_spin=0.0):
        found = []
        if self.others > MOST_OTHERS:
            found.append(f"other processes use {self.others:.2f} processors")
        if self.steal > MOST_STEAL:
            found.append(f"the hypervisor takes {self.steal:.0%}")
        if best_spin and self.spin > MOST_SPIN * best_spin:
            found.append(f"a loop that only computes takes {self.spin / best_spin:.2f} times its best")
        return found


class Machine:
    """Watches the machine while `children` run on it."""

    def __init__(self, children):
        self.children = children
        self.samples = []
        self.best_spin = float("inf")

    def watch(self, work):
        """Runs `work`; what it returns, and what the machine did beside it."""
        times, ours, start = read_cpu_times(), self.children.cpu_seconds(), time.monotonic()
        result = work()
        seconds = time.monotonic() - start
        used = self.children.cpu_seconds() - ours
        now = read_cpu_times()
        total = max(now.total - times.total, TICK)
        others = max(0.0, (now.working - times.working - used) / seconds)
        return result, Sample(others, (now.stolen - times.stolen) / total, os.getloadavg()[0])

    def check(self):
        """Looks at the machine while the benchmark does nothing; complaints, if there are any."""
        _, sample = self.watch(lambda: time.sleep(IDLE_SECONDS))
        sample.spin = spin()
        self.best_spin = min(self.best_spin, sample.spin)
        self.samples.append(sample)
        return sample.complaints(self.best_spin)

    def wait_until_quiet(self, patience):
        """Complaints that remain after so many seconds."""
        deadline = time.monotonic() + patience
        while (complaints := self.check()) and time.monotonic() < deadline:
            time.sleep(1)
        return complaints

    def summary(self):
        spins = [sample.spin for sample in self.samples]
        return {
            "processors": os.cpu_count(),
            "processor": processor_name(),
            "kernel": platform.release(),
            "load": os.getloadavg(),
            "most_others": max(sample.others for sample in self.samples),
            "most_steal": max(sample.steal for sample in self.samples),
            "best_spin_ms": 1000 * min(spins),
            "worst_spin_ms": 1000 * max(spins),
        }


def processor_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()
