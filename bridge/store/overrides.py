"""Overrides: somebody's word that a person is active or is not, which wins over the source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, or_, select, update

from bridge.store import due
from bridge.store.statements import among, model, new_id, rows_for
from bridge.store.tables import OverrideRow, table

_overrides = table(OverrideRow)

_standing = _overrides.c.ended_at.is_(None)
_good = _standing & or_(_overrides.c.until.is_(None), _overrides.c.until > bindparam("now"))
_OF: Select[Any] = (
    select(_overrides)
    .where(
        _overrides.c.person_key.in_(among()), _overrides.c.source_id == bindparam("source"), _good
    )
    .order_by(_overrides.c.id)
)


def set(
    c: Connection,
    source_id: int,
    person_key: str,
    active: bool,
    reason: str,
    actor: str,
    now: datetime,
    until: datetime | None = None,
) -> int:
    """Override a person from now on, in place of any override before; the person is due."""
    _end(c, source_id, person_key, now)
    row = OverrideRow(
        source_id=source_id,
        person_key=person_key,
        active=active,
        reason=reason,
        actor=actor,
        created_at=now,
        until=until,
    )
    due.make_due(c, source_id, [person_key])
    return new_id(c, insert(_overrides), row.model_dump(exclude={"id"}))


def end(c: Connection, source_id: int, person_key: str, now: datetime) -> bool:
    """Let the source speak for a person again; whether there was an override. The person is due."""
    due.make_due(c, source_id, [person_key])
    return _end(c, source_id, person_key, now)


def of(c: Connection, source_id: int, keys: Iterable[str], now: datetime) -> dict[str, OverrideRow]:
    """The overrides of these people that stand at ``now``."""
    rows = rows_for(c, _OF, keys, source=source_id, now=now)
    return {row.person_key: model(OverrideRow, row) for row in rows}


def all(c: Connection, now: datetime, source_id: int | None = None) -> list[OverrideRow]:
    """Every override that stands at ``now``, the oldest first."""
    statement = select(_overrides).where(_good).order_by(_overrides.c.id)
    if source_id is not None:
        statement = statement.where(_overrides.c.source_id == source_id)
    return [model(OverrideRow, row) for row in c.execute(statement, {"now": now})]


def _end(c: Connection, source_id: int, person_key: str, now: datetime) -> bool:
    statement = (
        update(_overrides)
        .where(_overrides.c.source_id == source_id, _overrides.c.person_key == person_key)
        .where(_standing)
        .values(ended_at=now)
    )
    return c.execute(statement).rowcount > 0
