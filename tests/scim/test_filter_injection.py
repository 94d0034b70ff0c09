"""The values of filters are values: nothing in them is SQL, a pattern, a path or more filter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from bridge.model import ENTERPRISE_URN, Kind, Query
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

URN = "urn:ietf:params:scim:schemas:extension:example:2.0:User"
CUSTOM = {URN: [{"name": "code", "type": "string", "multiValued": False, "caseExact": True}]}
VALUES = [
    "%", "%%", "_", "a%b", "a_b", "axb", "axxb", "\\", "\\%", "\\_", "'", "''", '"', '\\"', ";",
    "--",
    "' OR '1'='1", "'; DROP TABLE users; --", "x' UNION SELECT hash FROM tokens --", "/*", "*/",
    "/**/", "?", "?1", ":wanted", "$1", "{}", "$.userName", '$."userName"', "[0]", "*", "a*b",
    '" or title pr or title eq "', "a) or (title pr", "\\u0025", "\\n", "E'\\x27'", "$$", "$t$x$t$",
    "%s", "%(wanted)s", "NULL", "true", "1", "0 or 1=1", "\t", "\n--\n", "\u2028", "\ufeff",
]  # fmt: skip
PLACES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "title": lambda value: {"title": value},
    "externalId": lambda value: {"externalId": value},
    "name.familyName": lambda value: {"name": {"familyName": value}},
    "emails.value": lambda value: {"emails": [{"value": value, "type": "work"}]},
    f"{ENTERPRISE_URN}:department": lambda value: {ENTERPRISE_URN: {"department": value}},
    f"{URN}:code": lambda value: {URN: {"code": value}},
}
MEANT: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda value, wanted: value.casefold() == wanted.casefold(),
    "co": lambda value, wanted: wanted.casefold() in value.casefold(),
    "sw": lambda value, wanted: value.casefold().startswith(wanted.casefold()),
    "ew": lambda value, wanted: value.casefold().endswith(wanted.casefold()),
}


def key(number: int) -> str:
    return f"p{number}@example.com"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    """A person for each of the values, who has it everywhere."""
    url = f"sqlite:///{tmp_path_factory.mktemp('injection')}/bridge.db"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres_server")
        template = request.getfixturevalue("postgres_template")
        server.run(f"CREATE DATABASE injection TEMPLATE {template}")
        url = server.url("injection")
    store = Store.open(url)
    company = Company(store)
    writes = []
    for number, value in enumerate(VALUES):
        everywhere: dict[str, Any] = {}
        for place in PLACES.values():
            everywhere |= place(value)
        writes.append(company.write(f"p{number}", key(number), **everywhere))
    with company.publication() as p:
        p.put_users(company.source, writes)
        p.go_live(company.source, "name: hr", CUSTOM)
    yield Pages(store)
    store.close()


def found(pages: Pages, text: str) -> set[str]:
    query = Query(Kind.USER, 1, 1000, filters.parse(Kind.USER, text, CUSTOM))
    return {json.loads(row.document)["userName"] for row in pages.page(query).rows}


@pytest.mark.parametrize("op", MEANT)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_a_value_is_it_finds_whom_it_says_and_nobody_else(
    pages: Pages, place: str, op: str
) -> None:
    for wanted in VALUES:
        meant = {key(number) for number, value in enumerate(VALUES) if MEANT[op](value, wanted)}
        assert found(pages, f"{place} {op} {json.dumps(wanted)}") == meant, wanted


def test_everybody_is_still_there_after_all_that(pages: Pages) -> None:
    assert len(found(pages, "userName pr")) == len(VALUES)


@pytest.mark.parametrize(
    "name",
    [
        "title'", 'title"', "title--", "title;", "users.title", "title)", "1=1", "rowid",
        "document",
        "title/**/", f"{URN}:code'", f"{URN}:nothing", "$.title", "title[0]", "emails[0].value",
        "name.familyName'", "position", "active' or 'a",
    ],
)  # fmt: skip
def test_a_name_that_is_none_of_the_schema_s_is_refused(name: str) -> None:
    with pytest.raises(ScimError) as refused:
        filters.parse(Kind.USER, f'{name} eq "x"', CUSTOM)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")
