"""A simulated company: who works there, what its source says of them, and how its reads go wrong.

The source stands behind the bridge's contract and writes down every statement that it makes, so
that a check can know what the bridge was told without asking the bridge.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bridge.errors import AccessRefused, IncompleteRead, SourceUnavailable
from bridge.model import Batch, Entry, Verdict, Wanted
from bridge.sources import SourceSettings

Row = dict[str, str]

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BATCH = 3
"""Entries in a batch."""

HEADINGS = ("id", "first", "last", "mail", "dept", "boss", "end", "locked", "title", "room")
LIMITS = {
    "absent": 1,
    "disabled": 3,
    "reactivated": 1,
    "edited": 1,
    "renamed": 3,
    "emptied": 3,
    "new": 4,
    "memberships": 4,
    "per_day": 3,
}
"""What a run may do by itself in a company of up to 20."""

MAPPING = """\
version: 1
name: hr
source: { type: simulated, password: "${env:PROOF_SECRET}" }
lookups:
  departments: { "1": Engineering, "2": Sales }
vars:
  ends: end | date('%Y-%m-%d')
key: id
external_id: id
skip:
  - { when: title == 'Test', reason: test account }
active:
  rules:
    - { when: locked | bool, then: false, reason: locked }
    - { when: "end_of(ends) <= now", then: false, reason: last day has passed }
  otherwise: { then: true, reason: employed }
user:
  userName: { expr: mail | lower, required: true }
  name:
    givenName: { expr: first, required: true }
    familyName: { expr: last, required: true }
  title: title
  emails:
    - { value: mail | lower, type: work, primary: true }
enterprise:
  department: dept | lookup('departments', 'Unknown')
  manager: { value: "boss | ref('externalId', 'userName')" }
groups:
  - key: f"department-{dept}"
    displayName: f"Department {dept | lookup('departments', 'Unknown')}"
limits: { first_load: FIRST, new: 4, memberships: 4 }
"""


def person(number: int, **changes: str) -> Row:
    """The row of an invented person, P1 being everybody's manager."""
    row = {
        "id": f"P{number}",
        "first": f"Zfirst{number}",
        "last": f"Zlast{number}",
        "mail": f"zq{number}@example.com",
        "dept": str(number % 2 + 1),
        "boss": "" if number == 1 else "P1",
        "end": "",
        "locked": "",
        "title": "Clerk",
        "room": "",
    }
    return row | changes


@dataclass(frozen=True, slots=True)
class Text:
    """An edition of the mapping file, and what it makes of a row, in the words of this test."""

    changes: tuple[tuple[str, str], ...] = ()
    good: bool = True
    title: Callable[[str], str] = str
    engineering: str = "Engineering"
    skipped: str = "Test"
    employed: bool = True

    def written(self, first_load: str) -> str:
        text = MAPPING.replace("FIRST", first_load)
        for old, new in self.changes:
            assert old in text
            text = text.replace(old, new)
        return text

    def department(self, dept: str) -> str:
        return {"1": self.engineering, "2": "Sales"}.get(dept, "Unknown")


TEXTS: dict[str, Text] = {
    "as it was": Text(),
    "titles in capitals": Text(
        (("\n  title: title\n", "\n  title: title | upper\n"),), title=str.upper
    ),
    "no titles": Text((("\n  title: title\n", "\n"),), title=lambda title: ""),
    "another name of a department": Text((("Engineering", "Research"),), engineering="Research"),
    "chiefs are not served": Text((("title == 'Test'", "title == 'Chief'"),), skipped="Chief"),
    "nobody is employed": Text((("then: true", "then: false"),), employed=False),
    "another secret": Text((("env:PROOF_SECRET", "env:PROOF_OTHER_SECRET"),)),
    "a typo": Text((("\n  title: title\n", "\n  title: titel\n"),), good=False),
    "another key": Text((("key: id\n", "key: mail\n"),), good=False),
    "another name": Text((("name: hr\n", "name: people\n"),), good=False),
    "half a file": Text((("groups:\n", "gro"),), good=False),
}

FAULTS = (
    "unreachable",  # after so many batches
    "refused",
    "cut",
    "silent",  # it ends without a verdict
    "doubtful",  # it says itself that it is not whole
    "crash",  # a fault of the program
    "stale",  # something older than what was read before
    "forgetful",  # everything, though asked for changes
    "empty",  # from here on it lies: it calls complete what is not
    "shrunk",
    "deaf",  # no changes, though there are some
    "blind to end",
    "blind to mail",
    "blind to title",
)
LIES = FAULTS[FAULTS.index("empty") :]


@dataclass
class Simulated:
    """The source: people now, in the order of joining, and the reads to come that go wrong."""

    statements: Path
    people: dict[str, Row] = field(default_factory=dict)
    faults: list[tuple[str, int]] = field(default_factory=list)
    """Of the next reads: what goes wrong with each, and after how many batches."""
    tells_present: bool = False
    """Whether a read of changes says who else is there, and so is whole."""
    sequence: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    """When each record was changed or deleted last."""
    unnamed: set[str] = field(default_factory=set)
    """Records whose deletion no read of changes will tell."""
    read_as_of: int = 0
    """Of which moment the bridge has read everything for certain, and so believes nothing older."""
    past: list[tuple[int, dict[str, Row]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._log = os.open(self.statements, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def close(self) -> None:
        os.close(self._log)

    # -- who works there -----------------------------------------------------------------------

    def put(self, row: Row) -> None:
        self._note(row["id"])
        self.people[row["id"]] = row
        self.unnamed.discard(row["id"])

    def change(self, key: str, **changes: str) -> None:
        if key in self.people:
            self.put(self.people[key] | changes)

    def delete(self, key: str, named: bool = True) -> None:
        if self.people.pop(key, None) is not None:
            self._note(key)
            if not named:
                self.unnamed.add(key)

    def _note(self, key: str) -> None:
        self.past.append((self.sequence, dict(self.people)))
        self.past = self.past[-10:]
        self.sequence += 1
        self.changed[key] = self.sequence

    # -- the contract --------------------------------------------------------------------------

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        kind, after = self.faults.pop(0) if self.faults else ("", 0)
        if kind == "forgetful":
            cookie = None
        people, as_of = self.people, self.sequence
        if kind == "stale":
            past = [each for each in self.past if each[0] < self.read_as_of]
            if past:
                [(as_of, people), cookie] = past[0], None
        since = -1 if cookie is None else int(cookie)
        whole = cookie is None or self.tells_present
        keys = sorted(self.changed, key=self.changed.__getitem__)
        keys = [key for key in keys if self.changed[key] > since and key not in self.unnamed]
        if whole:
            keys = [key for key in keys if key in people]
        present = [key for key in people if whole and self.changed[key] <= since]
        if kind == "empty" or (kind == "deaf" and cookie is not None):
            keys = []
        if kind in ("empty", "shrunk"):
            keys, present = keys[: after * BATCH], present[: after * BATCH]
        blind = kind.removeprefix("blind to ") if kind.startswith("blind") else ""
        stale = as_of < self.read_as_of
        moment = NOW + timedelta(seconds=as_of)
        if present:
            yield Batch(present=present, as_of=moment)
        for number, start in enumerate(range(0, len(keys), BATCH)):
            if kind and number == after:
                self._fail(kind)
                if kind in ("silent", "doubtful"):
                    break
            chunk = keys[start : start + BATCH]
            rows = [_without(people[key], blind) for key in chunk if key in people]
            gone = [key for key in chunk if key not in people]
            if not stale:  # what is refused counts as never said
                self._say(rows=rows, gone=gone, lie=kind in LIES)
            reached = None if whole else str(self.changed[chunk[-1]]).encode()
            entries = [_entry(row) for row in rows]
            yield Batch(entries, gone, cookie=reached, as_of=moment)
        self._fail(kind)
        if kind == "silent":
            return
        if kind == "doubtful":
            yield Batch(verdict=Verdict(complete=False, reason="a server says so"))
            return
        if not stale:
            self._say(whole=whole and [*present, *keys], lie=kind in LIES, as_of=as_of)
        verdict = Verdict(complete=True, whole=whole)
        yield Batch(cookie=str(as_of).encode(), verdict=verdict, as_of=moment)

    def _fail(self, kind: str) -> None:
        match kind:
            case "unreachable":
                raise SourceUnavailable("nobody answers")
            case "refused":
                raise AccessRefused("the password is wrong")
            case "cut":
                raise IncompleteRead("the connection was lost")
            case "crash":
                raise RuntimeError("a fault of the program")

    def _say(self, **statement: Any) -> None:
        os.write(self._log, json.dumps(statement).encode() + b"\n")


class Kind:
    """What `bridge.sources` keeps of a kind of source."""

    class Settings(SourceSettings):
        password: SecretStr

        def attribute_names(self) -> frozenset[str] | None:
            return frozenset(HEADINGS)

    def __init__(self, source: Simulated) -> None:
        self.source = source

    def open(
        self,
        settings: SourceSettings,
        folder: Path,
        wanted: Wanted = Wanted(),  # noqa: B008
    ) -> Simulated:
        return self.source


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _entry(row: Mapping[str, str]) -> Entry:
    present = {name: value for name, value in row.items() if value}
    digest = blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=16).digest()
    return Entry(row["id"], present, digest)
