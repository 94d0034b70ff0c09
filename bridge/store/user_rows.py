"""The people Okta is served, as a publication writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bridge.model import ENTERPRISE_URN, Link, Served
from bridge.store.group_rows import GroupRows
from bridge.store.resources import encode_groups, encode_links, link_name
from bridge.store.statements import many
from bridge.store.tables import LinkRow, LookupRow, SourceRow, UserRow, fold, table

_users = table(UserRow)
_links = table(LinkRow)
_lookups = table(LookupRow)
_sources = table(SourceRow)

_INSERT = insert(_users)
_UPDATE = (
    update(_users)
    .where(_users.c.position == bindparam("place"))
    .values(
        {
            column.name: bindparam(column.name)
            for column in _users.c
            if column.name not in ("position", "id", "source_id", "key")
        }
    )
)
_LINK = insert(_links)
_UNLINK = delete(_links).where(
    *(_links.c[name] == bindparam(f"old_{name}") for name in _links.c.keys())  # noqa: SIM118
)
_LIST = insert(_lookups)
_UNLIST = delete(_lookups).where(
    *(_lookups.c[name] == bindparam(f"old_{name}") for name in _lookups.c.keys())  # noqa: SIM118
)


@dataclass(frozen=True, slots=True)
class UserWrite:
    """A person as Okta is served from now on; ``before`` is how it was, None for a new one."""

    before: Served | None
    key: str
    id: str
    user_name: str
    external_id: str | None
    email: str | None
    active: bool
    reason: str
    document: bytes
    links: tuple[Link, ...] = ()
    groups: frozenset[str] = frozenset()


class UserRows:
    """The user rows of one publication."""

    def __init__(self, c: Connection, number: Callable[[], int], groups: GroupRows) -> None:
        self._c = c
        self._number = number
        self._groups = groups
        self._last: int | None = None
        self._people: Counter[int] = Counter()
        self._active: Counter[int] = Counter()

    def put(self, source_id: int, writes: Sequence[UserWrite]) -> None:
        """Serve these people; new ones get the next positions, in the order given."""
        fresh: list[dict[str, Any]] = []
        stale: list[dict[str, Any]] = []
        linked: list[dict[str, Any]] = []
        unlinked: list[dict[str, Any]] = []
        listed: list[dict[str, Any]] = []
        unlisted: list[dict[str, Any]] = []
        joined: list[tuple[str, int]] = []
        left: list[tuple[str, int]] = []
        for write in writes:
            before = write.before
            values = self._values(write)
            if before is None:
                place = self._next_position()
                fresh.append(
                    {
                        **values,
                        "position": place,
                        "id": write.id,
                        "source_id": source_id,
                        "key": write.key,
                    }
                )
                self._people[source_id] += 1
                self._active[source_id] += write.active
            else:
                place = before.position
                stale.append({**values, "place": place})
                self._active[source_id] += write.active - before.active
            old, new = _names(before.links if before else ()), _names(write.links)
            linked += (_link(source_id, place, *name) for name in new - old)
            unlinked += (_old(_link(source_id, place, *name)) for name in old - new)
            if before is None or before.document != write.document:
                was = set(looked_up(before.attributes)) if before else set()
                now = set(looked_up(orjson.loads(write.document)))
                listed += (_lookup(place, *pair) for pair in now - was)
                unlisted += (_old(_lookup(place, *pair)) for pair in was - now)
            was_in = before.groups if before else frozenset()
            joined += ((key, place) for key in write.groups - was_in)
            left += ((key, place) for key in was_in - write.groups)
        many(self._c, _INSERT, fresh)
        many(self._c, _UPDATE, stale)
        many(self._c, _UNLINK, unlinked)
        many(self._c, _LINK, linked)
        many(self._c, _UNLIST, unlisted)
        many(self._c, _LIST, listed)
        self._groups.change(source_id, joined, left)

    def flush(self) -> None:
        """Bring the counters of the sources up to date."""
        for source_id in self._people.keys() | self._active.keys():
            self._c.execute(
                update(_sources)
                .where(_sources.c.id == source_id)
                .values(
                    people=_sources.c.people + self._people[source_id],
                    active=_sources.c.active + self._active[source_id],
                )
            )
        self._people.clear()
        self._active.clear()

    def _values(self, write: UserWrite) -> dict[str, Any]:
        before = write.before
        same = before is not None and before.document == write.document
        return {
            "user_name": write.user_name,
            "name_fold": fold(write.user_name),
            "external_id": write.external_id,
            "email_fold": None if write.email is None else fold(write.email),
            "active": write.active,
            "ever_active": write.active or (before is not None and before.ever_active),
            "reason": write.reason,
            # Nothing that Okta reads changed: neither does the ETag.
            "publication": before.publication if same and before else self._number(),
            "document": write.document,
            "links": encode_links(write.links),
            "groups": encode_groups(write.groups),
        }

    def _next_position(self) -> int:
        if self._last is None:
            highest = select(func.coalesce(func.max(_users.c.position), 0))
            self._last = int(self._c.execute(highest).scalar_one())
        self._last += 1
        return self._last


def _names(links: Sequence[Link]) -> set[tuple[str, str]]:
    return {(link.by, link_name(link.by, link.ref)) for link in links}


def looked_up(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What `LookupRow` holds of a person: names and folded values."""
    for email in attributes.get("emails", ()):
        if "value" in email and not email.get("primary"):
            yield "email", fold(email["value"])
    if number := attributes.get(ENTERPRISE_URN, {}).get("employeeNumber"):
        yield "employeeNumber", fold(number)


def _lookup(position: int, name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "user_position": position}


def _old(row: dict[str, Any]) -> dict[str, Any]:
    return {f"old_{column}": value for column, value in row.items()}


def _link(source_id: int, position: int, by: str, ref: str) -> dict[str, Any]:
    return {"source_id": source_id, "by": by, "ref": ref, "user_position": position}
