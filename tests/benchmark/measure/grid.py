"""The workloads that every subject is measured with: payload, load, rate and number of plugins."""
from rounds import Point
from subjects import Setting

KB, MB = 1 << 10, 1 << 20
# What a stock hub takes as one frame is 8,000,000 bytes.
LARGEST = 7_900_000
# Of all calls in flight; more says something about memory only.
MOST_BYTES_IN_FLIGHT = 64 * MB


def affordable(points):
    return [point for point in points if point.bytes * max(point.in_flight, 1) <= MOST_BYTES_IN_FLIGHT]


PAYLOADS = [300, 16 * KB, 256 * KB, MB, LARGEST]
QUICK = [Point(300, 1), Point(300, 8), Point(300, 64), Point(300, 512), Point(16 * KB, 64), Point(256 * KB, 8),
         Point(MB, 8), Point(LARGEST, 1)]
FULL = affordable(Point(bytes, in_flight) for bytes in PAYLOADS for in_flight in (1, 8, 64, 512))
RATES = [Point(300, per_second=rate) for rate in (500, 1000, 2000, 4000, 8000, 16000)]
PLUGINS = (1, 10, 100, 1000)


class Grid:
    def __init__(self, session):
        self.session = session

    def calls(self):
        """Latency, throughput and cost by payload and calls in flight."""
        points = QUICK if self.session.quick else FULL
        return self._measure("calls", self.session.subjects, points, Setting(**self.session.setting))

    def rates(self):
        """Latency at fixed rates, counted from when a call was due."""
        paced = [subject for subject in self.session.subjects if subject.paced]
        return self._measure("rates", paced, RATES, Setting(**self.session.setting))

    def plugins(self):
        """Cost by the number of plugins, each with a connection of its own."""
        rows = []
        for count in PLUGINS:
            able = [subject for subject in self.session.subjects if subject.most_plugins >= count]
            points = [Point(300, in_flight, plugins=count) for in_flight in (1, 64)]
            rows += self._measure("plugins", able, points, Setting(plugins=count, **self.session.setting))
        return rows

    def _measure(self, scenario, subjects, points, setting):
        """Starts the subjects side by side: those whose turn it is not only wait."""
        session = self.session
        running = {}
        try:
            for subject in subjects:
                session.say(f"{scenario}: starting {subject.name}")
                running[subject.name] = subject.start(session.children, setting)
            rows = session.measure(scenario, running, points)
            for row in rows:
                row["seconds_to_register"] = running[row["subject"]].seconds_to_register
                row["memory_mb"] = running[row["subject"]].memory_mb("VmRSS")
            return rows
        finally:
            for subject in running.values():
                subject.stop()
