"""How much room a store takes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from bridge.store.database import Store, is_sqlite


def size(store: Store) -> int:
    """The bytes that the store takes: SQLite's file and its log, or the PostgreSQL database."""
    if is_sqlite(store.url):
        file = Path(str(store.url.database))
        log = file.with_name(file.name + "-wal")
        return sum(each.stat().st_size for each in (file, log) if each.exists())
    with store.read() as c:
        bytes_ = func.pg_database_size(func.current_database())
        return int(c.execute(select(bytes_)).scalar_one())
