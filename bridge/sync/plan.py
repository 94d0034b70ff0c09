"""Plans as a decision sees them: which one is open for it, and what it puts into one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from bridge.store import plans, resources
from bridge.store.plans import OpenChange, PlanChange
from bridge.store.tables import PlanRow
from bridge.sync.change import CLOCK, EDITED, MEMBERSHIPS, RENAMED, UNMAPPED, Draft
from bridge.sync.decision import Deciding, Decision
from bridge.sync.proposal import Proposal


def current(
    connection: Connection, source_id: int, purpose: str, text: str | None
) -> PlanRow | None:
    """The open plan of a purpose for this mapping text; plans for other texts lapse."""
    found = []
    for plan in plans.listing(connection, source_id, plans.OPEN, purpose=purpose):
        if plan.mapping_text == text:
            found.append(plan)
        else:
            plans.overtake(connection, plan)
    return speaking(found)


def speaking(found: Sequence[PlanRow]) -> PlanRow | None:
    """Of several open plans for one text, the newest first, the one that a decision goes by: one
    that is not approved yet, if there is one."""
    return next((plan for plan in found if plan.state != plans.APPROVED), next(iter(found), None))


def hold(connection: Connection, deciding: Deciding, decision: Decision) -> None:
    """Put what the decision holds into a plan.

    A first load that nobody has approved yet has one plan, which follows what is read, and a
    rejected one is held anew when that changes; what any other run holds gets a plan of its own.
    """
    first = deciding.first_load and not deciding.approved
    if first and deciding.plan is not None:
        if amends(deciding, decision):
            _amend(connection, deciding.plan, decision, deciding)
        return
    if not decision.held:
        return
    purpose = plans.FIRST_LOAD if first else plans.EDIT if deciding.edited else plans.CHANGES
    plans.create(
        connection,
        deciding.source_id,
        purpose,
        _held(connection, deciding, decision),
        deciding.run_id,
        deciding.now,
        deciding.mapping.text if purpose != plans.CHANGES else None,
    )


def amends(deciding: Deciding, decision: Decision) -> bool:
    """Whether this decision changes a first load's plan instead of making a new one."""
    plan = deciding.plan
    if not deciding.first_load or plan is None or not len(decision.spool):
        return False
    return plan.state == plans.HELD or (plan.state == plans.REJECTED and bool(decision.counts))


def settled(deciding: Deciding, decision: Decision, proposal: Proposal) -> tuple[OpenChange, ...]:
    """The changes to take out of their plans with this proposal."""
    return () if amends(deciding, decision) else proposal.settled


def close(connection: Connection, deciding: Deciding) -> None:
    """End every plan for the first load or the text that goes live."""
    purpose = plans.FIRST_LOAD if deciding.first_load else plans.EDIT
    for plan in plans.listing(connection, deciding.source_id, plans.OPEN, purpose=purpose):
        plans.close(connection, plan)


def _amend(connection: Connection, plan: PlanRow, decision: Decision, deciding: Deciding) -> None:
    """Raises `NotHeld` where somebody gave their word on the plan since it was looked at."""
    dropped = (
        (change.subject, change.kind)
        for proposal in decision.proposals()
        for change in proposal.settled
    )
    if plan.state == plans.REJECTED:
        plans.reopen(connection, plan)
    plans.drop(connection, plan, dropped)
    plans.amend(connection, plan, _held(connection, deciding, decision))


def _held(connection: Connection, deciding: Deciding, decision: Decision) -> Iterator[PlanChange]:
    called: dict[str, str] = {}
    for proposal in decision.proposals():
        # An edited file is held whole: every change that it causes and a limit guards.
        held = proposal.fresh if deciding.edited else proposal.fresh & decision.held
        if MEMBERSHIPS in held:
            unknown = set(proposal.draft.memberships) - called.keys()
            called |= resources.group_names(connection, deciding.source_id, unknown)
        for kind in sorted(held):
            yield _change(proposal.draft, kind, called)


def _change(new: Draft, kind: str, called: Mapping[str, str]) -> PlanChange:
    before = new.before
    assert new.after is not None
    user_name = str(new.after.attributes["userName"])
    active = "active" if new.after.attributes["active"] else "inactive"
    after = f"{active}: {new.reason}"
    if kind == RENAMED:
        after = user_name
    elif kind == EDITED and new.faults:
        after = f"{UNMAPPED}, so the last values stay"
    elif kind == CLOCK:
        after += ", by this machine's clock but not by that of the source"
    elif kind == MEMBERSHIPS:
        after = f"no longer in {', '.join(sorted(called[key] for key in new.memberships))}"
    return PlanChange(
        subject=new.key,
        kind=kind,
        target=new.kinds[kind],
        fact=new.fact,
        before=before.user_name if before else user_name,
        after=after,
    )
