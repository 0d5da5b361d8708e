#!/usr/bin/env python3
"""Changes one line of the bridge or the SDK at a time and asks whether a test notices.

usage: tests/mutation/run.py [--count N] [--seed S] [--list] [PATH]...

PATHs are files or folders of bridge/ and sdk-cpp/ (default: all that have tests of their own). Of all mutations --count are drawn, the
same ones for the same seed and sources. Each is built in build/mutation, a copy of the tree, with the tests of its layer, which are then
run; one that they pass has survived. Takes 5 to 60 seconds a mutation. Exit code 1 if fewer than --wanted percent were killed.

tests/mutation/equivalent.txt lists mutations that change nothing that anybody could notice, each with its reason: they are left out.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from operators import mutations

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutation"
BUILD = COPY / "build"
# The tests of a layer, by what its sources' paths begin with.
TESTS = {
    "bridge/base/": "base_test", "bridge/definition/": "definition_test", "bridge/payload/": "payload_test",
    "bridge/router/": "router_test", "bridge/journal/": "journal_test",
    "bridge/hub/": "hub_test", "bridge/plugin_service/": "plugin_service_test", "bridge/devhub/": "devhub_test", "sdk-cpp/": "sdk_cpp_test",
}


def target_of(path):
    return next((target for prefix, target in TESTS.items() if path.startswith(prefix)), None)


def sources(paths):
    """The files to mutate, relative to the root."""
    wanted = [path.rstrip("/") for path in paths] or [prefix.rstrip("/") for prefix in TESTS]
    tracked = subprocess.run(["git", "ls-files", "--", *wanted], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [path for path in tracked if path.endswith((".cc", ".h")) and target_of(path)]


def all_mutations(paths):
    for path in sources(paths):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            for mutant in mutations(line):
                yield path, number, line, mutant


def equivalents():
    """{(path, line, mutant): reason}, each of them without the blanks around it."""
    found, fields = {}, {}
    for line in (ROOT / "tests" / "mutation" / "equivalent.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        name, _, text = line.partition(": ")
        fields[name] = text.strip()
        if name == "why":
            found[fields["file"], fields["line"], fields["mutant"]] = text
    return found


def copy_tree():
    """All tracked files as they are now; what has not changed keeps its time, and so what was built of it."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, tracked):
        source, copy = ROOT / name, COPY / name
        if not source.is_file() or (copy.is_file() and copy.read_bytes() == source.read_bytes()):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)


def build(target):
    command = ["cmake", "--build", str(BUILD), "--parallel", os.environ.get("JOBS", str(os.cpu_count())), "--target", target]
    return subprocess.run(command, capture_output=True, text=True)


def binary_of(target):
    return next(path for path in BUILD.glob(f"tests/**/{target}") if path.is_file())


def passes(target, patience):
    """Whether the layer's tests pass; they do not if they take too long."""
    try:
        ran = subprocess.run([str(binary_of(target)), "--gtest_brief=1", "--gtest_fail_fast"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0


def verdict(path, number, mutant, patience):
    """"killed", "survived" or "does not compile"."""
    file = COPY / path
    original = file.read_text()
    lines = original.splitlines(keepends=True)
    lines[number - 1] = mutant + "\n"
    target = target_of(path)
    try:
        file.write_text("".join(lines))
        if build(target).returncode != 0:
            return "does not compile"
        return "survived" if passes(target, patience[target]) else "killed"
    finally:
        file.write_text(original)


def prepare(targets):
    """Builds the copy and its tests as they are; {target: seconds that they may take}."""
    copy_tree()
    subprocess.run(["cmake", "--preset", "release", "-B", str(BUILD), "--log-level=WARNING"], cwd=COPY, check=True, stdout=subprocess.DEVNULL)
    patience = {}
    for target in sorted(targets):
        print(f"building {target}", file=sys.stderr, flush=True)
        built = build(target)
        if built.returncode != 0:
            sys.exit(f"{target} does not build:\n{built.stdout[-2000:]}")
        begin = time.monotonic()
        if not passes(target, 600):
            sys.exit(f"{target} fails without a mutation")
        patience[target] = 10 + 5 * (time.monotonic() - begin)
    return patience


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="how many mutations to try (default 200; 0: all)")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn (default 1)")
    parser.add_argument("--wanted", type=float, default=95, help="percent that must be killed (default 95)")
    parser.add_argument("--list", action="store_true", help="print the mutations instead of trying them")
    parser.add_argument("paths", nargs="*", metavar="PATH")
    options = parser.parse_args()

    known = equivalents()
    candidates = [each for each in all_mutations(options.paths) if (each[0], each[2].strip(), each[3].strip()) not in known]
    if not candidates:
        sys.exit("there is nothing to mutate there")
    drawn = candidates
    if 0 < options.count < len(candidates):
        drawn = sorted(random.Random(options.seed).sample(candidates, options.count))
    print(f"{len(drawn)} of {len(candidates)} mutations, {len(known)} equivalent ones left out", file=sys.stderr, flush=True)
    if options.list:
        for path, number, line, mutant in drawn:
            print(f"{path}:{number}\n-{line}\n+{mutant}")
        return 0

    patience = prepare({target_of(path) for path, *_ in drawn})
    counts = {"killed": 0, "survived": 0, "does not compile": 0}
    results = []
    for index, (path, number, line, mutant) in enumerate(drawn, 1):
        result = verdict(path, number, mutant, patience)
        counts[result] += 1
        results.append({"file": path, "line": number, "code": line, "mutant": mutant, "result": result})
        if result == "survived":
            print(f"survived: {path}:{number}\n-{line}\n+{mutant}", flush=True)
        if index % 10 == 0:
            print(f"{index} of {len(drawn)}: {counts}", file=sys.stderr, flush=True)
        (COPY / "results.json").write_text(json.dumps(results, indent=1))
    tried = counts["killed"] + counts["survived"]
    score = 100 * counts["killed"] / tried if tried else 0
    print(f"{counts['killed']} of {tried} killed: {score:.1f} %; {counts['does not compile']} did not compile; "
          f"{COPY / 'results.json'} has all of them")
    return 0 if score >= options.wanted else 1


if __name__ == "__main__":
    sys.exit(main())
