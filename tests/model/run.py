#!/usr/bin/env python3
"""Searches all that can happen in call_life.pml, a model of a call's life, with Spin.

usage: tests/model/run.py [--steps | --planted] [--faults N]

Without an option: with any N faults (default 2) nothing in the model is broken or stuck, and with any one of them nothing goes on for ever.
--steps    only compares the model's table of steps with the one in bridge/router/live_call.cc
--planted  plants each of the model's faults, and fails unless all of them are found

Exit code 77 if Spin is not installed. Each search takes seconds, and less than 500 MB for two faults.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "model" / "call_life.pml"
CODE = ROOT / "bridge" / "router" / "live_call.cc"


def steps_of_code():
    rows = re.findall(r"/\* (k\w+) \*/ Bits\(\{(.*?)\}\)", CODE.read_text(), re.DOTALL)
    return {name: set(re.findall(r"CallState::(k\w+)", states)) for name, states in rows}


def steps_of_model():
    rows = re.findall(r"^#define STEPS_(k\w+) \((.*)\)$", MODEL.read_text(), re.MULTILINE)
    return {name: set(re.findall(r"BIT\((k\w+)\)", states)) for name, states in rows}


def run(command, folder):
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def search(defines, endless=False):
    """What Spin finds, as text; empty if nothing. `endless`: looks for runs that never end, and for nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        run(["spin", "-a", *(f"-D{define}" for define in defines), str(MODEL)], folder)
        kind = ["-DNP", "-DNOFAIR"] if endless else ["-DSAFETY"]
        run(["gcc", "-O1", "-w", "-DCOLLAPSE", "-DMEMLIM=2000", *kind, "-o", "pan", "pan.c"], folder)
        told = run(["./pan", "-m1000000", "-n", *(["-l"] if endless else [])], folder)
    found = re.findall(r"^pan:1: (.*)$", told, re.MULTILINE)
    errors = re.search(r"errors: (\d+)", told)
    if errors is None or "Search not completed" in told and not found:
        return f"the search was not completed:\n{told}"
    states = re.search(r"(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored", told)
    print(f"{' '.join(defines)}{', endless' if endless else ''}: {states.group(1)} states, {errors.group(1)} errors", flush=True)
    return found[0] if found else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=2)
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--planted", action="store_true")
    options = parser.parse_args()
    code, model = steps_of_code(), steps_of_model()
    if len(code) != 9 or code != model:
        sys.exit(f"the steps differ.\n{CODE}: {code}\n{MODEL}: {model}")
    if options.steps:
        return 0
    if shutil.which("spin") is None:
        print("skipped: Spin is not installed (see cmake/install-dependencies.sh)")
        return 77
    if not options.planted:
        found = search([f"FAULTS={options.faults}"]) or search(["FAULTS=1"], endless=True)
        return found or 0
    planted = sorted(set(re.findall(r"^#ifn?def (FAULT_\w+)", MODEL.read_text(), re.MULTILINE)))
    missed = [fault for fault in planted if not search([f"FAULTS={options.faults}", fault])]
    return f"not found: {missed}" if missed or not planted else 0


if __name__ == "__main__":
    sys.exit(main())
