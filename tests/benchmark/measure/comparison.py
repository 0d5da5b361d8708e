"""How two bridges of one run compare."""
import statistics

from rounds import Point
from table import format_table

FIGURES = {"p50": lambda figures: figures["p50_us"], "p99": lambda figures: figures["p99_us"],
           "calls/s": lambda figures: figures["per_second"], "bridge µs": lambda figures: figures["cpu_us"].get("bridge"),
           "plugin µs": lambda figures: figures["cpu_us"].get("plugin")}
SCENARIOS = ("calls", "rates", "plugins")


def ratio(before, after, figure):
    """The median of what was measured in the same round, and its range."""
    pairs = [(figure(old), figure(new)) for old, new in zip(before, after)]
    ratios = [new / old for old, new in pairs if old and new]
    if not ratios:
        return None
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def compare(rows, first, second):
    """A table of second in terms of first, both labels of bridges; None if they have nothing in common."""
    known = {(row["scenario"], row["subject"], point_of(row)): row["rounds"] for row in rows if row["scenario"] in SCENARIOS}
    lines = []
    for (scenario, subject, point), before in known.items():
        label, _, plugin = subject.partition("+")
        after = known.get((scenario, f"{second}+{plugin}", point))
        if label == first and after:
            lines.append([f"{scenario}: {point}, {plugin}", *(ratio(before, after, figure) for figure in FIGURES.values())])
    if not lines:
        return None
    return (f"{second} in terms of {first}: the median of the rounds (and their range)\n" +
            format_table(["", *FIGURES], lines))


def point_of(row):
    return Point(row["bytes"], row["in_flight"], row["per_second"], row["plugins"])
