"""What somebody is served already, for the values that stay: ``on: create``, ``if_empty: keep``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.model import Link, Served

# A name of this form was given up or taken away, and is nobody's choice.
_GIVEN_UP = ("@left.invalid", "@erased.invalid")


@dataclass(frozen=True, slots=True)
class Held:
    """A value that is served, and the links it is the answer of."""

    value: Any
    links: tuple[Link, ...] = ()


def held(served: Served | None, path: tuple[str, ...]) -> Held | None:
    """What is served at ``path``; None where that is nothing."""
    if served is None:
        return None
    value: Any = served.attributes
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    links = tuple(link for link in served.links if link.path == path)
    if path == ("userName",) and str(value).endswith(_GIVEN_UP):
        return None
    return Held(value, links) if links or value is not None else None


def held_in_list(served: Served | None, attribute: str, type_: str | None, part: str) -> Any:
    """A part of the served element of that type of a list; None where that is nothing."""
    elements = served.attributes.get(attribute, ()) if served is not None else ()
    return next((each.get(part) for each in elements if each.get("type") == type_), None)
