"""Looking at people: who is concerned by a decision, and what is proposed for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from itertools import chain

from sqlalchemy import Connection

from bridge.model import Entry, Mapped, Served
from bridge.store import entries as rows
from bridge.store import erasures, overrides, plans, records, refs, relinks, resources
from bridge.store.statements import chunks
from bridge.sync.change import (
    GONE,
    OUTSIDE,
    RELINKED,
    as_first_load,
    because_of_edit,
    draft,
    mapped,
    names_that_moved,
)
from bridge.sync.clocks import agree, between_clocks
from bridge.sync.decision import Deciding, Decision
from bridge.sync.departures import because_of_departure
from bridge.sync.identity import identities
from bridge.sync.memberships import Memberships
from bridge.sync.proposal import Proposal, approve_edit, as_if_approved, match
from bridge.sync.uniques import Uniques

CHUNK = 500


class Looking:
    """Makes the proposals of a decision, chunk by chunk."""

    def __init__(self, deciding: Deciding, decision: Decision, connection: Connection) -> None:
        self._deciding = deciding
        self._decision = decision
        self._c = connection
        self._source_id = deciding.source_id
        self._uniques = Uniques(connection, deciding.mapping, deciding.now)
        self._memberships = Memberships(
            connection, self._source_id, deciding.mapping, decision.groups
        )
        self._relinks = relinks.all(connection, self._source_id)
        self._seen: set[str] = set()
        """Who was looked at; empty where that is everybody."""

    def look(self) -> None:
        """Propose for everybody concerned, and for whoever their changes concern."""
        followers: set[str] = set()
        for keys in self._concerned():
            chunk = self._propose(keys)
            self._note(chunk)
            if not self._deciding.everyone:
                self._seen.update(keys)
                moved = self._moved(chunk)
                followers |= resources.dependents(self._c, self._source_id, moved) - self._seen
                followers.difference_update(keys)
            self._deciding.progress("decide", len(self._decision.spool))
        if not self._deciding.everyone:
            followers |= self._memberships.of_new_groups() - self._seen
        for keys in chunks(sorted(followers), CHUNK):
            self._note(self._propose(keys))
        self._seen |= followers

    def follow_yielded(self) -> None:
        """Look also at those who refer to somebody that gives up a name, for the new one."""
        contest = self._decision.contest
        yielding = contest.names.yielding
        if self._deciding.everyone or not yielding:
            return
        of_run = (proposal.draft.before for proposal in self._decision.proposals())
        yielders = [
            person
            for person in chain(of_run, contest.bystanders)
            if person and person.id in yielding and person.source_id == self._source_id
        ]
        moved = {name for each in yielders for name in identities(each.key, each.attributes)}
        moved |= refs.names(self._c, self._source_id, (each.key for each in yielders))
        followers = resources.dependents(self._c, self._source_id, moved) - self._seen
        for keys in chunks(sorted(followers), CHUNK):
            # Whoever has news as well comes with the next decision: this one's limits were judged.
            self._note([each for each in self._propose(keys) if not each.fresh])

    def _moved(self, chunk: Sequence[Proposal]) -> set[tuple[str, str]]:
        """The names under which links find the people of a chunk whose answers may now differ."""
        names = {each.draft.key: set(names_that_moved(each.draft)) for each in chunk}
        keys = [key for key, moved in names.items() if moved]
        return set().union(*names.values(), refs.names(self._c, self._source_id, keys))

    def _note(self, chunk: list[Proposal]) -> None:
        decision = self._decision
        decision.spool.append(chunk)
        claims = (each.claim(frozenset()) for each in chunk if each.draft.is_named_anew)
        decision.suspects.note(self._c, (claim for claim in claims if claim is not None))
        for proposal in chunk:
            for kind in proposal.fresh:
                decision.counts[kind] += proposal.draft.weight(kind)
            if proposal.draft.after is not None:
                decision.answers.ask(proposal.draft.after.links)
                if proposal.draft.before is not None:
                    decision.answers.ask(proposal.draft.before.links)

    def _concerned(self) -> Iterator[list[str]]:
        """The keys of the people to look at, in order: everybody, or who is due."""
        after = ""
        if self._deciding.keys is not None:
            yield list(self._deciding.keys)
            return
        while True:
            if self._deciding.everyone:
                keys = records.people(self._c, self._source_id, after, CHUNK)
            else:
                keys = records.due(self._c, self._source_id, self._deciding.now, after, CHUNK)
            if not keys:
                return
            yield keys
            after = keys[-1]

    def _propose(self, keys: Sequence[str]) -> list[Proposal]:
        deciding, source_id = self._deciding, self._source_id
        mapping, now = deciding.mapping, deciding.now
        entries = records.of_people(self._c, source_id, keys)
        served = resources.served(self._c, source_id, keys)
        forced = overrides.of(self._c, source_id, keys, now)
        erased = erasures.of(self._c, source_id, keys)
        self._decision.back |= erased.intersection(entries)
        purpose = plans.FIRST_LOAD if deciding.first_load else plans.CHANGES
        opened = plans.open_changes(self._c, source_id, keys, [purpose])
        of_edit = (
            plans.open_changes(self._c, source_id, keys, [plans.EDIT]) if deciding.edited else {}
        )
        made = self._made(keys, entries, served)
        moved = self._relinks.keys() | self._go_on_as(keys)
        departed = self._departed(made, entries, served)
        for key, gone in departed.items():
            made[key] = because_of_departure(
                made[key], entries[key], served[key], mapping, now, gone
            )
        doubts = dict(self._doubts(made, entries, served))
        made = self._memberships.add(self._uniques.settle(made, entries, served))
        proposals = []
        for key in keys:
            person = key, entries.get(key, []), served.get(key)
            words = forced.get(key), key in erased, key in moved
            new = draft(*person, mapping, made[key], *words)
            mine = opened.get(key, {})
            if deciding.first_load:
                loaded = as_first_load(new)
                # Who was not shown to the approver is a newcomer to those who were.
                if not deciding.approved or match(loaded, mine).approved:
                    new = loaded
            elif deciding.edited is not None and (new.kinds or new.faults):
                was = mapped(*person[1:], deciding.edited, now)
                was = because_of_departure(
                    was, *person[1:], deciding.edited, now, departed.get(key, ())
                )
                new = because_of_edit(new, draft(*person, deciding.edited, was, *words))
            if key in doubts and not deciding.first_load:
                new = between_clocks(new, doubts[key])
            found = match(new, mine, deciding.other_words)
            proposal = approve_edit(found, of_edit.get(key, {}))
            proposals.append(as_if_approved(proposal, mine) if deciding.preview else proposal)
        return proposals

    def _made(
        self,
        keys: Sequence[str],
        entries: Dict[str, list[Entry]],
        served: Dict[str, Served],
    ) -> dict[str, Mapped]:
        """What the mapping makes of each of these people now."""
        mapping, now = self._deciding.mapping, self._deciding.now
        left = rows.outside(self._c, self._source_id, served.keys() - entries.keys())
        absent = dict.fromkeys(left, OUTSIDE)
        absent |= dict.fromkeys(self._relinks.keys() & served.keys(), RELINKED)
        return {
            key: mapped(entries.get(key, []), served.get(key), mapping, now, absent.get(key, GONE))
            for key in keys
        }

    def _go_on_as(self, keys: Sequence[str]) -> set[str]:
        """Those of the people as whom somebody goes on who is active under another key as yet."""
        old = set(keys).intersection(self._relinks.values())
        news = [new for new, of in self._relinks.items() if of in old] if old else []
        served = resources.served(self._c, self._source_id, news)
        return {self._relinks[key] for key, person in served.items() if person.active}

    def _departed(
        self,
        made: Dict[str, Mapped],
        entries: Dict[str, list[Entry]],
        served: Dict[str, Served],
    ) -> dict[str, list[rows.Departed]]:
        """The records that are gone of whoever is active and leaves by those that are left."""
        leaving = [
            key for key, before in served.items()
            if before.active and key in entries and made[key].leaves
        ]  # fmt: skip
        return rows.departed(self._c, self._source_id, leaving)

    def _doubts(
        self,
        made: Dict[str, Mapped],
        entries: Dict[str, list[Entry]],
        served: Dict[str, Served],
    ) -> Iterator[tuple[str, bool]]:
        """Of whom the two clocks make something else, and whether both make them inactive."""
        deciding = self._deciding
        if deciding.theirs is None:
            return
        for key, ours in made.items():
            person = entries.get(key, []), served.get(key)
            theirs = mapped(*person, deciding.mapping, deciding.theirs)
            if not agree(ours, theirs):
                yield key, ours.leaves and theirs.leaves
