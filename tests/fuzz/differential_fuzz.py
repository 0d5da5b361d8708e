#!/usr/bin/env python3
"""Compares our verdicts with those of the reference rules on mutated definitions.

usage: differential_fuzz.py DEFINITION_TOOL [--cases N] [--seed S]

The reference rules and the definitions to mutate are the shared conformance data ($ATOMEMO_CONFORMANCE_DIR, or
../shared/conformance seen from the project's root). Exit code 77, ctest's "skipped", without them; 1 on a disagreement.
"""
import argparse
import copy
import json
import os
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("ATOMEMO_CONFORMANCE_DIR", ROOT.parent / "shared" / "conformance"))
# Large values are cut into their parts, so that mutations hit every rule.
MAX_SIZE = 6000

# The plugin documentation's and the Elixir SDK's own members, which the official schema drops and we check and keep.
OWN_MEMBERS = {"secret", "placeholder", "help_url", "extra", "credentials", "timeout", "settings"}

ODD_VALUES = [
    None, True, False, 0, 1, -1, 2, 2.0, 3, 1.5, 80, 82, 1e300, -0.0, 10**18, "", "x", "a", "1", "true", " ", "a" * 64, "a" * 65,
    "a" * 66, "a_b", "a__b", "a-b", "_a", "a_", "Ab9", "5a", "日本", "\U0001f600", "a\n", "\x00", "\ud800", [], [[]], [None], ["a"],
    ["a", "a"], [1, "a"], [{}], {}, {"en_US": "x"}, {"en_US": 1}, {"zh_Hans": "x"}, {"en_US": "x", "en_us": "y"},
    {"en_US": "x", "a_\u00df": "y"}, {"en_US": "x", "a_\u01c5": "y"}, {"en_US": "x", "a_": "y"}, {"en_US": "x", "a_\u00e9": "y"},
    {"__proto__": 1}, {"1": "a"}, {"1.0": "a", "1": "b"}, {"x": "a"}, {"a": 1},
    "https://example.com", "  https://example.com/a b ", "http://localhost", "https://a.b", "https://例え.jp", "ftp://example.com",
    "https://1.2.3.4", "HTTPS://EXAMPLE.COM:0/", "https://a_b.com", "https://x@y.com:99999", "https:\\\\example.com",
    "https://bücher.example.com", "https://ex。ample.com", "https://💩.la", "https://a\u00adb.com", "https://ｅxample.ｃom",
    "a@b.co", "a@b", ".a@b.co", "a..b@c.co", "a@b-.co", "aGk=", "aGk", "====", "a===",
    {"type": "string", "name": "p"}, {"type": "object", "name": "p", "properties": []},
    {"__type__": "resource_locator", "mode_name": "id", "value": None}, {"__type__": "resource_mapper", "mapping_mode": "auto", "value": None},
    {"component": "input"}, {"component": "slider", "marks": {"1.50": "x"}}, {"component": "section"}, {"type": "id"},
    {"type": "regex", "regex": "a"},
]


def load_reference():
    sys.path.insert(0, str(SHARED))
    sys.dont_write_bytecode = True
    sys.setrecursionlimit(100_000)
    import reference_rules

    return reference_rules


def collect():
    """Values by schema, and every member's name with some of its values, to mutate with."""
    values = {}
    names = {}

    def learn(value):
        if isinstance(value, dict):
            for key, member in value.items():
                seen = names.setdefault(key, [])
                if len(seen) < 40:
                    seen.append(member)
                learn(member)
        elif isinstance(value, list):
            for element in value:
                learn(element)

    def add(schema, value):
        if len(json.dumps(value)) <= MAX_SIZE:
            values.setdefault(schema, []).append(value)

    def add_parameters(parameter):
        if parameter.get("type") != "discriminated_union":
            add("property", parameter)
        for key in ("properties", "any_of"):
            for child in parameter.get(key) or []:
                add_parameters(child)
        for key in ("items", "additional_properties"):
            if parameter.get(key):
                add_parameters(parameter[key])

    for file in sorted((SHARED / "corpus").glob("*.json")):
        definition = json.loads(file.read_text("utf-8"))
        learn(definition)
        for schema in ("credential", "tool", "model"):
            for part in definition.pop(schema + "s"):
                add(schema, part)
                for parameter in part.get("parameters", []):
                    add_parameters(parameter)
        add("plugin", definition)
    for file in ("definition_vectors.jsonl", "recorded_vectors.jsonl"):
        for line in (SHARED / file).read_text("utf-8").splitlines():
            vector = json.loads(line)
            learn(vector["value"])
            add(vector["schema"], vector["value"])
    # Rare members would hardly ever be chosen among all: keep each once.
    return values, {key: seen for key, seen in names.items() if key not in OWN_MEMBERS}


def places(value):
    """Every (container, key) in a value."""
    found = []
    stack = [value]
    while stack:
        at = stack.pop()
        keys = at.keys() if isinstance(at, dict) else range(len(at)) if isinstance(at, list) else ()
        for key in keys:
            found.append((at, key))
            stack.append(at[key])
    return found


def odd_text(rng, text):
    edits = [
        lambda: text.upper(), lambda: text + rng.choice("_-. \n1aé/@"), lambda: text[:-1], lambda: text[1:], lambda: text * 2,
        lambda: text.replace("-", "_"), lambda: text.replace("_", "-"), lambda: rng.choice("_-. 1é@") + text,
        lambda: text[: len(text) // 2] + rng.choice(["--", "__", "-_", "..", "é", "\t", "@", "/", ":"]) + text[len(text) // 2 :],
        lambda: text.swapcase(), lambda: text.title(),
    ]
    return rng.choice(edits)()


def mutate(rng, value, names):
    root = [copy.deepcopy(value)]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        found = places(root)
        container, key = rng.choice(found)
        at = container[key]
        action = rng.random()
        if action < 0.25:
            container[key] = copy.deepcopy(rng.choice(ODD_VALUES))
        elif action < 0.40 and isinstance(key, str) and names.get(key):
            container[key] = copy.deepcopy(rng.choice(names[key]))
        elif action < 0.52 and container is not root:
            del container[key]
        elif action < 0.70 and isinstance(at, dict):
            name = rng.choice(list(names))
            at[name] = copy.deepcopy(rng.choice(names[name] + ODD_VALUES[:20]))
        elif action < 0.80 and isinstance(at, list) and at:
            at.insert(rng.randrange(len(at) + 1), copy.deepcopy(rng.choice(at)))
        elif action < 0.87 and isinstance(container, dict):
            container[odd_text(rng, key) if rng.random() < 0.5 else rng.choice(list(names))] = container.pop(key)
        elif isinstance(at, str):
            container[key] = odd_text(rng, at)
        elif isinstance(at, (int, float)) and not isinstance(at, bool):
            container[key] = rng.choice([float(at), -at, at + 0.5, str(at), at * 2, True])
        else:
            other = rng.choice(found)
            container[key] = copy.deepcopy(other[0][other[1]])
    return root[0]


def has_own_members(value):
    """Whether our members stand where we check them: there the verdicts may differ on purpose."""
    if isinstance(value, list):
        return any(map(has_own_members, value))
    if not isinstance(value, dict):
        return False
    is_common_ui = "component" in value
    if not is_common_ui and any(key in value for key in OWN_MEMBERS) and ("name" in value or "type" in value):
        return True
    # A parameter's description, a credential's type; parameters of a type that only the Elixir SDK has.
    if "type" in value and ("description" in value or value["type"] == "llm_config"):
        return True
    return any(map(has_own_members, value.values()))


def reference_verdict(reference, schema, value):
    try:
        out, issues = reference.TOP[schema](value)
    except reference.Throws:
        return False, [[]], None
    except (UnicodeError, OverflowError, ValueError):
        return None, None, None  # the reference cannot tell
    return not issues, [list(path) for path, _ in issues], out


def is_covered(official, ours):
    return any(path[: len(official)] == official for path in ours)


def judge(tool, schema, values):
    lines = "".join(json.dumps(value) + "\n" for value in values)
    run = subprocess.run([tool, "check", schema], input=lines, capture_output=True, text=True, encoding="utf-8", check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"the tool failed with exit code {run.returncode}: {run.stderr}")
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    if len(verdicts) != len(values):
        sys.exit(f"{len(values)} values, {len(verdicts)} verdicts")
    return verdicts


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tool")
    arguments.add_argument("--cases", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    if not (SHARED / "reference_rules.py").exists():
        print("skipped: no shared conformance data (set ATOMEMO_CONFORMANCE_DIR)")
        sys.exit(77)
    reference = load_reference()
    rng = random.Random(options.seed)
    values, names = collect()
    # Every schema gets its share; parameters have the most rules.
    schemas = sorted(values) + ["property"] * 4 + ["tool", "credential", "model", "plugin"]
    batches = {}
    total = 0
    while total < options.cases:
        schema = rng.choice(schemas)
        value = mutate(rng, rng.choice(values[schema]), names)
        if has_own_members(value):
            continue
        batches.setdefault(schema, []).append(value)
        total += 1
    disagreements = valid = untold = 0
    for schema, batch in sorted(batches.items()):
        for value, ours in zip(batch, judge(options.tool, schema, batch)):
            is_valid, official_paths, _ = reference_verdict(reference, schema, value)
            if is_valid is None:
                untold += 1
                continue
            valid += is_valid
            our_paths = [error["path"] for error in ours["errors"]]
            if is_valid == ours["valid"] and (is_valid or all(is_covered(path, our_paths) for path in official_paths)):
                continue
            disagreements += 1
            if disagreements <= 20:
                print(f"{schema}: the reference says {is_valid} {official_paths}, we say {ours['valid']} {ours['errors'][:3]}\n"
                      f"    {json.dumps(value)[:600]}")
    print(f"{total} cases with seed {options.seed}: {valid} valid, {untold} that the reference cannot judge, "
          f"{disagreements} disagreements")
    sys.exit(1 if disagreements else 0)


if __name__ == "__main__":
    main()
