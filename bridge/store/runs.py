"""The account of each sync."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, text, update

from bridge.store.statements import insert as upsert
from bridge.store.statements import model, new_id
from bridge.store.tables import AuditRow, PublicationRow, RunRow, RunTotalRow, table

_runs = table(RunRow)
_audit = table(AuditRow)
_publications = table(PublicationRow)
_totals = table(RunTotalRow)


def start(c: Connection, source_id: int, mode: str, actor: str, now: datetime) -> int:
    """Note that a run begins; its id goes with all that it does."""
    row = RunRow(source_id=source_id, mode=mode, actor=actor, started_at=now)
    return new_id(c, insert(_runs), row.model_dump(exclude={"id"}))


def finish(
    c: Connection,
    run_id: int,
    now: datetime,
    *,
    verdict: str = "",
    reason: str = "",
    counts: Mapping[str, int] | None = None,
    held: Mapping[str, int] | None = None,
    publication: int | None = None,
) -> None:
    """Note how a run ended; called again where it goes on after a publication."""
    _add_up(c, run_id, verdict, now)
    c.execute(
        update(_runs)
        .where(_runs.c.id == run_id)
        .values(
            ended_at=now,
            verdict=verdict,
            reason=reason,
            counts=json.dumps(dict(counts or {})),
            held=json.dumps(dict(held or {})),
            publication=publication,
        )
    )


def totals(c: Connection) -> list[RunTotalRow]:
    """How many runs ended how since ever, whatever became of their accounts."""
    rows = c.execute(select(_totals).order_by(_totals.c.source_id, _totals.c.verdict))
    return [model(RunTotalRow, row) for row in rows]


def get(c: Connection, run_id: int) -> RunRow | None:
    """The run with that id."""
    row = c.execute(select(_runs).where(_runs.c.id == run_id)).one_or_none()
    return None if row is None else model(RunRow, row)


def latest(c: Connection, source_id: int, reads: bool = False) -> RunRow | None:
    """The run of a source that began last, of those that read it or of all."""
    statement = select(_runs).where(_runs.c.source_id == source_id).order_by(_runs.c.id.desc())
    if reads:
        statement = statement.where(_runs.c.mode != "decide")
    row = c.execute(statement.limit(1)).one_or_none()
    return None if row is None else model(RunRow, row)


def of_publication(c: Connection, number: int) -> RunRow | None:
    """The run that made a publication."""
    statement = select(_runs).join(_publications, _publications.c.run_id == _runs.c.id)
    row = c.execute(statement.where(_publications.c.number == number)).one_or_none()
    return None if row is None else model(RunRow, row)


def deactivations(c: Connection, source_id: int, since: datetime) -> int:
    """How many people became inactive since then, and nobody's word had allowed it."""
    return c.execute(
        select(func.count(_audit.c.subject.distinct())).where(
            # As text, so that the index of these rows alone is used.
            text("action = 'deactivated'"),
            _audit.c.source_id == source_id,
            _audit.c.at > since,
            _audit.c.approved.is_(False),
        )
    ).scalar_one()


def _add_up(c: Connection, run_id: int, verdict: str, now: datetime) -> None:
    row = c.execute(
        select(_runs.c.source_id, _runs.c.started_at, _runs.c.ended_at).where(_runs.c.id == run_id)
    ).one_or_none()
    if row is None:
        return
    first = row.ended_at is None
    values = {
        "source_id": row.source_id,
        "verdict": verdict,
        "runs": int(first),
        "seconds": max(0.0, (now - (row.started_at if first else row.ended_at)).total_seconds()),
    }
    statement = upsert(c, _totals).values(values)
    added = {name: _totals.c[name] + statement.excluded[name] for name in ("runs", "seconds")}
    c.execute(statement.on_conflict_do_update(index_elements=["source_id", "verdict"], set_=added))
