"""Plans as rows: made, changed while they are held, found."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.errors import NotHeld, UsageError
from bridge.store import plan_changes
from bridge.store.plan_changes import CHANGES, HELD, PlanChange
from bridge.store.statements import model, new_id
from bridge.store.tables import PlanRow, table

SHOWN = 12
"""How much of a hash people see; any unique beginning names a plan."""

_plans = table(PlanRow)


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
        "told": "",
    }
    plan_id = new_id(c, insert(_plans), values)
    plan_changes.put(c, plan_id, source_id, changes)
    return _summed_up(c, plan_id)


def amend(c: Connection, plan: PlanRow, changes: Iterable[PlanChange]) -> PlanRow:
    """Add changes to a plan that is still held, which gives it another hash.

    They replace what the plan has on the same person and kind. Raises `NotHeld`.
    """
    require_held(c, id_of(plan))
    plan_changes.put(c, id_of(plan), plan.source_id, changes)
    return _summed_up(c, id_of(plan))


def drop(c: Connection, plan: PlanRow, changes: Iterable[tuple[str, str]]) -> PlanRow:
    """Take changes, by subject and kind, out of a plan that is still held; as `amend`."""
    require_held(c, id_of(plan))
    plan_changes.remove(c, id_of(plan), changes)
    return _summed_up(c, id_of(plan))


def split(
    c: Connection, plan: PlanRow, subjects: Collection[str], kinds: Collection[str]
) -> PlanRow:
    """The part of a held plan that is on these subjects and kinds, as a plan of its own.

    What is left stays held, under another hash. Empty means any. Raises `NotHeld`, and `UsageError`
    where nothing is in that part, where one of the subjects or kinds is not in the plan at all, and
    for a plan that goes live whole or not at all.
    """
    require_held(c, id_of(plan))
    if plan.purpose != CHANGES:
        raise UsageError("this plan goes live whole or not at all: leave out --person and --kind")
    everything = plan_changes.some(c, id_of(plan), (), ())
    known = {change.kind for change in everything}
    unknown = set(subjects) - {change.subject for change in everything}
    odd = set(kinds) - known - {kind.partition(":")[0] for kind in known}
    part = plan_changes.some(c, id_of(plan), subjects, kinds)
    if unknown or odd or not part:
        words = [f"--person {each}" for each in sorted(unknown)]
        words += [f"--kind {each!r}" for each in sorted(odd)]
        raise UsageError(
            f"nothing of that is in the plan{': ' if words else ''}{', '.join(words)}; "
            f"its kinds are {', '.join(sorted(known))}: `bridge plan show {plan.hash[:SHOWN]}`"
        )
    rest = drop(c, plan, ((change.subject, change.kind) for change in part))
    if json.loads(rest.counts):
        return create(c, plan.source_id, plan.purpose, part, plan.run_id, plan.created_at)
    return amend(c, rest, part)


def get(c: Connection, hash: str) -> PlanRow | None:
    """The plan whose hash begins so; `UsageError` where that fits different ones.

    Of several with the same changes it is one that waits for a word, if there is one, and the
    newest: an edited file and what was read for it may come to the same.
    """
    if not hash:
        return None
    # "g" follows every hexadecimal digit.
    fits = (_plans.c.hash >= hash) & (_plans.c.hash < hash + "g")
    in_order = ((_plans.c.state == HELD).desc(), _plans.c.id.desc())
    rows = c.execute(select(_plans).where(fits).order_by(*in_order)).all()
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


def untold(c: Connection) -> list[PlanRow]:
    """The held plans that the webhook does not know as they are now, the oldest first."""
    unknown = (_plans.c.state == HELD) & (_plans.c.told != _plans.c.hash)
    statement = select(_plans).where(unknown).order_by(_plans.c.id)
    return [model(PlanRow, row) for row in c.execute(statement)]


def told(c: Connection, plan: PlanRow) -> None:
    """Note that the webhook knows the plan as it was read."""
    c.execute(update(_plans).where(_plans.c.id == plan.id).values(told=plan.hash))


def require_held(c: Connection, plan_id: int) -> None:
    """Make sure that a plan is held, and stays so for everybody else until the transaction ends.

    Raises `NotHeld`.
    """
    statement = select(_plans.c.state).where(_plans.c.id == plan_id).with_for_update()
    state = c.execute(statement).scalar_one()
    if state != HELD:
        raise NotHeld(f"the plan is {state}, not held: `bridge plan list` shows what is")


def _summed_up(c: Connection, plan_id: int) -> PlanRow:
    hash, counts = plan_changes.sum_up(c, plan_id)
    of_plan = _plans.c.id == plan_id
    c.execute(update(_plans).where(of_plan).values(hash=hash, counts=json.dumps(counts)))
    return model(PlanRow, c.execute(select(_plans).where(of_plan)).one())


def id_of(plan: PlanRow) -> int:
    """The id of a plan that is in the store."""
    assert plan.id is not None
    return plan.id
