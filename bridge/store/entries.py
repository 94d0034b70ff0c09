"""An entry as a row of the records keeps it, and what of single rows is asked."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, Select, bindparam, func, select

from bridge.model import Entry, Kind
from bridge.store.statements import among, aside, rows_for
from bridge.store.tables import RecordRow, table

_records = table(RecordRow)

COLUMNS = (
    _records.c.record_key,
    _records.c.ref,
    _records.c.kind,
    _records.c.fingerprint,
    _records.c.attributes,
)
"""What `decode` needs of a row."""

_of_source = _records.c.source_id == bindparam("source")
_STORED: Select[Any] = select(*COLUMNS).where(_of_source, _records.c.record_key.in_(among()))
_SOME: Select[Any] = (
    select(*COLUMNS)
    .where(_of_source, _records.c.gone_at.is_(None), _records.c.kind == bindparam("kind"))
    .limit(bindparam("n"))
)

_left, _moved = _records.alias(), _records.alias()
_same_elsewhere = select(_moved.c.id).where(
    _moved.c.source_id == _left.c.source_id,
    _moved.c.person_key == _left.c.person_key,
    aside(_moved.c.gone_at).is_not(None),
    _moved.c.fingerprint == _left.c.fingerprint,
)
_said_since = select(_left.c.id).where(
    _left.c.source_id == _records.c.source_id,
    _left.c.person_key == _records.c.person_key,
    aside(_left.c.gone_at).is_(None),
    _left.c.read_at >= _records.c.gone_at,
    ~_same_elsewhere.exists(),
)
_DEPARTED: Select[Any] = (
    select(_records.c.person_key, _records.c.gone_at, *COLUMNS)
    .where(_of_source, _records.c.person_key.in_(among()))
    .where(aside(_records.c.gone_at).is_not(None), ~_said_since.exists())
)
_SEVERAL = (
    select(_records.c.person_key)
    .where(_of_source, _records.c.person_key.in_(among()), aside(_records.c.gone_at).is_(None))
    .group_by(_records.c.person_key)
    .having(func.count() > 1)
)
_OUTSIDE = (
    select(_records.c.person_key)
    .where(_of_source, _records.c.person_key.in_(among()))
    .where(aside(_records.c.gone_at).is_not(None), _records.c.outside)
)

# Attributes hold no objects, so an object can only be the mark of bytes.
_BYTES = "$bytes"
_NAMES = "$names"
_MARK = b'{"$bytes":'


class Departed(NamedTuple):
    """A record that is gone, as it was read last, and when it was found gone."""

    entry: Entry
    gone_at: datetime


def stored(c: Connection, source_id: int, record_keys: Iterable[str]) -> dict[str, Entry]:
    """The entries as they were read last, by record key, those that are gone too."""
    rows = rows_for(c, _STORED, record_keys, source=source_id)
    return {row.record_key: decode(row) for row in rows}


def some(c: Connection, source_id: int, kind: Kind, limit: int) -> list[Entry]:
    """Any entries of a kind that are not gone."""
    rows = c.execute(_SOME, {"source": source_id, "kind": kind.value, "n": limit})
    return [decode(row) for row in rows]


def outside(c: Connection, source_id: int, keys: Iterable[str]) -> set[str]:
    """Of people without records those whom the source still has, but not where it is read."""
    return {row.person_key for row in rows_for(c, _OUTSIDE, keys, source=source_id)}


def several(c: Connection, source_id: int, keys: Iterable[str]) -> set[str]:
    """Those of the people who have more than one record."""
    return {row.person_key for row in rows_for(c, _SEVERAL, keys, source=source_id)}


def departed(c: Connection, source_id: int, keys: Iterable[str]) -> dict[str, list[Departed]]:
    """The records of people that went when all that is left of theirs had been said before, if
    only under another record's key."""
    found: dict[str, list[Departed]] = {}
    for row in rows_for(c, _DEPARTED, keys, source=source_id):
        found.setdefault(row.person_key, []).append(Departed(decode(row), row.gone_at))
    return found


def encode(entry: Entry) -> bytes:
    """The attributes, as JSON; bytes become an object ``{"$bytes": base64}``, and what the entry
    calls others stands beside them as ``$names``."""
    names = {_NAMES: dict(entry.names)} if entry.names else {}
    return orjson.dumps({**entry.attributes, **names}, default=_marked)


def _marked(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    raise TypeError(f"an attribute cannot hold a {type(value).__name__}")


def decode(row: Row[Any], section: int = 0) -> Entry:
    """The entry of a row with `COLUMNS`; of a group, ``section`` is its search's number."""
    attributes = orjson.loads(row.attributes)
    names = attributes.pop(_NAMES, {})
    if _MARK in row.attributes:
        attributes = {name: _unmarked(value) for name, value in attributes.items()}
    return Entry(
        row.record_key, attributes, row.fingerprint, row.ref, Kind(row.kind), section, names
    )


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return base64.b64decode(value[_BYTES])
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    return value
