"""What the service says of itself is true of what it serves, and says all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scim2_models import Attribute, EnterpriseUser, User

from bridge.errors import FileFaults
from bridge.mapping import load
from bridge.mapping.targets import TYPES
from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN, Entry
from bridge.scim import application
from bridge.settings import Settings
from bridge.sources import settings_models
from bridge.store import Store, tokens
from tests.scim import conftest

if TYPE_CHECKING:
    from tests.scim.conftest import Client

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
CUSTOM = "urn:ietf:params:scim:schemas:extension:rich:1.0:User"
CUSTOM_VALUES: dict[str, Any] = {
    "string": "text",
    "boolean": True,
    "integer": 3,
    "decimal": 1.5,
    "dateTime": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "reference": "https://example.com/x",
}
IS_TYPE: Mapping[str, Any] = {
    "string": lambda value: isinstance(value, str),
    "reference": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "decimal": lambda value: type(value) in (int, float),
    "dateTime": lambda value: datetime.fromisoformat(value).tzinfo is not None,
    "complex": lambda value: isinstance(value, dict),
}
# RFC 7643 section 3: these are of every resource, and of no schema.
COMMON = {
    "schemas": list, "id": str, "externalId": str,
    "meta": dict,
}  # fmt: skip

Path_ = tuple[str, ...]


def mapping_text(*paths: Path_, custom: bool = False) -> str:
    """A mapping file that maps these attributes, and what is needed of everybody."""
    user: dict[str, Any] = {
        "userName": "mail",
        "name": {"givenName": "first", "familyName": "first"},
        "emails": [{"value": "mail", "type": "work", "primary": True}],
    }
    enterprise: dict[str, Any] = {}
    for urn, name, *sub in paths:
        section = enterprise if urn == ENTERPRISE_URN else user
        if not sub:
            section[name] = "first"
        elif name in ("name", "manager"):
            section.setdefault(name, {})[sub[0]] = "first"
        else:
            element = section.setdefault(name, [{"value": "first", "type": "work"}])[0]
            element[sub[0]] = {"type": "work", "primary": True}.get(sub[0], "first")
    if "manager" in enterprise:
        enterprise["manager"].setdefault("value", "first")
    if "addresses" in user:
        user["addresses"][0].pop("value")
        user["addresses"][0].setdefault("locality", "first")
    file: dict[str, Any] = {
        "version": 1,
        "name": "rich",
        "source": {
            "type": "csv", "path": "x.csv", "row_key": "id",
            "columns": {"id": "id", "mail": "mail", "first": "first"},
        },
        "key": "id",
        "external_id": "id",
        "active": {"otherwise": {"then": True, "reason": "employed"}},
        "user": user,
    }  # fmt: skip
    if enterprise:
        file["enterprise"] = enterprise
    if custom:
        attributes = {f"a{type}": {"type": type, "const": CUSTOM_VALUES[type]} for type in TYPES}
        file["custom"] = {"urn": CUSTOM, "attributes": attributes}
    return json.dumps(file)


def paths_of(urn: str, attributes: list[Attribute]) -> Iterator[Path_]:
    for attribute in attributes:
        subs = attribute.sub_attributes or []
        yield from ((urn, str(attribute.name), str(sub.name)) for sub in subs)
        if not subs:
            yield urn, str(attribute.name)


RFC_7643 = [
    path
    for model, urn in ((User, USER_URN), (EnterpriseUser, ENTERPRISE_URN))
    for path in paths_of(urn, model.to_schema().attributes or [])
]


def described(ask: Client) -> dict[str, dict[str, Any]]:
    """The definitions of the attributes by name and by URN."""
    schemas = ask("/scim/v2/Schemas").json["Resources"]
    return {one["id"]: {each["name"]: each for each in one["attributes"]} for one in schemas}


def definition(ask: Client, path: Path_) -> dict[str, Any] | None:
    urn, name, *sub = path
    found: dict[str, Any] | None = described(ask).get(urn, {}).get(name)
    if found and sub:
        subs = {each["name"]: each for each in found.get("subAttributes", ())}
        return subs.get(sub[0])
    return found


@pytest.mark.parametrize("path", RFC_7643, ids=".".join)
def test_an_attribute_is_described_where_a_mapping_can_serve_it(path: Path_, ask: Client) -> None:
    try:
        load(mapping_text(path), "rich.yaml", settings_models())
    except FileFaults:
        can_be_served = path == (USER_URN, "active")  # it has a section of its own
    else:
        can_be_served = True
    assert (definition(ask, path) is not None) is can_be_served


@pytest.fixture
def served(ask: Client, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Makes the web role of a company of its own."""
    with ExitStack() as stores:

        def serve(*people: Mapping[str, Any], **more: Any) -> Client:
            store = Store.open(f"sqlite:///{tmp_path}/rich.db")
            stores.callback(store.close)
            ids = conftest.serve(store, {person["externalId"]: person for person in people}, **more)
            with store.write() as c:
                token = tokens.create(c, "okta", None, datetime.now(UTC))[1]
            app = application(store, Settings(public_url="https://bridge.example"))
            return replace(ask, app=app, token=token, ids=ids)

        yield serve


@pytest.fixture
def rich(ask: Client, served: Callable[..., Client]) -> Client:
    """A company in which somebody has everything and somebody next to nothing."""
    everything = [path for path in RFC_7643 if definition(ask, path) is not None]
    everything.remove((USER_URN, "active"))
    people = []
    schemas: dict[str, list[dict[str, Any]]] = {}
    for key, text in (("1", mapping_text(*everything, custom=True)), ("2", mapping_text())):
        mapping = load(text, "rich.yaml", settings_models())
        entry = Entry(key, {"id": key, "mail": f"{key}@example.com", "first": "First"}, b"")
        resource = mapping.person([entry], NOW).resource
        assert resource is not None
        assert not resource.links
        people.append(resource.attributes)
        schemas |= mapping.schemas
    groups = {"g": "Group", "empty": "Empty"}
    return served(*people, groups=groups, memberships={"1": {"g"}}, schemas=schemas)


def test_everything_served_is_described_and_everything_described_is_served(rich: Client) -> None:
    schemas = described(rich)
    seen: set[Path_] = set()
    for endpoint, core in (("Users", USER_URN), ("Groups", GROUP_URN)):
        rows = rich(f"/scim/v2/{endpoint}").json["Resources"]
        assert rows
        for row in rows:
            assert list(faults(row, core, schemas, seen)) == []
    assert seen == {
        path
        for urn, attributes in schemas.items()
        for path in paths_of(urn, [Attribute.model_validate(each) for each in attributes.values()])
    }


def faults(
    row: Mapping[str, Any], core: str, schemas: Mapping[str, Any], seen: set[Path_]
) -> Iterator[str]:
    """What is not as the schemas say; notes what was ``seen``."""
    extensions = {urn: row[urn] for urn in row["schemas"] if urn != core}
    yield from (
        name for name, type in COMMON.items() if not isinstance(row.get(name, type()), type)
    )
    names = row.keys() - COMMON.keys() - extensions.keys()
    for urn, values in ((core, {name: row[name] for name in names}), *extensions.items()):
        yield from wrong(values, schemas.get(urn, {}), (urn,), seen)


def wrong(
    values: Mapping[str, Any], definitions: Mapping[str, Any], at: Path_, seen: set[Path_]
) -> Iterator[str]:
    for name, value in values.items():
        path = (*at, name)
        if name not in definitions:
            yield f"{path} is not described"
            continue
        told = definitions[name]
        if isinstance(value, list) is not told["multiValued"]:
            yield f"{path} is one or many"
        for one in value if isinstance(value, list) else [value]:
            if not IS_TYPE[told["type"]](one):
                yield f"{path} is no {told['type']}"
            elif told["type"] == "complex":
                subs = {each["name"]: each for each in told["subAttributes"]}
                yield from wrong(one, subs, path, seen)
            else:
                seen.add(path)
    yield from (
        f"{at} lacks {name}"
        for name, told in definitions.items()
        if told["required"] and name not in values
    )


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("shoeSize", "43", f"('{USER_URN}', 'shoeSize') is not described"),
        ("title", 1, f"('{USER_URN}', 'title') is no string"),
        ("name", [], f"('{USER_URN}', 'name') is one or many"),
        ("emails", {"value": "x"}, f"('{USER_URN}', 'emails') is one or many"),
        ("emails", [{"value": 1}], f"('{USER_URN}', 'emails', 'value') is no string"),
        ("urn:x", {"a": 1}, "('urn:x', 'a') is not described"),
    ],
)
def test_the_walk_finds_what_is_not_as_described(
    name: str, value: Any, fault: str, rich: Client
) -> None:
    row = rich("/scim/v2/Users").json["Resources"][0] | {name: value}
    row["schemas"] = [USER_URN, *(name for name in row if name.startswith("urn:"))]
    assert fault in list(faults(row, USER_URN, described(rich), set()))


CASE_EXACT = {
    (USER_URN, "profileUrl"), (USER_URN, "photos", "value"), (GROUP_URN, "members", "value"),
    (ENTERPRISE_URN, "manager", "value"),
    *((CUSTOM, f"a{type}") for type in ("string", "date", "reference")),
}  # fmt: skip
REQUIRED = {(USER_URN, "userName"), (GROUP_URN, "displayName")}


def test_every_description_says_what_is_so(rich: Client) -> None:
    flat = {
        (urn, name, *sub): told
        for urn, attributes in described(rich).items()
        for name, attribute in attributes.items()
        for sub, told in [
            ((), attribute),
            *(((each["name"],), each) for each in attribute.get("subAttributes", ())),
        ]
    }
    assert {told["mutability"] for told in flat.values()} == {"readOnly"}
    assert {told["returned"] for told in flat.values()} == {"default"}
    exact = {path for path, told in flat.items() if told.get("caseExact")}
    assert exact == CASE_EXACT
    assert {path for path, told in flat.items() if told["required"]} == REQUIRED
    unique = {path for path, told in flat.items() if told["uniqueness"] != "none"}
    assert unique == {(USER_URN, "userName")}
    assert flat[USER_URN, "emails", "type"]["canonicalValues"] == ["work", "home", "other"]
    assert flat[GROUP_URN, "members", "type"]["canonicalValues"] == ["User"]
    references = {path for path, told in flat.items() if told["type"] == "reference"}
    assert all(flat[path]["referenceTypes"] for path in references)


def test_the_resource_types_name_their_schemas_and_endpoints(rich: Client) -> None:
    for type in rich("/scim/v2/ResourceTypes").json["Resources"]:
        endpoint = f"/scim/v2{type['endpoint']}"
        assert rich(endpoint).json["totalResults"] == 2
        extensions = [each["schema"] for each in type.get("schemaExtensions", ())]
        for urn in (type["schema"], *extensions):
            assert rich(f"/scim/v2/Schemas/{urn}").json["id"] == urn
        used = {urn for row in rich(endpoint).json["Resources"] for urn in row["schemas"]}
        assert used == {type["schema"], *extensions}
        assert not any(each["required"] for each in type.get("schemaExtensions", ()))


def test_the_limits_of_the_configuration_are_the_limits(served: Callable[..., Client]) -> None:
    people = [
        {"externalId": f"P{n}", "userName": f"p{n}@example.com", "active": True}
        for n in range(1001)
    ]
    ask = served(*people)
    told = ask("/scim/v2/ServiceProviderConfig").json
    everybody = ask("/scim/v2/Users?count=5000").json
    assert everybody["itemsPerPage"] == told["filter"]["maxResults"]
    assert everybody["itemsPerPage"] == told["pagination"]["maxPageSize"]
    assert ask("/scim/v2/Users").json["itemsPerPage"] == told["pagination"]["defaultPageSize"]


def test_what_the_configuration_calls_unsupported_is_refused_or_ignored(ask: Client) -> None:
    told = ask("/scim/v2/ServiceProviderConfig").json
    assert told["patch"]["supported"] is False
    assert ask(f"/scim/v2/Users/{ask.ids['anna']}", "PATCH").status == 501
    assert told["bulk"]["supported"] is False
    assert ask("/scim/v2/Bulk", "POST").status == 404
    assert told["sort"]["supported"] is False
    listed = ask("/scim/v2/Users").body
    assert ask("/scim/v2/Users?sortBy=userName&sortOrder=descending").body == listed
    assert told["pagination"] | {"cursor": False, "index": True} == told["pagination"]
    assert ask("/scim/v2/Users?cursor=").body == listed


def test_every_authentication_scheme_of_the_configuration_is_accepted(ask: Client) -> None:
    schemes = ask("/scim/v2/ServiceProviderConfig").json["authenticationSchemes"]
    assert [scheme["type"] for scheme in schemes] == ["oauthbearertoken", "httpbasic"]
    assert [scheme.get("primary") for scheme in schemes] == [True, None]
    told = ask("/scim/v2/Users", headers={}).headers["www-authenticate"]
    assert [each.split()[0] for each in told.split(", ")] == ["Bearer", "Basic"]


@pytest.mark.parametrize(
    "query", ["attributes=id", "excludedAttributes=attributes", "count=1", "startIndex=9", "x=1"]
)
def test_discovery_ignores_what_shapes_lists(query: str, ask: Client) -> None:
    for path in ("Schemas", "ResourceTypes", "ServiceProviderConfig"):
        assert ask(f"/scim/v2/{path}?{query}").body == ask(f"/scim/v2/{path}").body
