"""The types of columns, and what all tables share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970-01-01T00:00Z."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else self.of(value)

    @staticmethod
    def of(stored: int) -> datetime:
        """The instant that a stored number means."""
        return _EPOCH + timedelta(microseconds=stored)


class Key(TypeDecorator[str]):
    """Text that is compared and ordered by code point on every database."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(collation=collation))


# A table whose rows are little more than their primary key is kept in that key's tree alone.
KEY_ONLY = {"sqlite_with_rowid": False}


def fold(name: str) -> str:
    """The form in which names are compared where case does not matter."""
    return name.casefold()


def table(row: type[SQLModel]) -> Table:
    """The Core table of a row class."""
    return row.metadata.tables[str(row.__tablename__)]
