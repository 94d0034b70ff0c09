"""What the simulated source has said, and so what the bridge may believe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from tests.proof.company import Row, is_team

Statement = Mapping[str, Any]
"""Something that the source has said in a read, which has a number."""


@dataclass
class Heard:
    """What the source has said of each record: what the bridge has for certain, and may have."""

    certain: dict[str, Row | None] = field(default_factory=dict)
    maybe: dict[str, list[Row | None]] = field(default_factory=dict)
    relinked: dict[str, str] = field(default_factory=dict)
    """The person whom a record of another key belongs to."""
    stated: set[str] = field(default_factory=set)
    """The keys of whoever was stated to be there, since it was last taken out of here."""
    lied: bool = False
    """Whether the bridge may believe something that only a whole read puts right."""

    doubted: set[str] = field(default_factory=set)
    """The keys of whom something was said that the bridge may have put down to a lost right."""
    as_of: int = 0
    """Of which moment the bridge has read everything for certain, and so believes nothing older."""

    def hear(self, statements: Iterable[Statement], certain: bool) -> None:
        """Take in what a run was told; ``certain`` says that it has kept all of it."""
        for _, read in groupby(statements, key=itemgetter("read")):
            self._hear(list(read), certain)

    def _hear(self, read: Sequence[Statement], certain: bool) -> None:
        lost = self._lost(read)
        sure = certain and not lost
        for each in read:
            for row in each.get("rows", ()):
                if lost:  # where nobody believes that, whoever had it keeps it
                    self._may_keep(row, lost)
                self._say(row["id"], row, sure)
            for key in each.get("gone", ()):
                self._say(key, None, sure)
            whole = each.get("whole")
            if whole and (each["present"] or self._kinds() <= {is_team(key) for key in whole}):
                for key in self.certain.keys() | self.maybe.keys():
                    if key not in whole:
                        self._say(key, None, sure)
                if sure:
                    self._are_there(whole)
                    self.lied, self.as_of = False, each["as_of"]
            self.lied |= bool(each.get("lie"))
            if sure and "as_of" in each and not self.lied:
                self._is_all_kept(each["untold"])
        if lost:
            self.doubted.update(self.maybe)

    def _kinds(self) -> set[bool]:
        """Whether there were people, and teams: of either, nothing at all proves nothing."""
        there = {key for key, row in self.certain.items() if row}
        return {is_team(key) for key in there | self.maybe.keys()}

    def _lost(self, read: Sequence[Statement]) -> set[str]:
        """What people had before, and nobody has of whom this read tells."""
        rows = [row for each in read for row in each.get("rows", ())]
        shown = {name for row in rows for name, value in row.items() if value}
        lost = Counter(
            name
            for row in rows
            for name in {name for old in self._known(row["id"]) for name in old if old[name]}
            if name not in shown
        )
        # Of a read that broke off, nothing is kept of whoever lost what others may still show.
        many = 2 if any("as_of" in each for each in read) else 1
        return {name for name, count in lost.items() if count >= many}

    def _known(self, key: str) -> list[Row]:
        return [row for row in (self.certain.get(key), *self.maybe.get(key, ())) if row]

    def _may_keep(self, row: Row, lost: set[str]) -> None:
        for old in self._known(row["id"]):
            kept = {name: old[name] for name in lost if name in old}
            self._say(row["id"], row | kept, False)

    def _are_there(self, keys: Iterable[str]) -> None:
        """Whom a whole read has come by, the bridge does not take for gone: had it, when a run
        broke, it could not have believed that they are as they were."""
        for key in self.maybe.keys() & set(keys):
            self.maybe[key] = [row for row in self.maybe[key] if row is not None]
            if not self.maybe[key]:
                del self.maybe[key]

    def _is_all_kept(self, untold: Collection[str]) -> None:
        """Promise 7: what a run that broke may have lost, the next good read has said again."""
        for key in self.maybe.keys() - self.doubted - set(untold):
            self.certain[key] = self.maybe.pop(key)[-1]

    def _say(self, key: str, row: Row | None, certain: bool) -> None:
        if row is not None:
            self.stated.add(self.relinked.get(key, key))
        if certain:
            self.certain[key] = row
            self.maybe.pop(key, None)
            self.doubted.discard(key)
        else:
            self.maybe.setdefault(key, []).append(row)

    def of(self, key: str) -> list[Row | None]:
        """Everything that the bridge may believe of a person."""
        records = [key, *(new for new, old in self.relinked.items() if old == key)]
        if key in self.relinked:
            records.remove(key)
        found: list[Row | None] = []
        for record in records:
            found += [self.certain.get(record), *self.maybe.get(record, ())]
        present = [row for row in found if row is not None]
        if len(records) > 1 and present:
            found = [*present]  # of several records those that are not there say nothing
        return found or [None]
