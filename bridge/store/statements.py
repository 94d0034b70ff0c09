"""Small helpers that every module of SQL here shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    Row,
    Table,
    bindparam,
    literal_column,
    text,
)
from sqlmodel import SQLModel

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
M = TypeVar("M", bound=SQLModel)

# Below every database's limit of bound values, and long enough that a statement costs nothing.
CHUNK = 500

# Of a sample of a few rows PostgreSQL may conclude that every row has a source of its own.
_FEW = 100
_ROWS_KNOWN = text("SELECT reltuples FROM pg_class WHERE oid = CAST(:table AS regclass)")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def rows_for(
    c: Connection, statement: Executable, keys: Iterable[Any], **parameters: Any
) -> Iterator[Any]:
    """The rows of a statement with an expanding parameter ``keys``, over any number of keys."""
    for chunk in chunks(keys):
        yield from c.execute(statement, {**parameters, "keys": chunk}).all()


def insert(c: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    # The other database's words take longer to import than many a command to run.
    words: Any = import_module(f"sqlalchemy.dialects.{c.dialect.name}")
    made: sqlite.Insert | postgresql.Insert = words.insert(table)
    return made


def many(c: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
    """Run a statement once a row, if there are rows."""
    if rows:
        c.execute(statement, rows)


def analyze(c: Connection, table: Table, added: int) -> None:
    """Have PostgreSQL look at a table to which rows were added, if it knows of fewer than those.

    By itself it does so within minutes. Until then it takes every source for a small one, and
    reads all its rows again for each chunk (PostgreSQL documentation, 14.4.8).
    """
    if added < _FEW or c.dialect.name != "postgresql":
        return
    if c.execute(_ROWS_KNOWN, {"table": table.name}).scalar_one() < added:
        c.exec_driver_sql(f"ANALYZE {table.name}")


def among(name: str = "keys") -> BindParameter[Any]:
    """A parameter that takes a list of at most `CHUNK` values, for ``column.in_(...)``."""
    return bindparam(name, expanding=True)


def aside(column: ColumnElement[T]) -> ColumnElement[T]:
    """A column of numbers to compare with when no index is to be searched for it.

    SQLite keeps no statistics: of two indexes that fit it takes the longer match, even where that
    is nearly every row.
    """
    return column.op("+", return_type=column.type)(literal_column("0"))


def model(kind: type[M], row: Row[Any]) -> M:
    """A row as an instance of its class, detached from any session."""
    return kind(**row._mapping)


def new_id(c: Connection, statement: Executable, values: dict[str, Any]) -> int:
    """Insert one row and return the id the database gave it."""
    key = c.execute(statement, values).inserted_primary_key
    assert key is not None
    return int(key[0])
