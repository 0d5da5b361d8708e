"""Measures several subjects in turn, round by round, and takes medians."""
import statistics
from dataclasses import asdict, dataclass, replace

from driver import MeasurementError

# A measurement during which the machine was busy is made again, so many times.
MOST_REPEATS = 2
LEAST_FOR_P99 = 100
LEAST_FOR_P999 = 1000


@dataclass(frozen=True)
class Point:
    """One workload."""
    bytes: int
    in_flight: int = 0
    per_second: float = 0
    plugins: int = 1

    def loads(self, topics):
        return [{"topics": topics, "bytes": self.bytes, "in_flight": self.in_flight,
                 "per_second": self.per_second}]

    def figures_of(self, run):
        """The first load's figures of a run, with the cost of a call."""
        load = dict(run["loads"][0])
        answered = max(load["answered"], 1)
        load["p99_us"] = load["p99_us"] if answered >= LEAST_FOR_P99 else None
        load["p999_us"] = load["p999_us"] if answered >= LEAST_FOR_P999 else None
        load["cpu_us"] = {role: used / answered for role, used in run["cpu_us"].items()}
        return load | {"unanswered": run["unanswered"], "unexpected": run["unexpected"]}

    def __str__(self):
        load = f"{self.in_flight} in flight" if self.in_flight else f"{self.per_second:g} calls/s"
        plugins = f", {self.plugins} plugins" if self.plugins > 1 else ""
        return f"{size(self.bytes)}, {load}{plugins}"


def size(count):
    for unit, factor in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def median_of(rounds):
    """The median of every figure of some rounds; counts of what went wrong are added up."""
    result = {}
    for key, value in rounds[0].items():
        values = [figures[key] for figures in rounds]
        if isinstance(value, dict):
            result[key] = {name: statistics.median(figures[key][name] for figures in rounds) for name in value}
        elif isinstance(value, str):
            result[key] = next((text for text in values if text), "")
        elif key in ("failed", "flood_failed", "unanswered", "unexpected", "busy"):
            result[key] = sum(values)
        else:
            known = [figure for figure in values if figure is not None]
            result[key] = statistics.median(known) if known else None
    return result


class Rounds:
    """Measures points on running subjects."""

    def __init__(self, machine, anyway, say, fail):
        """`say` and `fail` take a text: progress, and what did not work."""
        self.machine = machine
        self.anyway = anyway
        self.say = say
        self.fail = fail
        self.measured = 0
        self.busy = 0  # measurements that the machine disturbed

    def measure(self, scenario, subjects, points, effort, least_seconds=0):
        """`subjects`: name → Running. One row for each subject and point. A subject that fails once is left out from then on."""
        effort = replace(effort, seconds=max(effort.seconds, least_seconds))
        collected = {}
        order = list(subjects.items())
        for number in range(effort.rounds):
            complaints = self.machine.check()
            if complaints and not self.anyway:
                complaints = self.machine.wait_until_quiet(10)
            for point in points:
                self.say(f"{scenario}: round {number + 1} of {effort.rounds}, {point}")
                # Nobody is always the first, or always behind the same one.
                order = order[1:] + order[:1] if number % 2 else order[::-1]
                for name, running in order:
                    try:
                        figures = self.measure_once(running, point, effort, bool(complaints))
                    except MeasurementError as error:
                        self.fail(f"{scenario}: {name}, {point}: {error}")
                        order = [entry for entry in order if entry[0] != name]
                        continue
                    collected.setdefault((point, name), []).append(figures)
        return [{"scenario": scenario, "subject": name, **asdict(point), "median": median_of(collected[point, name]),
                 "rounds": collected[point, name]} for point in points for name in subjects if (point, name) in collected]

    def measure_once(self, running, point, effort, busy):
        def run():
            return running.run(point.loads(running.topics), warm_seconds=effort.warm_seconds, seconds=effort.seconds)

        figures, disturbed = self.watch(run, busy)
        if figures["loads"][0]["answered"] == 0:
            raise MeasurementError("no call is answered")
        return point.figures_of(figures) | {"busy": disturbed}

    def watch(self, work, busy=False, repeats=MOST_REPEATS):
        """What `work` returns, and whether the machine disturbed it; does it again in that case, unless anything goes."""
        for attempt in range(1 + repeats):
            result, sample = self.machine.watch(work)
            complaints = sample.complaints()
            if not complaints or self.anyway:
                break
        self.measured += 1
        self.busy += bool(complaints or busy)
        return result, bool(complaints or busy)
