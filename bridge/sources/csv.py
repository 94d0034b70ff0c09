"""People in a CSV export: the newest file of a pattern, read whole or not believed.

An export has no change log, so what changed is only ever known by reading a newer file whole.
Every doubt about a file (still being written, damaged, a renamed column) is an INCOMPLETE read.
"""

from __future__ import annotations

import glob
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Batch, Entry, Verdict, Wanted
from bridge.sources import Duration, SourceSettings
from bridge.sources.csv_rows import is_text_encoding, rows
from bridge.sources.doctor import did_you_mean

_BATCH = 1000

# True of a store that took in a part of a file: whatever comes next has to be read whole.
_NOTHING_KNOWN = b"{}"


class Trailer(BaseModel):
    """The last row of an export, which is nobody and says how many rows there should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts_with: str = Field(
        min_length=1,
        description="What the first cell of that row starts with, and of no other row.",
    )
    count_column: int = Field(
        2,
        ge=1,
        description="Which cell, counted from 1, holds the number of rows between the headings and "
        "this row.",
    )


class Settings(SourceSettings):
    """``type: csv``."""

    numbered = True

    path: str = Field(
        min_length=1,
        description="The file, or a pattern such as `export-*.csv`, of which the newest is read.",
    )
    encoding: str = Field(
        "utf-8", description="How the file is encoded; a byte order mark is fine."
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="What separates two cells.")
    quote: str = Field(
        '"',
        min_length=1,
        max_length=1,
        description="What encloses a cell that holds a delimiter or a line end.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Short names for headings; other columns are not read. Without it headings are "
        "the names.",
    )
    row_key: str = Field(
        "",
        description="The name of the column that tells rows apart; the first of `require` if not "
        "given.",
    )
    settle: Duration = Field(
        timedelta(seconds=5),
        description="How long size and time of the file must have been still before it is read.",
    )
    trailer: Trailer | None = Field(
        None,
        description="How the last row names the count of rows, where the export has such a row.",
    )

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str) -> str:
        if not is_text_encoding(value):
            raise ValueError("is the name of a text encoding, such as utf-8, cp1252 or utf-16")
        return value

    @field_validator("columns")
    @classmethod
    def _names_differ_by_more_than_case(cls, value: dict[str, str]) -> dict[str, str]:
        if len({name.casefold() for name in value}) < len(value):
            raise ValueError("two names differ only by upper and lower case")
        return value

    @model_validator(mode="after")
    def _rows_can_be_told_apart(self) -> Settings:
        if not self.key_name:
            raise ValueError("needs `row_key`, or `require` whose first name tells rows apart")
        for name in (self.key_name, *self.require):
            if self.columns and name not in self.columns:
                raise ValueError(f"'{name}' is required but is not a name in `columns`")
        return self

    @property
    def key_name(self) -> str:
        return self.row_key or next(iter(self.require), "")

    def attribute_names(self) -> frozenset[str] | None:
        return frozenset(self.columns) or None


def open(settings: SourceSettings, folder: Path, wanted: Wanted = Wanted()) -> CsvSource:  # noqa: B008
    """A source that looks for its files from ``folder`` on; a row is read whole in any case."""
    assert isinstance(settings, Settings)
    return CsvSource(settings, folder)


@dataclass(frozen=True, slots=True)
class CsvSource:
    """An export that replaces the one before it, file by file."""

    settings: Settings
    folder: Path

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        """Read the newest file whole, or nothing if it is the one that ``cookie`` stands for."""
        name, stat = self._newest()
        if cookie == self._cookie(name, stat):
            yield Batch(cookie=cookie, verdict=Verdict(complete=True))
            return
        self._wait_until_still(name, stat)
        try:
            file = (self.folder / name).open("rb")
        except OSError as error:
            raise SourceUnavailable(f"{name} cannot be read: {error.strerror}") from error
        with file:
            yield from self._batches(file, name, stat)

    def _batches(self, file: BinaryIO, name: str, stat: os.stat_result) -> Iterator[Batch]:
        taken: list[Entry] = []
        as_of = datetime.fromtimestamp(stat.st_mtime, UTC)
        try:
            for entry in _entries(file, name, self.settings):
                taken.append(entry)
                if len(taken) == _BATCH:
                    yield Batch(taken, cookie=_NOTHING_KNOWN, as_of=as_of)
                    taken = []
            if not _same(stat, os.fstat(file.fileno())):
                raise IncompleteRead(f"{name} was written to while it was read")
        except (IncompleteRead, OSError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"{name}: reading broke off: {error.strerror}"
            verdict = Verdict(complete=False, reason=reason)
            yield Batch(taken, cookie=_NOTHING_KNOWN, verdict=verdict, as_of=as_of)
        else:
            verdict = Verdict(complete=True, whole=True)
            yield Batch(taken, cookie=self._cookie(name, stat), verdict=verdict, as_of=as_of)

    def _newest(self) -> tuple[str, os.stat_result]:
        found = []
        for name in glob.iglob(self.settings.path, root_dir=self.folder):
            try:
                stat = (self.folder / name).stat()
            except OSError:
                continue  # gone since it was listed
            if os.path.isfile(self.folder / name):
                found.append((stat.st_mtime_ns, name, stat))
        if not found:
            raise SourceUnavailable(f"no file matches {self.settings.path} in {self.folder}")
        _, name, stat = max(found)
        return name, stat

    def _wait_until_still(self, name: str, stat: os.stat_result) -> None:
        settle = self.settings.settle.total_seconds()
        age = time.time() - stat.st_mtime
        if age >= settle:
            return
        # A time in the future is the clock of another machine: only waiting tells.
        time.sleep(settle - max(age, 0))
        try:
            if _same(stat, (self.folder / name).stat()):
                return
        except OSError:
            pass  # it was moved away: the same as not being still
        raise IncompleteRead(f"{name} is still being written; the next read tries again")

    def _cookie(self, name: str, stat: os.stat_result) -> bytes:
        digest = blake2b(self.settings.model_dump_json().encode(), digest_size=16).hexdigest()
        known = {"file": name, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        return json.dumps({**known, "settings": digest}).encode()


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _entries(file: BinaryIO, name: str, settings: Settings) -> Iterator[Entry]:
    """Every row as an entry; raises `IncompleteRead` with file and line at the first doubt."""
    table = rows(file, name, settings.encoding, settings.delimiter, settings.quote)
    line, headings = next(table, (1, []))
    columns = _columns([heading.strip() for heading in headings], f"{name}:{line}", settings)
    names = sorted(columns)
    places = [columns[each] for each in names]
    key_place = columns[settings.key_name]
    width = len(headings)
    marker = settings.trailer.starts_with if settings.trailer else None
    meaning = json.dumps([(each, headings[columns[each]].strip()) for each in names])
    begun = blake2b(meaning.encode(), digest_size=16)
    seen: dict[str, int] = {}
    for count, (line, row) in enumerate(table):
        if marker is not None and row[0].startswith(marker):
            _check_count(row, count, f"{name}:{line}", settings)
            if (more := next(table, None)) is not None:
                raise IncompleteRead(f"{name}:{more[0]}: a row follows the trailer")
            return
        if len(row) != width:
            raise IncompleteRead(f"{name}:{line}: {len(row)} cells instead of {width}")
        key = row[key_place]
        if not key.strip():
            raise IncompleteRead(f"{name}:{line}: {settings.key_name} is empty")
        values = [row[place] for place in places]
        # No value holds a NUL, so that two different rows never join to the same text.
        fingerprint = begun.copy()
        fingerprint.update("\0".join(values).encode())
        attributes = {each: value for each, value in zip(names, values, strict=True) if value}
        yield Entry(_told_apart(key, seen), attributes, fingerprint.digest())
    if marker is not None:
        raise IncompleteRead(f"{name}:{line}: the file ends without its trailer row")


def _told_apart(key: str, seen: dict[str, int]) -> str:
    """``key``, and from its second row on ``key#2``, ``key#3`` ..."""
    if key not in seen:
        seen[key] = 1
        return key
    while True:
        seen[key] += 1
        numbered = f"{key}#{seen[key]}"
        if numbered not in seen:
            seen[numbered] = 1
            return numbered


def _columns(headings: Sequence[str], where: str, settings: Settings) -> dict[str, int]:
    """The place of every name; raises `IncompleteRead` unless each is there exactly once."""
    if not headings:
        raise IncompleteRead(f"{where}: the file is empty, without even a line of headings")
    if headings[0].casefold().startswith(("<!doctype", "<html", "<head", "<?xml")):
        raise IncompleteRead(f"{where}: a web page instead of an export: ask whoever delivers it")
    needed = settings.columns or {name: name for name in (settings.key_name, *settings.require)}
    missing = [heading for heading in needed.values() if heading not in headings]
    if len(missing) == len(needed):
        raise IncompleteRead(
            f"{where}: not one of the headings that are needed: "
            f"is there a line of headings, and is `delimiter` ({settings.delimiter!r}) right?"
        )
    if missing:
        names = ", ".join(f"'{heading}'" for heading in missing)
        if 2 * len(missing) > len(needed):
            # What is there is not told: without a line of headings it is somebody's values.
            raise IncompleteRead(f"{where}: no column {names}: is there a line of headings?")
        hint = did_you_mean(missing[0], headings)
        there = f"{f'; {hint}' if hint else '. '}There are: {', '.join(headings)}"
        raise IncompleteRead(f"{where}: no column {names}{there}")
    wanted = settings.columns or {heading: heading for heading in headings if heading}
    folded = [heading.casefold() for heading in headings]
    for heading in wanted.values():
        if folded.count(heading.casefold()) > 1:
            raise IncompleteRead(f"{where}: two columns have the heading '{heading}'")
    return {name: headings.index(heading) for name, heading in wanted.items()}


def _check_count(row: Sequence[str], count: int, where: str, settings: Settings) -> None:
    assert settings.trailer is not None
    column = settings.trailer.count_column
    numbers = re.findall(r"\d+", row[column - 1]) if len(row) >= column else []
    if len(numbers) != 1:
        raise IncompleteRead(f"{where}: the trailer holds no count in its cell {column}")
    if int(numbers[0]) != count:
        raise IncompleteRead(f"{where}: {count} rows, but the trailer counts {int(numbers[0])}")
