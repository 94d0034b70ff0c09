"""What a decision did, as the account of its run tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision did: people by kind of change that went live, and that it held."""

    written: int = 0
    published: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    publication: int | None = None

    def __add__(self, other: Outcome) -> Outcome:
        """Both decisions of a run together."""
        return Outcome(
            written=self.written + other.written,
            published=self.published + other.published,
            held=self.held + other.held,
            publication=other.publication or self.publication,
        )
