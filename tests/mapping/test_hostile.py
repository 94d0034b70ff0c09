"""Expressions and records that mean harm: each is refused, or bounded in work and in memory.

Work is counted in calls, which a machine's mood does not change: 400,000 of them are some tens of
milliseconds. What a single call can cost is bounded by the sizes of what it is given.
"""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.errors import EntryFault, FileFaults

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MOST_CALLS = 400_000
MOST_MEMORY = 64 * 2**20

ONES = ["x"] * 10_000
NAMES = [f"x{number}" for number in range(10_000)]
LONG = "x" * 65_000
WIDE = "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL X}" * 65_000
ACCENTED = "é" * 65_000
DN = ",".join(["cn=Å b"] * 6_000)


def quoted(length: int, letter: str = "x") -> str:
    return f"'{letter * length}'"


def counted(work: Callable[[], Any]) -> int:
    """How many calls of Python and C functions the work makes."""
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def weighed(work: Callable[[], Any]) -> int:
    """How many bytes the work has at once, at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


REFUSED = {
    # Growth.
    "'a' * 10**9": "this operator is not part of the language",
    "'a' * 1000000000": "has text * a number",
    "'%1000000000d' % 5": "has text % a number",
    "9**9**9**9": "this operator is not part of the language",
    "1 << 1000000000": "this operator is not part of the language",
    "99999999999 * 99999999999": "more than 18 digits",
    f"{quoted(100)} | replace('x', {quoted(900)})": "grows beyond 65,536 characters",
    f"{quoted(100)} | resub('x', {quoted(900)})": "may grow beyond 65,536 characters",
    # Formats.
    "f'{a:>1000000000}'": "a format after ! or :",
    "f'{a:{a}}'": "a format after ! or :",
    "f'{a!r}'": "a format after ! or :",
    "f'{a=}'": "a format after ! or :",
    "'{0.__class__}'.format(a)": "calling this is not part of the language",
    "'%s' % a | upper % b": "after | comes a function",
    "today | format_date('%1000000000d')": "%1 is not a part of a date format",
    "today | format_date('%-d')": "%- is not a part of a date format",
    # Python's insides.
    "a.__class__.__mro__": "a dot is not part of the language",
    "(a or b).__globals__": "a dot is not part of the language",
    "[x for x in a.__subclasses__]": "a dot is not part of the language",
    "f'{a.__class__}'": "a dot is not part of the language",
    "__import__('os')": "unknown function '__import__'",
    "getattr(a, 'x')": "unknown function 'getattr'",
    "eval('1')": "unknown function 'eval'",
    "(lambda: a)()": "calling this is not part of the language",
    "src[a]": "an index",
    "src['__class__']": "unknown name '__class__'",
    "__builtins__": "unknown name '__builtins__'",
    "{**a}": "a table (use lookups) is not part of the language",
    "upper(**a)": "arguments have no names here",
    "[x async for x in a]": "after `for` comes one plain name",
    # Patterns.
    r"a | matches('(?P<x>a)(?P=x)')": "not a pattern of RE2",
    r"a | matches(r'(a)\1')": "not a pattern of RE2",
    "a | matches('a{1001}')": "not a pattern of RE2",
    "a | matches('(((a{100}){100}){100}){100}')": "not a pattern of RE2",
    r"a | matches(r'[\p{L}]{1,100}z{100}')": "not a pattern of RE2: pattern too large",
    r"a | matches(r'\PL{1,30}')": "the pattern is too large",
    # Length and depth.
    "a" * 4_001: "an expression has at most 4,000 characters",
    "[" * 60 + "a" + "]" * 60: "nested deeper than 40 levels",
    "not " * 900 + "a": "nested deeper than 40 levels",
    "a | " + "upper | " * 60 + "upper": "nested deeper than 40 levels",
    "a + " * 500 + "a": "nested deeper than 40 levels",
    "-" * 3_000 + "1": "e:1:",
    "(" * 3_999: "e:1:",
    "a\0": "not an expression",
    # What is constant is worked out at load, and bounded there as well.
    "coalesce("
    + ", ".join(
        [f"{quoted(60)} | replace('x', {quoted(60)}) | replace('x', {quoted(15, 'é')}) | ascii"]
        * 15
    )
    + ")": "takes more than 10,000 steps",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=[text[:40] for text in REFUSED])
def test_what_means_harm_is_refused_when_it_is_loaded(text, reason, evaluate):
    faults: list[str] = []

    def load() -> None:
        with pytest.raises(FileFaults) as raised:
            evaluate(text, a="x", b="y")
        faults.append(str(raised.value))

    assert counted(load) < MOST_CALLS
    assert reason in faults[0]
    assert weighed(load) < MOST_MEMORY


# Each: the expression, the record, and what is said of it; nothing where it has a value.
BOUNDED: dict[str, tuple[str, dict[str, Any], str]] = {
    "three loops": ("[1 for x in items for y in items for z in items]", {"items": ONES}, "steps"),
    "a loop in a loop": ("[[y for y in items] | count for x in items]", {"items": ONES}, "steps"),
    "a long loop": ("[x for x in items]", {"items": [*ONES, "x"]}, "steps"),
    "a loop of long conditions": (
        "[1 for x in items if " + " or ".join(["x=='z'"] * 330) + "]", {"items": ONES}, "steps",
    ),
    "a loop of calls": (
        "[x" + " | lower | upper" * 15 + " for x in items]", {"items": [WIDE[:31]] * 9_999},
        "steps",
    ),
    "a loop over long text": ("[a | ascii | len for x in items]",
                              {"a": ACCENTED, "items": ONES}, "steps"),
    "a loop that joins": ("[(a + a) | len for x in items]",
                          {"a": LONG[:32_000], "items": ONES}, "steps"),
    "a loop that writes": ("[f'{a}{a}' | len for x in items]",
                           {"a": LONG[:32_000], "items": ONES}, "steps"),
    "a loop that gathers text": ("[a + x for x in items]", {"a": LONG, "items": ONES}, "too large"),
    "a loop that gathers lists": ("[items for x in items]", {"items": ONES[:5_000]}, "too large"),
    "a loop that gathers long texts": (
        "[a for x in items]", {"a": LONG, "items": ONES[:90]}, "too large",
    ),
    "everything among everything": ("[x for x in items if x in items]", {"items": NAMES}, "steps"),
    "among a list again and again": (
        " or ".join(["'z' in items"] * 250), {"items": NAMES}, "steps",
    ),
    "lists compared again and again": (
        "[1 for x in a if b == c]", {"a": ONES, "b": NAMES, "c": list(NAMES)}, "steps",
    ),
    "a long mark between many": ("join(a, items)", {"a": LONG, "items": ONES}, "grows beyond"),
    "joins again and again": (
        "coalesce(" + ", ".join(["items | join(',') | after('z')"] * 50) + ")",
        {"items": ["x"] * 9_999}, "steps",
    ),
    "text doubled": ("a + a", {"a": LONG}, "grows beyond"),
    "text written often": ("f'" + "{a}" * 900 + "'", {"a": LONG}, "grows beyond"),
    "many long texts in a list": (
        "[" + ", ".join(["a | lower"] * 300) + "]", {"a": WIDE}, "steps",
    ),
    "many lists in a list": ("[" + "items, " * 400 + "]", {"items": ONES[:5_000]}, "grows beyond"),
    "lists made again and again": (
        "coalesce(" + ", ".join(["[items] | item(0)"] * 50) + ")", {"items": ONES[:9_999]},
        "steps",
    ),
    "a list doubled": ("items + items", {"items": ONES[:6_000]}, "grows beyond"),
    "text for text": ("a | replace('x', b)", {"a": LONG, "b": LONG}, "grows beyond"),
    "text for a pattern": (
        r"a | resub('(.*)', r'\1\1\1\1\1\1\1\1')", {"a": LONG[:10_000]}, "may grow beyond",
    ),
    "accents again and again": (
        "coalesce(" + ", ".join(["a | ascii | after('z')"] * 50) + ")", {"a": ACCENTED}, "steps",
    ),
    "a pattern that others hang on": ("a | matches('(a+)+$b')", {"a": "a" * 65_000}, ""),
    "a pattern of a thousand states": (
        "a | matches('(((a{10}){10}){10})b')", {"a": "a" * 65_000}, "steps",
    ),
    "a pattern on a text too long for it": (
        "a | matches('((a{10}){10}b){9}')", {"a": "a" * 3_000}, "too long for this pattern",
    ),
    "a pattern of many states in a loop": (
        "[1 for x in items if x | matches('(a|b)*a(a|b){20}c')]",
        {"items": ["abbabaab" * 40] * 9_999}, "steps",
    ),
    "a long DN": ("a | rdn", {"a": DN}, "no DN: longer than 8,192 characters"),
    "a link by a long DN": ("a | ref('dn')", {"a": DN}, "no DN: longer than 8,192 characters"),
    "many DNs": (
        "[1 for x in items if x | under('dc=x')]", {"items": [DN[:27]] * 9_999}, "steps",
    ),
    "many countries": (
        "[x | country2 for x in items]", {"items": [f"{'é' * 90}{n}" for n in range(9_999)]},
        "steps",
    ),
    "many dates": (
        "[x | date('%d %m %Y') for x in items]",
        {"items": [f"{n % 28 + 1:02} {n % 12 + 1:02} {1_000 + n}" for n in range(8_999)]}, "steps",
    ),
    "a date with many blanks": (
        "a | date('%d %m %Y')", {"a": "04" + " " * 60_000 + "07 2026"}, "does not match format",
    ),
    "a large photo": ("a | b64", {"a": b"x" * 30_000_000}, "steps"),
    "a number of many digits": ("a | num", {"a": "9" * 65_000}, "is not a number"),
    "a number too large to write": ("a | text", {"a": 10**5_000}, "too large to write"),
    "a number too large to reckon": ("a * a", {"a": 10**100_000}, "more than 18 digits"),
    "braces": ("a | guid", {"a": "{" * 65_000}, "is no GUID"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "given", "reason"), BOUNDED.values(), ids=BOUNDED)
def test_what_means_harm_to_a_record_is_bounded(text, given, reason, evaluate):
    said: list[str] = []

    def work() -> None:
        try:
            evaluate(text, **given)
            said.append("")
        except EntryFault as fault:
            said.append(str(fault))

    assert counted(work) < MOST_CALLS
    assert reason in said[0]
    assert bool(reason) == bool(said[0])
    assert weighed(work) < MOST_MEMORY


PATTERNS = """
import random, resource
import re2
from zoneinfo import ZoneInfo
from bridge.errors import EntryFault
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.functions.registry import Site

site = Site(ZoneInfo("UTC"), {})
texts = ["a" * 65_536, "".join(random.Random(1).choices("ab", k=65_536))]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
patterns = ["(a|b)*a(a|b){20}c", "((a{10}){10}){10}b", "(.*a){30}c", "(?:a?){99}a{99}b",
            "[ab]*a[ab]{60}c", "(a?)" * 100 + "b", "([a-z]{1,90}|[^x]{1,90})y{9}$"]
for pattern in patterns:
    for text in texts:
        for length in (100, 1_000, 65_536):
            try:
                FUNCTIONS["extract"].make(site, pattern).call(text[:length])
            except EntryFault:
                pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_patterns_that_make_many_states_stay_within_the_memory():
    """RE2's memory is not Python's, so it is the process's that is measured."""
    done = subprocess.run(
        [sys.executable, "-c", PATTERNS], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) * 1024 < MOST_MEMORY


def test_a_person_pays_for_all_expressions_of_the_file_together(small_file, entry):
    """Not one expression but many could otherwise be the harm."""
    vars_ = ", ".join(f"v{n}: \"[x for x in dept if x == '{n}'] | first\"" for n in range(20))
    mapping = small_file(f"vars: {{ {vars_} }}", "enterprise: { department: v19 }")
    many = entry(dept=["x"] * 900)
    (fault,) = mapping.person([many], NOW).faults
    assert fault == "vars.v19 (of dept) takes more than 10,000 steps"
    assert mapping.person([entry(dept=["x"] * 90)], NOW).faults == ()


def test_a_record_pays_nothing_for_what_people_usually_are(small_file, entry):
    groups = [f"CN=Application {n},OU=Okta,OU=Groups,DC=example,DC=com" for n in range(900)]
    mapping = small_file(
        "enterprise: { department: \"[g | rdn for g in dept if g | starts('CN=App')] | count"
        ' | text", division: "[g for g in dept if g | matches(\'(?i)ou=okta\')] | count | text" }'
    )
    assert mapping.person([entry(dept=groups[:400])], NOW).faults == ()
