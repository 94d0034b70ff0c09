"""The people whom the next decision must look at.

Anything that may change a person's answer makes the person due: a record, an override, an
approval. Such news is counted for each source. A decision asks for the count before it looks
(`news`), and when it ends takes back only what is as old: who became due while it was thinking
stays due, and no change is ever decided away unseen. News has no time of its own, so a clock that
is set back meanwhile delays none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    literal,
    select,
    union,
    update,
)

from bridge.store.statements import among, aside, chunks, insert, many
from bridge.store.tables import DueRow, Instant, RecordRow, SourceRow, UserRow, table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_due = table(DueRow)
_records = table(RecordRow)
_users = table(UserRow)
_sources = table(SourceRow)

# Up to so many due people are sorted for each page; more are walked through in order of key,
# past everybody who is due later only.
_FEW = 20_000

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody is due whom the next decision must look at, whatever its clock says."""

_ripe = (_due.c.source_id == bindparam("source")) & (_due.c.at <= bindparam("now"))
_COUNT = select(func.count()).select_from(select(literal(1)).where(_ripe).limit(_FEW).subquery())
# The limit inside keeps SQLite from reading in order of key, past everybody due later.
_few = select(_due.c.person_key).where(_ripe).limit(_FEW).subquery()
_BY_TIME = (
    select(_few.c.person_key)
    .where(_few.c.person_key > bindparam("after"))
    .order_by(_few.c.person_key)
    .limit(bindparam("n"))
)
_BY_KEY = (
    select(_due.c.person_key)
    .where(_due.c.source_id == bindparam("source"), _due.c.person_key > bindparam("after"))
    .where(aside(_due.c.at) <= bindparam("now"))
    .order_by(_due.c.person_key)
    .limit(bindparam("n"))
)

_of_records = (
    select(_records.c.person_key.label("person_key"))
    .distinct()
    .where(_records.c.source_id == bindparam("source"), _records.c.person_key > bindparam("after"))
    .order_by(_records.c.person_key)
    .limit(bindparam("n"))
    .subquery()
)
_of_users = (
    select(_users.c.key.label("person_key"))
    .where(_users.c.source_id == bindparam("source"), _users.c.key > bindparam("after"))
    .order_by(_users.c.key)
    .limit(bindparam("n"))
    .subquery()
)
_PEOPLE = (
    union(select(_of_records.c.person_key), select(_of_users.c.person_key))
    .order_by("person_key")
    .limit(bindparam("n"))
)
_NEVER = delete(_due).where(
    _due.c.source_id == bindparam("source"),
    _due.c.person_key.in_(among()),
    _due.c.mark <= bindparam("known"),
)


def news(c: Connection, source_id: int) -> int:
    """How much news there has been; ask before looking at anybody, in the same transaction."""
    return int(c.execute(select(_sources.c.news).where(_sources.c.id == source_id)).scalar_one())


def due(
    c: Connection, source_id: int, now: datetime, after: str = "", limit: int = 500
) -> list[str]:
    """The keys of the next people due at ``now``, in order."""
    values = {"source": source_id, "now": now, "after": after, "n": limit}
    few = c.execute(_COUNT, {"source": source_id, "now": now}).scalar_one() < _FEW
    return list(c.execute(_BY_TIME if few else _BY_KEY, values).scalars())


def people(c: Connection, source_id: int, after: str = "", limit: int = 500) -> list[str]:
    """The keys of the next people who have a record or are served, in order."""
    values = {"source": source_id, "after": after, "n": limit}
    return list(c.execute(_PEOPLE, values).scalars())


def make_due(c: Connection, source_id: int, keys: Collection[str]) -> None:
    """Let people be looked at by the next decision."""
    if keys:
        mark = next_mark(c, source_id)
        rows = [
            {"source_id": source_id, "person_key": key, "at": AT_ONCE, "mark": mark}
            for key in sorted(set(keys))
        ]
        c.execute(_marking(insert(c, _due)), rows)


def make_everybody_due(c: Connection, source_id: int) -> None:
    """Let the next decision look at everybody who has a record or is served."""
    make_due_from(c, source_id, _records.c.person_key, _records.c.source_id == source_id)
    make_due_from(c, source_id, _users.c.key, _users.c.source_id == source_id)


def make_due_from(
    c: Connection,
    source_id: int,
    person_key: ColumnElement[str | None],
    condition: ColumnElement[bool],
) -> None:
    """As `make_due`, for the people in a column of the rows that meet a condition."""
    at, mark = literal(AT_ONCE, Instant()), literal(next_mark(c, source_id))
    who = select(literal(source_id), person_key, at, mark)
    statement = insert(c, _due).from_select(
        ["source_id", "person_key", "at", "mark"],
        who.distinct().where(condition, person_key.is_not(None)),
    )
    c.execute(_marking(statement))


def decided(
    c: Connection, source_id: int, moments: Mapping[str, datetime | None], as_of: int
) -> None:
    """Set when each person is due next, None for never; who has had news since stays due.

    ``as_of`` is what `news` told before the decision looked.
    """
    never = (key for key, at in moments.items() if at is None)
    later = [
        {"source_id": source_id, "person_key": key, "at": at, "mark": as_of}
        for key, at in sorted(moments.items())
        if at is not None
    ]
    for chunk in chunks(never):
        c.execute(_NEVER, {"source": source_id, "known": as_of, "keys": chunk})
    statement = insert(c, _due)
    many(
        c,
        statement.on_conflict_do_update(
            index_elements=["source_id", "person_key"],
            set_={"at": statement.excluded.at},
            where=_due.c.mark <= as_of,
        ),
        later,
    )


def next_mark(c: Connection, source_id: int) -> int:
    """Count one more piece of news of a source, and give its number."""
    # Updated before it is read: from here on this transaction alone makes news of the source.
    c.execute(update(_sources).where(_sources.c.id == source_id).values(news=_sources.c.news + 1))
    return news(c, source_id)


def _marking(statement: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source_id", "person_key"],
        set_={"at": new.at, "mark": new.mark},
    )
