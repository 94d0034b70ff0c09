"""Two people, one userName: who keeps it, who waits, who gives it up.

Pure. An active holder keeps the name and the newcomer waits; somebody inactive yields it. Only
the people who want the same name are concerned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One person's wish: the folded name they shall have and the one they have (None: new)."""

    id: str
    wanted: str
    held: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of those who wait for their name, and of those who give theirs up."""

    waiting: frozenset[str] = frozenset()
    yielding: frozenset[str] = frozenset()


def settle(claims: Iterable[Claim]) -> Names:
    """Decide every contested name among ``claims``, which hold each contested name's holder too.

    Somebody who has to wait keeps the old name, which may contest that one in turn; the set of
    those who wait only grows, so this ends.
    """
    people = tuple(claims)
    waiting: set[str] = set()
    while True:
        by_name: dict[str, list[Claim]] = defaultdict(list)
        for person in people:
            name = person.held if person.id in waiting else person.wanted
            if name is not None:
                by_name[name].append(person)
        more: set[str] = set()
        yielding: set[str] = set()
        for name, same in by_name.items():
            if len(same) > 1:
                losers, quitters = _contest(name, same)
                more |= losers - waiting
                yielding |= quitters
        if not more:
            return Names(frozenset(waiting), frozenset(yielding))
        waiting |= more


def _contest(name: str, same: list[Claim]) -> tuple[set[str], set[str]]:
    """Who waits and who yields among people who would all be called ``name``."""
    active = {person.id for person in same if person.active}
    inactive = {person.id for person in same} - active
    holders = {person.id for person in same if person.active and person.held == name}
    if holders or len(active) == 1:
        return (active - holders if holders else set()), inactive
    # Whoever is inactive and has it, or else the first, keeps it, so that names stay still.
    keeper = min(
        (person for person in same if not person.active),
        key=lambda person: (person.held != name, person.id),
        default=None,
    )
    return active, inactive - ({keeper.id} if keeper else set())
