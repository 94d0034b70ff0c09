"""Plans: changes that wait for a person's word.

    held --approve--> approved --every change published--> published
      |                  └-----24 hours unused-----------> lapsed
      ├--reject--> rejected --every change overtaken-----> lapsed
      |               └-----a first load's records change-> held
      └--every change overtaken--------------------------> lapsed

The hash covers the changes alone: who, which kind, to which target. A change that appears later
goes into a plan of its own, so that an approval never covers what its giver has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from bridge.errors import UsageError
from bridge.store import audit, due, plan_changes
from bridge.store.plan_changes import (
    APPROVED,
    CHANGES,
    EDIT,
    FIRST_LOAD,
    HELD,
    OPEN,
    PURPOSES,
    REJECTED,
    OpenChange,
    PlanChange,
    changes,
    digest,
    open_changes,
    outcomes,
    size,
)
from bridge.store.statements import chunks, model, new_id
from bridge.store.tables import PlanChangeRow, PlanRow, table

__all__ = [
    "APPROVED",
    "CHANGES",
    "EDIT",
    "FIRST_LOAD",
    "HELD",
    "LAPSED",
    "OPEN",
    "PUBLISHED",
    "PURPOSES",
    "REJECTED",
    "SHOWN",
    "OpenChange",
    "PlanChange",
    "amend",
    "approve",
    "changes",
    "close",
    "create",
    "digest",
    "drop",
    "get",
    "held_kinds",
    "lapse",
    "listing",
    "open_changes",
    "outcomes",
    "overtake",
    "reject",
    "reopen",
    "settle",
    "size",
]

LAPSED, PUBLISHED = "lapsed", "published"

APPROVAL_LASTS = timedelta(hours=24)
SHOWN = 12
"""How much of a hash people see; any unique beginning names a plan."""

_plans = table(PlanRow)
_changes = table(PlanChangeRow)


def create(
    c: Connection,
    source_id: int,
    purpose: str,
    changes: Iterable[PlanChange],
    run_id: int,
    now: datetime,
    mapping_text: str | None = None,
) -> PlanRow:
    """Hold changes in a new plan; they are streamed, a million of them need little memory."""
    values = {
        "source_id": source_id,
        "hash": "",
        "purpose": purpose,
        "state": HELD,
        "counts": "{}",
        "mapping_text": mapping_text,
        "run_id": run_id,
        "created_at": now,
        "decided_at": None,
        "decided_by": "",
    }
    plan_id = new_id(c, insert(_plans), values)
    plan_changes.put(c, plan_id, source_id, changes)
    return _summed_up(c, plan_id)


def amend(c: Connection, plan: PlanRow, changes: Iterable[PlanChange]) -> PlanRow:
    """Add changes to a plan that is still held, which gives it another hash.

    They replace what the plan has on the same person and kind. Raises `UsageError` where the
    plan is no longer held.
    """
    _require_held(c, _id(plan))
    plan_changes.put(c, _id(plan), plan.source_id, changes)
    return _summed_up(c, _id(plan))


def drop(c: Connection, plan: PlanRow, changes: Iterable[tuple[str, str]]) -> PlanRow:
    """Take changes, by subject and kind, out of a plan that is still held; as `amend`."""
    _require_held(c, _id(plan))
    plan_changes.remove(c, _id(plan), changes)
    return _summed_up(c, _id(plan))


def get(c: Connection, hash: str) -> PlanRow | None:
    """The newest plan whose hash begins so; `UsageError` where that fits different plans."""
    if not hash:
        return None
    # "g" follows every hexadecimal digit.
    fits = (_plans.c.hash >= hash) & (_plans.c.hash < hash + "g")
    rows = c.execute(select(_plans).where(fits).order_by(_plans.c.id.desc())).all()
    if len({row.hash for row in rows}) > 1:
        raise UsageError(f"several plans begin with {hash}: give more of the hash")
    return model(PlanRow, rows[0]) if rows else None


def by_id(c: Connection, plan_id: int) -> PlanRow:
    """The plan with that id."""
    return model(PlanRow, c.execute(select(_plans).where(_plans.c.id == plan_id)).one())


def listing(
    c: Connection,
    source_id: int | None = None,
    states: Sequence[str] | None = None,
    limit: int = 100,
    purpose: str | None = None,
) -> list[PlanRow]:
    """The newest plans first; of one source, in some states, for one purpose, where given."""
    statement = select(_plans).order_by(_plans.c.id.desc()).limit(limit)
    if source_id is not None:
        statement = statement.where(_plans.c.source_id == source_id)
    if states is not None:
        statement = statement.where(_plans.c.state.in_(states))
    if purpose is not None:
        statement = statement.where(_plans.c.purpose == purpose)
    return [model(PlanRow, row) for row in c.execute(statement)]


def held_kinds(c: Connection) -> set[str]:
    """The kinds of change that wait for a word, of any source."""
    counts = c.execute(select(_plans.c.counts).where(_plans.c.state == HELD)).scalars()
    return {kind for each in counts for kind in json.loads(each)}


def approve(c: Connection, hash: str, actor: str, now: datetime) -> PlanRow:
    """Let the changes of a held plan go live with the next decision; writes the audit too."""
    return _decide(c, hash, APPROVED, actor, now)


def reject(c: Connection, hash: str, actor: str, now: datetime) -> PlanRow:
    """Refuse the changes of a held plan until their records change; writes the audit too."""
    return _decide(c, hash, REJECTED, actor, now)


def lapse(c: Connection, now: datetime) -> list[PlanRow]:
    """End the approvals that nothing came of in time; their people are due and held anew."""
    old = [
        model(PlanRow, row)
        for row in c.execute(
            select(_plans).where(
                _plans.c.state == APPROVED, _plans.c.decided_at <= now - APPROVAL_LASTS
            )
        )
    ]
    for plan in old:
        _set_state(c, _id(plan), LAPSED)
        _make_due(c, plan, now)
    return old


def settle(c: Connection, settled: Iterable[OpenChange]) -> None:
    """Take changes out of their plans that were published or are no longer wanted.

    A plan without changes is published if it was approved; otherwise it lapses.
    """
    plans: set[int] = set()
    for chunk in chunks(settled):
        for plan_id in {change.plan_id for change in chunk}:
            of_plan = [change for change in chunk if change.plan_id == plan_id]
            plan_changes.remove(c, plan_id, ((change.subject, change.kind) for change in of_plan))
            plans.add(plan_id)
    if not plans:
        return
    some = select(_changes.c.plan_id).where(_changes.c.plan_id == _plans.c.id).exists()
    done = update(_plans).where(_plans.c.id.in_(plans), ~some)
    c.execute(done.where(_plans.c.state == APPROVED).values(state=PUBLISHED))
    c.execute(done.where(_plans.c.state.in_((HELD, REJECTED))).values(state=LAPSED))


def close(c: Connection, plan: PlanRow) -> None:
    """End a plan whose purpose is served: published if it was approved, otherwise lapsed."""
    _set_state(c, _id(plan), PUBLISHED if plan.state == APPROVED else LAPSED)


def reopen(c: Connection, plan: PlanRow) -> None:
    """Hold a rejected plan anew, because what it is about has changed."""
    of_plan = (_plans.c.id == plan.id) & (_plans.c.state == REJECTED)
    c.execute(update(_plans).where(of_plan).values(state=HELD, decided_at=None, decided_by=""))


def overtake(c: Connection, plan: PlanRow) -> None:
    """End a plan that nothing can come of any more, such as one for a text that was replaced."""
    _set_state(c, _id(plan), LAPSED)


def _decide(c: Connection, hash: str, state: str, actor: str, now: datetime) -> PlanRow:
    plan = get(c, hash)
    if plan is None:
        raise UsageError(f"there is no plan {hash[:SHOWN]}: `bridge plan list` shows them")
    plan_id = _id(plan)
    _require_held(c, plan_id)
    decision = {"state": state, "decided_at": now, "decided_by": actor}
    c.execute(update(_plans).where(_plans.c.id == plan_id).values(decision))
    _make_due(c, plan, now)
    audit.add(
        c,
        [
            audit.Happened(
                now, actor, f"plan {state}", source_id=plan.source_id, detail={"plan": plan.hash}
            )
        ],
    )
    return plan.model_copy(update=decision)


def _require_held(c: Connection, plan_id: int) -> None:
    """Make sure that a plan is held, and stays so for everybody else until the transaction ends."""
    statement = select(_plans.c.state).where(_plans.c.id == plan_id).with_for_update()
    state = c.execute(statement).scalar_one()
    if state != HELD:
        raise UsageError(f"the plan is {state}, not held: `bridge plan list` shows what is")


def _make_due(c: Connection, plan: PlanRow, now: datetime) -> None:
    of_plan = _changes.c.plan_id == plan.id
    due.make_due_from(c, plan.source_id, _changes.c.subject, of_plan, now)


def _summed_up(c: Connection, plan_id: int) -> PlanRow:
    hash, counts = plan_changes.sum_up(c, plan_id)
    of_plan = _plans.c.id == plan_id
    c.execute(update(_plans).where(of_plan).values(hash=hash, counts=json.dumps(counts)))
    return model(PlanRow, c.execute(select(_plans).where(of_plan)).one())


def _set_state(c: Connection, plan_id: int, state: str) -> None:
    c.execute(update(_plans).where(_plans.c.id == plan_id).values(state=state))


def _id(plan: PlanRow) -> int:
    assert plan.id is not None
    return plan.id
