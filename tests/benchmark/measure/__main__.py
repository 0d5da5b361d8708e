"""Measures the bridge beside its floors and its alternatives: every subject in the same run, in turn, round by round."""
import argparse
import json
import pathlib
import signal
import subprocess
import sys

import charts
import comparison
import subjects as all_subjects
import table
from counters import Counters
from driver import MeasurementError
from grid import Grid
from processes import Children
from session import Effort, Session
from special import Special

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = ROOT / "tests/benchmark/load"
EXIT_BUSY = 3
SKIPPED = 77
# How long to wait for a busy machine to become quiet, in seconds.
PATIENCE = 20
# Of all measurements.
MOST_BUSY = 0.1
QUICK = ["calls"]

HELP = """
subjects:
  websocket     floor: websocketpp sends back what the hub sends
  grpc          floor: calls and answers over gRPC and a Unix socket, without a hub
  chain         floor: both, with nothing between but the slicing of a call's text
  LABEL+lean    a bridge with a plugin on the generated stubs
  LABEL+sdk     a bridge with a plugin on the C++ SDK
  phoenix.js    no bridge: the official Phoenix client on Node.js (left out where npm cannot fetch it)

scenarios of --only:
  calls            latency, throughput and cost of a call by payload (300 B to 8 MB) and calls in flight (1 to 512)
  rates            latency at fixed rates, from when a call was due
  plugins          cost with 1, 10, 100 and 1,000 plugins
  memory           RSS before, at the peak of, and after a load
  growth           memory and speed over a million calls
  late-heartbeats  a hub whose replies to heartbeats come 150 ms late
  neighbour        a plugin called 100 times a second beside one with 24 calls of 4 MB in flight
  allocations, syscalls, instructions
                   of a call; the last two by strace and callgrind

columns:
  p50, p99 and p99.9 are of a call's time from the hub's push to its answer. "bridge µs", "plugin µs" and "hub µs" are what a call
  costs of a processor; "bridge" is whatever stands in its place. "wrong" counts calls that failed, got no answer, or
  got a second one. A "–": too few calls to tell.

The machine should have nothing else to do. Before each round and during each measurement it is looked at; what was disturbed is
measured again, and if too much remains disturbed the run judges nothing.

exit code: 0; 1 if something did not work (the rest is measured all the same); 2 for a wrong command line; 3 if the machine was too busy to judge.
"""


def names(text):
    return text.split(",")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/benchmark/run.sh", description=__doc__, epilog=HELP,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only `calls`, with fewer workloads: about two minutes")
    parser.add_argument("--only", type=names, metavar="SCENARIOS", help="with commas between (default: all)")
    parser.add_argument("--instructions", action="store_true", help="count instructions, too (with --quick or --only)")
    parser.add_argument("--bridge", action="append", default=[], metavar="[LABEL=]PATH",
                        help="a bridge to measure; may be repeated (default: the one that was built)")
    parser.add_argument("--sdk-plugin", action="append", default=[], metavar="LABEL=PATH",
                        help="the load_plugin that belongs to a bridge, where it is another than the one that was built")
    parser.add_argument("--subjects", type=names, metavar="SUBJECTS", help="only these, such as chain,bridge+lean")
    parser.add_argument("--rounds", type=int, help="how often each measurement is made")
    parser.add_argument("--seconds", type=float, help="how long each measurement takes")
    parser.add_argument("--content", choices=["text", "records"], default="text",
                        help="what parameters are made of: one long text, or many small values")
    parser.add_argument("--serve-flags", type=str.split, default=[], help="further flags of `atomemo-bridge serve`")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine, too")
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER",
                        help="where results.json, table.txt and the charts go (default: BUILD_DIR/benchmark)")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build/release", help=argparse.SUPPRESS)
    parser.add_argument("--keep-logs", action="store_true", help="leave the processes' logs behind")
    return parser.parse_args(arguments)


def labelled(texts):
    """Label → path."""
    paths = {}
    for text in texts:
        label, _, path = text.rpartition("=")
        paths[label or ("bridge" if len(texts) == 1 else f"bridge{len(paths) + 1}")] = pathlib.Path(path).resolve()
    return paths


def phoenix_js_folder(build, notes):
    """A folder with the plugin and what it needs; None, with a note, where that cannot be had."""
    folder = build / "tests/benchmark/npm"
    installed = subprocess.run([ROOT / "tests/integration/phoenix_js/install.sh", folder], check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if installed.returncode != 0:
        notes.append(f"phoenix.js: {installed.stdout.strip().splitlines()[-1]}")
        return None
    (folder / "phoenix_js_plugin.mjs").write_bytes((SOURCES / "phoenix_js_plugin.mjs").read_bytes())
    return folder


def subjects_of(options, programs, bridges, notes):
    subjects = [all_subjects.websocket_floor(programs), all_subjects.grpc_floor(programs), all_subjects.chain_floor(programs)]
    sdk_plugins = labelled(options.sdk_plugin)
    for label, binary in bridges.items():
        subjects.append(all_subjects.bridge_with_lean_plugin(programs, label, binary))
        subjects.append(all_subjects.bridge_with_sdk_plugin(programs, label, binary,
                                                            sdk_plugins.get(label, programs.sdk_plugin)))
    if not options.subjects or "phoenix.js" in options.subjects:
        folder = phoenix_js_folder(programs.build, notes)
        if folder:
            subjects.append(all_subjects.phoenix_js(programs, folder))
    return chosen(options.subjects, {subject.name: subject for subject in subjects}, "subject")


def chosen(wanted, known, what):
    """The values of the wanted names, in order; all if nothing is wanted."""
    unknown = [name for name in wanted or [] if name not in known]
    if unknown:
        sys.exit(f"no such {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    return [value for name, value in known.items() if not wanted or name in wanted]


def scenarios_of(options, session):
    """What to run, and whether the machine must be quiet for it."""
    grid, special, counters = Grid(session), Special(session), Counters(session)
    timed = {"calls": grid.calls, "rates": grid.rates, "plugins": grid.plugins, "memory": special.memory,
             "growth": special.growth, "late-heartbeats": special.late_heartbeats, "neighbour": special.neighbour}
    counted = {"allocations": counters.allocations, "syscalls": counters.syscalls, "instructions": counters.instructions}
    wanted = options.only or (QUICK if options.quick else [])
    if wanted and options.instructions:
        wanted = [*wanted, "instructions"]
    scenarios = chosen(wanted, timed | counted, "scenario")
    return scenarios, any(scenario in timed.values() for scenario in scenarios)


def measure(options, children):
    programs = all_subjects.Programs(options.build_dir.resolve())
    bridges = labelled(options.bridge or [str(programs.bridge)])
    notes = []
    session = Session(children, programs, subjects_of(options, programs, bridges, notes), bridges, options.quick,
                      Effort.of(options), options.anyway,
                      {"content": options.content, "serve_flags": options.serve_flags}, notes)
    scenarios, must_be_quiet = scenarios_of(options, session)
    judge = must_be_quiet and not options.anyway
    complaints = session.machine.wait_until_quiet(PATIENCE if judge else 0)
    if complaints and judge:
        print(f"not measured, the machine is busy: {'; '.join(complaints)} (--anyway measures all the same)", file=sys.stderr)
        return EXIT_BUSY
    rows = []
    for scenario in scenarios:
        try:
            rows += scenario()
        except MeasurementError as error:
            session.fail(f"{scenario.__name__}: {error}")
    session.say("")
    return report(options, session, rows)


def describe(session):
    machine = session.machine.summary()
    text = (f"{machine['processors']} processors ({machine['processor']}), Linux {machine['kernel']}, load "
            f"{machine['load'][0]:.2f}; between rounds others used at most {machine['most_others']:.2f} processors, the hypervisor "
            f"took at most {machine['most_steal']:.1%}, and a loop that only computes {machine['best_spin_ms']:.2f} to "
            f"{machine['worst_spin_ms']:.2f} ms")
    if session.rounds.measured:
        text += f"; {session.rounds.busy} of {session.rounds.measured} measurements were disturbed"
    return "\n".join([text, *session.notes])


def report(options, session, rows):
    rounds = session.rounds
    busy = rounds.busy > MOST_BUSY * rounds.measured
    verdict = "BUSY MACHINE: these times judge nothing.\n" if busy else ""
    tables = [table.all_tables(rows)]
    first, *others = session.bridges
    tables += filter(None, (comparison.compare(rows, first, other) for other in others))
    text = "\n\n".join([verdict + describe(session), *tables]) + "\n"
    folder = options.output or options.build_dir / "benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    result = {"machine": session.machine.summary(), "busy": busy, "measurements": rounds.measured,
              "disturbed": rounds.busy, "notes": session.notes, "command": sys.argv[1:], "rows": rows}
    (folder / "results.json").write_text(json.dumps(result, indent=1, ensure_ascii=False))
    (folder / "table.txt").write_text(text)
    for name, svg in charts.all_charts(rows).items():
        (folder / f"{name}.svg").write_text(svg)
    print(f"{text}\n{folder} has the charts, and in results.json every round")
    if session.failed:
        return 1
    return EXIT_BUSY if busy and not options.anyway else 0


def main():
    options = parse(sys.argv[1:])
    # So that `with` blocks end what they began.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with Children(options.keep_logs) as children:
        try:
            return measure(options, children)
        except MeasurementError as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 1


if __name__ == "__main__":
    sys.exit(main())
