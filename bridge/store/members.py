"""Whom the groups of a directory name as their members, and whom those names mean.

A group names people and groups as links do: by ``(by, ref)``, groups by ``dn`` alone. Each name is
a row, so that the one of 100,000 that changed is one row, and concerns whom it means alone. A
person's record may name groups in turn, which it is in though they do not name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, union

from bridge.model import Kind, Link
from bridge.store import refs, resources
from bridge.store.statements import among, chunks, many, rows_for
from bridge.store.tables import FormerRefRow, MemberRow, RecordRow, table

Name = tuple[str, str]
"""What a group calls a member: (by, ref)."""

_GROUP = "group"
"""The ``by`` under which a person's record names a group that it is in."""

_members = table(MemberRow)
_records = table(RecordRow)
_former = table(FormerRefRow)

_live = _records.c.gone_at.is_(None)
_NAMES = select(_members.c.by, _members.c.ref).where(_members.c.record_id == bindparam("record"))
_OF_PERSON = (_members.c.by == _GROUP) & (_members.c.source_id == bindparam("source"))
_ITS_GROUPS = select(_members.c.record_id, _members.c.ref).where(
    _OF_PERSON, _members.c.record_id.in_(among())
)
_PERSON_IN = (
    select(_members.c.ref, _records.c.person_key)
    .join(_records, _records.c.id == _members.c.record_id)
    .where(_OF_PERSON, _live, _records.c.person_key.is_not(None))
)
_GROUPS_OF_PEOPLE = _PERSON_IN.where(_records.c.person_key.in_(among()))
_PEOPLE_IN_GROUPS = _PERSON_IN.where(_members.c.ref.in_(among()))
_REF = select(_records.c.ref).where(
    _records.c.id == bindparam("record"), _records.c.ref.is_not(None)
)
_JOIN = insert(_members)
_LEAVE = delete(_members).where(
    *(_members.c[name] == bindparam(f"old_{name}") for name in ("record_id", "by", "ref"))
)
_NAMING: Select[Any] = (
    select(_members.c.ref, _members.c.record_id)
    .join(_records, _records.c.id == _members.c.record_id)
    .where(
        _members.c.source_id == bindparam("source"),
        _members.c.by == bindparam("by"),
        _members.c.ref.in_(among()),
        _live,
    )
)
_CALLED = union(
    select(_records.c.id, _records.c.ref).where(
        _records.c.id.in_(among()), _records.c.ref.is_not(None)
    ),
    select(_former.c.record_id, _former.c.ref).where(_former.c.record_id.in_(among())),
)
_CALLED_SO: Select[Any] = select(_records.c.ref, _records.c.id, _records.c.kind).where(
    _records.c.source_id == bindparam("source"), _records.c.ref.in_(among()), _live
)
_ONCE_CALLED_SO: Select[Any] = (
    select(_former.c.ref, _records.c.id)
    .join(_records, _records.c.id == _former.c.record_id)
    .where(
        _former.c.source_id == bindparam("source"),
        _former.c.ref.in_(among()),
        _records.c.kind == Kind.GROUP.value,
        _live,
    )
)


def named(members: Iterable[Link]) -> set[Name]:
    """Members of a group, as their names are stored."""
    return {(link.by, resources.link_name(link.by, link.ref)) for link in members}


def names(c: Connection, record_id: int) -> set[Name]:
    """The names by which a group, by its record, calls its own members."""
    return {(row.by, row.ref) for row in c.execute(_NAMES, {"record": record_id})}


def everybody(c: Connection, record_id: int) -> set[Name]:
    """The names that mean everybody in a group, by its record: those by which it calls its own
    members, and the one for those who name it."""
    (ref,) = c.execute(_REF, {"record": record_id}).scalars().all() or (None,)
    return names(c, record_id) | ({(_GROUP, ref)} if ref is not None else set())


def named_by_people(c: Connection, source_id: int, keys: Iterable[str]) -> dict[str, set[str]]:
    """The refs of the groups that these people's records name, by a person's key."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows_for(c, _GROUPS_OF_PEOPLE, keys, source=source_id):
        found[row.person_key].add(row.ref)
    return found


def let_name(c: Connection, source_id: int, groups: Mapping[int, Collection[str]]) -> None:
    """Let people's records, by their rows, name exactly these groups by their refs."""
    before = {
        (row.record_id, row.ref) for row in rows_for(c, _ITS_GROUPS, groups, source=source_id)
    }
    now = {(record, ref) for record, named in groups.items() for ref in named}
    many(
        c,
        _JOIN,
        [
            {"record_id": record, "source_id": source_id, "by": _GROUP, "ref": ref}
            for record, ref in now - before
        ],
    )
    many(
        c,
        _LEAVE,
        [
            {"old_record_id": record, "old_by": _GROUP, "old_ref": ref}
            for record, ref in before - now
        ],
    )


def change(
    c: Connection,
    source_id: int,
    record_id: int,
    joined: Collection[Name],
    left: Collection[Name],
) -> None:
    """Let a group name some members more and some no longer."""
    of_record = {"record_id": record_id, "source_id": source_id}
    many(c, _JOIN, [{**of_record, "by": by, "ref": ref} for by, ref in joined])
    many(
        c,
        _LEAVE,
        [{"old_record_id": record_id, "old_by": by, "old_ref": ref} for by, ref in left],
    )


def people_under(c: Connection, source_id: int, named: Iterable[Name]) -> Iterator[set[str]]:
    """The keys of the people whom names mean, at any depth of groups, some at a time."""
    seen: set[int] = set()
    pending = [named]
    while pending:
        for chunk in chunks(pending.pop()):
            yield _people(c, source_id, chunk)
            called = groups_called(c, source_id, (ref for by, ref in chunk if by == refs.BY))
            inner = set().union(*called.values()) - seen
            seen |= inner
            pending += (everybody(c, record) for record in inner)


def naming(c: Connection, source_id: int, by: str, wanted: Iterable[str]) -> dict[str, set[int]]:
    """The records of the groups, not gone, that call a member so: by ref."""
    found: dict[str, set[int]] = defaultdict(set)
    for row in rows_for(c, _NAMING, wanted, source=source_id, by=by):
        found[row.ref].add(row.record_id)
    return found


def parents(c: Connection, source_id: int, records: Iterable[int]) -> dict[int, set[int]]:
    """The groups that name each of these groups, by record."""
    called = [(row.id, row.ref) for row in rows_for(c, _CALLED, records)]
    above = naming(c, source_id, refs.BY, {ref for _, ref in called})
    meant = groups_called(c, source_id, above)
    found: dict[int, set[int]] = defaultdict(set)
    for record, ref in called:
        if record in meant.get(ref, ()):
            found[record] |= above[ref]
    return found


def groups_called(c: Connection, source_id: int, wanted: Iterable[str]) -> dict[str, set[int]]:
    """The records of the groups, not gone, that each ref means: what is called so now, and where
    there is nothing the one that last was."""
    asked = set(wanted)
    found: dict[str, set[int]] = defaultdict(set)
    for row in rows_for(c, _CALLED_SO, set(asked), source=source_id):
        asked.discard(row.ref)
        if row.kind == Kind.GROUP.value:
            found[row.ref].add(row.id)
    for row in rows_for(c, _ONCE_CALLED_SO, asked, source=source_id):
        found[row.ref].add(row.id)
    return found


def _people(c: Connection, source_id: int, chunk: Iterable[Name]) -> set[str]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for by, ref in chunk:
        by_kind[by].append(ref)
    found = set(by_kind.pop("key", ()))
    groups = by_kind.pop(_GROUP, ())
    found.update(row.person_key for row in rows_for(c, _PEOPLE_IN_GROUPS, groups, source=source_id))
    found.update(refs.people(c, source_id, by_kind.pop(refs.BY, ())).values())
    for by, wanted in by_kind.items():
        found.update(each.key for each in resources.resolve(c, source_id, by, wanted).values())
    return found
