"""Relinks: a record of a new key goes on being the person of an old one, by somebody's word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from bridge.store import due
from bridge.store.statements import insert
from bridge.store.tables import RecordRow, RelinkRow, table

_relinks = table(RelinkRow)
_records = table(RecordRow)


def set(c: Connection, source_id: int, old: str, new: str, actor: str, now: datetime) -> None:
    """Let every record of the person ``new``, now and later, be one of the person ``old``."""
    statement = insert(c, _relinks).values(
        source_id=source_id, new_key=new, old_key=old, actor=actor, at=now
    )
    c.execute(
        statement.on_conflict_do_update(
            index_elements=["source_id", "new_key"],
            set_={"old_key": old, "actor": actor, "at": now},
        )
    )
    # Whoever was relinked to ``new`` before goes along.
    of_new = (_relinks.c.source_id == source_id) & (_relinks.c.old_key == new)
    c.execute(update(_relinks).where(of_new).values(old_key=old))
    records = (_records.c.source_id == source_id) & (_records.c.person_key == new)
    c.execute(update(_records).where(records).values(person_key=old))
    due.make_due(c, source_id, [old, new])


def all(c: Connection, source_id: int) -> Mapping[str, str]:
    """The old key of every person who has another one, by the new key."""
    statement = select(_relinks.c.new_key, _relinks.c.old_key)
    rows = c.execute(statement.where(_relinks.c.source_id == source_id))
    return {row.new_key: row.old_key for row in rows}
