"""The changes that plans hold: who, which kind, to which target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from bridge.store.statements import among, chunks, rows_for
from bridge.store.tables import PlanChangeRow, PlanRow, table

HELD, APPROVED, REJECTED = "held", "approved", "rejected"
OPEN = (HELD, APPROVED, REJECTED)
"""The states in which a plan still says something about its changes."""

FIRST_LOAD, EDIT, CHANGES = "first_load", "edit", "changes"
PURPOSES = (FIRST_LOAD, EDIT, CHANGES)

_plans = table(PlanRow)
_changes = table(PlanChangeRow)

_in_order = (_changes.c.subject, _changes.c.kind)
_STREAM = select(*_in_order, _changes.c.target).order_by(*_in_order)
_OPEN_CHANGES: Select[Any] = (
    select(
        _changes.c.subject,
        _changes.c.kind,
        _changes.c.target,
        _changes.c.fact,
        _plans.c.id,
        _plans.c.hash,
        _plans.c.purpose,
        _plans.c.state,
        _plans.c.decided_by,
    )
    .join(_plans, _plans.c.id == _changes.c.plan_id)
    .where(
        _changes.c.source_id == bindparam("source"),
        _changes.c.subject.in_(among()),
        _plans.c.state.in_(OPEN),
        _plans.c.purpose.in_(among("purposes")),
    )
    .order_by(_plans.c.id)
)
_INSERT = insert(_changes)
_this = [_changes.c[name] == bindparam(f"old_{name}") for name in ("plan_id", "subject", "kind")]
_REMOVE = delete(_changes).where(*_this)
_REWORD = update(_changes).where(*_this).values(fact=bindparam("new_fact"))


class PlanChange(NamedTuple):
    """One change of a plan: this person, this kind, to this target.

    ``fact`` is the digest of the record that spoke; ``before`` and ``after`` are for people.
    """

    subject: str
    kind: str
    target: str
    fact: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A change in a plan that is held, approved or rejected; ``actor`` is who decided."""

    subject: str
    kind: str
    target: str
    fact: str
    plan_id: int
    plan_hash: str
    purpose: str
    state: str
    actor: str


def digest(source_id: int, changes: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256, in hex, over the source and ``(subject, kind, target)`` in order of subject and
    kind: people of two sources may have the same key."""
    sha = hashlib.sha256(b"%d\n" % source_id)
    for change in changes:
        sha.update(json.dumps(tuple(change)).encode() + b"\n")
    return sha.hexdigest()


def changes(c: Connection, plan_id: int, limit: int = 100, offset: int = 0) -> list[PlanChange]:
    """Some of a plan's open changes, in order of subject and kind."""
    statement = (
        select(*(_changes.c[name] for name in PlanChange._fields))
        .where(_changes.c.plan_id == plan_id)
        .order_by(*_in_order)
        .limit(limit)
        .offset(offset)
    )
    return [PlanChange(*row) for row in c.execute(statement)]


def some(
    c: Connection, plan_id: int, subjects: Collection[str], kinds: Collection[str]
) -> list[PlanChange]:
    """Those of a plan's open changes that are on these subjects and of these kinds.

    Empty means any; a kind with a path, such as ``emptied:title``, is of the kind before it too.
    """
    total = c.execute(select(func.count()).where(_changes.c.plan_id == plan_id)).scalar_one()
    return [
        change
        for change in changes(c, plan_id, limit=total)
        if (not subjects or change.subject in subjects)
        and (not kinds or not {change.kind, change.kind.partition(":")[0]}.isdisjoint(kinds))
    ]


def outcomes(c: Connection, plan_id: int) -> Iterator[tuple[str, str]]:
    """Who each of a plan's open changes concerns and what comes of it, in words; streamed."""
    statement = select(_changes.c.before, _changes.c.after).where(_changes.c.plan_id == plan_id)
    for row in c.execute(statement, execution_options={"yield_per": 10_000}):
        yield row.before, row.after


def size(c: Connection, plan: PlanRow) -> int:
    """How many people a plan's open changes concern."""
    subjects = func.count(_changes.c.subject.distinct())
    return c.execute(select(subjects).where(_changes.c.plan_id == plan.id)).scalar_one()


def open_changes(
    c: Connection, source_id: int, subjects: Iterable[str], purposes: Sequence[str] = PURPOSES
) -> dict[str, dict[str, OpenChange]]:
    """What the open plans of some purposes say about people, by kind; the newest plan speaks."""
    found: dict[str, dict[str, OpenChange]] = {}
    for row in rows_for(c, _OPEN_CHANGES, subjects, source=source_id, purposes=purposes):
        found.setdefault(row.subject, {})[row.kind] = OpenChange(*row)
    return found


def put(c: Connection, plan_id: int, source_id: int, changes: Iterable[PlanChange]) -> None:
    """Add changes to a plan, in place of what it has on the same person and kind."""
    for chunk in chunks(changes):
        remove(c, plan_id, ((change.subject, change.kind) for change in chunk))
        of_plan = {"plan_id": plan_id, "source_id": source_id}
        c.execute(_INSERT, [{**of_plan, **change._asdict()} for change in chunk])


def remove(c: Connection, plan_id: int, changes: Iterable[tuple[str, str]]) -> None:
    """Take changes, by subject and kind, out of a plan."""
    for chunk in chunks(changes):
        rows = [
            {"old_plan_id": plan_id, "old_subject": subject, "old_kind": kind}
            for subject, kind in chunk
        ]
        c.execute(_REMOVE, rows)


def reword(c: Connection, changes: Iterable[OpenChange], fact: str) -> None:
    """Note another digest of the records that speak for changes, which say the same as before."""
    for change in changes:
        it = {f"old_{name}": getattr(change, name) for name in ("plan_id", "subject", "kind")}
        c.execute(_REWORD, {**it, "new_fact": fact})


def sum_up(c: Connection, plan_id: int) -> tuple[str, dict[str, int]]:
    """The hash of a plan's changes, and how many there are of each kind."""
    of_plan = _changes.c.plan_id == plan_id
    rows = c.execute(_STREAM.where(of_plan), execution_options={"yield_per": 10_000})
    source_id = c.execute(select(_plans.c.source_id).where(_plans.c.id == plan_id)).scalar_one()
    hash = digest(source_id, (tuple(row) for row in rows))
    by_kind = (
        select(_changes.c.kind, func.count())
        .where(of_plan)
        .group_by(_changes.c.kind)
        .order_by(_changes.c.kind)
    )
    return hash, {kind: number for kind, number in c.execute(by_kind).all()}  # noqa: C416
