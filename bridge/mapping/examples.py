"""``tests:``: records and what they must become, as the file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.mapping.faults import Place
from bridge.mapping.reader import Reader
from bridge.mapping.yaml_text import Node, Scalar, Table, plain

DEFAULT_NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment of an example without ``now``: fixed, so that no example changes its answer."""

KEYS = ("name", "now", "record", "records", "directory", "expect", "expect_error")


@dataclass(frozen=True, slots=True)
class Example:
    """Records of one person, read at ``now``; ``directory`` is who else links may find.

    ``expect`` maps paths such as ``emails[work].value`` to values, None for absent.
    ``expect_error`` is part of a fault, or empty.
    """

    name: str
    place: Place
    now: datetime
    records: tuple[Mapping[str, Any], ...]
    record_keys: tuple[Scalar, ...]
    directory: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Any]
    expect_keys: tuple[Scalar, ...]
    expect_error: str


def read_examples(node: Node | None, reader: Reader) -> tuple[Example, ...]:
    """The examples under ``tests``; faults are noted."""
    found = []
    for item in reader.items(node, "tests"):
        table = reader.table(item, "a test")
        if table is not None:
            found.append(_example(table, reader))
    return tuple(found)


def _example(table: Table, reader: Reader) -> Example:
    get = table.values.get
    reader.keys(table, KEYS, "in a test")
    reader.need(table, ("name",), "in a test")
    if ("record" in table.keys) == ("records" in table.keys):
        reader.faults.add(table.place, "a test has record or records, one of them")
    if ("expect" in table.keys) == ("expect_error" in table.keys):
        reader.faults.add(table.place, "a test has expect or expect_error, one of them")
    records = [
        *reader.items(get("records"), "records"),
        *([get("record")] if "record" in table.keys else []),
    ]
    tables = [reader.table(record, "a record") for record in records]
    expect = reader.table(get("expect"), "expect")
    directory = [reader.table(x, "a person") for x in reader.items(get("directory"), "directory")]
    now = reader.parsed(get("now"), "now", _moment, "such as 2026-06-15T12:00:00Z")
    return Example(
        name=reader.text(get("name"), "the name of a test"),
        place=table.place,
        now=now or DEFAULT_NOW,
        records=tuple(plain(record) for record in tables if record),
        record_keys=tuple(key for record in tables if record for key in record.keys.values()),
        directory=tuple(plain(person) for person in directory if person),
        expect=plain(expect) if expect else {},
        expect_keys=tuple(expect.keys.values()) if expect else (),
        expect_error=reader.text(get("expect_error"), "expect_error"),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment ends in Z or an offset such as +02:00")
    return moment
