"""The sources a store knows, each with the mapping that is live for it."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bridge.store.statements import insert, model
from bridge.store.tables import SourceRow, table

_sources = table(SourceRow)


def register(c: Connection, name: str, file: str) -> SourceRow:
    """The source of that name, made where the store does not know it; ``file`` is noted."""
    statement = insert(c, _sources)
    values = SourceRow(name=name, file=file).model_dump(exclude={"id"})
    c.execute(
        statement.values(values).on_conflict_do_update(
            index_elements=["name"], set_={"file": statement.excluded.file}
        )
    )
    return model(SourceRow, c.execute(select(_sources).where(_sources.c.name == name)).one())


def get(c: Connection, name: str) -> SourceRow | None:
    """The source of that name, if the store knows it."""
    row = c.execute(select(_sources).where(_sources.c.name == name)).one_or_none()
    return None if row is None else model(SourceRow, row)


def all(c: Connection) -> list[SourceRow]:
    """Every source, in the order in which they came."""
    return [model(SourceRow, row) for row in c.execute(select(_sources).order_by(_sources.c.id))]


def set_words(c: Connection, source_id: int, words: str) -> None:
    """Note in which ``source:`` section's words the records are from now on; empty: mixed."""
    c.execute(update(_sources).where(_sources.c.id == source_id).values(words=words))


def pause(c: Connection, source_id: int, reason: str) -> None:
    """Note why nothing is read from a source just now; an empty reason ends the pause."""
    c.execute(update(_sources).where(_sources.c.id == source_id).values(paused=reason))
