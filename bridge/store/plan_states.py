"""What becomes of a plan: a person's word, an end that nobody asked for, or its purpose served."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from bridge.errors import UsageError
from bridge.store import audit, due, plan_changes
from bridge.store.plan_changes import APPROVED, HELD, REJECTED, OpenChange
from bridge.store.plan_rows import SHOWN, get, id_of, require_held
from bridge.store.statements import chunks, model
from bridge.store.tables import PlanChangeRow, PlanRow, table

LAPSED, PUBLISHED = "lapsed", "published"
APPROVAL_LASTS = timedelta(hours=24)

_plans = table(PlanRow)
_changes = table(PlanChangeRow)


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
        _set_state(c, id_of(plan), LAPSED)
        _make_due(c, plan)
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
    _set_state(c, id_of(plan), PUBLISHED if plan.state == APPROVED else LAPSED)


def reopen(c: Connection, plan: PlanRow) -> None:
    """Hold a rejected plan anew, because what it is about has changed."""
    of_plan = (_plans.c.id == plan.id) & (_plans.c.state == REJECTED)
    c.execute(update(_plans).where(of_plan).values(state=HELD, decided_at=None, decided_by=""))


def overtake(c: Connection, plan: PlanRow) -> None:
    """End a plan that nothing can come of any more, such as one for a text that was replaced."""
    _set_state(c, id_of(plan), LAPSED)


def _decide(c: Connection, hash: str, state: str, actor: str, now: datetime) -> PlanRow:
    plan = get(c, hash)
    if plan is None:
        raise UsageError(f"there is no plan {hash[:SHOWN]}: `bridge plan list` shows them")
    plan_id = id_of(plan)
    require_held(c, plan_id)
    decision = {"state": state, "decided_at": now, "decided_by": actor}
    c.execute(update(_plans).where(_plans.c.id == plan_id).values(decision))
    _make_due(c, plan)
    audit.add(
        c,
        [
            audit.Happened(
                now, actor, f"plan {state}", source_id=plan.source_id, detail={"plan": plan.hash}
            )
        ],
    )
    return plan.model_copy(update=decision)


def _make_due(c: Connection, plan: PlanRow) -> None:
    of_plan = _changes.c.plan_id == plan.id
    due.make_due_from(c, plan.source_id, _changes.c.subject, of_plan)


def _set_state(c: Connection, plan_id: int, state: str) -> None:
    c.execute(update(_plans).where(_plans.c.id == plan_id).values(state=state))
