"""Credentials that a source refused: kept here, so that a restart does not try them anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bridge.store.statements import model
from bridge.store.tables import RefusalRow, table

_refusals = table(RefusalRow)


def of(c: Connection, source_id: int) -> list[RefusalRow]:
    """What a source refused: more than one where an edited file has other credentials."""
    rows = c.execute(select(_refusals).where(_refusals.c.source_id == source_id))
    return [model(RefusalRow, row) for row in rows]


def put(c: Connection, refusal: RefusalRow) -> None:
    """Note a refusal, in place of the one of the same credentials before."""
    remove(c, refusal.id)
    c.execute(insert(_refusals), refusal.model_dump(exclude={"id"}))


def remove(c: Connection, id: int | None) -> None:
    """Forget a refusal, if it was ever noted."""
    c.execute(delete(_refusals).where(_refusals.c.id == id))


def clear(c: Connection, before: datetime | None = None) -> int:
    """Forget those that were to be tried again before a moment, or all; returns how many."""
    statement = delete(_refusals)
    if before is not None:
        statement = statement.where(_refusals.c.again_at < before)
    return c.execute(statement).rowcount
