"""A decision made true: resources, plan, problems, audit and the run's account, all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from bridge.errors import EntryFault
from bridge.model import GroupKey, Kind, Served
from bridge.store import (
    audit,
    directory_groups,
    erasures,
    plans,
    problems,
    records,
    refs,
    resources,
)
from bridge.store.audit import Happened
from bridge.store.plans import OpenChange
from bridge.store.problems import Problem
from bridge.store.publication import Publication, UserWrite
from bridge.store.resources import render
from bridge.store.tables import fold
from bridge.sync import plan, rehires
from bridge.sync.change import CLOCK, NEW, OVERRIDE, REACTIVATED, RENAMED, is_by_word
from bridge.sync.decision import Deciding, Decision, served_as
from bridge.sync.identity import identities, is_nameless, left_name
from bridge.sync.outcome import Outcome
from bridge.sync.proposal import Proposal

_NAME_TAKEN = "user.userName is taken by somebody else (free it there, or give this one another)"


def publish(deciding: Deciding, decision: Decision, publication: Publication) -> Outcome:
    """Write everything of one decision into the publication's transaction."""
    return _Publishing(deciding, decision, publication).run()


class _Publishing:
    def __init__(self, deciding: Deciding, decision: Decision, publication: Publication) -> None:
        self.deciding = deciding
        self.decision = decision
        self.publication = publication
        self.connection = publication.connection
        self.source_id = deciding.source_id
        self.published: Counter[str] = Counter()
        self.looked_at = self.written = 0
        self.named: set[str] = set()

    def run(self) -> Outcome:
        deciding, held = self.deciding, self.decision.held
        if deciding.edited is not None and held:
            plan.hold(self.connection, deciding, self.decision)
            return self._outcome()
        if not (deciding.first_load and held):
            self._publish_groups()
        for chunk in self.decision.spool.chunks():
            self._publish(chunk)
            deciding.progress("publish", self.looked_at)
        if self.decision.back:
            erasures.end(self.connection, self.source_id, self.decision.back)
        self._give_up_names()
        self.publication.drop_empty_groups(self.source_id)
        self._note_unidentified()
        plan.hold(self.connection, deciding, self.decision)
        done = deciding.first_load and (deciding.approved or not held)
        if done or deciding.edited is not None:
            plan.close(self.connection, deciding)
            mapping = deciding.mapping
            self.publication.go_live(self.source_id, mapping.text, mapping.schemas)
        if done:
            self.publication.first_load_done(self.source_id)
        return self._outcome()

    def _outcome(self) -> Outcome:
        held = Counter({kind: self.decision.counts[kind] for kind in self.decision.held})
        return Outcome(
            written=self.written,
            published=self.published,
            held=held,
            publication=self.publication.number,
        )

    def _publish_groups(self) -> None:
        """Serve the groups of the directory that have news, before anybody is a member of them."""
        names = self.decision.groups.names
        self.publication.put_groups(self.source_id, names)
        self.named.update(names)
        directory_groups.decided(self.connection, self.source_id, self.decision.news)

    # -- people --------------------------------------------------------------------------------

    def _publish(self, chunk: list[Proposal]) -> None:
        writes: list[UserWrite] = []
        written: list[Proposal] = []
        settled: list[OpenChange] = []
        due: dict[str, datetime | None] = {}
        problems: dict[str, Problem | None] = {}
        for proposal in chunk:
            new = proposal.draft
            waits = new.id in self.decision.contest.names.waiting
            write = self._write(proposal)
            if write is not None:
                writes.append(write)
                written.append(proposal)
            for kind in self._live(proposal, waits):
                self.published[kind] += new.weight(kind)
            settled.extend(plan.settled(self.deciding, self.decision, proposal))
            plans.reword(self.connection, proposal.reworded, proposal.draft.fact)
            # Whoever waits for a name, or for the clocks, is looked at in every decision.
            due[new.key] = records.AT_ONCE if waits or CLOCK in new.kinds else new.until
            problems[new.key] = self._problem(proposal, waits)
        audit.add(self.connection, rehires.noted(self.connection, self.deciding, writes))
        self.publication.put_users(self.source_id, writes)
        self.publication.set_due(self.source_id, due, self.decision.news)
        self.publication.set_problems(self.source_id, problems)
        # Only now is the publication's number drawn, which stands in the audit.
        happened = map(self._happened, written, writes)
        audit.add(self.connection, chain.from_iterable(happened))
        plans.settle(self.connection, settled)
        if gone := [proposal.draft.key for proposal in written if proposal.draft.erased]:
            erasures.apply(self.connection, self.source_id, gone)
        self.looked_at += len(chunk)
        self.written += len(writes)

    def _live(self, proposal: Proposal, waits: bool) -> frozenset[str]:
        """The kinds of change that this publication makes true."""
        live = (proposal.fresh - self.decision.held) | proposal.approved.keys()
        if not waits:
            return live
        before = proposal.draft.before
        if before is None:
            return frozenset()
        nameless = is_nameless(before.id, before.user_name)
        return live - ({RENAMED, REACTIVATED, NEW} if nameless else {RENAMED})

    def _write(self, proposal: Proposal) -> UserWrite | None:
        """The row to write, where anything of it differs."""
        new, decision = proposal.draft, self.decision
        resource, groups = proposal.final(decision.held)
        attributes = served_as(decision, proposal)
        if resource is None or attributes is None:
            return None
        self._name_groups(groups)
        attributes = decision.answers.fill(attributes, resource.links)
        before = new.before
        stays = before is not None and before.active == attributes["active"]
        speaks_anew = new.erased or new.forced or (before and is_by_word(before.reason))
        write = UserWrite(
            before=before,
            key=new.key,
            id=new.id,
            **_columns(new.id, attributes),
            reason=before.reason if before and stays and not speaks_anew else new.reason,
            links=resource.links,
            groups=frozenset(group.key for group in groups),
        )
        return None if before and _as_before(write, before) else write

    def _name_groups(self, groups: Sequence[GroupKey]) -> None:
        """Serve the groups under the first name that this run has for each."""
        names = {group.key: group.display_name for group in groups if group.display_name}
        new = names.keys() - self.named
        if new:
            # A group that the directory has as well is called as it is there.
            derived = new - directory_groups.there(self.connection, self.source_id, new)
            self.publication.put_groups(self.source_id, {key: names[key] for key in derived})
            self.named.update(new)

    def _give_up_names(self) -> None:
        """Give those who yield their name, and are not looked at otherwise, one of their own."""
        for person in self.decision.contest.bystanders:
            attributes = {**person.attributes, "userName": left_name(person.id)}
            write = UserWrite(
                before=person,
                key=person.key,
                id=person.id,
                **_columns(person.id, attributes),
                reason=person.reason,
                links=person.links,
                groups=person.groups,
            )
            self.publication.put_users(person.source_id, [write])
            self.written += 1
            if person.source_id != self.source_id:
                names = set(identities(person.key, person.attributes))
                names |= refs.names(self.connection, person.source_id, [person.key])
                followers = resources.dependents(self.connection, person.source_id, names)
                records.make_due(self.connection, person.source_id, followers)

    def _happened(self, proposal: Proposal, write: UserWrite) -> Iterator[Happened]:
        """The audit of a flip of ``active``, and of a newcomer after the first load."""
        new, before = proposal.draft, write.before
        if before is None:
            if self.deciding.first_load:
                return
            action = "created"
        elif new.erased:
            action = "erased"
        elif before.active == write.active:
            return
        else:
            action = "reactivated" if write.active else "deactivated"
        cause = new.cause
        approval = proposal.approved.get(cause)
        yield Happened(
            at=self.deciding.now,
            actor=approval.actor if approval else self.deciding.actor,
            action=action,
            source_id=self.source_id,
            subject=new.key,
            run_id=self.deciding.run_id,
            publication=self.publication.number,
            detail={
                "fact": new.fact,
                "rule": new.rule,
                "reason": new.reason,
                "cause": cause,
                "mapping": self.deciding.mapping_version,
                "plan": approval.plan_hash if approval else None,
            },
            approved=approval is not None or cause == OVERRIDE,
        )

    # -- what could not be done ----------------------------------------------------------------

    def _problem(self, proposal: Proposal, waits: bool) -> Problem | None:
        messages = list(proposal.draft.faults)
        wanted = proposal.draft.after
        if waits:
            messages.append(_NAME_TAKEN)
        if not messages:
            return None
        waits_for = fold(wanted.attributes["userName"]) if waits and wanted else None
        return Problem(tuple(messages), self.deciding.now, waits_for)

    def _note_unidentified(self) -> None:
        """List the records whose person cannot be worked out, and no longer those that can."""
        known = problems.unidentified(self.connection, self.source_id)
        found: dict[str, Problem | None] = dict.fromkeys(known)
        for entry in records.unidentified(self.connection, self.source_id):
            try:
                self.deciding.mapping.key_of(entry)
            except EntryFault as fault:
                found[problems.RECORD + entry.record_key] = Problem(
                    (str(fault),), self.deciding.now
                )
        self.publication.set_problems(self.source_id, found | self.decision.groups.problems)


def _columns(id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's row holds of the attributes: the document, and what people are found by."""
    return {
        "user_name": attributes["userName"],
        "external_id": attributes.get("externalId"),
        "email": _primary_email(attributes),
        "active": attributes["active"],
        "document": render(id, Kind.USER, attributes),
    }


def _as_before(write: UserWrite, before: Served) -> bool:
    return (write.document, write.links, write.groups, write.reason) == (
        before.document,
        before.links,
        before.groups,
        before.reason,
    )


def _primary_email(attributes: Mapping[str, Any]) -> str | None:
    emails = attributes.get("emails", ())
    return next((email["value"] for email in emails if email.get("primary")), None)
