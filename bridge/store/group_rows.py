"""The groups Okta is served, and who is in them, as a publication writes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bridge.model import Kind, resource_id
from bridge.store.resources import render
from bridge.store.statements import among, chunks, many, rows_for
from bridge.store.tables import (
    DirectoryGroupRow,
    GroupRow,
    MembershipRow,
    RecordRow,
    SourceRow,
    fold,
    table,
)

_groups = table(GroupRow)
_membership = table(MembershipRow)
_directory = table(DirectoryGroupRow)
_records = table(RecordRow)

_OF_KEYS = select(
    _groups.c.key,
    _groups.c.position,
    _groups.c.display_name,
    _groups.c.document.is_not(None).label("live"),
).where(_groups.c.source_id == bindparam("source"), _groups.c.key.in_(among()))
_INSERT = insert(_groups)
_NAME = (
    update(_groups)
    .where(_groups.c.position == bindparam("place"))
    .values({name: bindparam(name) for name in ("display_name", "name_fold", "document")})
    .values(publication=bindparam("publication"))
)
_TOUCH = (
    update(_groups).where(_groups.c.position.in_(among())).values(publication=bindparam("number"))
)
_JOIN = insert(_membership)
_LEAVE = delete(_membership).where(
    _membership.c.group_position == bindparam("group"),
    _membership.c.user_position == bindparam("user"),
)
_EMPTY = select(_groups.c.position, _groups.c.key).where(
    _groups.c.source_id == bindparam("source"),
    _groups.c.document.is_not(None),
    ~select(_membership.c.user_position)
    .where(_membership.c.group_position == _groups.c.position)
    .exists(),
    ~select(_directory.c.record_id)
    .join(_records, _records.c.id == _directory.c.record_id)
    .where(
        _directory.c.source_id == _groups.c.source_id,
        _directory.c.key == _groups.c.key,
        _records.c.gone_at.is_(None),
    )
    .exists(),
)
_DROP = (
    update(_groups)
    .where(_groups.c.position.in_(among()))
    .values(document=None, publication=bindparam("number"))
)


class GroupRows:
    """The group rows of one publication; remembers the groups it came by, not their members."""

    def __init__(self, c: Connection, number: Callable[[], int]) -> None:
        self._c = c
        self._number = number
        self._known: dict[tuple[int, str], tuple[int, str | None]] = {}
        self._source_names: dict[int, str] = {}
        self._touched: set[int] = set()
        self._last: int | None = None

    def put(self, source_id: int, names: Mapping[str, str]) -> None:
        """Serve these groups under these names: new ones, renamed ones, and holes revived."""
        self._look_up(source_id, names)
        fresh: list[dict[str, Any]] = []
        stale: list[dict[str, Any]] = []
        for key, name in names.items():
            place, served_as = self._known.get((source_id, key), (None, None))
            if served_as == name:
                continue
            id = resource_id(Kind.GROUP, self._source_name(source_id), key)
            values = {
                "display_name": name,
                "name_fold": fold(name),
                "document": render(id, Kind.GROUP, {"displayName": name}),
                "publication": self._number(),
            }
            if place is None:
                place = self._next_position()
                fresh.append(
                    {**values, "position": place, "id": id, "source_id": source_id, "key": key}
                )
            else:
                stale.append({**values, "place": place})
            self._known[source_id, key] = (place, name)
        many(self._c, _INSERT, fresh)
        many(self._c, _NAME, stale)

    def change(
        self,
        source_id: int,
        joined: Collection[tuple[str, int]],
        left: Collection[tuple[str, int]],
    ) -> None:
        """People, by position, join and leave groups, by key; `put` must have served the groups.

        A person may leave a group that is already a hole.
        """
        self._look_up(source_id, {key for key, _ in (*joined, *left)})
        places = {key: self._known[source_id, key][0] for key, _ in (*joined, *left)}
        many(
            self._c,
            _JOIN,
            [{"group_position": places[key], "user_position": user} for key, user in joined],
        )
        many(self._c, _LEAVE, [{"group": places[key], "user": user} for key, user in left])
        self._touched.update(places.values())

    def drop_empty(self, source_id: int) -> list[str]:
        """Make a hole of every group of the source in which nobody is left and that no directory
        has; return their keys."""
        empty = self._c.execute(_EMPTY, {"source": source_id}).all()
        for chunk in chunks(empty):
            places = [row.position for row in chunk]
            self._c.execute(_DROP, {"keys": places, "number": self._number()})
            self._touched.difference_update(places)
        for row in empty:
            self._known[source_id, row.key] = (row.position, None)
        return [row.key for row in empty]

    def flush(self) -> None:
        """Give every group whose members changed the publication's number."""
        for chunk in chunks(self._touched):
            self._c.execute(_TOUCH, {"keys": chunk, "number": self._number()})
        self._touched.clear()

    def _look_up(self, source_id: int, keys: Iterable[str]) -> None:
        unknown = [key for key in keys if (source_id, key) not in self._known]
        for row in rows_for(self._c, _OF_KEYS, unknown, source=source_id):
            name = row.display_name if row.live else None
            self._known[source_id, row.key] = (row.position, name)

    def _source_name(self, source_id: int) -> str:
        if source_id not in self._source_names:
            sources = table(SourceRow)
            statement = select(sources.c.name).where(sources.c.id == source_id)
            self._source_names[source_id] = self._c.execute(statement).scalar_one()
        return self._source_names[source_id]

    def _next_position(self) -> int:
        if self._last is None:
            highest = select(func.coalesce(func.max(_groups.c.position), 0))
            self._last = int(self._c.execute(highest).scalar_one())
        self._last += 1
        return self._last
