"""What the web role notes itself: when each token was last used.

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
from bridge.store.statements import insert
from bridge.store.tables import Instant

_uses = Table(
    "token_use",
    MetaData(),
    Column("token_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
)


class Use(NamedTuple):
    """The last use of a token: when, from which address, by which client."""

    token_id: int
    at: datetime
    address: str
    user_agent: str


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
                    c.execute(CreateTable(_uses, if_not_exists=True))
            except BaseException:
                engine.dispose()
                raise
        return cls(engine)

    def note(self, uses: Iterable[Use]) -> None:
        """Write the last use of some tokens, one each, in one transaction."""
        rows = [use._asdict() for use in uses]
        if not rows:
            return
        with explained(), self._engine.begin() as c:
            statement = insert(c, _uses)
            c.execute(
                statement.on_conflict_do_update(
                    index_elements=["token_id"],
                    set_={name: statement.excluded[name] for name in Use._fields[1:]},
                    where=_uses.c.at < statement.excluded.at,
                ),
                rows,
            )

    def last_uses(self) -> dict[int, Use]:
        """The last use of every token that was ever used, by the token's id."""
        with explained(), self._engine.connect() as c:
            return {row.token_id: Use(*row) for row in c.execute(select(_uses))}

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()
