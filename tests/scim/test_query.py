"""A query string becomes a query, with everything that need not stop it forgiven."""

from __future__ import annotations

import pytest

from bridge.filter import Attribute, Compare, Op
from bridge.model import Kind, Query
from bridge.scim import query
from bridge.scim.errors import ScimError


def parsed(query_string: bytes) -> Query:
    return query.parse(Kind.USER, query.parameters(query_string), {})


@pytest.mark.parametrize(
    ("text", "start", "count"),
    [
        ("", 1, 100),
        ("startIndex=101&count=100", 101, 100),
        ("count=2&startIndex=1", 1, 2),
        ("startIndex=0", 1, 100),
        ("startIndex=-5", 1, 100),
        ("count=0", 1, 0),
        ("count=-1", 1, 0),
        ("count=1000", 1, 1000),
        ("count=1001", 1, 1000),
        ("count=99999999999999999999999999", 1, 1000),
        ("startIndex=99999999999999999999999999", 10**18, 100),
        ("startIndex=-99999999999999999999999999", 1, 100),
        ("startIndex=+7", 7, 100),
        ("STARTINDEX=7&Count=3", 7, 3),
        ("totalResults=250&startIndex=101&x=&=&&", 101, 100),
        ("attributes=userName&sortBy=userName", 1, 100),
        ("startIndex=3&startIndex=5", 5, 100),
    ],
)
def test_paging_is_read_as_rfc_7644_says(text: str, start: int, count: int) -> None:
    assert parsed(text.encode()) == Query(Kind.USER, start, count)


@pytest.mark.parametrize(
    "text",
    ["startIndex=x", "startIndex=", "count=1.5", "count=1e3", "count=1_0", "count=%D9%A1", "count"],
)
def test_paging_that_is_no_number_is_invalid(text: str) -> None:
    with pytest.raises(ScimError) as refused:
        parsed(text.encode())
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidValue")


@pytest.mark.parametrize(
    "text",
    [
        "filter=userName%20eq%20%22a%40b.c%22",
        "filter=userName+eq+%22a@b.c%22",
        'filter=userName+eq+"a@b.c"',
        'startIndex=1&count=100&filter=userName%20eq%20"a@b.c"',
        "FILTER=userName+eq+%22a@b.c%22",
    ],
)
def test_a_filter_arrives_however_it_is_encoded(text: str) -> None:
    user_name = Attribute(("userName",))
    assert parsed(text.encode()).filter == Compare(user_name, Op.EQ, "a@b.c")


@pytest.mark.parametrize(
    "text", [b"filter=%ff", b"filter=\xff", b"\xff=1", b"&".join([b"a=1"] * 101)]
)
def test_what_is_not_text_is_refused(text: bytes) -> None:
    with pytest.raises(ScimError) as refused:
        parsed(text)
    assert refused.value.status == 400


def test_an_empty_filter_is_not_no_filter() -> None:
    with pytest.raises(ScimError) as refused:
        parsed(b"filter=")
    assert refused.value.scim_type == "invalidFilter"
