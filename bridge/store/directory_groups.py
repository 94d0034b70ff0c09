"""The groups of a directory as they were read, and which of them no decision has seen yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select, update

from bridge.model import Entry, GroupMapped
from bridge.store import due, entries, members
from bridge.store.statements import among, insert, rows_for
from bridge.store.tables import DirectoryGroupRow, GroupRow, RecordRow, table

_groups = table(DirectoryGroupRow)
_records = table(RecordRow)
_served = table(GroupRow)

_of_source = _groups.c.source_id == bindparam("source")
_live = _records.c.gone_at.is_(None)
_with_record = _groups.join(_records, _records.c.id == _groups.c.record_id)

_IDS: Select[Any] = select(_records.c.record_key, _records.c.id).where(
    _records.c.source_id == bindparam("source"), _records.c.record_key.in_(among())
)
_AMONG = select(_groups.c.record_id).where(_groups.c.record_id.in_(among()))
_ABOUT: Select[Any] = select(_groups.c.record_id, _groups.c.section, _groups.c.key).where(
    _groups.c.record_id.in_(among()), _groups.c.key.is_not(None)
)
_ENTRY = (
    select(
        _groups.c.record_id, _groups.c.section, _records.c.gone_at.is_(None).label("there"),
        *entries.COLUMNS,
    )
    .select_from(_with_record)
    .where(_groups.c.record_id == bindparam("record"))
)  # fmt: skip
_SERVED = select(_served.c.key).where(
    _served.c.source_id == bindparam("source"),
    _served.c.key.in_(among()),
    _served.c.document.is_not(None),
)
_THERE = (
    select(_groups.c.key, _groups.c.record_id)
    .select_from(_with_record)
    .where(_of_source, _groups.c.key.in_(among()), _live)
)


class Group(NamedTuple):
    """A group's record: the number of the search that found it, and the group's key."""

    record_id: int
    section: int
    key: str


class Read(NamedTuple):
    """A group as it was read last; ``there`` unless it has gone since."""

    record_id: int
    there: bool
    entry: Entry


def save(
    c: Connection,
    source_id: int,
    read: Mapping[str, tuple[int, GroupMapped]],
    moved: Collection[str],
) -> None:
    """Store what was made of the records of groups, by record key, with their search's number.

    Whoever a group names now and did not before, or the other way round, is due; of the groups in
    ``moved``, which came back or are called differently, everybody is. A group without a key
    keeps the key and the members that it had.
    """
    rows = {row.record_key: row.id for row in rows_for(c, _IDS, read, source=source_id)}
    for record_key, (section, group) in read.items():
        record = rows[record_key]
        mark = due.next_mark(c, source_id)
        values: dict[str, Any] = {"source_id": source_id, "section": section, "mark": mark}
        if group.key:
            values["key"] = group.key
        statement = insert(c, _groups).values(record_id=record, **values)
        c.execute(statement.on_conflict_do_update(index_elements=["record_id"], set_=values))
        before = members.names(c, record)
        after = members.named(group.members) if group.key else before
        members.change(c, source_id, record, after - before, before - after)
        concerned = before ^ after
        if record_key in moved:
            concerned = before | members.everybody(c, record)
        make_due(c, source_id, concerned)


def moved(c: Connection, source_id: int, records: Iterable[int]) -> None:
    """Let everybody be looked at who is in the groups among these records, which went or are
    called differently."""
    for record in [row.record_id for row in rows_for(c, _AMONG, records)]:
        of_group = _groups.c.record_id == record
        mark = due.next_mark(c, source_id)
        c.execute(update(_groups).where(of_group).values(mark=mark))
        make_due(c, source_id, members.everybody(c, record))


def make_due(c: Connection, source_id: int, named: Iterable[members.Name]) -> None:
    """Let everybody be looked at whom these names mean, at any depth of groups."""
    for people in members.people_under(c, source_id, named):
        due.make_due(c, source_id, people)


def sizes(c: Connection, source_id: int) -> dict[int, int]:
    """How many groups of each search, by its number, are not gone."""
    statement = (
        select(_groups.c.section, func.count())
        .select_from(_with_record)
        .where(_of_source, _live)
        .group_by(_groups.c.section)
    )
    return {row.section: row[1] for row in c.execute(statement, {"source": source_id})}


def news(c: Connection, source_id: int, everything: bool = False) -> Iterator[Read]:
    """The groups that no decision has seen as they are, or all of them, one at a time."""
    statement = select(_groups.c.record_id).where(_groups.c.source_id == source_id)
    if not everything:
        statement = statement.where(_groups.c.mark.is_not(None))
    for record in c.execute(statement.order_by(_groups.c.record_id)).scalars().all():
        row = c.execute(_ENTRY, {"record": record}).one()
        yield Read(record, row.there, entries.decode(row, row.section))


def decided(c: Connection, source_id: int, as_of: int) -> None:
    """Note that a decision has seen every group; not what had news since.

    ``as_of`` is what `records.news` told before the decision looked.
    """
    seen = (_groups.c.source_id == source_id) & (_groups.c.mark <= as_of)
    c.execute(update(_groups).where(seen).values(mark=None))


def about(c: Connection, records: Iterable[int]) -> dict[int, Group]:
    """The groups whose records these are, where their key is known."""
    return {row.record_id: Group(*row) for row in rows_for(c, _ABOUT, records)}


def of_keys(c: Connection, source_id: int, keys: Iterable[str]) -> list[int]:
    """The records, not gone, of the groups with these keys."""
    return [row.record_id for row in rows_for(c, _THERE, keys, source=source_id)]


def served(c: Connection, source_id: int, keys: Iterable[str]) -> set[str]:
    """Those of the keys under which a group is served."""
    return {row.key for row in rows_for(c, _SERVED, keys, source=source_id)}


def there(c: Connection, source_id: int, keys: Iterable[str]) -> set[str]:
    """Those of the keys that a group of the directory has which is not gone."""
    return {row.key for row in rows_for(c, _THERE, keys, source=source_id)}
