"""What a plan comes to: how many people end how, and who among them is odd."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_MAIL = re.compile(r"[^@\s]+@[^@\s]+")

_STATES = ("active: ", "inactive: ", "no longer in ")
_RENAMED = "another userName"
"""What comes of a change that none of the beginnings fits: of a rename, its outcome is the name."""

_SHARED = "whose userName is to be somebody else's as well: neither is served until one has another"
_NO_MAIL = "whose userName is no e-mail address, which Okta refuses by default"
_LENGTH = "whose userName is not 5 to 100 characters long, which Okta refuses"


@dataclass(frozen=True, slots=True)
class Summary:
    """``outcomes`` counts changes by what comes of them, all renames as one; ``odd`` lists
    userNames by what is odd about them, in words."""

    outcomes: Counter[str]
    odd: dict[str, list[str]]

    @property
    def active(self) -> int:
        """How many end up active."""
        return sum(count for words, count in self.outcomes.items() if words.startswith("active"))

    @classmethod
    def of(cls, changes: Iterable[tuple[str, str]]) -> Summary:
        """Sum up ``(userName, outcome)`` of every change; what is odd of people is said once."""
        outcomes: Counter[str] = Counter()
        names: Counter[str] = Counter()
        odd: dict[str, list[str]] = {}
        for name, outcome in changes:
            outcomes[outcome if outcome.startswith(_STATES) else _RENAMED] += 1
            names[name.casefold()] += 1
            if not _MAIL.fullmatch(name):
                odd.setdefault(_NO_MAIL, []).append(name)
            if not 5 <= len(name) <= 100:
                odd.setdefault(_LENGTH, []).append(name)
        if shared := sorted(name for name, count in names.items() if count > 1):
            odd[_SHARED] = shared
        return cls(outcomes, odd)
