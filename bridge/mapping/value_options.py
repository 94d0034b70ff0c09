"""The options of a value that look back at what is served, and the one that hides it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bridge.mapping.reader import Reader
from bridge.mapping.yaml_text import Node, Scalar, Table

NAMES = ("on", "if_empty", "unique", "sensitive")
COUNTER = "counter"
"""The name that expressions under ``unique`` may use besides all others."""

_NEVER_EMPTY = ("const", "default", "on")
_NOT_UNIQUE = ("default", "max_length", "on", "if_empty")


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """``settles``: once there, the value stays. ``keeps``: it stays while there is no new one.
    ``unique`` are the expressions of which the first value is taken that nobody else has."""

    settles: bool = False
    keeps: bool = False
    unique: tuple[Scalar, ...] = ()
    sensitive: bool = False


NO_OPTIONS = ValueOptions()


def read_value_options(
    table: Table, label: str, reader: Reader, *, required: bool, one_text: bool
) -> ValueOptions:
    """The options in a value's table; ``one_text`` where it is a single text, not in a list."""
    values, faults = table.values, reader.faults
    settles = _choice(values.get("on"), f"{label}: on", ("always", "create"), reader)
    keeps = _choice(values.get("if_empty"), f"{label}: if_empty", ("clear", "keep"), reader)
    idle = [name for name in _NEVER_EMPTY if name in values] + ["required"] * required
    if keeps and idle:
        hint = "say required: false" if idle == ["required"] else "leave one of them out"
        where = values["if_empty"].place
        faults.add(where, f"{label}: if_empty says nothing beside {idle[0]}", hint)
    unique = []
    if "unique" in values:
        if not one_text:
            faults.add(values["unique"].place, f"{label}: unique is for a single text")
        for name in _NOT_UNIQUE:
            if name in values:
                faults.add(values[name].place, f"{label}: unique takes no {name}",
                           "a unique value is settled once, as its expressions say")  # fmt: skip
        found = (
            reader.scalar(item, f"{label}: an expression of unique")
            for item in reader.items(values["unique"], f"{label}: unique")
        )
        unique = [scalar for scalar in found if scalar]
    sensitive = reader.boolean(values.get("sensitive"), f"{label}: sensitive")
    return ValueOptions(settles or bool(unique), keeps, tuple(unique), bool(sensitive))


def _choice(node: Node | None, what: str, words: Collection[str], reader: Reader) -> bool:
    """Whether the second of two words stands there; the first is the same as nothing."""
    usual, other = words
    word = reader.text(node, what) or usual
    if word not in words and node is not None:
        reader.faults.add(node.place, f"{what} is {usual} or {other}")
    return word == other
