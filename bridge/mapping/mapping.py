"""One mapping file, ready to map: what it says about its source, and its program."""

from __future__ import annotations

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.mapping.directory_group import DirectoryGroup
from bridge.mapping.examples import Example
from bridge.mapping.explanation import Explanation, explain
from bridge.mapping.limits import Limits
from bridge.mapping.program import Program
from bridge.mapping.schedule import Schedule
from bridge.mapping.source_section import SourceModel, source_settings
from bridge.model import Entry, GroupMapped, Mapped, Wanted


@dataclass(frozen=True, slots=True)
class Mapping:
    """A loaded file. ``source`` is its section without ``type`` and with its secrets closed.

    ``version_hash`` is the SHA-256 of ``text`` in hex. ``schemas`` are the custom schemas'
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

    def source_settings(self) -> SourceModel:
        """The source's settings with their secrets. Raises `UsageError` where one is missing."""
        return source_settings(self.source_model, self.source)

    def key_of(self, entry: Entry) -> str:
        """The key of the person whom a record is about. Raises `EntryFault`."""
        return self.program.key_of(entry)

    def person(self, entries: Sequence[Entry], now: datetime) -> Mapped:
        """What the records of one person, at least one, make of that person at ``now``."""
        return self.program.person(entries, now)

    def group(self, entry: Entry) -> GroupMapped:
        """What the entry of a directory's group is, by the search that found it."""
        return self.directory_groups[entry.section].mapped(entry)

    def explain(self, entries: Sequence[Entry], now: datetime) -> Explanation:
        """How each value of that person comes about; it holds the person's data."""
        return explain(self.program, entries, now)
