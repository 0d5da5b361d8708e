#!/usr/bin/env python3
"""Every function of the C++ SDK's definition builders stands in the sweep test: builders_swept.py ROOT."""
import pathlib
import re
import sys

HEADERS = ["definition.h", "parameter.h", "ui.h"]
# A builder function returns its builder; a builder's constructor starts a definition.
FUNCTION = re.compile(r"^\s+(?:[A-Z]\w*)& ([A-Z]\w*)\(", re.MULTILINE)
BUILDER = re.compile(r"^class (\w+)\s*:\s*public internal::|^class (\w+)\n\s+: public internal::", re.MULTILINE)


def main(root):
    headers = "\n".join((root / "sdk-cpp/include/atomemo" / name).read_text() for name in HEADERS)
    test = (root / "tests/conformance/builder_sweep_test.cc").read_text()
    functions = set(FUNCTION.findall(headers)) - {"Override"}  # private
    builders = {first or second for first, second in BUILDER.findall(headers)}
    missing = [f".{name}(" for name in sorted(functions) if not re.search(rf"\.{name}\(", test)]
    missing += [f"{name}(" for name in sorted(builders) if not re.search(rf"\b{name}\(", test)]
    print("\n".join(f"never called in the sweep: {name}" for name in missing)
          or f"{len(functions)} functions of {len(builders)} builders, all swept")
    return 1 if missing or len(functions) < 50 or len(builders) < 30 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
