"""``prefer:``: which of a person's records speaks."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping.frames import located
from bridge.mapping.moments import Now, Today
from bridge.mapping.scope import Expression, Frame
from bridge.mapping.values import compare, single
from bridge.model import Entry


@dataclass(frozen=True, slots=True)
class Preference:
    """The expressions of ``prefer``; of each the highest value wins, and absent ranks lowest."""

    ranks: tuple[Expression, ...]
    zone: ZoneInfo

    def choose(
        self, entries: Sequence[Entry], frames: Sequence[Frame]
    ) -> tuple[list[int], list[str]]:
        """The record that speaks, by its number, or those between which nothing decides and why.

        Records that hold the same are as good as one.
        """
        chosen = list(range(len(entries)))
        if len(chosen) == 1:
            return chosen, []
        for number, rank in enumerate(self.ranks, start=1):
            try:
                chosen = self._highest(rank, chosen, frames)
            except EntryFault as fault:
                return chosen, [str(located(f"prefer[{number}]", rank, fault))]
        if len({entries[index].fingerprint for index in chosen}) == 1:
            return chosen[:1], []
        why = "equal under prefer" if self.ranks else "there, and the file has no prefer"
        return chosen, [f"{len(chosen)} records of this person are {why}: add a rule that decides"]

    def _highest(self, rank: Expression, chosen: list[int], frames: Sequence[Frame]) -> list[int]:
        best: Any = None
        found: list[int] = []
        for index in chosen:
            value = _ranked(rank.code(frames[index]))
            if compare(operator.gt, value, best, self.zone) or (best is None and value is not None):
                best, found = value, [index]
            elif (value is None and best is None) or compare(operator.eq, value, best, self.zone):
                found.append(index)
        return found


def _ranked(value: Any) -> Any:
    value = None if value is None else single(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Now):
        raise EntryFault("is now, which is the same for every record")
    return value.settled() if isinstance(value, Today) else value
