"""Taking out of the store what is older than anybody wants to keep.

What Okta is served is never touched: people, their positions, groups and publications stay. Each
function takes out one portion and says how many rows that was, so that the transactions stay
short; it is called until it finds nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, delete, func, or_, select

from bridge.store import records
from bridge.store.plan_changes import OPEN
from bridge.store.tables import (
    AuditRow,
    PlanChangeRow,
    PlanRow,
    RecordRow,
    RequestRow,
    RunRow,
    SourceRow,
    table,
)

PORTION = 1000
"""Rows taken out in one transaction."""
QUIET = timedelta(days=2)
"""How long runs are kept that changed nothing and had nothing to say."""

_runs = table(RunRow)
_plans = table(PlanRow)
_changes = table(PlanChangeRow)
_requests = table(RequestRow)
_audit = table(AuditRow)
_records = table(RecordRow)
_sources = table(SourceRow)

_quiet = (
    _runs.c.publication.is_(None)
    & (_runs.c.reason == "")
    & (_runs.c.held == "{}")
    & _runs.c.ended_at.is_not(None)
)
# `bridge status` shows the last read of every source, however old it is.
_LAST_READS = select(func.max(_runs.c.id)).where(_runs.c.mode != "decide")
_LAST_READS = _LAST_READS.group_by(_runs.c.source_id)


class Keep(NamedTuple):
    """How long runs with all that belongs to them, the audit and records of leavers are kept."""

    runs: timedelta
    audit: timedelta
    leavers: timedelta


def runs(c: Connection, before: datetime, quiet_before: datetime) -> int:
    """Runs that began before then, and those without any news that began before the other."""
    old = or_(_runs.c.started_at < before, _quiet & (_runs.c.started_at < quiet_before))
    return _delete(c, _runs.c.id, select(_runs.c.id).where(old, _runs.c.id.not_in(_LAST_READS)))


def plan_changes(c: Connection, before: datetime) -> int:
    """What finished plans were about."""
    some = select(_changes.c.plan_id).where(_changes.c.plan_id == _plans.c.id).exists()
    plan = c.execute(select(_plans.c.id).where(_finished(before), some).limit(1)).scalar()
    if plan is None:
        return 0
    of_plan = _changes.c.plan_id == plan
    subjects = select(_changes.c.subject).where(of_plan).order_by(_changes.c.subject)
    last = c.execute(subjects.limit(PORTION)).scalars().all()[-1]
    return c.execute(delete(_changes).where(of_plan, _changes.c.subject <= last)).rowcount


def plans(c: Connection, before: datetime) -> int:
    """Finished plans, once nothing of what they were about is left."""
    left = select(_changes.c.plan_id).where(_changes.c.plan_id == _plans.c.id).exists()
    return _delete(c, _plans.c.id, select(_plans.c.id).where(_finished(before), ~left))


def requests(c: Connection, before: datetime) -> int:
    """Requests of commands that were answered."""
    return _delete(c, _requests.c.id, select(_requests.c.id).where(_requests.c.ended_at < before))


def audit(c: Connection, before: datetime) -> int:
    """What happened before then."""
    return _delete(c, _audit.c.id, select(_audit.c.id).where(_audit.c.at < before))


def leavers(c: Connection, before: datetime) -> int:
    """Records that the source has not had since then; whoever they were of is served as ever."""
    # Source by source, as the index is: the table itself is far too large to be walked through.
    of_sources = _records.c.source_id.in_(select(_sources.c.id))
    old = select(_records.c.id).where(of_sources, _records.c.gone_at < before)
    ids = c.execute(old.limit(PORTION)).scalars().all()
    records.delete(c, ids)
    return len(ids)


def steps(keep: Keep, now: datetime) -> Mapping[str, Callable[[Connection], int]]:
    """Everything to be done, by what it takes out, in the order in which it is to be done."""
    before = now - keep.runs
    return {
        "runs": lambda c: runs(c, before, now - QUIET),
        "plan_changes": lambda c: plan_changes(c, before),
        "plans": lambda c: plans(c, before),
        "requests": lambda c: requests(c, before),
        "audit": lambda c: audit(c, now - keep.audit),
        "leavers": lambda c: leavers(c, now - keep.leavers),
    }


def _finished(before: datetime) -> ColumnElement[bool]:
    decided = func.coalesce(_plans.c.decided_at, _plans.c.created_at)
    return _plans.c.state.not_in(OPEN) & (decided < before)


def _delete(c: Connection, key: Column[int], old: Select[tuple[int]]) -> int:
    # The oldest come first in the order of the key, so that a portion is found at once.
    portion = old.order_by(key).limit(PORTION).subquery()
    return c.execute(delete(key.table).where(key.in_(select(portion)))).rowcount
