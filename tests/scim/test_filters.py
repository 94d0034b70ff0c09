"""Filters: a table of them with what each must find, on both databases, and what bounds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN, Kind, Query, resource_id
from bridge.scim import filters
from bridge.scim.errors import ScimError
from bridge.store import Store
from bridge.store.pages import Pages
from tests.servers.postgres import (  # noqa: F401
    Server,
    postgres_server,
    postgres_template,
)
from tests.store.company import Company

CUSTOM_URN = "urn:ietf:params:scim:schemas:extension:example:2.0:User"
PEOPLE: dict[str, dict[str, Any]] = {
    "anna": {
        "externalId": "E1",
        "displayName": "Anna Straßer",
        "name": {"givenName": "Anna", "familyName": "Straßer"},
        "title": "Engineer",
        "preferredLanguage": "de-DE",
        "userType": "Employee",
        "profileUrl": "https://example.com/Anna",
        "emails": [
            {"value": "Anna@example.com", "type": "work", "primary": True},
            {"value": "anna@Home.example", "type": "home"},
        ],
        "phoneNumbers": [
            {"value": "+49 30 1", "type": "work"},
            {"value": "+49 171 1", "type": "mobile"},
        ],
        ENTERPRISE_URN: {
            "employeeNumber": "A7",
            "department": "Sales",
            "manager": {"value": resource_id(Kind.USER, "hr", "ben"), "displayName": "Ben"},
        },
        CUSTOM_URN: {
            "level": 3,
            "rate": 1.5,
            "remote": True,
            "startDate": "2020-01-01",
            "code": "aB",
            "hired": "2020-01-01T08:00:00Z",
        },
    },
    "ben": {
        "externalId": "E2",
        "displayName": "Ben",
        "name": {"givenName": "Ben", "familyName": "Ahn"},
        "title": "engineer",
        "emails": [
            {"value": "ben@example.com", "type": "work", "primary": True},
            {"value": "shared@example.com"},
        ],
        "addresses": [
            {"locality": "Berlin", "country": "DE", "type": "work"},
            {"locality": "Paris", "country": "FR", "type": "home"},
        ],
        ENTERPRISE_URN: {"employeeNumber": "b8", "department": "Sales"},
        CUSTOM_URN: {
            "level": 10,
            "rate": 2,
            "remote": False,
            "startDate": "2021-06-01",
            "code": "B",
            "hired": "2021-06-01T00:00:00Z",
        },
    },
    "cleo": {
        "externalId": "E3",
        "displayName": "Cleo Χρήστος",
        "title": "Manager",
        "emails": [{"value": "Shared@example.com", "type": "work", "primary": True}],
        ENTERPRISE_URN: {"department": "Research"},
    },
    "dora": {"externalId": "E4"},
    "emil": {
        "externalId": "E5",
        "displayName": 'Emil "the" O\'Neil \\ 50%',
        "name": {"givenName": "Emil", "familyName": "O'Neil"},
        "active": False,
    },
    "tanaka": {"user_name": "田中@例え.jp", "externalId": "E6", "displayName": "田中"},
    "zoe": {},
}
GROUPS = {"sales": "Sales", "old": "Old", "strasse": "Straße", "both": "Both"}
MEMBERS = {"sales": {"anna"}, "old": {"emil"}, "strasse": {"ben"}, "both": {"anna", "ben"}}
CUSTOM = {
    CUSTOM_URN: [
        {"name": "level", "type": "integer", "multiValued": False},
        {"name": "rate", "type": "decimal", "multiValued": False},
        {"name": "remote", "type": "boolean", "multiValued": False},
        {"name": "startDate", "type": "string", "multiValued": False, "caseExact": True},
        {"name": "code", "type": "string", "multiValued": False, "caseExact": True},
        {"name": "hired", "type": "dateTime", "multiValued": False},
    ]
}
IDS = {name: resource_id(Kind.USER, "hr", name) for name in PEOPLE} | {
    name: resource_id(Kind.GROUP, "hr", name) for name in GROUPS
}
NAMES = {id: name for name, id in IDS.items()}


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    kind: Kind
    text: str
    expected: Sequence[str] | None
    """Names in order of position; None where the filter must be refused."""


def table() -> list[Case]:
    cases: list[Case] = []
    kind = Kind.USER
    short = {"U": USER_URN, "G": GROUP_URN, "E": ENTERPRISE_URN, "C": CUSTOM_URN, **IDS}
    for line in Path(__file__).with_name("filters.txt").read_text().splitlines():
        if line.startswith("## "):
            kind = Kind(line[3:])
        elif line and not line.startswith("#"):
            text, _, names = line.rpartition(" -> ")
            text = re.sub(r"\{(\w+)\}", lambda found: short[found[1]], text)
            everybody = list(PEOPLE)
            special = {"nobody": [], "everybody": everybody, "invalid": None}
            cases.append(Case(kind, text, special.get(names, names.split())))
    return cases


CASES = table()


def publish(store: Store) -> None:
    """Anna to Emil at noon, the others at one; at two Dora loses a title, Emil leaves a group."""
    company = Company(store)
    writes = [
        company.write(name, **person, groups=[key for key, who in MEMBERS.items() if name in who])
        for name, person in (PEOPLE | {"dora": PEOPLE["dora"] | {"title": "Lead"}}).items()
    ]
    company.publish(*writes[:5], groups=GROUPS)
    company.pass_time(hours=1)
    with company.publication() as p:
        p.put_users(company.source, writes[5:])
        p.go_live(company.source, "name: hr", CUSTOM)
    company.pass_time(hours=1)
    company.publish(*(company.write(name, **PEOPLE[name]) for name in ("dora", "emil")))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    url = f"sqlite:///{tmp_path_factory.mktemp('filters')}/bridge.db"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres_server")
        template = request.getfixturevalue("postgres_template")
        server.run(f"CREATE DATABASE filters TEMPLATE {template}")
        url = server.url("filters")
    store = Store.open(url)
    publish(store)
    yield Pages(store)
    store.close()


def test_the_table_is_long() -> None:
    assert len({(case.kind, case.text) for case in CASES}) == len(CASES) > 300


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}: {case.text}" for case in CASES])
def test_a_filter_finds_whom_the_table_names(pages: Pages, case: Case) -> None:
    if case.expected is None:
        with pytest.raises(ScimError) as refused:
            filters.parse(case.kind, case.text, CUSTOM)
        assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")
        return
    read = filters.parse(case.kind, case.text, CUSTOM)
    page = pages.page(Query(case.kind, filter=read))
    assert [NAMES[row.id] for row in page.rows] == list(case.expected)
    assert page.total == len(case.expected)


def test_the_order_of_positions_and_the_total_are_those_of_all_pages(pages: Pages) -> None:
    wanted = filters.parse(Kind.USER, 'userName co "@" and active eq true', CUSTOM)
    found = [pages.page(Query(Kind.USER, n, 1, wanted)) for n in range(1, 8)]
    assert [NAMES[row.id] for page in found for row in page.rows] == [
        name for name in PEOPLE if name != "emil"
    ]
    assert {page.total for page in found} == {6}
    assert pages.page(Query(Kind.USER, 1, 0, wanted)).total == 6


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('secret.nonsense eq "value"', "secret.nonsense"),
        ('emails[nonsense eq "value"]', "emails.nonsense"),
        ("active eq 7", "active"),
        ('meta.lastModified gt "value"', "meta.lastModified"),
        ('urn:example:2.0:User:x eq "value"', "urn:example:2.0:User:x"),
    ],
)
def test_a_refusal_names_the_attribute_and_no_value(text: str, named: str) -> None:
    with pytest.raises(ScimError) as refused:
        filters.parse(Kind.USER, text, CUSTOM)
    assert named in refused.value.detail
    assert "value" not in refused.value.detail


def test_an_unknown_schema_hides_its_attributes_and_a_new_one_shows_them() -> None:
    text = f"{CUSTOM_URN}:level eq 3"
    with pytest.raises(ScimError):
        filters.parse(Kind.USER, text, {})
    filters.parse(Kind.USER, text, CUSTOM)


@pytest.mark.parametrize(
    "text",
    [
        f'userName eq "{"a" * filters.MAX_LENGTH}"',
        " or ".join(["title pr"] * (filters.MAX_TERMS + 1)),
        f"emails[{' or '.join(['type pr'] * (filters.MAX_TERMS + 1))}]",
        "(" * 4000,
        "not (" * 600 + "title pr" + ")" * 600,
        f"{CUSTOM_URN}:level eq {'9' * 400}",
        f"{CUSTOM_URN}:rate eq 1e999",
    ],
    ids=["length", "comparisons", "in brackets", "open", "depth", "whole number", "number"],
)
def test_a_filter_is_bounded(text: str) -> None:
    with pytest.raises(ScimError) as refused:
        filters.parse(Kind.USER, text, CUSTOM)
    assert refused.value.scim_type == "invalidFilter"


def test_the_longest_filters_are_answered(pages: Pages) -> None:
    for term in ("title pr", 'emails[type eq "work" and not (value co "zzz")]', "active eq true"):
        for word in (" or ", " and "):
            read = filters.parse(Kind.USER, word.join([term] * 25), CUSTOM)
            assert pages.page(Query(Kind.USER, filter=read)).total > 0


def test_letters_that_differ_by_case_alone_are_the_same(pages: Pages) -> None:
    json = pages._searches[Kind.USER]._json
    letters = [letter for letter in map(chr, range(0x250)) if letter.casefold() != letter]
    letters += [letter for letter in map(chr, range(0x370, 0x530)) if letter.casefold() != letter]
    same = f"SELECT {json.folded('CAST(? AS TEXT)')} = {json.folded('CAST(? AS TEXT)')}"
    differ = [
        letter
        for letter in letters
        if not pages._readers.rows(same, (letter, letter.casefold()))[0][0]
    ]
    assert differ == []


@st.composite
def written(draw: st.DrawFn) -> str:
    """Something near a filter: pieces of the grammar in any order."""
    pieces = st.sampled_from(
        (*"()[]", "and", "or", "not", "pr", "eq", "ne", "co", "gt", "userName", "emails", "active",
         "emails.type", "meta.lastModified", '"x"', '"2020-01-01T00:00:00Z"', "true", "null", "7",
         "1.5", f"{CUSTOM_URN}:level", f"{ENTERPRISE_URN}:manager", "\x00", "é")
    )  # fmt: skip
    return " ".join(draw(st.lists(pieces, max_size=12)))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(written() | st.text(max_size=40))
def test_whatever_is_written_is_answered_or_refused(pages: Pages, text: str) -> None:
    refused = (400, "invalidFilter")
    total = 0
    try:
        read = filters.parse(Kind.USER, text, CUSTOM)
        total = pages.page(Query(Kind.USER, filter=read)).total
    except ScimError as error:
        refused = (error.status, error.scim_type)
    assert refused == (400, "invalidFilter")
    assert total <= len(PEOPLE)
