"""What a decision is about, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.mapping import Mapping
from bridge.store import Store, plans
from bridge.store.tables import PlanRow, SourceRow
from bridge.sync.contest import Contest, Suspects
from bridge.sync.groups import Groups
from bridge.sync.identity import is_nameless, left_name
from bridge.sync.links import Answers
from bridge.sync.proposal import Proposal
from bridge.sync.spool import Spool
from bridge.sync.words import words_of

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
    theirs: datetime | None = None
    """What the source's clock shows, where that is too far from ``now`` to trust either."""
    keys: tuple[str, ...] | None = None
    """The only people to look at, in a preview of some."""
    preview: bool = False
    """Whether to decide as if nothing were held: what is above its limit is only told."""

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
    def other_words(self) -> bool:
        """Whether the records were read for the edited file, which asks for other attributes."""
        return self.edited is not None and words_of(self.edited) != words_of(self.mapping)

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
    above: frozenset[str] = frozenset()
    """The kinds of change above their limits, which are ``held``, but in a preview."""
    held: frozenset[str] = frozenset()
    news: int = 0
    """How much news there had been of the source before anybody was looked at."""
    groups: Groups = field(default_factory=Groups)
    suspects: Suspects = field(default_factory=Suspects)
    contest: Contest = field(default_factory=Contest)
    back: set[str] = field(default_factory=set)
    """The keys of people who were erased and whom the source has again."""
    answers: Answers = field(default_factory=Answers)

    def proposals(self) -> Iterator[Proposal]:
        """Every proposal, in the order of looking."""
        for chunk in self.spool.chunks():
            yield from chunk


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
        if is_nameless(id, before.user_name):
            attributes["active"] = False
    elif id in names.yielding:
        attributes["userName"] = left_name(id)
    return attributes
