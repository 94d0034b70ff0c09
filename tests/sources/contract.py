"""What every kind of source owes its reader; a source's own tests subclass `SourceContract`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Batch, Entry, Verdict
from bridge.sources import Source

Person = Mapping[str, str]


class World(ABC):
    """A real source of people for tests, who have an ``id``, a ``name`` and a ``mail``."""

    @abstractmethod
    def source(self) -> Source:
        """The source as a mapping file would open it."""

    @abstractmethod
    def hold(self, people: Sequence[Person]) -> None:
        """Make the source hold exactly these people, in this order."""

    @abstractmethod
    def break_off(self, people: Sequence[Person]) -> None:
        """Make the source hold these people, of whom a reader gets to see at least the first."""

    @abstractmethod
    def take_away(self) -> None:
        """Make the source unreachable."""


class Reading:
    """One read, whole: its batches, the entries by record key, and how it ended."""

    def __init__(self, source: Source, cookie: bytes | None = None) -> None:
        self.batches: list[Batch] = []
        try:
            self.batches.extend(source.read(cookie))
        except IncompleteRead as error:
            self.batches.append(Batch(verdict=Verdict(complete=False, reason=str(error))))
        self.read: list[Entry] = [entry for batch in self.batches for entry in batch.entries]
        self.entries = {entry.record_key: entry for entry in self.read}
        self.gone = {key for batch in self.batches for key in batch.gone}
        self.verdict = self.batches[-1].verdict
        outside = {key for batch in self.batches for key in batch.outside}
        assert outside <= self.gone, "who is elsewhere has left"
        named = [bool(batch.present) for batch in self.batches]
        if any(named):
            assert named == sorted(named, reverse=True), "who is present is named before any entry"
            assert self.verdict == COMPLETE, "who is present is named only where it is all"
        stored = [batch.cookie for batch in self.batches if batch.cookie is not None]
        self.cookie = stored[-1] if stored else cookie

    @property
    def attributes(self) -> list[Mapping[str, Any]]:
        return [entry.attributes for entry in self.read]


PEOPLE: Sequence[Person] = [
    {"id": f"P{number}", "name": f"Ána {number}", "mail": f"p{number}@example.com"}
    for number in range(2500)
]
COMPLETE = Verdict(complete=True, whole=True)


class SourceContract:
    """Subclasses give a fixture ``world``."""

    def test_a_complete_read_yields_everybody_once_and_whole(self, world: World) -> None:
        world.hold(PEOPLE)
        reading = Reading(world.source())
        assert reading.attributes == PEOPLE
        assert len(reading.entries) == len(PEOPLE)
        assert reading.verdict == COMPLETE

    def test_only_the_last_batch_carries_the_verdict(self, world: World) -> None:
        world.hold(PEOPLE)
        *others, last = Reading(world.source()).batches
        assert [batch.verdict for batch in others] == [None] * len(others)
        assert last.verdict is not None
        assert last.cookie is not None

    def test_no_batch_is_unbounded(self, world: World) -> None:
        world.hold(PEOPLE)
        assert max(len(batch.entries) for batch in Reading(world.source()).batches) <= 1000

    def test_what_is_empty_is_absent(self, world: World) -> None:
        world.hold([{"id": "P1", "name": "", "mail": "p1@example.com"}])
        assert Reading(world.source()).attributes == [{"id": "P1", "mail": "p1@example.com"}]

    def test_a_fingerprint_changes_with_its_record_alone(self, world: World) -> None:
        world.hold(PEOPLE[:3])
        first = Reading(world.source()).entries
        world.hold([PEOPLE[0], {**PEOPLE[1], "mail": "new@example.com"}, PEOPLE[2]])
        second = Reading(world.source()).entries
        changed = [key for key in first if first[key].fingerprint != second[key].fingerprint]
        assert [first[key].attributes["id"] for key in changed] == ["P1"]
        assert {len(entry.fingerprint) for entry in first.values()} == {16}

    def test_a_fingerprint_tells_which_attribute_holds_a_value(self, world: World) -> None:
        world.hold([{"id": "P1", "name": "x", "mail": ""}])
        first = Reading(world.source()).read[0]
        world.hold([{"id": "P1", "name": "", "mail": "x"}])
        assert Reading(world.source()).read[0].fingerprint != first.fingerprint

    def test_a_cookie_of_an_unchanged_source_leads_to_no_entries(self, world: World) -> None:
        world.hold(PEOPLE)
        again = Reading(world.source(), Reading(world.source()).cookie)
        assert (again.read, again.gone) == ([], set())
        assert again.verdict is not None
        assert again.verdict.complete
        assert Reading(world.source(), again.cookie).read == []

    def test_a_cookie_leads_to_every_change_since(self, world: World) -> None:
        world.hold(PEOPLE[:10])
        before = Reading(world.source())
        moved = {**PEOPLE[3], "mail": "moved@example.com"}
        world.hold([*PEOPLE[:3], moved, *PEOPLE[5:12]])
        after = Reading(world.source(), before.cookie)
        assert after.verdict is not None
        assert after.verdict.complete
        assert moved in after.attributes
        assert PEOPLE[10] in after.attributes
        assert PEOPLE[11] in after.attributes
        left = {key for key, entry in before.entries.items() if entry.attributes == PEOPLE[4]}
        # A read of changes may be blind to deletions; then a whole one shows them.
        whole = after if after.verdict.whole else Reading(world.source())
        assert left <= after.gone or (whole.verdict == COMPLETE and not left & whole.entries.keys())

    def test_a_cookie_that_makes_no_sense_leads_to_a_whole_read(self, world: World) -> None:
        world.hold(PEOPLE[:3])
        reading = Reading(world.source(), b"\x00 not a cookie")
        assert (reading.attributes, reading.verdict) == (PEOPLE[:3], COMPLETE)

    def test_a_read_that_breaks_off_proves_nothing_but_keeps_what_it_saw(
        self, world: World
    ) -> None:
        world.hold(PEOPLE)
        known = Reading(world.source()).cookie
        world.break_off([{**PEOPLE[0], "mail": "new@example.com"}, *PEOPLE[1:]])
        broken = Reading(world.source(), known)
        assert broken.verdict is not None
        assert not broken.verdict.complete
        assert not broken.verdict.whole
        assert broken.verdict.reason
        assert broken.attributes[0]["mail"] == "new@example.com"

    def test_nothing_is_lost_after_a_read_that_broke_off(self, world: World) -> None:
        world.hold(PEOPLE)
        known = Reading(world.source()).cookie
        world.break_off([{**PEOPLE[0], "mail": "new@example.com"}, *PEOPLE[1:]])
        broken = Reading(world.source(), known)
        world.hold(PEOPLE)
        mended = Reading(world.source(), broken.cookie)
        assert mended.verdict is not None
        assert mended.verdict.complete
        assert PEOPLE[0] in mended.attributes

    def test_nobody_there_is_unavailable_and_not_an_empty_company(self, world: World) -> None:
        world.hold(PEOPLE[:3])
        world.take_away()
        with pytest.raises(SourceUnavailable):
            Reading(world.source())
