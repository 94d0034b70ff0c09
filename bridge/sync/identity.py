"""By which names a person is known, and what stands where there is none."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Set
from typing import Any

from bridge.model import Served


def identities(key: str, attributes: Dict[str, Any]) -> list[tuple[str, str]]:
    """The names by which links may refer to a person, as (by, ref)."""
    found = [("key", key), ("userName", str(attributes["userName"]).casefold())]
    if "externalId" in attributes:
        found.append(("externalId", attributes["externalId"]))
    return found


def left_name(id: str) -> str:
    """The userName of somebody inactive who gave theirs up; ``.invalid`` is RFC 2606's."""
    return f"{id}@left.invalid"


def erased_name(id: str) -> str:
    """The userName of somebody of whom nothing was kept; as `left_name`."""
    return f"{id}@erased.invalid"


def is_nameless(id: str, user_name: str) -> bool:
    """Whether that is no name but what stands for one that was given up or erased."""
    return user_name in (left_name(id), erased_name(id))


def is_protected(before: Served, protect: Set[str]) -> bool:
    """Whether the file protects this person, by any name that people know them by."""
    names = {name.casefold() for _, name in identities(before.key, before.attributes)}
    return not {name.casefold() for name in protect}.isdisjoint({*names, before.id})
