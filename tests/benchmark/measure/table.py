"""Figures as text."""
from rounds import Point, size

CALL_COLUMNS = ["p50 µs", "p99 µs", "p99.9 µs", "calls/s", "bridge µs", "plugin µs", "hub µs", "wrong"]


def number(value):
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) < 1:
        return f"{value:.3f}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def format_table(header, rows):
    """The first column is text, the others are figures."""
    cells = [header] + [[number(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) for row in cells)


def grouped(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups.items()


def wrong(figures):
    """Calls that did not get the one answer that they should."""
    return figures["failed"] + figures["unanswered"] + figures["unexpected"]


def call_figures(row):
    figures = row["median"]
    cpu = figures["cpu_us"]
    return [figures["p50_us"], figures["p99_us"], figures["p999_us"], figures["per_second"], cpu.get("bridge"),
            cpu.get("plugin"), cpu.get("hub"), wrong(figures)]


def failures(rows):
    return [f"  {row['subject']}: {row['median']['first_failure']}" for row in rows if row["median"]["first_failure"]]


def calls(rows):
    """One table for each workload."""
    parts = []
    for (scenario, point), members in grouped(rows, lambda row: (row["scenario"], Point(
            row["bytes"], row["in_flight"], row["per_second"], row["plugins"]))):
        lines = [[row["subject"], *call_figures(row)] for row in members]
        parts.append(f"{scenario}: {point}\n" + format_table(["", *CALL_COLUMNS], lines))
        parts += failures(members)
    return parts


def plugins(rows):
    """Two workloads for each number of plugins, and what the plugins themselves need."""
    lines = [[f"{row['subject']}, {row['plugins']}", row["seconds_to_register"], row["memory_mb"].get("bridge")]
             for row in rows if row["in_flight"] == 1]
    return [*calls(rows), "plugins: until all are registered, and afterwards\n" + format_table(["", "seconds", "bridge MB"], lines)]


def neighbour(rows):
    lines = [[f"{row['subject']}: {row['beside']}", row["median"]["p50_us"], row["median"]["p99_us"], row["median"]["p999_us"],
              row["median"]["per_second"], row["median"]["flood_per_second"],
              wrong(row["median"]) + row["median"]["flood_failed"]] for row in rows]
    return ["neighbour: a plugin called 100 times a second, beside 24 calls of 4 MB in flight\n" +
            format_table(["", "p50 µs", "p99 µs", "p99.9 µs", "calls/s", "flood calls/s", "wrong"], lines), *failures(rows)]


def late_heartbeats(rows):
    lines = [[row["subject"], *call_figures(row), row["memory_mb"].get("bridge"), row["memory_mb"].get("plugin"),
              sum(row["log_lines"].values())] for row in rows]
    header = ["", *CALL_COLUMNS, "bridge peak MB", "plugin peak MB", "log lines"]
    return ["late-heartbeats: 300 B, 64 in flight\n" + format_table(header, lines), *failures(rows)]


def memory(rows):
    parts = []
    for (count, in_flight), members in grouped(rows, lambda row: (row["bytes"], row["in_flight"])):
        lines = [[f"{row['subject']}: {role}", figures["before"], figures["peak"], figures["after"]]
                 for row in members for role, figures in row["memory_mb"].items() if role != "hub"]
        parts.append(f"memory: {size(count)}, {in_flight} in flight\n" +
                     format_table(["", "before MB", "peak MB", "after MB"], lines))
    return parts


def growth(rows):
    parts = []
    for row in rows:
        lines = [[f"{step['calls']:,}", step["memory_mb"].get("bridge"), step["memory_mb"].get("plugin"), step.get("per_second"),
                  step.get("p99_us"), step.get("failed")] for step in row["series"]]
        parts.append(f"growth: {row['subject']}\n" +
                     format_table(["calls", "bridge MB", "plugin MB", "calls/s", "p99 µs", "wrong"], lines))
    return parts


def counts(rows):
    parts = []
    for (scenario, count, in_flight), members in grouped(
            rows, lambda row: (row["scenario"], row["bytes"], row["in_flight"])):
        lines = [[row["subject"], row["per_call"].get("bridge"), row["per_call"].get("plugin")] for row in members]
        parts.append(f"{scenario} a call: {size(count)}, {in_flight} in flight\n" + format_table(["", "bridge", "plugin"], lines))
    return parts


FORMATS = {"calls": calls, "rates": calls, "plugins": plugins, "memory": memory, "growth": growth, "neighbour": neighbour,
           "late-heartbeats": late_heartbeats, "allocations": counts, "syscalls": counts, "instructions": counts}


def all_tables(rows):
    parts = [part for scenario, members in grouped(rows, lambda row: row["scenario"]) for part in FORMATS[scenario](members)]
    return "\n\n".join(parts)
