"""One decision: who is looked at, what the mapping makes of them, what of it goes live.

Reads the records and the resources, asks no directory, and ends in exactly one transaction
(`publish.py`). People are looked at in chunks and put aside on disk in between, so a decision on
a million people needs the memory of a few hundred.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from datetime import timedelta

from sqlalchemy import Connection

from bridge.store import plans, records, runs
from bridge.sync.change import FIRST_LOAD
from bridge.sync.contest import contest
from bridge.sync.decision import Deciding, Decision, served_as
from bridge.sync.groups import groups
from bridge.sync.identity import left_name
from bridge.sync.limits import judge
from bridge.sync.looking import Looking
from bridge.sync.names import Claim
from bridge.sync.proposal import Proposal
from bridge.sync.spool import Spool

_DAY = timedelta(days=1)


def decide(deciding: Deciding, spool: Spool[Proposal]) -> Decision:
    """Look at everybody concerned and judge what may go live; writes nothing."""
    decision = Decision(spool)
    with deciding.store.read() as connection:
        decision.news = records.news(connection, deciding.source_id)
        decision.groups = groups(
            connection, deciding.source_id, deciding.mapping, deciding.now, deciding.everyone
        )
        looking = Looking(deciding, decision, connection)
        looking.look()
        decision.above = _judge(deciding, decision.counts, connection)
        decision.held = frozenset() if deciding.preview else decision.above
        if deciding.edited is not None and decision.held:
            return decision  # the text is held whole: nobody gets another name by it
        decision.contest = contest(connection, decision.suspects, lambda: _claims(decision))
        looking.follow_yielded()
        decision.answers.settle(connection, deciding.source_id)
        for proposal in decision.proposals():
            new = proposal.draft
            if decision.answers.may_mean(new.key):
                decision.answers.offer(new.id, new.key, new.before, served_as(decision, proposal))
        for person in decision.contest.bystanders:
            if person.source_id == deciding.source_id:
                attributes = {**person.attributes, "userName": left_name(person.id)}
                decision.answers.offer(person.id, person.key, person, attributes)
        decision.answers.look_up(connection, deciding.source_id)
    return decision


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
        claims = (proposal.claim(decision.held) for proposal in chunk)
        yield [claim for claim in claims if claim is not None]
