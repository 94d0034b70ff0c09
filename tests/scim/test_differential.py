"""Random lists asked of two services that have the same resources: ours, and scim2-server.

It knows our resources by our own discovery documents, and reads them with its own code. What the
two differ in on purpose is kept out of the random requests, and is in the last tests of this file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from scim2_models import (
    ListResponse,
    ResourceType,
    Schema,
    SCIMException,
    ScimProvider,
    ServiceProviderConfig,
)
from scim2_server.handler import ScimHandler
from scim2_server.memory import InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService

from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN, Kind, resource_id
from bridge.scim import application
from bridge.scim.search_request import SEARCH_URN
from bridge.settings import Settings
from bridge.store import Store, tokens
from tests.scim import conftest

if TYPE_CHECKING:
    from tests.scim.conftest import Client

SEEDS = [1, 2]
BASE = "https://bridge.example/scim/v2"
CUSTOM = "urn:example:custom:1.0:User"
SCHEMA = [
    {"name": "level", "type": "integer", "multiValued": False},
    {"name": "share", "type": "decimal", "multiValued": False},
    {"name": "remote", "type": "boolean", "multiValued": False},
    {"name": "since", "type": "dateTime", "multiValued": False},
    {"name": "badge", "type": "string", "multiValued": False, "caseExact": True},
]
TEXTS = ["Sales", "sales", "Dev", "Ärztin", "ärztin", "Straße", "ΣΊΣΥΦΟΣ", "a%b_c", 'o\'x "y" \\z']
TYPES = ["work", "home", "other", "WORK"]
DATES = ["2020-01-01T00:00:00Z", "2024-02-29T12:30:00Z", "2026-06-15T12:00:00Z"]
VALUES: dict[str, list[Any]] = {
    "string": [*TEXTS, *TYPES, "S", "es", "ä", "%", "", "p3@example.com", "P7"],
    "reference": ["https://example.com/a", "https://example.com/A"],
    "integer": [0, 1, 2, 3, -1],
    "decimal": [0, 0.5, 1.5, 2],
    "boolean": [True, False],
    "dateTime": [*DATES, "2024-02-29T13:30:00+01:00", "2024-02-29T12:30:00.000Z"],
}


def person(n: int, chance: random.Random) -> dict[str, Any]:
    """Somebody who has about half of everything."""

    def some(**attributes: Any) -> dict[str, Any]:
        return {name: value for name, value in attributes.items() if chance.random() < 0.5}

    def text() -> str:
        return chance.choice(TEXTS)

    def values(primary: bool) -> list[dict[str, Any]]:
        chosen = chance.sample(TYPES, chance.randint(1, 3))
        return [
            {"value": f"p{n}-{kind}@example.com", **some(display=text(), type=kind)}
            | ({"primary": True} if primary and not at else {})
            for at, kind in enumerate(chosen)
        ]

    enterprise = some(
        department=text(),
        employeeNumber=str(n % 5),
        manager={"value": resource_id(Kind.USER, "hr", "P1"), **some(displayName=text())},
    )
    custom = some(
        level=chance.randint(0, 3),
        share=chance.choice([0.5, 1.5, 2.0]),
        remote=chance.random() < 0.5,
        since=chance.choice(DATES),
        badge=text(),
    )
    return {
        "externalId": f"P{n}",
        "userName": f"p{n}@example.com",
        "active": chance.random() < 0.7,
        **some(
            name={"givenName": text(), **some(familyName=text())},
            title=text(),
            displayName=text(),
            profileUrl=chance.choice(VALUES["reference"]),
            emails=values(primary=True),
            phoneNumbers=values(primary=False),
            addresses=[{"type": kind, **some(locality=text())} for kind in TYPES[:2]],
        ),
        **({ENTERPRISE_URN: enterprise} if enterprise else {}),
        **({CUSTOM: custom} if custom else {}),
    }


class Services(NamedTuple):
    ours: Client
    theirs: ScimHandler


@pytest.fixture(scope="module", params=SEEDS)
def services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Two services with one random company."""
    chance = random.Random(request.param)
    people = [person(n, chance) for n in range(1, 31)]
    # They list by id where nothing else is asked for, we by position.
    people.sort(key=lambda each: resource_id(Kind.USER, "hr", each["externalId"]))
    keys = sorted("abcd", key=lambda key: resource_id(Kind.GROUP, "hr", key))
    groups = dict(zip(keys, chance.sample(TEXTS, len(keys)), strict=True))
    memberships = {each["externalId"]: {chance.choice(keys)} for each in people}
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('differential')}/bridge.db")
    named = {each["externalId"]: each for each in people}
    ids = conftest.serve(store, named, groups, memberships, {CUSTOM: SCHEMA})
    with store.write() as c:
        token = tokens.create(c, "judge", None, datetime.now(UTC))[1]
    app = application(store, Settings(public_url="https://bridge.example"))
    ours = conftest.Client(app, token, ids=ids)
    yield Services(ours, peer(ours))
    store.close()


def peer(ours: Client) -> ScimHandler:
    """scim2-server with what we describe and serve."""

    def described(path: str, model: Any) -> Any:
        body = ours(f"/scim/v2/{path}").body
        return ListResponse[model].model_validate_json(body).resources

    config = ServiceProviderConfig.model_validate_json(ours("/scim/v2/ServiceProviderConfig").body)
    provider = ScimProvider.from_discovery(
        described("Schemas", Schema), described("ResourceTypes", ResourceType), config=config
    )
    storage = InMemoryStorage()
    for kind in ("User", "Group"):
        model: Any = provider.model_for(kind)
        rows = ours(f"/scim/v2/{kind}s?count=1000").json["Resources"]
        storage.resources += [model.model_validate(row) for row in rows]
    return ScimHandler(ScimService(provider), storage)


class Answer(NamedTuple):
    status: int
    total: int
    rows: list[dict[str, Any]]


def ask_us(ours: Client, path: str, query: dict[str, str]) -> Answer:
    reply = ours(f"/scim/v2{path}?{urlencode(query, quote_via=quote)}")
    if reply.status != 200:
        return Answer(reply.status, 0, [])
    return answer_of(reply.json)


def ask_them(theirs: ScimHandler, path: str, query: dict[str, str]) -> Answer:
    try:
        response = theirs.handle(ScimRequest("GET", BASE, path, query))
    except SCIMException as refused:
        return Answer(int(refused.status or 0), 0, [])
    return answer_of(orjson.loads(orjson.dumps(response.body)))


def answer_of(body: dict[str, Any]) -> Answer:
    total, rows = body.get("totalResults", 1), body.get("Resources", [])
    if "totalResults" not in body:
        rows = [body]
    for meta in (row["meta"] for row in rows if "lastModified" in row.get("meta", ())):
        # With milliseconds or without: RFC 7643 section 2.3.5 takes either.
        meta["lastModified"] = datetime.fromisoformat(meta["lastModified"])
    return Answer(200, total, rows)


PATHS: dict[str, dict[str, str]] = {
    "Users": {
        "id": "string", "externalId": "string", "userName": "string", "active": "boolean",
        "title": "string", "displayName": "string", "name.givenName": "string",
        "name.familyName": "string", "profileUrl": "reference", "emails.value": "string",
        "emails.type": "string", "emails.primary": "boolean", "phoneNumbers.display": "string",
        "addresses.locality": "string", "nickName": "string",
        f"{USER_URN}:title": "string", f"{ENTERPRISE_URN}:department": "string",
        f"{ENTERPRISE_URN}:employeeNumber": "string",
        f"{ENTERPRISE_URN}:manager.displayName": "string", f"{CUSTOM}:level": "integer",
        f"{CUSTOM}:share": "decimal", f"{CUSTOM}:remote": "boolean", f"{CUSTOM}:since": "dateTime",
        f"{CUSTOM}:badge": "string", "meta.resourceType": "string",
    },
    "Groups": {
        "id": "string", "displayName": "string", "members.value": "string",
        "members.type": "string", f"{GROUP_URN}:displayName": "string",
    },
}  # fmt: skip
LISTS = {
    "Users": {"emails": ["value", "display", "type"], "phoneNumbers": ["value", "display"]},
    "Groups": {"members": ["value", "type"]},
}
MANY = {"emails", "phoneNumbers", "addresses", "members"}
OPERATORS: dict[str, list[str]] = {
    "string": ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
    "reference": ["eq", "ne", "co", "sw"],
    "integer": ["eq", "ne", "gt", "ge", "lt", "le"],
    "decimal": ["eq", "ne", "gt", "ge", "lt", "le"],
    "boolean": ["eq", "ne"],
    "dateTime": ["eq", "ne", "gt", "ge", "lt", "le"],
}


@st.composite
def comparisons(draw: st.DrawFn, names: dict[str, str]) -> str:
    name = draw(st.sampled_from(sorted(names)))
    if draw(st.integers(0, 5)) == 0:
        return f"{name} pr"
    kind = names[name]
    operator = draw(st.sampled_from(OPERATORS[kind]))
    if operator == "ne" and name.partition(".")[0] in MANY:
        operator = "eq"
    value = orjson.dumps(draw(st.sampled_from(VALUES[kind]))).decode()
    return f"{odd_case(draw, name)} {odd_case(draw, operator)} {value}"


def odd_case(draw: st.DrawFn, text: str) -> str:
    return draw(st.sampled_from([text, text, text.upper(), text.lower()]))


def filters(endpoint: str) -> st.SearchStrategy[str]:
    def values_of(name: str) -> st.SearchStrategy[str]:
        names = dict.fromkeys(LISTS[endpoint][name], "string")
        inner = logical(comparisons(names))
        return inner.map(lambda text: f"{name}[{text}]")

    lists = st.sampled_from(sorted(LISTS[endpoint])).flatmap(values_of)
    return logical(st.one_of(comparisons(PATHS[endpoint]), lists))


def logical(terms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        terms,
        lambda inner: st.one_of(
            st.builds("not ({})".format, inner),
            st.builds("{} and {}".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
        ),
        max_leaves=3,
    )


@st.composite
def lists(draw: st.DrawFn, endpoint: str) -> dict[str, str]:
    """The parameters of a list request."""
    query: dict[str, str] = {}
    if draw(st.booleans()):
        query["filter"] = draw(filters(endpoint))
    if draw(st.booleans()):
        query["startIndex"] = str(draw(st.integers(-1, 35)))
    if draw(st.booleans()):
        query["count"] = str(draw(st.sampled_from([-1, 0, 1, 2, 10, 100, 2000])))
    return query | draw(projections(endpoint))


@st.composite
def projections(draw: st.DrawFn, endpoint: str) -> dict[str, str]:
    names = [
        *PATHS[endpoint],
        *(name.partition(".")[0] for name in PATHS[endpoint] if ":" not in name),
    ]
    names += ["meta", "meta.version", "schemas", "nonsense", "emails.nonsense"]
    parameter = draw(st.sampled_from(["", "attributes", "excludedAttributes"]))
    if not parameter:
        return {}
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4))
    return {parameter: ",".join(odd_case(draw, name) for name in chosen)}


@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_lists_are_the_same(services: Services, endpoint: str, data: st.DataObject) -> None:
    query = data.draw(lists(endpoint))
    assert_same(services, f"/{endpoint}", query)


@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_single_resources_are_the_same(
    services: Services, endpoint: str, data: st.DataObject
) -> None:
    id = data.draw(st.sampled_from(sorted(services.ours.ids.values())))
    assert_same(services, f"/{endpoint}/{id}", data.draw(projections(endpoint)))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(endpoint=st.sampled_from(["Users", "Groups"]), data=st.data())
def test_searches_of_both_kinds_find_the_same(
    services: Services, endpoint: str, data: st.DataObject
) -> None:
    filter = f"{data.draw(filters(endpoint))} or displayName pr"
    body = orjson.dumps({"schemas": [SEARCH_URN], "filter": filter, "attributes": ["id"]})
    ours = answer_of(services.ours("/scim/v2/.search", "POST", body=body).json)
    headers = {"Content-Type": "application/scim+json"}
    request = ScimRequest("POST", BASE, "/.search", headers=headers, body=body)
    theirs = answer_of(orjson.loads(orjson.dumps(services.theirs.handle(request).body)))
    # They list both kinds by id, we people first.
    assert ours.total == theirs.total
    assert {row["id"] for row in ours.rows} == {row["id"] for row in theirs.rows}


def assert_same(services: Services, path: str, query: dict[str, str]) -> None:
    ours, theirs = ask_us(services.ours, path, query), ask_them(services.theirs, path, query)
    assert (ours.status, ours.total) == (theirs.status, theirs.total)
    assert [row["id"] for row in ours.rows] == [row["id"] for row in theirs.rows]
    assert ours.rows == theirs.rows


DIFFERENCES = [
    # RFC 7644 section 3.4.2.2: a list meets a comparison where any of its values does, `ne` as
    # well; they ask it of all.
    ({"filter": "emails.primary ne true"}, 28, 13),
    # The same section compares a complex attribute by its `value`; a name has none.
    ({"filter": 'name eq "x"'}, 400, 0),
    # RFC 7644 section 3.10: a URN with a name is an attribute's path, one without is a schema.
    # What they refuse to ask of a schema is answered here.
    ({"filter": f"{ENTERPRISE_URN} pr"}, 26, 400),
    # RFC 7643 section 2.3.5: a dateTime has a time.
    ({"filter": 'meta.lastModified gt "2020-01-01"'}, 400, 0),
    # RFC 7644 section 3.4.2.2, invalidFilter: `created` is never served, and `location` differs
    # with the URL that the service is reached by.
    ({"filter": 'meta.created gt "2020-01-01T00:00:00Z"'}, 400, 0),
    ({"filter": 'meta.location co "x"'}, 400, 30),
    # RFC 7644 section 3.4.2.3 leaves sorting to the service, RFC 9865 section 2 cursors: clients
    # that send what the configuration calls unsupported still get their list.
    ({"sortBy": "userName"}, 30, 501),
    ({"cursor": ""}, 30, 501),
    # RFC 7644 section 3.9 has no error for a name that nothing has.
    ({"attributes": "urn:x:y"}, 30, 400),
    ({"attributes": 'emails[type eq "work"]'}, 30, 400),
]


@pytest.mark.parametrize("services", SEEDS[:1], indirect=True)
@pytest.mark.parametrize(("query", "ours", "theirs"), DIFFERENCES)
def test_the_known_differences_are_still_there(
    services: Services, query: dict[str, str], ours: int, theirs: int
) -> None:
    answers = ask_us(services.ours, "/Users", query), ask_them(services.theirs, "/Users", query)
    told = [answer.status if answer.status != 200 else answer.total for answer in answers]
    assert told == [ours, theirs]


def test_a_name_of_an_extension_is_forgiven_its_missing_urn(services: Services) -> None:
    # RFC 7644 section 3.10: clients should qualify it, but need not.
    query = {"attributes": "department", "filter": f"{ENTERPRISE_URN}:department pr"}
    ours, theirs = (
        ask_us(services.ours, "/Users", query),
        ask_them(services.theirs, "/Users", query),
    )
    assert all("department" in row[ENTERPRISE_URN] for row in ours.rows)
    assert not any(ENTERPRISE_URN in row for row in theirs.rows)
