"""The charts of a result."""
from chart import chart
from rounds import size


def curves(rows, x, y):
    """Subject → points, in the order in which the workloads grow."""
    result = {}
    for row in rows:
        result.setdefault(row["subject"], []).append((x(row), y(row)))
    return result


def figure(name):
    return lambda row: row["median"][name]


def without_hub(row):
    """What a call costs all processes but the hub."""
    return sum(used for role, used in row["median"]["cpu_us"].items() if role != "hub")


def of(rows, scenario, **wanted):
    return [row for row in rows if row["scenario"] == scenario and all(row[key] == value for key, value in wanted.items())]


def all_charts(rows):
    """File name → SVG."""
    small = of(rows, "calls", bytes=300)
    in_flight = max((row["in_flight"] for row in of(rows, "plugins")), default=0)
    found = {
        "latency-against-throughput": chart(
            f"{size(300)}, 1 to 512 calls in flight", "calls/s", "p50, µs", curves(small, figure("per_second"), figure("p50_us"))),
        "tail-against-throughput": chart(
            f"{size(300)}, 1 to 512 calls in flight", "calls/s", "p99, µs", curves(small, figure("per_second"), figure("p99_us"))),
        "tail-against-rate": chart(
            f"{size(300)} at fixed rates", "calls/s", "p99, µs",
            curves(of(rows, "rates"), lambda row: row["per_second"], figure("p99_us"))),
        "cost-against-plugins": chart(
            f"{size(300)}, {in_flight} in flight", "plugins", "µs a call, without the hub",
            curves(of(rows, "plugins", in_flight=in_flight), lambda row: row["plugins"], without_hub)),
    }
    for load in (1, 8):
        found[f"cost-against-payload-{load}-in-flight"] = chart(
            f"{load} in flight", "bytes", "µs a call, without the hub",
            curves(of(rows, "calls", in_flight=load), lambda row: row["bytes"], without_hub))
    return {name: svg for name, svg in found.items() if svg}
