"""An entry as a row of the records keeps it."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from sqlalchemy import Row

from bridge.model import Entry, Kind
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

# Attributes hold no objects, so an object can only be the mark of bytes.
_BYTES = "$bytes"
_NAMES = "$names"
_MARK = b'{"$bytes":'


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
