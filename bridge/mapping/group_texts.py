"""``groups:`` as a file says it: groups of a directory, and groups worked out from people."""

from __future__ import annotations

from dataclasses import dataclass

from bridge import dn
from bridge.mapping.reader import Reader
from bridge.mapping.yaml_text import Node, Scalar, Table

NESTED = ("flatten", "direct")

_DERIVED = ("key", "displayName")
_DIRECTORY = ("base", "filter", "key", "displayName", "members")


@dataclass(frozen=True, slots=True)
class GroupText:
    """A group worked out from people."""

    label: str
    key: Scalar
    display_name: Scalar


@dataclass(frozen=True, slots=True)
class DirectoryGroupText:
    """Groups that a directory has under ``base``; with ``flatten`` the people of a member group
    are members too."""

    label: str
    flatten: bool
    base: Scalar
    filter: Scalar
    key: Scalar
    display_name: Scalar
    members: Scalar


@dataclass(frozen=True, slots=True)
class GroupTexts:
    """Both kinds, each in the order of the file."""

    derived: tuple[GroupText, ...] = ()
    directory: tuple[DirectoryGroupText, ...] = ()


def read_groups(node: Node | None, reader: Reader) -> GroupTexts:
    """The groups under ``groups``; faults are noted."""
    derived: list[GroupText] = []
    directory: list[DirectoryGroupText] = []
    for number, item in enumerate(reader.items(node, "groups"), start=1):
        label = f"groups[{number}]"
        table = reader.table(item, "a group")
        if table is None:
            continue
        if table.keys.keys().isdisjoint({"base", "filter", "members", "nested"}):
            reader.keys(table, _DERIVED, "under groups")
            if parts := _scalars(table, _DERIVED, reader):
                derived.append(GroupText(label, *parts))
        else:
            reader.keys(table, (*_DIRECTORY, "nested"), "under groups")
            flatten = _flatten(table, reader)
            if parts := _scalars(table, _DIRECTORY, reader):
                _check_base(parts[0], reader)
                directory.append(DirectoryGroupText(label, flatten, *parts))
    return GroupTexts(tuple(derived), tuple(directory))


def _scalars(table: Table, names: tuple[str, ...], reader: Reader) -> list[Scalar]:
    """The values of these keys, or nothing where one is missing."""
    reader.need(table, names, "under groups")
    found = [reader.scalar(table.values.get(name), f"groups: {name}") for name in names]
    scalars = [scalar for scalar in found if scalar]
    return scalars if len(scalars) == len(names) else []


def _flatten(table: Table, reader: Reader) -> bool:
    node = table.values.get("nested")
    said = reader.text(node, "groups: nested")
    if node is not None and said not in NESTED:
        reader.faults.add(node.place, f"groups: nested is {' or '.join(NESTED)}")
    return said == "flatten"


def _check_base(base: Scalar, reader: Reader) -> None:
    try:
        dn.normal(base.text)
    except ValueError as error:
        reader.faults.add(base.place, f"groups: base is {error}")
