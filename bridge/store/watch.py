"""What tells from outside whether the bridge is fresh: noted by the sync role, read by the web."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from bridge.store import problems
from bridge.store.statements import insert, many, model
from bridge.store.tables import FaultyFileRow, ProblemRow, SourceRow, WatchRow, table

_watch = table(WatchRow)
_files = table(FaultyFileRow)
_problems = table(ProblemRow)
_MANY = 10
"""Fewer people with problems are nothing to wake somebody for, even in a small company."""


def read(
    c: Connection,
    source_id: int,
    at: datetime,
    certificate_ends: datetime | None = None,
    password_ends: datetime | None = None,
    skew: timedelta | None = None,
) -> None:
    """Note when a COMPLETE read began, how long the server's certificate is good and the password
    by which it was read, and how far its clock is ahead of ours, where that is known."""
    ends = {"certificate_ends": certificate_ends, "password_ends": password_ends}
    seconds = None if skew is None else round(skew.total_seconds())
    _put(c, source_id, read_at=at, skew_seconds=seconds, **ends)


def scheduled(c: Connection, source_id: int, changes: timedelta, full_by: datetime) -> None:
    """Note how often the source is asked, and when the next read of everything is due."""
    _put(c, source_id, changes_seconds=int(changes.total_seconds()), full_by=full_by)


def forget(c: Connection, source_id: int) -> None:
    """Expect nothing of a source any more."""
    c.execute(delete(_watch).where(_watch.c.source_id == source_id))


def all(c: Connection) -> dict[int, WatchRow]:
    """What is noted, by the source's id."""
    return {row.source_id: model(WatchRow, row) for row in c.execute(select(_watch))}


def troubled(c: Connection, source: SourceRow) -> int:
    """How many people and records cannot be served as a source has them, where they are at least
    half as many as the people who are served from it; otherwise 0."""
    if source.loaded_at is None:
        return 0  # whoever says a word on the first load sees them
    statement = select(func.count()).where(
        _problems.c.source_id == source.id, ~_problems.c.subject.startswith(problems.GROUP)
    )
    count = c.execute(statement).scalar_one()
    return count if count >= _MANY and 2 * count >= source.people else 0


def put_faulty_files(c: Connection, files: Iterable[str], now: datetime) -> None:
    """Note which mapping files are faulty; one that goes on being so keeps the time it began."""
    faulty = set(files)
    c.execute(delete(_files).where(_files.c.file.not_in(faulty)))
    rows = [{"file": file, "since": now} for file in sorted(faulty)]
    many(c, insert(c, _files).on_conflict_do_nothing(), rows)


def faulty_files(c: Connection) -> list[FaultyFileRow]:
    """The mapping files that are faulty, in order of their names."""
    rows = c.execute(select(_files).order_by(_files.c.file))
    return [model(FaultyFileRow, row) for row in rows]


def _put(c: Connection, source_id: int, **values: object) -> None:
    statement = insert(c, _watch).values(source_id=source_id, **values)
    c.execute(statement.on_conflict_do_update(index_elements=["source_id"], set_=values))
