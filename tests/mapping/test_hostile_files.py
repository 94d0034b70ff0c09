"""Files made to hurt: each is refused, or loads, within few seconds of CPU and 64 MB of memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bridge.mapping.yaml_text import MAX_BYTES

MEMORY = 64_000_000
SECONDS = 60
"""No measure of speed: whatever grows with the square of a megabyte takes much longer."""

LOADER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]),) * 2)
from bridge.errors import FileFaults
from bridge.mapping import load
from bridge.sources import settings_models
text = sys.stdin.buffer.read().decode()
kinds = settings_models()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load(text, "f", kinds)
    print("loads")
except FileFaults as error:
    print(len(error.faults), "faults, the first:", str(error.faults[0])[:2000])
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown * 1024)
"""

PART = MAX_BYTES // 4
"""Enough of what loads and takes seconds a megabyte."""

HEAD = "version: 1\nname: hr\nextends: hr-csv\nsource: { path: x.csv }\n"


def bomb(rows: int) -> str:
    """Ten references in every row to the row before."""
    first = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    return first + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, rows)
    )


def filled(pattern: str, most: int = MAX_BYTES) -> str:
    """So many lines of a pattern that the file is just not too large; # is the line's number."""
    lines, size = [], len(HEAD)
    while size < most - 200:
        lines.append(pattern.replace("#", str(len(lines))) + "\n")
        size += len(lines[-1].encode())
    return "".join(lines)


CASES = {
    "a bomb of aliases": (bomb(30), "anchors are not allowed"),
    "ten megabytes": ("a: " + "x" * 10_000_000, "larger than 1 MB"),
    "ten megabytes of blank lines": ("\n" * 10_000_000, "larger than 1 MB"),
    "brackets": ("[" * 900_000, "nest"),
    "braces": ("{" * 900_000, "nest"),
    "dashes": ("- " * 450_000, "nested deeper"),
    "question marks": ("? " * 450_000, ""),
    "steps": ("".join(" " * n + "a:\n" for n in range(1300)), "nested deeper"),
    "a deep tree inside a good file": (HEAD + "tests: " + "[" * 21 + "]" * 21, "nested deeper"),
    "unknown keys": (filled("unknown#: 1"), "unknown key"),
    "unknown keys that look like known ones": (filled("extermal_id#: 1"), "unknown key"),
    "one key, many times": (filled("a: 1"), "a second time"),
    "a key as long as the file": ("k" * 900_000 + ": 1", "not valid YAML"),
    "a long key in quotes": (HEAD + "? '" + "k" * 900_000 + "'\n: 1", "unknown key"),
    "many documents": (filled("---"), "a second document"),
    "many faulty vars": (HEAD + "vars:\n" + filled("  v#: nope#", PART), "unknown name"),
    "many good vars": (HEAD + "vars:\n" + filled("  v#: first_name | lower", PART), None),
    "vars that each double the one before": (
        HEAD + "vars:\n  v0: first_name\n"
        + "".join(f"  v{n}: v{n - 1} + v{n - 1}\n" for n in range(1, 5000)), None,
    ),
    "many rules": (
        HEAD + "skip:\n" + filled("  - { when: job_title == '#', reason: r# }", PART), None
    ),
    "a large lookup": (HEAD + "lookups:\n  t:\n" + filled("    k#: v#", PART), None),
    "many groups": (
        HEAD + "groups:\n" + filled("  - { key: department, displayName: last_name }", PART), None
    ),
    "many tests": (
        HEAD + "tests:\n"
        + filled("  - { name: t#, record: { person_id: P }, expect: { key: P } }", PART), None,
    ),
    "many e-mails": (
        HEAD + "user:\n  emails:\n" + filled("    - { value: work_email, type: t# }", PART),
        "needs `primary: true`",
    ),
    "many custom attributes": (
        HEAD + "custom:\n  urn: urn:x-test:a:User\n  attributes:\n"
        + filled("    a#: { type: string, expr: last_name }", PART), None,
    ),
    "a long expression": (HEAD + "vars:\n  x: " + "first_name + " * 60_000 + "''", "at most 4,000"),
    "a long text of blanks": (HEAD + "vars:\n  x: '" + " " * 900_000 + "'", "is empty"),
    "a text of line ends": (HEAD + "vars:\n  x: |\n" + "\n" * 900_000 + "    nope", "unknown name"),
    "a text of escapes": (HEAD + 'vars:\n  x: "' + "\\x20" * 220_000 + 'nope"', "unknown name"),
    "many columns": (
        HEAD.replace("x.csv }", "x.csv, columns: {") + filled("  c#: C#,", PART) + "}}", None,
    ),
    "a name as long as the file": (
        HEAD.replace("name: hr", "name: " + "n" * 900_000), "name is letters"
    ),
    "a schedule as long as the file": (
        HEAD + "schedule: { full: '" + "1," * 400_000 + "1 * * * mon' }", "longer than 100"
    ),
    "a limit as long as the file": (HEAD + "limits: { absent: " + "9" * 900_000 + " }", "limit"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), CASES.values(), ids=CASES)
def test_a_hostile_file_costs_little(text, fault):
    ran = subprocess.run(
        [sys.executable, "-c", LOADER, str(SECONDS)],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    said, grown = ran.stdout.decode().splitlines()
    if fault is None:
        assert said == "loads"
    else:
        assert fault in said
        assert "faults" in said
    assert int(grown) < MEMORY
