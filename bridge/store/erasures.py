"""Erasures: people of whom nothing is to be kept but that they were here.

The word is given by a command, applied by the next decision, and stands until the source has the
person again; it outlives a restore.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from bridge.store import due, records, relinks
from bridge.store.statements import among, insert, rows_for
from bridge.store.tables import (
    ErasureRow,
    OverrideRow,
    PlanChangeRow,
    RecordRow,
    table,
)

_erasures = table(ErasureRow)
_records = table(RecordRow)

_OF: Select[Any] = select(_erasures.c.person_key).where(
    _erasures.c.source_id == bindparam("source"), _erasures.c.person_key.in_(among())
)
_RECORDS: Select[Any] = select(_records.c.id).where(
    _records.c.source_id == bindparam("source"), _records.c.person_key.in_(among())
)


def ask(c: Connection, source_id: int, person_key: str, actor: str, now: datetime) -> None:
    """Have a person erased by the next decision, also under the keys of other records as whom the
    person went on; no override stands any longer."""
    found = relinks.all(c, source_id).items()
    keys = [person_key, *(new for new, old in found if old == person_key)]
    rows = [{"source_id": source_id, "person_key": key, "actor": actor, "at": now} for key in keys]
    c.execute(insert(c, _erasures).on_conflict_do_nothing(), rows)
    given = table(OverrideRow)
    of_people = (given.c.source_id == source_id) & given.c.person_key.in_(keys)
    c.execute(delete(given).where(of_people))
    due.make_due(c, source_id, keys)


def of(c: Connection, source_id: int, keys: Iterable[str]) -> set[str]:
    """Those of the people who are to be erased, or are."""
    return {row.person_key for row in rows_for(c, _OF, keys, source=source_id)}


def apply(c: Connection, source_id: int, keys: Collection[str]) -> None:
    """Forget what the source said of people, and what plans say of them."""
    ids = [row.id for row in rows_for(c, _RECORDS, keys, source=source_id)]
    records.delete(c, ids)
    changes = table(PlanChangeRow)
    of_people = (changes.c.source_id == source_id) & changes.c.subject.in_(keys)
    c.execute(update(changes).where(of_people).values(before="", after="erased"))


def end(c: Connection, source_id: int, keys: Collection[str]) -> None:
    """Note that the source has these people again."""
    of_people = (_erasures.c.source_id == source_id) & _erasures.c.person_key.in_(keys)
    c.execute(delete(_erasures).where(of_people))
