"""``POST /.search`` asks what a query string asks, and more: both kinds at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pytest
from starlette.types import Message

from bridge.model import GROUP_URN, USER_URN
from bridge.scim import search_request
from bridge.scim.errors import ScimError

if TYPE_CHECKING:
    from tests.scim.conftest import Client, Reply

EVERYBODY = ["anna", "ben", "jörg", "zoe"]
GROUPS = ["sales", "dev"]
CUSTOM = "urn:ietf:params:scim:schemas:extension:example:2.0:User"


def read(body: bytes, length: bytes | None = None, pieces: int = 1) -> dict[str, str]:
    step = max(1, -(-len(body) // pieces))
    messages = [body[at : at + step] for at in range(0, max(1, len(body)), step)]
    more = iter([*[True] * (len(messages) - 1), False])

    async def receive() -> Message:
        return {"type": "http.request", "body": messages.pop(0), "more_body": next(more)}

    headers = [] if length is None else [(b"content-length", length)]
    return asyncio.run(search_request.parameters({"type": "http", "headers": headers}, receive))


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ({}, {}),
        ({"schemas": [search_request.SEARCH_URN]}, {}),
        ({"schemas": [search_request.SEARCH_URN, "urn:x"], "COUNT": 3}, {"count": "3"}),
        ({"startIndex": 1, "count": 0}, {"startindex": "1", "count": "0"}),
        ({"startIndex": -1, "count": "10"}, {"startindex": "-1", "count": "10"}),
        ({"filter": 'userName eq "a,b"'}, {"filter": 'userName eq "a,b"'}),
        ({"attributes": ["userName", "name.givenName"]}, {"attributes": "userName,name.givenName"}),
        ({"excludedAttributes": "members"}, {"excludedattributes": "members"}),
        ({"attributes": []}, {"attributes": ""}),
        ({"filter": None, "count": None, "attributes": None}, {}),
        ({"sortBy": "userName", "sortOrder": "descending", "cursor": {}, "x": [[1]]}, {}),
    ],
)
def test_a_body_is_read_as_the_query_string_it_stands_for(
    message: dict[str, Any], given: Mapping[str, str]
) -> None:
    body = orjson.dumps(message)
    for pieces in (1, 2, 7):
        assert read(body, str(len(body)).encode(), pieces) == given


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"filter": "\xe9"}',
        b'{"filter": "\\ud800"}',
        b'{"x":' * 5000 + b"1" + b"}" * 5000,
        b'{"schemas": "urn:ietf:params:scim:api:messages:2.0:SearchRequest"}',
        b'{"schemas": []}',
        b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}',
        b'{"filter": 1}',
        b'{"filter": ["id pr"]}',
        b'{"count": true}',
        b'{"count": 1.0}',
        b'{"startIndex": [1]}',
        b'{"attributes": [1]}',
        b'{"attributes": {"userName": true}}',
        b'{"excludedAttributes": [null]}',
    ],
)
def test_what_is_no_search_is_invalid_syntax(body: bytes) -> None:
    with pytest.raises(ScimError) as refused:
        read(body)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidSyntax")


@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b" " * 65_537, None),
        (b" " * 65_537, b"2"),
        (b"{}", b"65537"),
        (b"{}", b"9" * 5000),
    ],
)
def test_a_long_body_is_not_read_to_its_end(body: bytes, length: bytes | None) -> None:
    with pytest.raises(ScimError) as refused:
        read(body, length, pieces=3)
    assert (refused.value.status, refused.value.headers) == (413, {"connection": "close"})


def test_a_body_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_request, "_SECONDS", 0.01)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(ScimError) as refused:
        asyncio.run(search_request.parameters({"type": "http", "headers": []}, receive))
    assert (refused.value.status, refused.value.headers) == (408, {"connection": "close"})


def found(ask: Client, path: str, **message: Any) -> Reply:
    return ask(f"/scim/v2{path}", "POST", body=orjson.dumps(message))


@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
@pytest.mark.parametrize(
    "message",
    [
        {},
        {"startIndex": 2, "count": 1},
        {"count": 0},
        {"startIndex": 9, "count": 1000},
        {"filter": 'externalId eq "P2"'},
        {"filter": "nonsense"},
        {"attributes": ["displayName", "userName"]},
        {"excludedAttributes": ["members", "emails"]},
        {"attributes": ["id"], "excludedAttributes": ["id"]},
        {"count": "many"},
    ],
)
def test_a_search_answers_what_the_list_does(
    endpoint: str, message: dict[str, Any], ask: Client
) -> None:
    lists = {name: ",".join(v) if isinstance(v, list) else v for name, v in message.items()}
    listed = ask(f"/scim/v2/{endpoint}?{urlencode(lists)}")
    searched = found(ask, f"/{endpoint}/.search", **message)
    assert (searched.status, searched.body) == (listed.status, listed.body)
    assert searched.headers == listed.headers


@pytest.mark.parametrize("path", ["/Users/.search", "/Users//.search/"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/scim+json"},
        {"Content-Type": "application/json; charset=utf-8", "Accept": "text/html"},
        {"Content-Type": "application/scim+json; odata.metadata=none; charset=UTF-8"},
        {"Content-Type": "text/plain", "Accept": "application/json;q=0"},
        {},
    ],
)
def test_what_is_said_of_types_is_never_in_the_way(
    headers: dict[str, str], path: str, ask: Client
) -> None:
    headers = headers | {"Authorization": f"Bearer {ask.token}"}
    reply = ask(f"/scim/v2{path}", "POST", headers=headers, body=b'{"count": 1}')
    assert (reply.status, reply.json["itemsPerPage"]) == (200, 1)
    assert reply.headers["content-type"] == "application/scim+json"


@pytest.mark.parametrize(
    ("start", "count", "names"),
    [
        (1, 100, [*EVERYBODY, None, *GROUPS]),
        (1, 2, EVERYBODY[:2]),
        (3, 2, EVERYBODY[2:]),
        (4, 3, ["zoe", None, "sales"]),
        (5, 3, [None, *GROUPS]),
        (6, 1, ["sales"]),
        (7, 100, ["dev"]),
        (8, 100, []),
        (4, 0, []),
    ],
)
def test_the_root_searches_people_and_then_groups(
    start: int, count: int, names: list[str | None], ask: Client
) -> None:
    reply = found(ask, "/.search", startIndex=start, count=count).json
    # The place of a group that was deleted stays empty.
    ids = [ask.ids[name] for name in names if name is not None]
    assert [row["id"] for row in reply["Resources"]] == ids
    assert reply["totalResults"] == 7
    assert (reply["startIndex"], reply["itemsPerPage"]) == (start, len(ids))


def test_the_root_tells_each_row_s_kind(ask: Client) -> None:
    reply = found(ask, "/.search", attributes=["displayName", "meta.resourceType"]).json
    kinds = [row["meta"]["resourceType"] for row in reply["Resources"]]
    assert kinds == ["User"] * 4 + ["Group"] * 2
    assert [row.get("displayName") for row in reply["Resources"]][4] == "Department-Sales"


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ('userName eq "ben@example.com"', ["ben"]),
        ('displayName eq "department-sales"', ["sales"]),
        ('externalId eq "P4"', ["zoe"]),
        ('externalId eq "nobody"', []),
        ('userName eq "ben@example.com" or displayName eq "department-sales"', ["ben", "sales"]),
        ('userName eq "ben@example.com" and displayName eq "department-sales"', []),
        ("not (userName pr)", GROUPS),
        ('userName ne "ben@example.com" and not (members pr)', ["anna", "jörg", "zoe"]),
        ("active eq false", ["zoe"]),
        ('emails[primary eq true and value sw "a"]', ["anna"]),
        ('meta.resourceType eq "Group"', GROUPS),
        (f'{GROUP_URN}:displayName co "sales"', ["sales"]),
        (f"{USER_URN}:displayName pr", []),
        (f"{GROUP_URN}:displayName pr or {USER_URN}:active eq false", ["zoe", *GROUPS]),
        (f'{CUSTOM}:startDate eq "2020-01-01"', EVERYBODY),
        (f"not ({CUSTOM}:startDate pr)", GROUPS),
    ],
)
def test_nobody_has_what_is_the_other_kind_s(filter: str, names: list[str], ask: Client) -> None:
    reply = found(ask, "/.search", filter=filter).json
    assert [row["id"] for row in reply["Resources"]] == [ask.ids[name] for name in names]
    assert reply["totalResults"] == len(names)


def test_one_kind_s_search_does_not_know_the_other_s(ask: Client) -> None:
    for endpoint, name in (("Users", "members"), ("Groups", "userName")):
        assert found(ask, f"/{endpoint}/.search", filter=f"{name} pr").status == 400


def test_a_filter_at_the_root_on_what_no_kind_has_is_refused(ask: Client) -> None:
    reply = found(ask, "/.search", filter='nonsense eq "x"')
    assert (reply.status, reply.json["scimType"]) == (400, "invalidFilter")
