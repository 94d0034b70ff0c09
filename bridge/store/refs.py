"""What entries call one another (a directory's DNs), and which person a name means.

A name means the record that is called so now, and where there is none the one that last was: a
link survives the renaming of whom it names until somebody else takes the name over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, union

from bridge.store.statements import among, insert, many, rows_for
from bridge.store.tables import FormerRefRow, LinkRow, RecordRow, UserRow, table

BY = "dn"
"""The ``by`` of links that name a record by its ref."""

_records = table(RecordRow)
_former = table(FormerRefRow)
_links = table(LinkRow)
_users = table(UserRow)

_of_source = _records.c.source_id == bindparam("source")
_NOW: Select[Any] = select(
    _records.c.ref, _records.c.person_key, _records.c.gone_at.is_not(None), _records.c.id
).where(_of_source, _records.c.ref.in_(among()), _records.c.person_key.is_not(None))
_BEFORE = (
    select(_former.c.ref, _records.c.person_key)
    .join(_records, _records.c.id == _former.c.record_id)
    .where(
        _former.c.source_id == bindparam("source"),
        _former.c.ref.in_(among()),
        _records.c.person_key.is_not(None),
    )
)
_FORMERLY = (
    select(_records.c.id, _records.c.person_key)
    .join(_former, _records.c.id == _former.c.record_id)
    .where(_former.c.source_id == bindparam("source"), _former.c.ref.in_(among()))
)
_OF_PEOPLE = union(
    select(_records.c.ref).where(
        _of_source, _records.c.person_key.in_(among()), _records.c.ref.is_not(None)
    ),
    select(_former.c.ref)
    .join(_records, _records.c.id == _former.c.record_id)
    .where(_of_source, _records.c.person_key.in_(among())),
)
_FOLLOWERS = (
    select(_users.c.key)
    .join(_links, _links.c.user_position == _users.c.position)
    .where(
        _links.c.source_id == bindparam("source"),
        _links.c.by == BY,
        _links.c.ref.in_(among()),
    )
)


def people(c: Connection, source_id: int, refs: Iterable[str]) -> dict[str, str]:
    """The key of the person whom each ref means; one that means nobody is not in the answer.

    Of several records the one that is not gone is meant, then the one read first most lately.
    """
    wanted = set(refs)
    now = sorted(rows_for(c, _NOW, wanted, source=source_id), key=lambda row: (not row[2], row[3]))
    found = {row.ref: row.person_key for row in now}
    for row in rows_for(c, _BEFORE, wanted - found.keys(), source=source_id):
        found[row.ref] = row.person_key
    return found


def names(c: Connection, source_id: int, keys: Iterable[str]) -> set[tuple[str, str]]:
    """Every name by ref that these people have or had, as links have it: (by, ref)."""
    return {(BY, ref) for (ref,) in rows_for(c, _OF_PEOPLE, keys, source=source_id)}


def followers(c: Connection, source_id: int, refs: Iterable[str]) -> set[str]:
    """The keys of the people served who refer to one of these."""
    return {row.key for row in rows_for(c, _FOLLOWERS, refs, source=source_id)}


def formerly(c: Connection, source_id: int, refs: Iterable[str]) -> dict[int, str | None]:
    """The records that were called so before, by their rows, each with the key of its person."""
    rows = rows_for(c, _FORMERLY, refs, source=source_id)
    return {row.id: row.person_key for row in rows}


def leave(c: Connection, source_id: int, left: Collection[tuple[str, int]]) -> None:
    """Note that records, by their rows, are no longer called so."""
    statement = insert(c, _former)
    many(
        c,
        statement.on_conflict_do_update(
            index_elements=["source_id", "ref"], set_={"record_id": statement.excluded.record_id}
        ),
        [{"source_id": source_id, "ref": ref, "record_id": row} for ref, row in left],
    )
