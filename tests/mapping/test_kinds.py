"""What expressions are known to give before any record is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bridge.mapping import Mapping, kinds
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.moments import Now
from tests.mapping.test_functions import EXAMPLES

KNOWN = {name for name, function in FUNCTIONS.items() if kinds.result(function) is not None}


def test_most_functions_say_what_they_give() -> None:
    assert len(KNOWN) > 45
    assert {"upper", "len", "contains", "date", "end_of", "country_name", "days"} <= KNOWN
    assert KNOWN.isdisjoint({"default", "first", "lookup", "datetime", "unique", "ref"})


@pytest.mark.parametrize(("text", "wanted"), EXAMPLES)
def test_what_a_function_gives_is_of_the_kind_that_it_is_known_for(
    text: str, wanted: str, evaluate: Callable[[str], Any], example: Callable[[str], Any]
) -> None:
    known, value = example(text), evaluate(text)
    if known is not None and value is not None:
        assert type(value) in (type(known), *((float,) if type(known) is int else ()))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a", None),
        ("a | upper", str),
        ("(a | upper) or b", None),
        ("(a | upper) or (b | lower)", str),
        ("(a | upper) or 'none'", str),
        ("(a | upper) if b else none", str),
        ("(a | upper) if b else 5", None),
        ("f'{a}'", str),
        ("a == b", bool),
        ("a < b < c", bool),
        ("not a", bool),
        ("a is none", bool),
        ("a + 1", None),
        ("[a]", None),
        ("a | date", date),
        ("end_of(a | date)", datetime),
        ("days(3)", timedelta),
        ("a | default('x')", None),
        ("5", int),
        ("none", None),
        ("today", None),
        ("now", Now),
    ],
)
def test_an_expression_is_of_a_kind_where_that_is_plain(
    text: str, kind: type | None, example: Callable[[str], Any]
) -> None:
    assert type(example(text)) is (kind or type(None))


def test_nothing_that_may_fit_is_refused(small_file: Callable[..., Mapping]) -> None:
    """Text may be a date, and a number or a date may be served as text."""
    mapping = small_file(
        "vars: { flag: dept | bool, size: dept | len }",
        "skip: [ { when: flag, reason: r }, { when: none, reason: s } ]",
        "enterprise: { department: size, costCenter: ends | date, division: today }",
        "custom: { urn: 'urn:ietf:params:scim:schemas:extension:x:2.0:User', attributes: {"
        " since: { type: date, expr: ends | trim }, at: { type: dateTime, expr: ends | trim } } }",
    )
    assert mapping.name == "staff"
