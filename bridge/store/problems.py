"""What keeps people from being mapped or published."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, delete, func, select

from bridge.store.statements import among, chunks, insert, many, rows_for
from bridge.store.tables import ProblemRow, table

_problems = table(ProblemRow)

_SOLVED = delete(_problems).where(
    _problems.c.source_id == bindparam("source"), _problems.c.subject.in_(among())
)

_TROUBLED = select(_problems.c.subject).where(
    _problems.c.source_id == bindparam("source"), _problems.c.subject.in_(among())
)

RECORD = "record:"
"""Before a record's key, where its person is unknown."""

GROUP = "group:"
"""Before the key of the record of a directory's group."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why somebody is not served as the source has it now.

    ``waits_for`` is the folded userName that another one holds, where that is the reason.
    """

    messages: tuple[str, ...]
    since: datetime
    waits_for: str | None = None


def all(
    c: Connection, source_id: int | None = None, limit: int = 1000
) -> list[tuple[int, str, Problem]]:
    """The problems as ``(source id, subject, problem)``, in order of source and subject."""
    statement = select(_problems).order_by(_problems.c.source_id, _problems.c.subject)
    if source_id is not None:
        statement = statement.where(_problems.c.source_id == source_id)
    rows = c.execute(statement.limit(limit))
    return [(row.source_id, row.subject, _problem(row)) for row in rows]


def of(c: Connection, source_id: int, subject: str) -> Problem | None:
    """The problem of a person's key, or of ``record:`` and a record's key."""
    row = c.execute(
        select(_problems).where(_problems.c.source_id == source_id, _problems.c.subject == subject)
    ).one_or_none()
    return None if row is None else _problem(row)


def troubled(c: Connection, source_id: int, subjects: Iterable[str]) -> set[str]:
    """Those of the subjects who have a problem."""
    return {row.subject for row in rows_for(c, _TROUBLED, subjects, source=source_id)}


def count(c: Connection, source_id: int | None = None) -> int:
    """How many problems there are, of one source or all."""
    statement = select(func.count()).select_from(_problems)
    if source_id is not None:
        statement = statement.where(_problems.c.source_id == source_id)
    return c.execute(statement).scalar_one()


def unidentified(c: Connection, source_id: int) -> list[str]:
    """The subjects that are records whose person is unknown."""
    statement = select(_problems.c.subject).where(
        _problems.c.source_id == source_id, _problems.c.subject.startswith(RECORD)
    )
    return list(c.execute(statement).scalars())


def put(c: Connection, source_id: int, problems: Mapping[str, Problem | None]) -> None:
    """Note problems by subject, None for solved; one that goes on keeps the time it began."""
    solved = (subject for subject, problem in problems.items() if not problem)
    noted = [
        {
            "source_id": source_id,
            "subject": subject,
            "messages": json.dumps(problem.messages, ensure_ascii=False),
            "waits_for": problem.waits_for,
            "since": problem.since,
        }
        for subject, problem in problems.items()
        if problem
    ]
    for chunk in chunks(solved):
        c.execute(_SOLVED, {"source": source_id, "keys": chunk})
    statement = insert(c, _problems)
    excluded = statement.excluded
    many(
        c,
        statement.on_conflict_do_update(
            index_elements=["source_id", "subject"],
            set_={"messages": excluded.messages, "waits_for": excluded.waits_for},
        ),
        noted,
    )


def _problem(row: Row[tuple[object, ...]]) -> Problem:
    return Problem(tuple(json.loads(row.messages)), row.since, row.waits_for)
