"""One decision: who is looked at, what the mapping makes of them, what of it goes live.

Reads the records and the resources, asks no directory, and ends in exactly one transaction
(`publish.py`). People are looked at in chunks and put aside on disk in between, so a decision on
a million people needs the memory of a few hundred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from bridge.mapping import Mapping
from bridge.store import Store, overrides, plans, records, refs, resources, runs
from bridge.store.statements import chunks
from bridge.store.tables import PlanRow, SourceRow, fold
from bridge.sync.change import (
    FIRST_LOAD,
    as_first_load,
    because_of_edit,
    draft,
    identities,
    left_name,
    mapped,
    names_that_moved,
)
from bridge.sync.contest import Contest, contest
from bridge.sync.groups import Groups, groups
from bridge.sync.limits import judge
from bridge.sync.links import Answers
from bridge.sync.memberships import Memberships
from bridge.sync.names import Claim
from bridge.sync.proposal import Proposal, approve_edit, match
from bridge.sync.spool import Spool

CHUNK = 500
_DAY = timedelta(days=1)

Progress = Callable[[str, int], None]
"""Called with a step's name and how many it has done; may raise to stop the run."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """What one decision is about.

    ``edited`` is set where ``mapping`` is a new text and ``edited`` the live one it would replace;
    then everybody is looked at, and the text goes live whole or not at all.
    """

    store: Store
    source: SourceRow
    mapping: Mapping
    run_id: int
    actor: str
    now: datetime
    progress: Progress
    edited: Mapping | None = None
    everyone: bool = False
    plan: PlanRow | None = None
    """The open plan for this first load or this text, if there is one."""

    @property
    def source_id(self) -> int:
        assert self.source.id is not None
        return self.source.id

    @property
    def first_load(self) -> bool:
        return self.source.loaded_at is None

    @property
    def approved(self) -> bool:
        return self.plan is not None and self.plan.state == plans.APPROVED

    @property
    def mapping_version(self) -> int:
        """The number of the mapping's text, once it is the live one."""
        goes_live = self.edited is not None or self.first_load
        return self.source.mapping_version + goes_live


@dataclass(slots=True)
class Decision:
    """What was decided, ready to be published: the proposals and what holds for all of them."""

    spool: Spool[Proposal]
    counts: Counter[str] = field(default_factory=Counter)
    held: frozenset[str] = frozenset()
    news: int = 0
    """How much news there had been of the source before anybody was looked at."""
    groups: Groups = field(default_factory=Groups)
    contest: Contest = field(default_factory=Contest)
    answers: Answers = field(default_factory=Answers)

    def proposals(self) -> Iterator[Proposal]:
        """Every proposal, in the order of looking."""
        for chunk in self.spool.chunks():
            yield from chunk


def decide(deciding: Deciding, spool: Spool[Proposal]) -> Decision:
    """Look at everybody concerned and judge what may go live; writes nothing."""
    decision = Decision(spool)
    with deciding.store.read() as connection:
        decision.news = records.news(connection, deciding.source_id)
        decision.groups = groups(
            connection, deciding.source_id, deciding.mapping, deciding.now, deciding.everyone
        )
        seen = _look(deciding, decision, connection)
        decision.held = _judge(deciding, decision.counts, connection)
        if deciding.edited is not None and decision.held:
            return decision  # the text is held whole: nobody gets another name by it
        decision.contest = contest(connection, lambda: _claims(decision))
        _follow_yielded(deciding, decision, connection, seen)
        decision.answers.settle(connection, deciding.source_id)
        for proposal in decision.proposals():
            new = proposal.draft
            decision.answers.offer(new.id, new.key, new.before, served_as(decision, proposal))
        for person in decision.contest.bystanders:
            if person.source_id == deciding.source_id:
                attributes = {**person.attributes, "userName": left_name(person.id)}
                decision.answers.offer(person.id, person.key, person, attributes)
        decision.answers.look_up(connection, deciding.source_id)
    return decision


def served_as(decision: Decision, proposal: Proposal) -> dict[str, Any] | None:
    """The attributes to serve, links still open, with the name that was settled; None: not yet.

    Whoever waits for a name keeps the old one; where there is none left, that means inactive.
    """
    resource, _ = proposal.final(decision.held)
    if resource is None:
        return None
    attributes = dict(resource.attributes)
    id, before = proposal.draft.id, proposal.draft.before
    names = decision.contest.names
    if id in names.waiting:
        if before is None:
            return None
        attributes["userName"] = before.user_name
        if before.user_name == left_name(id):
            attributes["active"] = False
    elif id in names.yielding:
        attributes["userName"] = left_name(id)
    return attributes


# -- looking -----------------------------------------------------------------------------------


def _look(deciding: Deciding, decision: Decision, connection: Connection) -> set[str]:
    """Propose for everybody concerned, and give the keys looked at, unless it is everybody's."""
    seen: set[str] = set()
    followers: set[str] = set()
    inside = Memberships(connection, deciding.source_id, deciding.mapping, decision.groups)
    for keys in _concerned(deciding, connection):
        chunk = _propose(deciding, connection, keys, inside)
        _note(decision, chunk)
        if not deciding.everyone:
            seen.update(keys)
            moved = _moved(deciding, connection, chunk)
            followers |= resources.dependents(connection, deciding.source_id, moved) - seen
            followers.difference_update(keys)
        deciding.progress("decide", len(decision.spool))
    if not deciding.everyone:
        followers |= inside.of_new_groups() - seen
    for keys in chunks(sorted(followers), CHUNK):
        _note(decision, _propose(deciding, connection, keys, inside))
    return seen | followers


def _moved(
    deciding: Deciding, connection: Connection, chunk: Sequence[Proposal]
) -> set[tuple[str, str]]:
    """The names under which links find the people of a chunk whose answers may now differ."""
    names = {each.draft.key: set(names_that_moved(each.draft)) for each in chunk}
    keys = [key for key, moved in names.items() if moved]
    return set().union(*names.values(), refs.names(connection, deciding.source_id, keys))


def _follow_yielded(
    deciding: Deciding, decision: Decision, connection: Connection, seen: set[str]
) -> None:
    """Look also at those who refer to somebody that gives a name up, to refer to the new one."""
    yielding = decision.contest.names.yielding
    if deciding.everyone or not yielding:
        return
    of_run = (proposal.draft.before for proposal in decision.proposals())
    yielders = [
        person
        for person in chain(of_run, decision.contest.bystanders)
        if person and person.id in yielding and person.source_id == deciding.source_id
    ]
    moved = {name for each in yielders for name in identities(each.key, each.attributes)}
    moved |= refs.names(connection, deciding.source_id, (each.key for each in yielders))
    followers = resources.dependents(connection, deciding.source_id, moved) - seen
    inside = Memberships(connection, deciding.source_id, deciding.mapping, decision.groups)
    for keys in chunks(sorted(followers), CHUNK):
        # Whoever has news as well comes with the next decision: this one's limits were judged.
        quiet = [each for each in _propose(deciding, connection, keys, inside) if not each.fresh]
        _note(decision, quiet)


def _note(decision: Decision, chunk: list[Proposal]) -> None:
    decision.spool.append(chunk)
    for proposal in chunk:
        for kind in proposal.fresh:
            decision.counts[kind] += proposal.draft.weight(kind)
        if proposal.draft.after is not None:
            decision.answers.ask(proposal.draft.after.links)
            if proposal.draft.before is not None:
                decision.answers.ask(proposal.draft.before.links)


def _concerned(deciding: Deciding, connection: Connection) -> Iterator[list[str]]:
    """The keys of the people to look at, in order: everybody, or who is due."""
    source_id, after = deciding.source_id, ""
    while True:
        if deciding.everyone:
            keys = records.people(connection, source_id, after, CHUNK)
        else:
            keys = records.due(connection, source_id, deciding.now, after, CHUNK)
        if not keys:
            return
        yield keys
        after = keys[-1]


def _propose(
    deciding: Deciding, connection: Connection, keys: Sequence[str], inside: Memberships
) -> list[Proposal]:
    source_id, mapping, now = deciding.source_id, deciding.mapping, deciding.now
    entries = records.of_people(connection, source_id, keys)
    served = resources.served(connection, source_id, keys)
    forced = overrides.of(connection, source_id, keys, deciding.now)
    purpose = plans.FIRST_LOAD if deciding.first_load else plans.CHANGES
    opened = plans.open_changes(connection, source_id, keys, [purpose])
    of_edit = (
        plans.open_changes(connection, source_id, keys, [plans.EDIT]) if deciding.edited else {}
    )
    made = {key: mapped(entries.get(key, []), served.get(key), mapping, now) for key in keys}
    proposals = []
    for key, of_person in inside.add(made).items():
        person = key, entries.get(key, []), served.get(key)
        new = draft(*person, mapping, of_person, forced.get(key))
        mine = opened.get(key, {})
        if deciding.first_load:
            loaded = as_first_load(new)
            # Who was not shown to the approver is a newcomer to those who were.
            if not deciding.approved or match(loaded, mine).approved:
                new = loaded
        elif deciding.edited is not None and new.kinds:
            was = mapped(*person[1:], deciding.edited, now)
            new = because_of_edit(new, draft(*person, deciding.edited, was, forced.get(key)))
        proposals.append(approve_edit(match(new, mine), of_edit.get(key, {})))
    return proposals


# -- judging -----------------------------------------------------------------------------------


def _judge(deciding: Deciding, counts: Dict[str, int], connection: Connection) -> frozenset[str]:
    # An edit is guarded by the limits that were good before it: it cannot loosen its own.
    limits = (deciding.edited or deciding.mapping).limits
    active = deciding.source.active
    if deciding.first_load:
        if limits.first_load == "publish" and counts:
            return frozenset()
        if not deciding.approved:
            return frozenset({FIRST_LOAD})
        assert deciding.plan is not None
        return judge(counts, limits, plans.size(connection, deciding.plan), 0)
    recent = runs.deactivations(connection, deciding.source_id, deciding.now - _DAY)
    return judge(counts, limits, active, recent)


def _claims(decision: Decision) -> Iterator[list[Claim]]:
    """The names that the people of this run shall have, chunk by chunk."""
    for chunk in decision.spool.chunks():
        claims = (_claim(decision, proposal) for proposal in chunk)
        yield [claim for claim in claims if claim is not None]


def _claim(decision: Decision, proposal: Proposal) -> Claim | None:
    resource, _ = proposal.final(decision.held)
    if resource is None:
        return None
    before = proposal.draft.before
    return Claim(
        proposal.draft.id,
        fold(resource.attributes["userName"]),
        fold(before.user_name) if before is not None else None,
        bool(resource.attributes["active"]),
    )
