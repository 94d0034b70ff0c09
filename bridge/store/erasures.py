"""Erasures: people of whom nothing is to be kept but that they were here.

The word is given by a command, applied by the next decision, and stands until the source has the
person again; it outlives a restore.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from bridge.store import due, records
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
    """Have a person erased by the next decision; no override stands any longer."""
    statement = insert(c, _erasures).values(
        source_id=source_id, person_key=person_key, actor=actor, at=now
    )
    c.execute(statement.on_conflict_do_nothing())
    of_person = table(OverrideRow).c
    c.execute(
        delete(table(OverrideRow)).where(
            of_person.source_id == source_id, of_person.person_key == person_key
        )
    )
    due.make_due(c, source_id, [person_key])


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


def revive(c: Connection) -> None:
    """Let every erasure be applied again, to a store that was made of an older backup."""
    for row in c.execute(select(_erasures.c.source_id, _erasures.c.person_key)).all():
        due.make_due(c, row.source_id, [row.person_key])
