"""Names that more than one person would have: found among the run and everybody who is served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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


class Suspects:
    """Folded names that may be contested, noted while people are looked at, whatever will be held.

    Somebody whose change is held has the old name, which the store knows: so one too many may be
    among them, but none is missing. Only hashes are kept of the names seen, so that a million of
    them fit in memory.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._wanted: set[int] = set()

    def note(self, connection: Connection, claims: Iterable[Claim]) -> None:
        """Compare the claims of some people with everybody else's so far and with who is served."""
        new = [claim for claim in claims if claim.wanted != claim.held]
        for claim in new:
            if hash(claim.wanted) in self._wanted:
                self.names.add(claim.wanted)
            self._wanted.add(hash(claim.wanted))
        holders = resources.holders(connection, {claim.wanted for claim in new})
        for claim in new:
            if any(person.id != claim.id for person in holders.get(claim.wanted, ())):
                self.names.add(claim.wanted)

    def is_wanted(self, name: str) -> bool:
        """Whether somebody wants this name, or one with the same hash."""
        return hash(name) in self._wanted


def contest(connection: Connection, suspects: Suspects, claims: Claims) -> Contest:
    """Find the contested names and decide those alone."""
    contested = _contested(connection, claims) if suspects.names else set()
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

    A chance collision of hashes puts a name on the list needlessly, and `settle` finds nobody to
    part.
    """
    found = Suspects()
    for chunk in claims():
        found.note(connection, chunk)
    contested = found.names
    if contested:
        # Whoever must wait keeps the old name, so that one is contested as well.
        contested |= {
            claim.held
            for chunk in claims()
            for claim in chunk
            if claim.held and found.is_wanted(claim.held)
        }
    return contested
