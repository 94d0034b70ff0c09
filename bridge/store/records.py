"""The records: every entry as it was last read, in the source's words."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update
from sqlalchemy import delete as sql_delete

from bridge.model import Entry, GroupMapped, Kind
from bridge.store import directory_groups, entries, members, refs
from bridge.store.due import AT_ONCE, due, make_due, make_due_from, make_everybody_due, news, people
from bridge.store.seen import Seen
from bridge.store.statements import among, analyze, aside, chunks, many, rows_for
from bridge.store.tables import (
    DirectoryGroupRow,
    FormerRefRow,
    MemberRow,
    RecordRow,
    SourceRow,
    table,
)

__all__ = [
    "AT_ONCE",
    "Known",
    "Seen",
    "count",
    "delete",
    "due",
    "finish",
    "known",
    "let_go",
    "make_due",
    "make_everybody_due",
    "news",
    "of_people",
    "people",
    "save",
    "unidentified",
]

_records = table(RecordRow)
_sources = table(SourceRow)
# What belongs to a record by its row.
_OF_RECORDS = (table(FormerRefRow), table(DirectoryGroupRow), table(MemberRow))

_of_source = _records.c.source_id == bindparam("source")
_live = _records.c.gone_at.is_(None)
_ABOUT: Select[Any] = select(
    _records.c.record_key, _records.c.id, _records.c.fingerprint, _records.c.gone_at
)
_KNOWN = _ABOUT.where(_of_source, _records.c.record_key.in_(among()))
_NEXT = _ABOUT.where(
    aside(_records.c.source_id) == bindparam("source"),
    _records.c.id > bindparam("after"),
    _records.c.id <= bindparam("until"),
)
_BEFORE: Select[Any] = select(
    _records.c.record_key,
    _records.c.id,
    _records.c.person_key,
    _records.c.ref,
    _records.c.fingerprint,
    _records.c.read_at,
    _records.c.gone_at,
).where(_of_source, _records.c.record_key.in_(among()))
_IDS: Select[Any] = select(_records.c.record_key, _records.c.id).where(
    _of_source, _records.c.record_key.in_(among())
)
_LEAVING = _BEFORE.where(aside(_records.c.gone_at).is_(None))
_INSERT = insert(_records)
_UPDATE = (
    update(_records)
    .where(_records.c.id == bindparam("row"))
    .values(
        {
            name: bindparam(name)
            for name in ("person_key", "ref", "kind", "attributes", "fingerprint", "run_id")
        }
    )
    .values(read_at=bindparam("read_at"), gone_at=None, outside=False)
)
_UNSEEN = select(_records.c.id).where(_of_source, _live, _records.c.run_id != bindparam("run"))
_LEFT = (
    update(_records)
    .where(_records.c.id.in_(among()))
    .values(gone_at=bindparam("now"), outside=bindparam("outside"))
)
_BY_PERSON: Select[Any] = select(_records.c.person_key, *entries.COLUMNS).where(
    _of_source, aside(_records.c.gone_at).is_(None)
)
_OF_PEOPLE = _BY_PERSON.where(_records.c.person_key.in_(among()))
_UNIDENTIFIED = _BY_PERSON.where(
    _records.c.person_key.is_(None), _records.c.kind == Kind.USER.value
)

_record_key = attrgetter("record_key")


class Known(NamedTuple):
    """What the store has of a record: its row, its fingerprint, whether it is gone."""

    id: int
    fingerprint: bytes
    gone: bool


def known(
    c: Connection, source_id: int, record_keys: Collection[str], after: int = 0
) -> dict[str, Known]:
    """What the store has of these records; those it has never seen are not in the answer.

    ``after`` is the row of the record that the source told before these. Most sources tell theirs
    in the same order every time, so the rows that follow it are tried first: together they cost
    half of what it takes to look each up.
    """
    following = {"source": source_id, "after": after, "until": after + len(record_keys)}
    wanted = set(record_keys)
    found = [row for row in c.execute(_NEXT, following) if row[0] in wanted]
    wanted.difference_update([row[0] for row in found])
    found += rows_for(c, _KNOWN, wanted, source=source_id)
    return {key: Known(row, print_, gone is not None) for key, row, print_, gone in found}


def save(
    c: Connection,
    source_id: int,
    run_id: int,
    changed: Sequence[tuple[Entry, str | None]],
    gone: Sequence[str],
    cookie: bytes | None,
    now: datetime,
    groups: Mapping[str, GroupMapped] = MappingProxyType({}),
    outside: Collection[str] = frozenset(),
    other_words: bool = False,
) -> None:
    """Store a batch: entries with the key of their person, keys of records that are gone, cookie.

    A person's key of None leaves what is there. ``groups`` says, by record key, what each entry
    of a directory's group is. Everybody concerned is due at once, also the person whose record
    this was before, everybody who refers to an entry by a ref that it has now or had, and who is
    in a group no longer or only now. An entry that was gone is back. ``outside`` are those of
    ``gone`` that the source still has elsewhere. ``other_words`` says that what was known before
    was told in other words, so that a difference is no news.
    """
    latest = {entry.record_key: (entry, person) for entry, person in changed}
    before = {row.record_key: row for row in rows_for(c, _BEFORE, latest, source=source_id)}
    concerned: set[str] = set()
    fresh: list[dict[str, Any]] = []
    stale: list[dict[str, Any]] = []
    moved: set[str | None] = set()
    came: set[str] = set()
    left: list[tuple[str, int]] = []
    for key, (entry, person) in latest.items():
        old = before.get(key)
        if old is not None and old.person_key is not None:
            concerned.add(old.person_key)
            person = person or old.person_key
        if person is not None:
            concerned.add(person)
        as_before = old is not None and (other_words or old.fingerprint == entry.fingerprint)
        values = {
            "person_key": person,
            "ref": entry.ref,
            "kind": entry.kind.value,
            "attributes": entries.encode(entry),
            "fingerprint": entry.fingerprint,
            "run_id": run_id,
            "read_at": old.read_at if old is not None and as_before else now,
        }
        if old is None or old.gone_at is not None or old.ref != entry.ref:
            moved.add(entry.ref)
            came.add(key)
        if old is not None and old.ref is not None and old.ref != entry.ref:
            moved.add(old.ref)
            left.append((old.ref, old.id))
        if old is None:
            fresh.append({**values, "source_id": source_id, "record_key": key})
        else:
            stale.append({**values, "row": old.id})
    many(c, _INSERT, fresh)
    analyze(c, _records, len(fresh))
    many(c, _UPDATE, stale)
    groups_of = {key: entry.member_of for key, (entry, _) in latest.items() if entry.member_of}
    rows = {row.record_key: row.id for row in rows_for(c, _IDS, groups_of, source=source_id)}
    members.let_name(c, source_id, {rows[key]: named for key, named in groups_of.items()})
    named = {ref for ref in moved if ref is not None}
    robbed = refs.formerly(c, source_id, named)
    concerned.update(person for person in robbed.values() if person is not None)
    refs.leave(c, source_id, left)
    concerned |= refs.followers(c, source_id, named)
    leaving = list(rows_for(c, _LEAVING, gone, source=source_id))
    for moved_out in (False, True):
        going = (row.id for row in leaving if (row.record_key in outside) is moved_out)
        for chunk in chunks(going):
            c.execute(_LEFT, {"keys": chunk, "now": now, "outside": moved_out})
    concerned.update(row.person_key for row in leaving if row.person_key is not None)
    make_due(c, source_id, concerned)
    found = {
        key: (entry.section, groups[key]) for key, (entry, _) in latest.items() if key in groups
    }
    directory_groups.save(c, source_id, found, came)
    directory_groups.moved(c, source_id, [*robbed, *(row.id for row in leaving)])
    if cookie is not None:
        _set(c, source_id, cookie=cookie)


def finish(
    c: Connection,
    source_id: int,
    run_id: int,
    seen: Seen | None,
    cookie: bytes | None,
    now: datetime,
    as_of: datetime | None = None,
) -> int:
    """End a complete read and return how many records it found gone.

    With ``seen`` the read was whole: every record that is neither in it nor changed by this run
    is gone, and its person due. Without, it was a read of changes and proves no absence.
    """
    absent = array("q")
    if seen is not None:
        values = {"source": source_id, "run": run_id}
        unchanged = c.execute(_UNSEEN, values, execution_options={"yield_per": 10_000})
        absent.extend(row for (row,) in unchanged if row not in seen)
        for chunk in chunks(absent):
            c.execute(_LEFT, {"keys": chunk, "now": now, "outside": False})
            these = _records.c.id.in_(chunk)
            make_due_from(c, source_id, _records.c.person_key, these)
            directory_groups.moved(c, source_id, chunk)
        _set(c, source_id, complete_at=now, as_of=as_of)
    if cookie is not None:
        _set(c, source_id, cookie=cookie)
    return len(absent)


def delete(c: Connection, rows: Iterable[int]) -> None:
    """Delete records, by their rows, with all that belongs to them."""
    # SQLite gives the number of a row that is gone to another one.
    for chunk in chunks(rows):
        for each in _OF_RECORDS:
            c.execute(sql_delete(each).where(each.c.record_id.in_(chunk)))
        c.execute(sql_delete(_records).where(_records.c.id.in_(chunk)))


def let_go(c: Connection, source_id: int, now: datetime) -> int:
    """Have a source hold nobody any more, as a complete read that finds nobody would.

    Should it be read again, everything is read. Returns how many records that were.
    """
    gone = finish(c, source_id, 0, Seen(), None, now)
    _set(c, source_id, cookie=None)
    return gone


def count(c: Connection, source_id: int) -> int:
    """How many records of people of a source are not gone."""
    people = _records.c.kind == Kind.USER.value
    statement = select(func.count()).select_from(_records).where(_of_source, _live, people)
    return c.execute(statement, {"source": source_id}).scalar_one()


def of_people(c: Connection, source_id: int, keys: Iterable[str]) -> dict[str, list[Entry]]:
    """The records of each person that are not gone, in order of record key."""
    found: dict[str, list[Entry]] = {}
    for row in sorted(rows_for(c, _OF_PEOPLE, keys, source=source_id), key=_record_key):
        found.setdefault(row.person_key, []).append(entries.decode(row))
    return found


def unidentified(c: Connection, source_id: int) -> list[Entry]:
    """The records of people that are not gone and whose person could not be worked out."""
    rows = c.execute(_UNIDENTIFIED, {"source": source_id})
    return [entries.decode(row) for row in sorted(rows, key=_record_key)]


def _set(c: Connection, source_id: int, **values: object) -> None:
    c.execute(update(_sources).where(_sources.c.id == source_id).values(values))
