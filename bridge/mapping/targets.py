"""``user``, ``enterprise`` and ``custom``: which SCIM attributes there are, and what each takes.

The attributes are RFC 7643 section 4.1 and 4.3; the lengths are Okta's. Without a user name, a
given name, a family name and one primary e-mail Okta cannot import a person, so these must be
mapped, and a person without one is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.mapping import value_options
from bridge.mapping.faults import Place, did_you_mean
from bridge.mapping.reader import Reader
from bridge.mapping.value_options import NO_OPTIONS, ValueOptions, read_value_options
from bridge.mapping.yaml_text import Items, Node, Scalar, Table
from bridge.model import ENTERPRISE_URN, GROUP_URN, USER_URN

TEXTS = frozenset(
    ("userName", "displayName", "nickName", "profileUrl", "title", "userType",
     "preferredLanguage", "locale", "timezone")
)  # fmt: skip
NAME = frozenset(
    ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
)
_ADDRESS = frozenset(("formatted", "streetAddress", "locality", "region", "postalCode", "country"))
LISTS: Mapping[str, frozenset[str]] = {
    "addresses": _ADDRESS,
    **{
        name: frozenset({"value", "display"})
        for name in ("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles")
    },
}
_USER = TEXTS | {"name"} | set(LISTS)
ENTERPRISE = frozenset(("employeeNumber", "costCenter", "organization", "division", "department"))
_ELSEWHERE = {
    "active": "active is worked out under `active:`, beside `user:`",
    "externalId": "externalId is `external_id:`, beside `user:`",
    "id": "id is worked out from `name:` and `key:`",
    "groups": "groups are listed under `groups:`, beside `user:`",
    "password": "a password is never served",
    **{part: f"{part} stands under `name:`" for part in NAME},
    **{part: f"{part} stands under `enterprise:`" for part in (*ENTERPRISE, "manager")},
    **dict.fromkeys(("email", "mail"), "addresses are a list under `emails:`"),
    **dict.fromkeys(("phone", "phoneNumber", "mobile"), "numbers are a list under `phoneNumbers:`"),
}
"""What people look for under ``user``, and where it is."""
TYPES = ("string", "boolean", "integer", "decimal", "dateTime", "date", "reference")

OPTIONS = ("expr", "const", "required", "default", "max_length", *value_options.NAMES)
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_URN = re.compile(r"urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:[A-Za-z0-9._:-]{1,200}")

_LENGTHS: Mapping[tuple[str, ...], tuple[int, int]] = {
    ("userName",): (5, 100),
    ("name", "givenName"): (1, 50),
    ("name", "familyName"): (1, 50),
    ("emails", "value"): (1, 100),
}
"""The shortest and longest text that Okta takes."""
_NEEDED = (("userName",), ("name", "givenName"), ("name", "familyName"))


@dataclass(frozen=True, slots=True)
class Target:
    """One SCIM attribute of the file: where it goes and what it is made of.

    ``expr`` is None where the value is ``const`` or made of ``options.unique``. ``path`` is where
    it stands in the resource.
    """

    path: tuple[str, ...]
    label: str
    place: Place
    expr: Scalar | None
    const: Any = None
    type: str = "string"
    required: bool = False
    default: Any = None
    max_length: int | None = None
    lengths: tuple[int, int] | None = None
    description: str = ""
    options: ValueOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """One element of a list such as ``emails``: fixed ``type`` and ``primary``, and its parts."""

    attribute: str
    label: str
    fixed: Mapping[str, Any]
    parts: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """Everything a person is served as; ``urn`` is the custom schema's, or empty."""

    single: tuple[Target, ...]
    listed: tuple[ListedTarget, ...]
    custom: tuple[Target, ...] = ()
    urn: str = ""


class TargetReader:
    """Reads the three sections of a file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._single: list[Target] = []
        self._listed: list[ListedTarget] = []
        self._custom: list[Target] = []

    def read(self, top: Table) -> Targets:
        reader = self._reader
        if user := reader.table(top.values.get("user"), "user"):
            self._user(user)
        if enterprise := reader.table(top.values.get("enterprise"), "enterprise"):
            self._enterprise(enterprise)
        custom = reader.table(top.values.get("custom"), "custom")
        urn = self._read_custom(custom) if custom else ""
        return Targets(tuple(self._single), tuple(self._listed), tuple(self._custom), urn)

    def _user(self, user: Table) -> None:
        for name, node in user.values.items():
            place = user.keys[name].place
            if name == "name":
                self._name(node)
            elif name in LISTS:
                self._list(name, node)
            elif name in TEXTS:
                self._single.append(self._target(node, (name,), f"user.{name}", place))
            else:
                near = _ELSEWHERE.get(name) or did_you_mean(name, _USER)
                hint = near or "other attributes go under `custom:`"
                self._reader.faults.add(place, f"unknown key {name!r} under user", hint)
        mapped = {target.path for target in self._single}
        for path in _NEEDED:
            if path not in mapped:
                self._reader.faults.add(
                    user.place, f"user.{'.'.join(path)} is missing", "Okta needs it of everybody"
                )
        emails = [item.fixed for item in self._listed if item.attribute == "emails"]
        given = user.values.get("emails")
        is_no_list = given is not None and not isinstance(given, Items)
        if not (is_no_list or any("primary" in fixed for fixed in emails)):
            self._reader.faults.add(
                (given or user).place,
                "one of user.emails needs `primary: true`", "Okta needs it of everybody",
            )  # fmt: skip

    def _name(self, node: Node) -> None:
        table = self._reader.table(node, "user.name")
        if table is None:
            return
        self._reader.keys(table, NAME, "under user.name")
        for part, value in table.values.items():
            if part in NAME:
                self._single.append(
                    self._target(value, ("name", part), f"user.name.{part}", table.keys[part].place)
                )

    def _enterprise(self, table: Table) -> None:
        self._reader.keys(table, ENTERPRISE | {"manager"}, "under enterprise")
        for name, node in table.values.items():
            place = table.keys[name].place
            if name in ENTERPRISE:
                self._single.append(
                    self._target(node, (ENTERPRISE_URN, name), f"enterprise.{name}", place)
                )
            elif name == "manager" and (manager := self._reader.table(node, "enterprise.manager")):
                self._reader.keys(manager, ("value", "displayName"), "under enterprise.manager")
                self._reader.need(manager, ("value",), "under enterprise.manager")
                for part, value in manager.values.items():
                    if part in ("value", "displayName"):
                        path = (ENTERPRISE_URN, "manager", part)
                        label = f"enterprise.manager.{part}"
                        self._single.append(
                            self._target(value, path, label, manager.keys[part].place)
                        )

    def _list(self, name: str, node: Node) -> None:
        seen: dict[str, str] = {}
        primaries = 0
        for element in self._reader.items(node, f"user.{name}"):
            table = self._reader.table(element, f"an element of user.{name}")
            if table is None:
                continue
            self._reader.keys(table, LISTS[name] | {"type", "primary"}, f"under user.{name}")
            fixed: dict[str, Any] = {}
            if kind := self._reader.text(table.values.get("type"), f"user.{name}: type"):
                fixed["type"] = kind
            if self._reader.boolean(table.values.get("primary"), f"user.{name}: primary"):
                fixed["primary"] = True
                primaries += 1
            if kind in seen:
                self._reader.faults.add(
                    table.place, f"two elements of user.{name} have the type {kind!r}",
                    f"the first is in {seen[kind]}",
                )  # fmt: skip
            seen.setdefault(kind, table.place.in_words)
            if primaries > 1 and fixed.get("primary"):
                self._reader.faults.add(table.place, f"two elements of user.{name} are primary")
            parts = tuple(
                self._target(value, (name, part), f"user.{name}[{kind}].{part}",
                             table.keys[part].place, primary="primary" in fixed)
                for part, value in table.values.items() if part in LISTS[name]
            )  # fmt: skip
            if name != "addresses":
                self._reader.need(table, ("value",), f"under user.{name}")
            self._listed.append(ListedTarget(name, f"user.{name}[{kind}]", fixed, parts))

    def _read_custom(self, table: Table) -> str:
        reader = self._reader
        reader.keys(table, ("urn", "attributes"), "under custom")
        reader.need(table, ("urn", "attributes"), "under custom")
        urn = reader.text(table.values.get("urn"), "custom.urn")
        if urn and (not _URN.fullmatch(urn) or urn in (USER_URN, GROUP_URN, ENTERPRISE_URN)):
            reader.faults.add(
                table.values["urn"].place, "custom.urn is not a schema URN of your own",
                "such as urn:ietf:params:scim:schemas:extension:example:2.0:User",
            )  # fmt: skip
        attributes = reader.table(table.values.get("attributes"), "custom.attributes")
        for name, node in attributes.values.items() if attributes else ():
            place = attributes.keys[name].place if attributes else node.place
            if not _ATTRIBUTE_NAME.fullmatch(name) or name.lower() == "groups":
                reader.faults.add(place, f"{name!r} cannot be the name of an attribute",
                                  "letters, digits, - and _, and not `groups`")  # fmt: skip
            target = self._target(node, (urn, name), f"custom.{name}", place, custom=True)
            self._custom.append(target)
        return urn

    def _target(
        self, node: Node, path: tuple[str, ...], label: str, place: Place, *,
        custom: bool = False, primary: bool = False,
    ) -> Target:  # fmt: skip
        reader = self._reader
        lengths = _LENGTHS.get(path)
        needed = path in _NEEDED or (path == ("emails", "value") and primary)
        if not isinstance(node, Table) and not custom:
            return Target(path, label, place, reader.scalar(node, label), required=needed,
                          lengths=lengths)  # fmt: skip
        table = reader.table(node, label, "with `type` and `expr`")
        if table is None:
            return Target(path, label, place, None)
        own = ("type", "description") if custom else ()
        reader.keys(table, (*OPTIONS, *own), f"under {label}")
        values = table.values
        kind = reader.text(values.get("type"), f"{label}: type") if custom else "string"
        if custom and kind not in TYPES:
            where = values["type"].place if "type" in values else table.place
            reader.faults.add(where, f"{label} needs a type", f"one of {', '.join(TYPES)}")
        if sum(key in values for key in ("expr", "const", "unique")) != 1:
            reader.faults.add(table.place, f"{label} needs expr, const or unique, one of them")
        const, default = (
            self._literal(values.get(key), f"{label}: {key}") for key in ("const", "default")
        )
        if "max_length" in values and kind not in ("string", "reference"):
            reader.faults.add(values["max_length"].place, f"{label}: max_length is for text")
        required = reader.boolean(values.get("required"), f"{label}: required")
        if required is False and path == ("userName",):
            reader.faults.add(values["required"].place, "user.userName is always required")
        required = needed if required is None else required
        return Target(
            path, label, place, reader.scalar(values.get("expr"), label), const, kind, required,
            default, self._length(values.get("max_length"), label), lengths,
            reader.text(values.get("description"), f"{label}: description"),
            read_value_options(table, label, reader, required=required,
                               one_text=kind == "string" and path[0] not in LISTS),
        )  # fmt: skip

    def _literal(self, node: Node | None, what: str) -> Any:
        scalar = self._reader.scalar(node, what)
        return scalar.value if scalar else None

    def _length(self, node: Node | None, label: str) -> int | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and type(node.value) is int and node.value > 0:
            return node.value
        self._reader.faults.add(node.place, f"{label}: max_length is a number of characters")
        return None
