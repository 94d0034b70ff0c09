"""Every function does what its documentation shows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from bridge.errors import EntryFault, FileFaults
from bridge.mapping.functions import FUNCTIONS, NOT_YET
from bridge.mapping.values import Reference

_EXAMPLE = re.compile(r"^ *>>> (.*)\n *(.*)$", re.MULTILINE)
EXAMPLES = [
    pytest.param(text, wanted, id=f"{name}: {text}")
    for name, function in FUNCTIONS.items()
    for text, wanted in _EXAMPLE.findall(function.doc)
]
_NAMES = {"absent": None, "date": date, "datetime": datetime, "UTC": UTC, "Reference": Reference}


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES)
def test_an_example_gives_what_its_documentation_says(text, wanted, evaluate):
    value = evaluate(text)
    expected = eval(wanted, _NAMES)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_it_does_and_how_it_is_called(name):
    doc = FUNCTIONS[name].doc
    assert re.search(rf"`{name}\(", doc.split("\n")[0])
    assert ">>> " in doc


@pytest.mark.parametrize(
    "name",
    sorted(set(FUNCTIONS) - {"lookup", "default", "coalesce", "present", "empty", "join", "ref"}),
)
def test_a_function_given_nothing_gives_nothing(name, evaluate):
    needed = {"left": "1", "mid": "1", "word": "1", "item": "1", "replace": "'x', 'y'",
              "resub": "'x', 'y'", "days_between": "today"}  # fmt: skip
    more = needed.get(name, "'x'" if FUNCTIONS[name].least > 1 else "")
    assert evaluate(f"a | {name}({more})") is None
    assert evaluate(f"a | {name}({more})", a=" ") is None


def test_what_the_language_will_have_later_is_said_to_be_so():
    assert not NOT_YET & set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("a | left(3)", {"a": "  xyz"}, "  x"),
        ("a | left(2)", {"a": "  xyz"}, None),
        ("a | after('-')", {"a": "x-  "}, None),
        ("a | resub('.', '')", {"a": "xyz"}, None),
        ("a | split(',')", {"a": " , ,"}, None),
        ("a | mid(9)", {"a": "xyz"}, None),
        ("a | upper", {"a": ["x"]}, "X"),
        ("a | upper", {"a": 5}, "5"),
        ("a | first", {"a": "x"}, "x"),
        ("a | count", {"a": "x"}, 1),
        ("a | join(', ')", {"a": "x"}, "x"),
        ("a | join(', ')", {}, None),
        ("join(', ', a, b)", {"a": ["x", "y"], "b": "z"}, "x, y, z"),
        ("a | contains('x')", {"a": ["xy"]}, False),
        ("a | contains('x')", {"a": "xy"}, True),
        ("a | lookup('departments', b)", {"a": "7", "b": "Other"}, "Other"),
        ("a | lookup('departments')", {"a": 100}, "Engineering"),
        ("lookup(a, 'departments', b)", {}, None),
        ("a | int", {"a": "-7"}, -7),
        ("a | bool", {"a": "NO"}, False),
        ("a | ascii", {"a": "Łukasz Đặng"}, "Lukasz Dang"),
        ("a | ascii", {"a": "北京"}, None),
        ("a | matches('(?i)^SMTP:')", {"a": "smtp:x"}, True),
        (r"a | extract('(\d+)-(\d+)')", {"a": "x 12-34"}, "12"),
    ],
)
def test_a_function_takes_what_an_admin_would_give_it(text, given, wanted, evaluate):
    assert evaluate(text, **given) == wanted


@pytest.mark.parametrize(
    ("text", "given", "reason"),
    [
        ("a | int", {"a": "seven"}, "is not a number"),
        ("a | int", {"a": "1.5"}, "is not a whole number"),
        ("a | int", {"a": "9" * 20}, "more than 18 digits"),
        ("a | bool", {"a": "perhaps"}, "neither yes nor no"),
        ("a | upper", {"a": ["x", "y"]}, "several values"),
        ("a | upper", {"a": True}, "where text is expected"),
        ("a | upper", {"a": b"x"}, "is binary"),
        ("a | date('%d.%m.%Y')", {"a": "2019-02-01"}, "does not match format '%d.%m.%Y'"),
        ("a | date", {"a": "31.12.2026"}, "does not match format"),
        ("a | start_of", {"a": "2026-01-01"}, "where a date is expected: use date"),
        ("start_of(today, a)", {"a": "Mars/Olympus"}, "not the name of a time zone"),
        ("start_of(today, a)", {"a": "../../etc/passwd"}, "not the name of a time zone"),
        ("now | format_date('%H:%M')", {}, "changes every moment"),
        ("now | text", {}, "changes every moment"),
        ("a | mid(0)", {"a": "x"}, "from 1"),
        ("a | int | days", {"a": "99999999"}, "more days than a calendar has"),
        ("a | item(b)", {"a": "x", "b": "y"}, "where a whole number is expected"),
    ],
)
def test_what_a_function_cannot_take_is_an_error_without_the_value(text, given, reason, evaluate):
    with pytest.raises(EntryFault) as raised:
        evaluate(text, **given)
    assert reason in str(raised.value)
    assert "seven" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a | date('%d.%m')", "needs a day, a month and a year"),
        ("a | date('%Q')", "%Q is not a part of a date format"),
        ("a | format_date('%1000d')", "%1 is not a part of a date format"),
        ("a | format_date('%')", "% is not a part of a date format"),
        ("a | matches('(x')", "not a pattern of RE2"),
        (r"a | matches(r'(x)\1')", "not a pattern of RE2"),
        ("a | matches('(?=x)')", "not a pattern of RE2"),
        (r"a | resub('x', r'\1')", "names a bracket"),
        (r"a | resub('(x)', '\1')", "write r'...'"),
        (r"a | matches('\bx')", "write r'...'"),
        (r"a | resub('x', r'\g<0>')", "no other backslash"),
        (f"a | matches('{'x' * 501}')", "at most 500"),
        ("a | lookup('nope')", "there is no table 'nope'"),
        ("a | lookup(b)", "needs fixed text here"),
        ("a | ascii('dutch')", "'plain' or 'german'"),
        ("a | ref('nick')", "known by"),
        ("a | ref('dn', 'password')", "a link answers"),
        ("a | left", "left takes 2 arguments, not 1"),
        ("a | upper(b)", "upper takes 1 argument, not 2"),
        ("a | replace('', 'x')", "replace is given nothing here"),
        ("a | before('')", "before is given nothing here"),
        ("a | join", "join takes 2 to 50 arguments, not 1"),
        ("coalesce()", "coalesce takes 1 to 50 arguments, not 0"),
        ("date('31.02.2026')", "does not match format"),
        ("a | guid", "not supported yet: the function guid"),
        ("a | uper", "unknown function 'uper' (did you mean 'upper'?)"),
    ],
)
def test_what_can_be_known_when_the_file_is_loaded_is_a_fault_then(text, reason, evaluate):
    with pytest.raises(FileFaults) as raised:
        evaluate(text, a="x", b="y")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Berlin skips from 02:00 to 03:00 on 29 March 2026: that day has 23 hours.
        ("start_of(date('2026-03-29'), 'Europe/Berlin')", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("end_of(date('2026-03-29'), 'Europe/Berlin')", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        # Santiago skips midnight itself on 6 September 2026: the day begins at 01:00.
        ("start_of(date('2026-09-06'), 'America/Santiago')", datetime(2026, 9, 6, 4, tzinfo=UTC)),
        # Samoa had no 30 December 2011.
        ("start_of(date('2011-12-31'), 'Pacific/Apia')", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("end_of(date('2011-12-29'), 'Pacific/Apia')", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        # Far away means for ever, in any zone.
        ("end_of(date('9999-12-31'), 'America/Chicago') > start_of(today)", True),
        ("end_of(date('9999-12-31') + days(90), 'Asia/Tokyo') > start_of(today)", True),
        ("start_of(date('0001-01-01') - days(1), 'Asia/Tokyo') < start_of(today)", True),
    ],
)
def test_days_begin_and_end_where_the_clocks_say_so(text, wanted, evaluate):
    assert evaluate(text) == wanted


def test_an_absent_zone_is_the_zone_of_the_file(evaluate):
    berlin = evaluate("end_of(date('2026-07-04'), a)", zone="Europe/Berlin")
    assert berlin == datetime(2026, 7, 4, 22, tzinfo=UTC)
