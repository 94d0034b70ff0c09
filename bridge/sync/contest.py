"""Names that more than one person would have: found among the run and everybody who is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from bridge.model import Served
from bridge.store import resources
from bridge.store.tables import fold
from bridge.sync.names import Claim, Names, settle

Claims = Callable[[], Iterator[list[Claim]]]
"""The claims of the run's people, chunk by chunk; may be asked for again."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Who waits for a name and who yields one; ``bystanders`` yield and are not part of the run."""

    names: Names = field(default_factory=Names)
    bystanders: tuple[Served, ...] = ()


def contest(connection: Connection, claims: Claims) -> Contest:
    """Find the contested names and decide those alone."""
    contested = _contested(connection, claims)
    if not contested:
        return Contest()
    concerned = {
        claim.id: claim
        for chunk in claims()
        for claim in chunk
        if not contested.isdisjoint({claim.wanted, claim.held})
    }
    bystanders = {
        person.id: person
        for people in resources.holders(connection, contested).values()
        for person in people
        if person.id not in concerned
    }
    for person in bystanders.values():
        name = fold(person.user_name)
        concerned[person.id] = Claim(person.id, name, name, person.active)
    names = settle(concerned.values())
    yielding = (person for id, person in bystanders.items() if id in names.yielding)
    return Contest(names, tuple(yielding))


def _contested(connection: Connection, claims: Claims) -> set[str]:
    """Folded names that two people of the run want, or one wants and somebody else has.

    Only hashes are kept of the names seen, so that a million of them fit in memory; a chance
    collision puts a name on the list needlessly, and `settle` finds nobody to part.
    """
    wanted: set[int] = set()
    contested: set[str] = set()
    for chunk in claims():
        new = [claim for claim in chunk if claim.wanted != claim.held]
        for claim in new:
            if hash(claim.wanted) in wanted:
                contested.add(claim.wanted)
            wanted.add(hash(claim.wanted))
        holders = resources.holders(connection, {claim.wanted for claim in new})
        for claim in new:
            if any(person.id != claim.id for person in holders.get(claim.wanted, ())):
                contested.add(claim.wanted)
    if contested:
        # Whoever must wait keeps the old name, so that one is contested as well.
        contested |= {
            claim.held
            for chunk in claims()
            for claim in chunk
            if claim.held and hash(claim.held) in wanted
        }
    return contested
