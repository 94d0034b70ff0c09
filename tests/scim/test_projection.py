"""``attributes`` and ``excludedAttributes`` leave of a resource what RFC 7644 section 3.9 says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN, Kind
from bridge.scim import projection
from bridge.scim.errors import ScimError

CUSTOM = "urn:example:custom:1.0:User"
META = {"resourceType": "User", "location": "https://bridge.example/x", "version": 'W/"1"'}
ANNA: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN, CUSTOM],
    "id": "a",
    "userName": "anna",
    "name": {"givenName": "Anna", "familyName": "A"},
    "title": "Chief",
    "emails": [
        {"value": "anna@example.com", "type": "work", "primary": True},
        {"value": "anna@example.org", "type": "home"},
    ],
    ENTERPRISE_URN: {
        "department": "Sales",
        "manager": {"value": "b", "displayName": "Ben"},
    },
    CUSTOM: {"startDate": "2020-01-01", "title": "Custom", "department": "Own"},
    "meta": META,
}
SALES: dict[str, Any] = {
    "schemas": [GROUP_URN],
    "id": "s",
    "displayName": "Sales",
    "members": [{"value": "a", "type": "User"}],
    "meta": META,
}


def asked(
    kind: Kind = Kind.USER, attributes: str = "", excluded: str = ""
) -> projection.Projection | None:
    return projection.parse(kind, {"attributes": attributes, "excludedattributes": excluded})


def part(document: dict[str, Any], **given: str) -> dict[str, Any]:
    kind = Kind.GROUP if GROUP_URN in document["schemas"] else Kind.USER
    wanted = asked(kind, **given)
    assert wanted is not None
    result: dict[str, Any] = orjson.loads(wanted.of(orjson.dumps(document)))
    return result


def core(*names: str, **others: Any) -> dict[str, Any]:
    """Anna with these core attributes, besides what is always there."""
    return {"schemas": [USER_URN], "id": "a", **{n: ANNA[n] for n in names}, **others}


def with_extension(urn: str, **values: Any) -> dict[str, Any]:
    return {"schemas": [USER_URN, urn], "id": "a", urn: values}


@pytest.mark.parametrize(
    ("attributes", "answer"),
    [
        ("userName", core("userName")),
        ("USERNAME , title", core("userName", "title")),
        ("id", core()),
        ("schemas", core()),
        ("meta", core("meta")),
        ("meta.version", core(meta={"version": 'W/"1"'})),
        ("name.givenName", core(name={"givenName": "Anna"})),
        ("name.givenName,name.familyName", core("name")),
        ("name.givenName,name", core("name")),
        ("name,name.givenName", core("name")),
        ("name.", core("name")),
        (
            "emails.value",
            core(emails=[{"value": "anna@example.com"}, {"value": "anna@example.org"}]),
        ),
        ("emails.primary", core(emails=[{"primary": True}])),
        ("emails.display", core()),
        ("userName.value", core()),
        ("nickName", core()),
        ("nonsense", core()),
        ("urn:nobody:knows:this", core()),
        ("[],;!", core()),
        (f"{USER_URN}:userName", core("userName")),
        (f"{USER_URN.upper()}:UserName", core("userName")),
        (f"{USER_URN}:name.givenName", core(name={"givenName": "Anna"})),
        (USER_URN, core("userName", "name", "title", "emails", "meta")),
        (f"{ENTERPRISE_URN}:department", with_extension(ENTERPRISE_URN, department="Sales")),
        (
            f"{ENTERPRISE_URN}:manager.displayName",
            with_extension(ENTERPRISE_URN, manager={"displayName": "Ben"}),
        ),
        (ENTERPRISE_URN, with_extension(ENTERPRISE_URN, **ANNA[ENTERPRISE_URN])),
        (ENTERPRISE_URN.lower(), with_extension(ENTERPRISE_URN, **ANNA[ENTERPRISE_URN])),
        (f"{ENTERPRISE_URN}:nonsense", core()),
        ("manager.value", with_extension(ENTERPRISE_URN, manager={"value": "b"})),
        ("startDate", with_extension(CUSTOM, startDate="2020-01-01")),
        ("title", core("title")),
        (f"{CUSTOM}:title", with_extension(CUSTOM, title="Custom")),
        (
            f"title,{CUSTOM}:startDate",
            {**with_extension(CUSTOM, startDate="2020-01-01"), "title": "Chief"},
        ),
    ],
)
def test_attributes_are_all_there_is_besides_what_is_always_there(
    attributes: str, answer: dict[str, Any]
) -> None:
    assert part(ANNA, attributes=attributes) == answer


def without(*names: str, **others: Any) -> dict[str, Any]:
    rest = {name: value for name, value in (ANNA | others).items() if name not in names}
    rest["schemas"] = [urn for urn in ANNA["schemas"] if urn not in names]
    return rest


@pytest.mark.parametrize(
    ("excluded", "answer"),
    [
        ("userName", without("userName")),
        ("emails, NAME", without("emails", "name")),
        ("id", without()),
        ("schemas,id,meta", without("meta")),
        ("nonsense,nickName", without()),
        ("name.givenName", without(name={"familyName": "A"})),
        ("name.givenName,name.familyName", without("name")),
        (
            "emails.value,emails.primary",
            without(emails=[{"type": "work"}, {"type": "home"}]),
        ),
        ("userName.value", without()),
        (USER_URN, without("userName", "name", "title", "emails", "meta")),
        (f"{USER_URN}:title", without("title")),
        (ENTERPRISE_URN, without(ENTERPRISE_URN)),
        (
            f"{ENTERPRISE_URN}:manager.value",
            without(**{ENTERPRISE_URN: {"department": "Sales", "manager": {"displayName": "Ben"}}}),
        ),
        (
            f"{CUSTOM}:startDate,{CUSTOM}:title,{CUSTOM}:department",
            without(CUSTOM),
        ),
    ],
)
def test_excluded_attributes_are_left_out(excluded: str, answer: dict[str, Any]) -> None:
    assert part(ANNA, excluded=excluded) == answer


def test_a_group_is_answered_without_its_members() -> None:
    rest = {name: value for name, value in SALES.items() if name != "members"}
    assert part(SALES, excluded="members") == rest
    assert part(SALES, attributes="displayname") == {
        "schemas": [GROUP_URN], "id": "s", "displayName": "Sales",
    }  # fmt: skip
    assert part(SALES, attributes="members.value")["members"] == [{"value": "a"}]


@pytest.mark.parametrize(
    ("attributes", "excluded", "wanted"),
    [
        ("displayName", "", False),
        ("members", "", True),
        ("Members.value", "", True),
        (f"{GROUP_URN}:members", "", True),
        (GROUP_URN, "", True),
        (USER_URN, "", False),
        ("", "members", False),
        ("", "members.value", True),
        ("", "members.value,members", False),
        ("", "displayName", True),
        ("", f"{GROUP_URN}:members", False),
        ("", GROUP_URN, False),
    ],
)
def test_members_are_read_where_they_are_wanted(
    attributes: str, excluded: str, wanted: bool
) -> None:
    projected = asked(Kind.GROUP, attributes, excluded)
    assert projected is not None
    assert projected.wants("members") is wanted


@pytest.mark.parametrize(("attributes", "excluded"), [("", ""), (" , ,", ""), ("", ",")])
def test_naming_nothing_asks_for_everything(attributes: str, excluded: str) -> None:
    assert asked(Kind.USER, attributes, excluded) is None


def test_asking_both_ways_is_refused() -> None:
    with pytest.raises(ScimError) as refused:
        asked(Kind.USER, "userName", "emails")
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidSyntax")
