"""The connections of the store: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from bridge.errors import StorageError, UsageError
from bridge.store import lease, migrate
from bridge.store.faults import explained
from bridge.store.publication import Publication, publication

BUSY_SECONDS = 30
"""How long a statement waits for another writer."""

IDLE_SECONDS = 60
"""How long PostgreSQL waits for a writer in mid-transaction: one that is frozen would keep the
lease's row locked, and everybody else from taking over."""

_WRITER = (
    # A commit is on the disk before it is answered: a position or cookie that Okta or the source
    # has seen must not come back after a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -131072",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
)
_READER = ("PRAGMA query_only = ON", "PRAGMA cache_size = -65536", "PRAGMA temp_store = MEMORY")


class Store:
    """One store; safe to share between threads, each connection is one thread's."""

    def __init__(self, url: URL, writer: Engine, reader: Engine) -> None:
        self.url = url
        self.at_close = ExitStack()
        """What is closed together with the store."""
        self._writer = writer
        self._reader = reader

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a store, make it where there is none, and bring its tables up to date.

        ``url`` is ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/NAME``. Raises
        `UsageError` for any other, and `StorageError` where the store cannot be used.
        """
        parsed = parse(url)
        with explained():
            store = _open_sqlite(parsed) if is_sqlite(parsed) else _open_postgresql(parsed)
            try:
                with store.read() as c:
                    found = migrate.current(c)
                if found != migrate.REVISION:
                    with store.write() as c:
                        migrate.upgrade(c)
            except BaseException:
                store.close()
                raise
        return store

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write and sees one moment of the store."""
        with explained(), self._reader.connect() as c, c.begin():
            yield c

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: everything of it is kept at the end, or nothing where an error leaves it.

        On SQLite there is one writer at a time; a second waits up to `BUSY_SECONDS`.
        """
        with explained(), self._writer.begin() as c:
            if not is_sqlite(self.url):
                c.exec_driver_sql(
                    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
                )
            yield c

    def publication(
        self,
        *,
        epoch: int,
        run_id: int,
        now: Callable[[], datetime],
        ttl: timedelta = lease.TTL,
    ) -> AbstractContextManager[Publication]:
        """A transaction through which a decision is published; see `Publication`."""
        return publication(self.write(), epoch=epoch, run_id=run_id, now=now, ttl=ttl)

    def close(self) -> None:
        """Give back every connection."""
        self.at_close.close()
        self._writer.dispose()
        self._reader.dispose()


def parse(url: str) -> URL:
    """The URL of a store with the driver it is reached by; `UsageError` where it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("")
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise UsageError("BRIDGE_DATABASE is sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")


def is_sqlite(url: URL) -> bool:
    """Whether the store is a SQLite file."""
    return url.drivername == "sqlite"


def make_file(path: Path) -> None:
    """Make an empty file that nobody else can read, and its folder, where they are missing."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened for writing ({error.strerror}): check its folder's owner and"
            " permissions, or name another file in BRIDGE_DATABASE"
        ) from None


def _open_sqlite(url: URL) -> Store:
    path = Path(str(url.database))
    make_file(path)
    _use_wal(path)
    return Store(url, _sqlite_engine(url, _WRITER, "BEGIN IMMEDIATE"),
                 _sqlite_engine(url, _READER, "BEGIN"))  # fmt: skip


def _use_wal(path: Path) -> None:
    """Let readers go on while somebody writes; the file remembers it.

    SQLite does not wait when two processes make this switch at once, so the waiting is here.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
    finally:
        connection.close()


def _sqlite_engine(url: URL, pragmas: tuple[str, ...], begin: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        # None: sqlite3 opens no transactions of its own, ours is begun below.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begun(c: Connection) -> None:
        c.exec_driver_sql(begin)

    return engine


def _open_postgresql(url: URL) -> Store:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "options": f"-c lock_timeout={BUSY_SECONDS}s"},
    )
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Store(url, engine, reader)
