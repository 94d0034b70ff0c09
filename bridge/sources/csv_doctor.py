"""Examining a CSV export: the file, its form, its columns, and what a read makes of it."""

from __future__ import annotations

import glob
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

from bridge.errors import IncompleteRead, SourceUnavailable
from bridge.model import Wanted
from bridge.sources import SourceSettings
from bridge.sources.csv import CsvSource, Settings
from bridge.sources.csv_rows import rows
from bridge.sources.doctor import (
    Finding,
    State,
    did_you_mean,
    fill_rates,
    incomplete,
    skipped,
    unavailable,
    unknown,
)

_STALE_DAYS = 7
_AFTER_ROWS = ("doubles", "trailer", "fill")
_AFTER_ENCODING = ("headings", "columns", "rows", *_AFTER_ROWS)
_AFTER_FILE = ("age", "still", "encoding", *_AFTER_ENCODING)


def examine(settings: SourceSettings, folder: Path, wanted: Wanted) -> Iterator[Finding]:
    """Examine the newest file of the pattern, as a read would take it."""
    assert isinstance(settings, Settings)
    name = _newest(settings, folder)
    if name is None:
        yield unavailable(
            "file", f"no file matches {settings.path} in {folder}",
            "correct `path`, or ask whoever delivers the export",
        )  # fmt: skip
        yield from skipped(_AFTER_FILE, "there is no file")
        return
    path = folder / name
    try:
        stat = path.stat()
        with path.open("rb") as file:
            yield Finding("file", State.OK, f"{name}, {stat.st_size:,} bytes")
            yield from _age(time.time() - stat.st_mtime, settings)
            table = rows(file, name, settings.encoding, settings.delimiter, settings.quote)
            headings = [heading.strip() for heading in next(table, (1, []))[1]]
            for _ in table:
                pass
    except OSError as error:
        yield unavailable(
            "file", f"{name} cannot be read: {error.strerror}", "let the bridge's user read it"
        )
        yield from skipped(_AFTER_FILE, "the file cannot be read")
        return
    except IncompleteRead as error:
        yield incomplete(
            "encoding", str(error), "is `encoding` right, and was the file delivered whole?"
        )
        yield from skipped(_AFTER_ENCODING, "the file cannot be understood")
        return
    yield Finding("encoding", State.OK, f"every byte is {settings.encoding}, every quote closes")
    good = yield from _columns(headings, settings, wanted)
    if not good:
        yield from skipped(("rows", *_AFTER_ROWS), "columns are missing")
        return
    yield from _rows(settings, folder, headings)


def _newest(settings: Settings, folder: Path) -> str | None:
    found = []
    for name in glob.iglob(settings.path, root_dir=folder):
        with suppress(OSError):  # gone since it was listed
            if (folder / name).is_file():
                found.append(((folder / name).stat().st_mtime_ns, name))
    return max(found)[1] if found else None


def _age(seconds: float, settings: Settings) -> Iterator[Finding]:
    days = int(seconds // 86_400)
    if seconds < 0:
        yield Finding(
            "age", State.WARNING, "its time is in the future",
            "set the clocks of both machines: of two files the newer one is read",
        )  # fmt: skip
    elif days >= _STALE_DAYS:
        yield Finding(
            "age", State.WARNING, f"{days} days old",
            "is the export still delivered? Whoever left since then is not known to have left",
        )  # fmt: skip
    else:
        yield Finding("age", State.OK, f"{days} days {int(seconds % 86_400 // 3600)} hours old")
    settle = settings.settle.total_seconds()
    if max(seconds, 0) >= settle:
        yield Finding("still", State.OK, f"not written to for {settle:.0f} seconds")
    else:
        yield Finding(
            "still", State.WARNING, f"written to within the last {settle:.0f} seconds",
            "nothing, if it was just delivered: a read waits until it is still",
        )  # fmt: skip


def _columns(
    headings: list[str], settings: Settings, wanted: Wanted
) -> Generator[Finding, None, bool]:
    """Whether the columns are there that a read cannot do without."""
    needed = set(settings.columns.values()) or {settings.key_name, *settings.require}
    if needed.isdisjoint(headings):
        # The first line is not told: without headings it is somebody's values.
        yield incomplete(
            "headings", "the first line holds none of the headings that are needed",
            f"is it a line of headings, and is `delimiter` ({settings.delimiter!r}) right?",
        )  # fmt: skip
        yield from skipped(["columns"], "there are no headings")
        return False
    yield Finding("headings", State.OK, f"{len(headings)} columns")
    lacking = sorted(needed.difference(headings))
    for heading in lacking:
        # Where most are missing, the first line may be somebody's values instead of headings.
        hint = did_you_mean(heading, headings) if 2 * len(lacking) <= len(needed) else ""
        advice = "correct `columns`" if settings.columns else "correct `row_key` or `require`"
        yield incomplete(
            "columns", f"there is no column '{heading}'",
            f"{hint}{advice}, or ask whoever delivers the export",
        )  # fmt: skip
    if lacking:
        return False
    folded = [heading.casefold() for heading in headings]
    if not settings.columns:
        missing = [name for name in wanted.attributes if name.casefold() not in folded]
        yield from unknown("columns", missing, headings, "there is no column")
        if missing:
            return True
    yield Finding("columns", State.OK, "every column that the mapping uses is there")
    return True


def _rows(settings: Settings, folder: Path, headings: list[str]) -> Iterator[Finding]:
    """What a read makes of the file, in its own words where it would not believe it."""
    counts: Counter[str] = Counter()
    keys = set()
    total = 0
    reason = ""
    try:
        for batch in CsvSource(settings, folder).read(None):
            for entry in batch.entries:
                total += 1
                keys.add(entry.attributes[settings.key_name])
                counts.update(entry.attributes.keys())
            if batch.verdict is not None and not batch.verdict.complete:
                reason = batch.verdict.reason
    except (IncompleteRead, SourceUnavailable) as error:
        reason = str(error)
    if reason:
        yield incomplete("rows", reason, "correct the export at that place, or have it sent anew")
        yield from skipped(_AFTER_ROWS, "the rows cannot be believed")
        return
    if not total:
        yield incomplete("rows", "no row but the headings", "ask whoever delivers the export")
        yield from skipped(_AFTER_ROWS, "there is no row")
        return
    yield Finding("rows", State.OK, f"{total:,} rows, a read is COMPLETE")
    if doubles := total - len(keys):
        yield Finding(
            "doubles", State.WARNING,
            f"{doubles:,} rows have the {settings.key_name} of a row before them",
            "if one person may have several rows, `prefer` says which one counts; otherwise the "
            "export holds somebody twice",
        )  # fmt: skip
    else:
        yield Finding("doubles", State.OK, f"each row has its own {settings.key_name}")
    if settings.trailer is None:
        found = "the mapping names none: a file cut off between two rows would look whole"
        yield Finding("trailer", State.SKIPPED, found)
    else:
        yield Finding("trailer", State.OK, "it counts as many rows as there are")
    names = settings.columns or [heading for heading in headings if heading]
    yield from fill_rates(
        names,
        counts,
        total,
        "rows",
        "nothing, if nobody has to have it; otherwise is this the right column?",
    )
