"""One mapping file, ready to map: what it says about its source, and its program."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Fault
from bridge.mapping.directory_group import DirectoryGroup
from bridge.mapping.effective import own_text, read_effective
from bridge.mapping.examples import Example
from bridge.mapping.explanation import Explanation, explain
from bridge.mapping.faults import Faults
from bridge.mapping.limits import Limits
from bridge.mapping.program import Program
from bridge.mapping.schedule import Schedule
from bridge.mapping.source_section import SourceModel, source_settings
from bridge.model import Entry, GroupMapped, Mapped, Served, Wanted


@dataclass(frozen=True, slots=True)
class Mapping:
    """A loaded file. ``source`` is its section without ``type`` and with its secrets closed.

    ``text`` means the same for ever: it holds the preset that the file extends. ``version_hash``
    is its SHA-256 in hex. ``schemas`` are the custom schemas'
    attribute definitions by URN. ``key_signature`` says what makes the key what it is: two
    files with equal ones give the same keys. ``wanted`` is what expressions use, for a
    source that asks for that alone; of one that is read whole it is empty.
    """

    name: str
    file: str
    text: str = field(repr=False)
    version_hash: str
    source_type: str
    source: abc.Mapping[str, Any] = field(repr=False)
    source_model: type[SourceModel] = field(repr=False)
    schedule: Schedule
    limits: Limits
    protect: frozenset[str]
    timezone: ZoneInfo
    schemas: abc.Mapping[str, list[dict[str, Any]]] = field(repr=False)
    tests: tuple[Example, ...] = field(repr=False)
    key_signature: str = field(repr=False)
    program: Program = field(repr=False)
    wanted: Wanted = field(repr=False)
    directory_groups: tuple[DirectoryGroup, ...] = field(repr=False)

    def fault(self, key: str, message: str, hint: str) -> Fault:
        """A fault of the file, found elsewhere, at one of its keys."""
        faults = Faults(self.file, own_text(self.text))
        effective = read_effective(self.text, faults)
        assert effective is not None
        faults.add(effective[0].keys[key].place, message, hint)
        return faults.error().faults[0]

    def source_settings(self) -> SourceModel:
        """The source's settings with their secrets. Raises `UsageError` where one is missing."""
        return source_settings(self.source_model, self.source, Path(self.file).parent)

    def key_of(self, entry: Entry) -> str:
        """The key of the person whom a record is about. Raises `EntryFault`."""
        return self.program.key_of(entry)

    def person(
        self, entries: Sequence[Entry], now: datetime, served: Served | None = None
    ) -> Mapped:
        """What the records of one person, at least one, make of that person at ``now``.

        Who is ``served`` already keeps the values that were settled then.
        """
        return self.program.person(entries, now, served)

    @property
    def unique(self) -> frozenset[tuple[str, ...]]:
        """Where the values stand that nobody else may have. Whose value is not settled yet has
        the first of `candidates`, which somebody else may have."""
        return frozenset(each.target.path for each in self.program.attributes.single if each.unique)

    def candidates(
        self, entries: Sequence[Entry], now: datetime, path: tuple[str, ...]
    ) -> Iterator[str]:
        """The values to try for the unique one at ``path``, of a person who could be mapped.

        Raises `EntryFault` where one of them cannot be worked out.
        """
        return self.program.candidates(entries, now, path)

    def group(self, entry: Entry) -> GroupMapped:
        """What the entry of a directory's group is, by the search that found it."""
        return self.directory_groups[entry.section].mapped(entry)

    @property
    def sensitive(self) -> frozenset[tuple[str, ...]]:
        """Where the values stand that nobody is shown."""
        targets = (each.target for each in self.program.attributes.targets())
        return frozenset(target.path for target in targets if target.options.sensitive)

    def explain(
        self, entries: Sequence[Entry], now: datetime, served: Served | None = None
    ) -> Explanation:
        """How each value of that person comes about; it holds the person's data."""
        return explain(self.program, entries, now, served)
