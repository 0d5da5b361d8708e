#!/usr/bin/env python3
"""Finds #includes that break the layering of the source tree.

Usage: include_layers.py ROOT
Prints one line a violation; exit code 0 when there is none, 1 otherwise.
"""
import pathlib
import re
import sys

# A layer is a path prefix; the longest match wins. What a layer may include of the project, as path prefixes.
BASE = ["bridge/base/"]
DEFINITION = BASE + ["bridge/definition/"]
PAYLOAD = DEFINITION + ["bridge/payload/"]
PROTO = ["atomemo/plugin/v1/", "atomemo/admin/v1/"]
ROUTER_PORTS = [f"bridge/router/{name}.h" for name in ("ports", "call", "hub_event", "wire_format", "errors")]
ALLOWED = {
    "bridge/base/": BASE,
    "bridge/definition/": DEFINITION + PROTO,
    "bridge/payload/": PAYLOAD + PROTO,
    "bridge/http/": BASE + ["bridge/http/"],
    "bridge/router/": PAYLOAD + PROTO + ["bridge/router/"],
    "bridge/hub/": PAYLOAD + PROTO + ROUTER_PORTS + ["bridge/hub/"],
    "bridge/plugin_service/": PAYLOAD + PROTO + ROUTER_PORTS + ["bridge/http/", "bridge/plugin_service/"],
    "bridge/journal/": BASE + ROUTER_PORTS + ["bridge/journal/"],
    "bridge/admin/": DEFINITION + PROTO + ROUTER_PORTS + ["bridge/admin/"],
    "bridge/devhub/": DEFINITION + ["bridge/hub/phoenix_frame.h", "bridge/devhub/"],
    "bridge/": ["bridge/", *PROTO],  # main, app and the command line wire everything.
    "sdk-cpp/": ["atomemo/", "sdk-cpp/"],
    "examples/": ["atomemo/", "examples/"],  # What any plugin author has.
}

# Third-party headers with a fence: (header prefix, path prefixes of the files that may include it).
FENCES = [
    ("websocketpp/", ["bridge/hub/websocketpp_", "bridge/devhub/web_server."]),
    ("asio.hpp", ["bridge/hub/", "bridge/devhub/", "bridge/base/asio_scheduler.", "bridge/app", "bridge/cli/"]),
    ("asio/", ["bridge/hub/", "bridge/devhub/", "bridge/base/asio_scheduler.", "bridge/app", "bridge/cli/"]),
    ("grpcpp/", ["bridge/plugin_service/", "bridge/cli/probe.", "sdk-cpp/src/"]),
    ("grpc/", ["bridge/plugin_service/", "sdk-cpp/src/"]),
    ("CLI/", ["bridge/cli/", "bridge/main.cc"]),
    ("curl/", ["bridge/http/", "examples/"]),
    ("pqxx/", ["examples/"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OURS = ("bridge/", "sdk-cpp/", "examples/", "tests/", "atomemo/")


def longest_prefix(path, prefixes):
    """The longest of `prefixes` that `path` starts with, or None."""
    return max((prefix for prefix in prefixes if path.startswith(prefix)), key=len, default=None)


def violation(path, header):
    """Why the file `path` must not include `header`, or None. Both are relative to the root."""
    for prefix, places in FENCES:
        if header.startswith(prefix) and not path.startswith(tuple(places)):
            return f"{header} may only be included in {', '.join(places)}"
    layer = longest_prefix(path, ALLOWED)
    if layer and header.startswith(OURS) and not header.startswith(tuple(ALLOWED[layer])):
        return f"{layer} must not include {header}"
    return None


def violations_in(path, text):
    """Lines "path:line: reason" for one file's text."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        reason = violation(path, match[2]) if match else None
        if reason:
            found.append(f"{path}:{number}: {reason}")
        elif match and match[1] == '"' and "/" not in match[2]:
            found.append(f"{path}:{number}: write the path from the project's root, not {match[2]}")
    return found


def sources(root):
    """Every C++ file of the layers, relative to `root`."""
    for folder in ("bridge", "sdk-cpp", "examples"):
        for file in sorted(pathlib.Path(root, folder).rglob("*")):
            if file.suffix in (".h", ".cc"):
                yield file.relative_to(root).as_posix()


def main():
    root = pathlib.Path(sys.argv[1])
    files = list(sources(root))
    found = [line for path in files for line in violations_in(path, (root / path).read_text())]
    print("\n".join(found + [f"{len(files)} files, {len(found)} forbidden includes"]))
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
