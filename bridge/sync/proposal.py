"""A draft beside the plans: what of it is news, what waits, what somebody approved.

Pure. The open plans know what was held or refused before; only the rest is judged by the limits.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Set
from dataclasses import dataclass, field, replace

from bridge.model import GroupKey, Resource
from bridge.store.plans import APPROVED, HELD, OpenChange
from bridge.store.tables import fold
from bridge.sync.change import Draft, compose
from bridge.sync.names import Claim


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft, and which of its kinds are new, waiting, or approved.

    ``settled`` are the changes to take out of their plans once this proposal is published, and
    ``reworded`` those that stay refused although their records are told in other words since.
    """

    draft: Draft
    fresh: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    approved: Dict[str, OpenChange] = field(default_factory=dict)
    settled: tuple[OpenChange, ...] = ()
    reworded: tuple[OpenChange, ...] = ()

    def final(self, held: Set[str]) -> tuple[Resource | None, tuple[GroupKey, ...]]:
        """What is to be served, while ``held`` kinds of the fresh changes wait."""
        return compose(self.draft, self.waiting | (self.fresh & held))

    def claim(self, held: Set[str]) -> Claim | None:
        """The name that the person is to have then; None where nobody is served."""
        resource, _ = self.final(held)
        if resource is None:
            return None
        before = self.draft.before
        return Claim(
            self.draft.id,
            fold(resource.attributes["userName"]),
            fold(before.user_name) if before is not None else None,
            bool(resource.attributes["active"]),
        )


def match(new: Draft, opened: Dict[str, OpenChange], other_words: bool = False) -> Proposal:
    """Sort the kinds of a draft by what the open plans say about each.

    A held change waits as long as it stays the same; a rejected one as long as the records that
    speak for it stay the same as well, but for their being told in ``other_words``; an approval
    covers only the target that it showed.
    """
    waiting: set[str] = set()
    reworded: list[OpenChange] = []
    approved: dict[str, OpenChange] = {}
    settled: list[OpenChange] = []
    for kind, change in opened.items():
        same = new.kinds.get(kind) == change.target
        if same and change.state == APPROVED:
            approved[kind] = change
            settled.append(change)
        elif same and (change.state == HELD or change.fact == new.fact):
            waiting.add(kind)
        elif same and other_words:
            waiting.add(kind)
            reworded.append(change)
        else:
            settled.append(change)
    return Proposal(
        draft=new,
        fresh=frozenset(new.kinds.keys() - waiting - approved.keys()),
        waiting=frozenset(waiting),
        approved=approved,
        settled=tuple(settled),
        reworded=tuple(reworded),
    )


def as_if_approved(proposal: Proposal, opened: Dict[str, OpenChange]) -> Proposal:
    """``proposal`` with everything that waits as if somebody had approved it."""
    if not proposal.waiting:
        return proposal
    waiting = {kind: opened[kind] for kind in proposal.waiting}
    return replace(proposal, waiting=frozenset(), approved={**proposal.approved, **waiting})


def approve_edit(proposal: Proposal, of_edit: Dict[str, OpenChange]) -> Proposal:
    """``proposal``, made by an edited file, with what was approved for that file."""
    if not of_edit:
        return proposal
    approved = {
        kind: change
        for kind, change in of_edit.items()
        if kind in proposal.fresh
        and change.state == APPROVED
        and change.target == proposal.draft.kinds[kind]
    }
    return replace(
        proposal,
        fresh=proposal.fresh - approved.keys(),
        approved={**proposal.approved, **approved},
    )
