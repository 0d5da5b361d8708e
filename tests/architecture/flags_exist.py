#!/usr/bin/env python3
"""Every flag that the contract or a document names exists: flags_exist.py ROOT ATOMEMO_BRIDGE."""
import pathlib
import re
import subprocess
import sys

COMMANDS = ["", "serve", "hub", "dev", "call", "check", "schema", "health"]
OTHERS = {"--install"}  # cmake's
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![\w-]*\*)")


def main(root, bridge):
    helps = [subprocess.run([bridge, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
             for command in COMMANDS]
    known = set(FLAG.findall("\n".join(helps))) | OTHERS
    documents = [root / "README.md", *(root / "proto").rglob("*.proto"), *(root / "bridge/docs").glob("*.md")]
    unknown = [f"{document.relative_to(root)}:{number}: {flag}"
               for document in documents
               for number, line in enumerate(document.read_text().splitlines(), start=1)
               for flag in FLAG.findall(line) if flag not in known]
    print("\n".join(unknown) or f"{len(known)} flags, and no other is named")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
