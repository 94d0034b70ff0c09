"""What a database's errors mean to the person who runs the bridge."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.errors import StorageError

_FULL = "the disk that holds the store is full: free space and run it again"
_BUSY = "others have kept the store locked for 30 seconds: let them finish and run it again"
_READ_ONLY = "the store cannot be written: check the owner and permissions of its file and folder"
_DAMAGED = "the store is damaged or is no store of the bridge: restore a backup, or name another"
_UNREACHABLE = "the database server does not answer: start it, or check BRIDGE_DATABASE"
_REFUSED = "the database server refuses the user or the database of BRIDGE_DATABASE: check them"

# By the start of SQLite's error name; the first that fits is meant.
_SQLITE = (
    ("SQLITE_FULL", _FULL),
    ("SQLITE_IOERR", "the disk that holds the store is full or broken: free space or replace it"),
    ("SQLITE_BUSY", _BUSY),
    ("SQLITE_LOCKED", _BUSY),
    ("SQLITE_READONLY", _READ_ONLY),
    ("SQLITE_PERM", _READ_ONLY),
    ("SQLITE_CANTOPEN", "the store's file cannot be opened: check that its folder is there and"
     " may be written"),
    ("SQLITE_NOTADB", _DAMAGED),
    ("SQLITE_CORRUPT", _DAMAGED),
)  # fmt: skip

# By the start of PostgreSQL's SQLSTATE (its manual, appendix A).
_POSTGRESQL = (
    ("53100", _FULL),
    ("53300", "the database server has too many connections: raise max_connections"),
    ("53", "the database server is out of resources: free some and run it again"),
    ("25006", "the database server is read-only: point BRIDGE_DATABASE at the primary"),
    ("42501", "the database user may not do this: make it the owner of the database"),
    ("55P03", _BUSY),
    ("40", "another process changed the same rows at the same time: run it again"),
    ("28", _REFUSED),
    ("3D", _REFUSED),
    ("08", _UNREACHABLE),
    ("57P", _UNREACHABLE),
)

ERRORS = (SQLAlchemyError, sqlite3.Error)
"""Everything a database may raise through SQLAlchemy, and SQLite by itself."""


def explain(error: BaseException) -> str:
    """A sentence on what happened and what to do; it holds no value of any row."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        # An error that Python's module raised itself carries no name.
        name = getattr(origin, "sqlite_errorname", "")
        known = (words for start, words in _SQLITE if name.startswith(start))
        return next(known, f"the store refused a statement ({name or type(origin).__name__})")
    # Told by its attribute: who keeps the store in SQLite does not wait for psycopg's import.
    if origin is not None and hasattr(origin, "sqlstate"):
        kinds = {kind.__name__ for kind in type(origin).__mro__}
        state = origin.sqlstate or ("08" if "OperationalError" in kinds else "")
        known = (words for start, words in _POSTGRESQL if state.startswith(start))
        return next(known, f"the store refused a statement ({state or type(origin).__name__})")
    return f"the store cannot be used ({type(error).__name__})"


@contextmanager
def explained(errors: tuple[type[Exception], ...] = ERRORS) -> Iterator[None]:
    """Turn what a database raises into a `StorageError`.

    The cause is not shown beside it: a database's own words may hold a person's values.
    """
    try:
        yield
    except errors as error:
        raise StorageError(explain(error)) from None
