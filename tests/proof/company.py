"""A simulated company: who works there, what its source says of them, and how its reads go wrong.

The source stands behind the bridge's contract and writes down every statement that it makes, so
that a check can know what the bridge was told without asking the bridge.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bridge import dn
from bridge.errors import AccessRefused, IncompleteRead, SourceUnavailable
from bridge.model import Batch, Entry, Verdict, Wanted
from bridge.model import Kind as ModelKind
from bridge.sources import SourceSettings

Row = dict[str, str]

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEAMS = 3
"""Groups that the directory may have."""
BATCH = 3
"""Entries in a batch."""

HEADINGS = ("id", "first", "last", "mail", "dept", "boss", "end", "locked", "title", "room")


def team(number: int, *members: str) -> Row:
    """A group of the directory."""
    return {"id": f"T{number}", "name": f"Team {number}", "member": " ".join(members)}


def is_team(key: str) -> bool:
    return key.startswith("T")


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
    teams: dict[str, Row] = field(default_factory=dict)
    """The groups of this directory."""
    faults: list[tuple[str, int]] = field(default_factory=list)
    """Of the next reads: what goes wrong with each, and after how many batches; how many changes
    ago what is stale was true."""
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
    reads: int = 0

    def __post_init__(self) -> None:
        self._log = os.open(self.statements, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def close(self) -> None:
        os.close(self._log)

    # -- who works there -----------------------------------------------------------------------

    def put(self, row: Row) -> None:
        self._note(row["id"])
        (self.teams if is_team(row["id"]) else self.people)[row["id"]] = row
        self.unnamed.discard(row["id"])

    def change(self, key: str, **changes: str) -> None:
        if key in self.people:
            self.put(self.people[key] | changes)

    def delete(self, key: str, named: bool = True) -> None:
        if (self.teams if is_team(key) else self.people).pop(key, None) is not None:
            self._note(key)
            if not named:
                self.unnamed.add(key)

    def _note(self, key: str) -> None:
        self.past.append((self.sequence, self.people | self.teams))
        self.past = self.past[-10:]
        self.sequence += 1
        self.changed[key] = self.sequence

    # -- the contract --------------------------------------------------------------------------

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        kind, after = self.faults.pop(0) if self.faults else ("", 0)
        if kind == "forgetful":
            cookie = None
        self.reads += 1
        records, as_of = self.people | self.teams, self.sequence
        if kind == "stale":
            past = [each for each in self.past if each[0] < self.read_as_of]
            if past:
                [(as_of, records), cookie] = past[-1 - after % len(past)], None
        since = -1 if cookie is None else int(cookie)
        whole = cookie is None or self.tells_present
        keys = sorted(self.changed, key=self.changed.__getitem__)
        keys = [key for key in keys if self.changed[key] > since and key not in self.unnamed]
        if whole:
            keys = [key for key in keys if key in records]
        present = [key for key in records if whole and self.changed[key] <= since]
        if kind == "empty" or (kind == "deaf" and cookie is not None):
            keys = []
        if kind in ("empty", "shrunk"):
            keys, present = _shrunk(keys, after), _shrunk(present, after)
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
            rows = [_without(records[key], blind) for key in chunk if key in records]
            gone = [key for key in chunk if key not in records]
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
            self._say(
                whole=whole and [*present, *keys],
                present=bool(present),
                lie=kind in LIES,
                as_of=as_of,
                untold=[] if whole else sorted(self.unnamed),
            )
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
        os.write(self._log, json.dumps({"read": self.reads, **statement}).encode() + b"\n")


class Kind:
    """What `bridge.sources` keeps of a kind of source."""

    class Settings(SourceSettings):
        password: SecretStr

        def attribute_names(self) -> frozenset[str] | None:
            return frozenset(HEADINGS)

        def own_names(self) -> frozenset[str]:
            return frozenset({"dn"})

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


def _shrunk(keys: list[str], after: int) -> list[str]:
    """The teams are all there: without any, no part of a read would be believed."""
    return [key for n, key in enumerate(keys) if n < after * BATCH or is_team(key)]


def _entry(row: Mapping[str, str]) -> Entry:
    present: dict[str, Any] = {name: value for name, value in row.items() if value}
    digest = blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=16).digest()
    of_kind = ModelKind.USER
    if is_team(row["id"]):
        of_kind = ModelKind.GROUP
        present["member"] = [f"cn={key}" for key in row["member"].split()]
    return Entry(row["id"], present, digest, dn.normal(f"cn={row['id']}"), of_kind)
