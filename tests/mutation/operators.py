"""What one may get wrong in a line of C++: the mutations that the runner tries.

A mutation changes one line so that it still compiles in most cases and means something else in nearly all. Lines that only log, assert or
name something are left alone: a test that noticed them would be a copy of the code.
"""
import re

COMPARISONS = {"<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "==": ["!="], "!=": ["=="]}
LOGIC = {"&&": ["||"], "||": ["&&"]}
ARITHMETIC = {"+": ["-"], "-": ["+"], "+=": ["-="], "-=": ["+="], "++": ["--"], "--": ["++"]}
WORDS = {"true": ["false"], "false": ["true"], "min": ["max"], "max": ["min"]}

# What stands between blanks (or is ++ and --) is an operator; what does not may be a template, a pointer or an include.
BINARY = re.compile(r"(?<=\s)(<=|>=|==|!=|&&|\|\||\+=|-=|<|>|\+|-)(?=\s)")
STEP = re.compile(r"\+\+|--")
WORD = re.compile(r"(?<![\w\"])(true|false|(?<=std::)(?:min|max))(?!\w)")
CONDITION = re.compile(r"\b(if|while) \((.*)\)( \{| return\b.*| continue;| break;|$)")
RETURN = re.compile(r"^\s*return [^;]+;$")
STATEMENT = re.compile(r"^\s*(?!return\b|if\b|for\b|while\b|switch\b|using\b|case\b|break\b|default\b|else\b|delete\b|throw\b|typedef\b|static_assert\b|co_)"
                       r"[A-Za-z_:*(+-][^;{}]*;$")
# A type and a name, and perhaps what it begins as: without it nothing would compile.
DECLARATION = re.compile(r"^\s*(const |constexpr |static |auto |mutable |explicit |virtual |inline |template|friend |struct |class |enum )"
                         r"|^\s*[A-Za-z_][\w:]*(<[^;=]*>)?[&*]* [&*]*[A-Za-z_]\w*( =|;|\{|\()")
IGNORED = re.compile(r"^\s*(//|#|\*|namespace\b|using\b)|base::Log(Debug|Info|Warning|Error)?\b|ATOMEMO_INVARIANT|LogThrottle"
                     r"|\b(reserve|shrink_to_fit)\(|^\s*\{\"|operator[=!<>]=|\bNOLINT\b")


def without_comment(line):
    """The line up to its comment; a `//` inside a string is none."""
    in_string = False
    for i, character in enumerate(line):
        if character == '"' and (i == 0 or line[i - 1] != "\\"):
            in_string = not in_string
        if not in_string and line.startswith("//", i):
            return line[:i].rstrip()
    return line.rstrip()


def in_string(line, position):
    return len(re.findall(r'(?<!\\)"', line[:position])) % 2 == 1


def replace_each(line, pattern, table):
    for match in pattern.finditer(line):
        for other in table.get(match.group(1) if match.groups() else match.group(), []):
            if not in_string(line, match.start()):
                yield line[:match.start()] + other + line[match.end():]


def mutations(line):
    """Every line that `line` is mutated to; none twice."""
    code = without_comment(line)
    if not code.strip() or IGNORED.search(code):
        return []
    found = []
    for pattern, table in ((BINARY, {**COMPARISONS, **LOGIC, **ARITHMETIC}), (STEP, ARITHMETIC), (WORD, WORDS)):
        found += replace_each(code, pattern, table)
    condition = CONDITION.search(code)
    if condition and condition.group(2).count("(") == condition.group(2).count(")") and ";" not in condition.group(2):
        start, end = condition.span(2)
        found.append(f"{code[:start]}!({condition.group(2)}){code[end:]}")
    if STATEMENT.match(code) and not DECLARATION.match(code) and code.count("(") == code.count(")"):
        found.append(re.match(r"\s*", code).group() + ";")
    return [mutant for i, mutant in enumerate(found) if mutant != code and mutant not in found[:i]]
