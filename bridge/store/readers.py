"""Connections that only read, without SQLAlchemy, which would cost more than the database does.

Statements are text with ``?`` for each value, on PostgreSQL too.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from sqlalchemy import URL

from bridge.errors import StorageError
from bridge.store.database import BUSY_SECONDS, is_sqlite
from bridge.store.faults import ERRORS, explained
from bridge.store.tables import fold

_ERRORS = (*ERRORS, psycopg.Error)

# SQLite looks at the clock after so many of its steps, some milliseconds' worth.
_STEPS = 100_000


class Interrupted(StorageError):
    """A statement took longer than it may."""


class Readers:
    """A few connections to one store; safe to share between threads.

    No statement may take longer than ``seconds``; one that would raises `Interrupted`.
    """

    def __init__(self, url: URL, seconds: float) -> None:
        self.sqlite = is_sqlite(url)
        self._url = url
        self._seconds = seconds
        self._free: deque[Any] = deque()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a statement, which sees one moment of the store; raises `StorageError`."""
        if not self.sqlite:
            sql = sql.replace("?", "%s")
        with explained(_ERRORS):
            while True:
                try:
                    connection, fresh = self._free.pop(), False
                except IndexError:
                    connection, fresh = self._connect(), True
                try:
                    rows = self._fetched(connection, sql, values)
                except _ERRORS as error:
                    connection.close()
                    if _interrupted(error):
                        raise Interrupted("a search took too long") from None
                    # A kept connection may have died with the server; a new one tells.
                    if fresh:
                        raise
                    continue
                self._free.append(connection)
                return rows

    def close(self) -> None:
        """Give back every connection."""
        while self._free:
            self._free.pop().close()

    def _fetched(self, connection: Any, sql: str, values: Sequence[Any]) -> list[Any]:
        if not self.sqlite:
            return connection.execute(sql, values).fetchall()  # type: ignore[no-any-return]
        until = monotonic() + self._seconds
        connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
        return connection.execute(sql, values).fetchall()  # type: ignore[no-any-return]

    def _connect(self) -> sqlite3.Connection | psycopg.Connection[Any]:
        if self.sqlite:
            # A file that was taken away is an error, not an empty store.
            file = Path(str(self._url.database)).absolute().as_uri() + "?mode=rw"
            connection = sqlite3.connect(
                file,
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.create_function("fold", 1, _folded, deterministic=True)
            for pragma in ("query_only = ON", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            return connection
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        server = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=10,
            cursor_factory=psycopg.ClientCursor,
            options=f"-c statement_timeout={int(self._seconds * 1000)}",
        )
        server.read_only = True
        return server


def _folded(value: object) -> str | None:
    return fold(value) if isinstance(value, str) else None


def _interrupted(error: BaseException) -> bool:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return True
    return getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
