"""What the web role notes itself: when each token was last used, and read a list to its end.

On SQLite it is a file of its own beside the store (``bridge.db``: ``bridge-activity.db``), so that
no publication makes the web role wait; on PostgreSQL a table of the same database. It is made
where it is missing, and losing it harms nothing but the memory of these uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import (
    URL,
    Column,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    select,
)
from sqlalchemy.schema import CreateTable

from bridge.store import migrate
from bridge.store.database import is_sqlite, make_file
from bridge.store.faults import explained
from bridge.store.statements import insert, many
from bridge.store.tables import Instant

_tables = MetaData()
_uses = Table(
    "token_use",
    _tables,
    Column("token_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
)


_walks = Table(
    "token_walk",
    _tables,
    Column("token_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("total", Integer, nullable=False),
)


class Use(NamedTuple):
    """The last use of a token: when, from which address, by which client."""

    token_id: int
    at: datetime
    address: str
    user_agent: str


class Walk(NamedTuple):
    """The last time that a client read the list of a kind to its end, and its ``totalResults``."""

    token_id: int
    kind: str
    at: datetime
    total: int


class Activity:
    """The notes of the web role; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: URL) -> Activity:
        """The notes beside the store of that URL (`Store.url`); raises `StorageError`."""
        if is_sqlite(url):
            store = Path(str(url.database))
            path = store.with_name(f"{store.stem}-activity{store.suffix}")
            make_file(path)
            url = url.set(database=str(path))
        with explained():
            engine = create_engine(url, hide_parameters=True)
            try:
                with engine.begin() as c:
                    migrate.one_at_a_time(c)
                    for each in (_uses, _walks):
                        c.execute(CreateTable(each, if_not_exists=True))
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    def note(self, uses: Iterable[Use], walks: Iterable[Walk] = ()) -> None:
        """Write the last use of some tokens, one each, and walks, in one transaction."""
        used, walked = [use._asdict() for use in uses], [walk._asdict() for walk in walks]
        if not (used or walked):
            return
        with explained(), self._engine.begin() as c:
            for into, key, rows in ((_uses, 1, used), (_walks, 2, walked)):
                statement = insert(c, into)
                names = [column.name for column in into.columns]
                newer = statement.on_conflict_do_update(
                    index_elements=names[:key],
                    set_={name: statement.excluded[name] for name in names[key:]},
                    where=into.c.at < statement.excluded.at,
                )
                many(c, newer, rows)

    def last_uses(self) -> dict[int, Use]:
        """The last use of every token that was ever used, by the token's id."""
        with explained(), self._engine.connect() as c:
            return {row.token_id: Use(*row) for row in c.execute(select(_uses))}

    def last_walks(self) -> list[Walk]:
        """The last walk of every token and kind."""
        with explained(), self._engine.connect() as c:
            rows = c.execute(select(_walks).order_by(_walks.c.token_id, _walks.c.kind))
            return [Walk(*row) for row in rows]

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
