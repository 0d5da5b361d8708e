#!/usr/bin/env python3
"""Checks the locking annotations (ABSL_GUARDED_BY and the like), which GCC ignores, with Clang's thread-safety analysis.

Usage: thread_safety.py BUILD_DIR
Looks at every source that uses annotations, itself or through a header of its own. Exit code 77 (skipped) without Clang.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests/architecture/thread_safety_probe.cc"
CHECK = ["-c", "-O0", "-g0", "-Wthread-safety", "-Werror=thread-safety"]  # Not -fsyntax-only: ccache must know it.
LAYERS = ("bridge/", "sdk-cpp/", "tests/fakes/")
ANNOTATION = re.compile(r"ABSL_(PT_)?GUARDED_BY|ABSL_(EXCLUSIVE_)?LOCKS_REQUIRED|ABSL_LOCKS_EXCLUDED")
INCLUDE = re.compile(r'^#include "((?:bridge|sdk-cpp|tests|atomemo)/[^"]+)"', re.MULTILINE)


def is_annotated(source):
    """True if `source` or a header of the project that it includes has annotations."""
    text = source.read_text()
    headers = [ROOT / name for name in INCLUDE.findall(text)]
    headers += [ROOT / "sdk-cpp/include" / name for name in INCLUDE.findall(text)]
    texts = [text] + [header.read_text() for header in headers if header.is_file()]
    return any(ANNOTATION.search(text) for text in texts)


def clang_command(entry):
    """The compile command of `entry` with Clang in GCC's place, for the check alone."""
    ccache = ["ccache"] if shutil.which("ccache") else []
    arguments = shlex.split(entry["command"])
    while not os.path.basename(arguments[0]).startswith(("c++", "g++", "clang++")):
        arguments.pop(0)  # ccache
    kept = [argument for argument in arguments[1:] if not argument.startswith(("-W", "-fsanitize", "-fconcepts"))]
    while "-include" in kept:  # Headers that GCC has precompiled are nothing to Clang.
        at = kept.index("-include")
        del kept[at:at + 2]
    kept[kept.index("-o") + 1] += ".clang.o"
    return [*ccache, "clang++", *kept, *CHECK]


def check(entry):
    result = subprocess.run(clang_command(entry), cwd=entry["directory"], capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def probe_is_refused():
    """True if the analysis works at all: it must refuse a source that reads without its lock."""
    result = subprocess.run(["clang++", "-std=c++17", *CHECK, "-o", os.devnull, PROBE], capture_output=True, text=True)
    return result.returncode != 0 and "requires holding mutex" in result.stderr


def main():
    if not shutil.which("clang++"):
        print("skipped: clang++ is not installed")
        return 77
    if not probe_is_refused():
        print(f"Clang does not refuse {PROBE}: the analysis does not work")
        return 1
    entries = json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text())
    ours = [entry for entry in entries if os.path.relpath(entry["file"], ROOT).startswith(LAYERS)]
    annotated = [entry for entry in ours if is_annotated(pathlib.Path(entry["file"]))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, annotated))
    print("".join(errors for passed, errors in results if not passed), end="")
    failed = sum(not passed for passed, _ in results)
    print(f"{len(annotated)} annotated sources of {len(ours)} checked, {failed} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
