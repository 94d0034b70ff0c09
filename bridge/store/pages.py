"""What the web role reads: one page or one row in one statement.

One statement sees one moment of the store, so the total and the rows of a page belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from operator import attrgetter, itemgetter
from typing import Any

import orjson

from bridge.model import Kind, Latest, Page, Query, Row, Stamp
from bridge.store.database import Store
from bridge.store.json_sql import Json, PostgresJson, SqliteJson
from bridge.store.lookups import is_lookup
from bridge.store.readers import Readers
from bridge.store.search import Search
from bridge.store.tables import Instant

SEARCH_SECONDS = 5.0
"""How long a search may take where nobody says otherwise."""

# Makes a row of four values; `Row._make` is the same, but for a count of them.
_row = partial(tuple.__new__, Row)
# Beyond every position, within every integer.
_END = 2**53
# Times of so many publications are remembered.
_TIMES = 10_000

_TABLES = {Kind.USER: "users", Kind.GROUP: "groups"}
_COLUMNS = {
    Kind.USER: "users.position, users.publication, users.id, users.document",
    Kind.GROUP: "groups.position, groups.publication, groups.id, groups.document",
}
# An id is a UUID: nothing in it needs escaping.
_MEMBERS = """, (SELECT {join}('{{"value":"' || id || '","type":"User"}}', ',') FROM (
    SELECT users.id FROM membership JOIN users ON users.position = membership.user_position
    WHERE membership.group_position = groups.position ORDER BY membership.user_position
) AS member)"""
# The total comes as a row with position 0, then the rows of the page.
_PAGE = """
SELECT 0, coalesce(max(position), 0), NULL, NULL{no_members} FROM {table}
UNION ALL
SELECT {columns}{members} FROM {table}
WHERE {table}.position BETWEEN ? AND ?{served}
"""
_SEARCH = """
WITH found AS (SELECT {table}.position FROM {table} WHERE ({condition}){served})
SELECT 0, (SELECT count(*) FROM found), NULL, NULL{no_members}
UNION ALL
SELECT {columns}{members} FROM {table}
WHERE {table}.position IN (SELECT position FROM found ORDER BY position LIMIT ? OFFSET ?)
"""
_ONE = """
SELECT {columns}{members} FROM {table} WHERE {table}.id = ?{served}
"""
_STAMP = """
SELECT (SELECT coalesce(max(position), 0) FROM users), count, newest,
    coalesce((SELECT at FROM publication WHERE number = newest), 0)
FROM (
    SELECT count(*) AS count, coalesce(max(publication), 0) AS newest
    FROM users WHERE position BETWEEN ? AND ?
) AS page
"""
_LATEST = """
SELECT coalesce((SELECT max(number) FROM publication), 0),
    coalesce((SELECT max(at) FROM publication), 0)
FROM serving WHERE NOT restored
"""
_SERVING = "SELECT id FROM serving WHERE NOT restored"
_TIME = "SELECT at FROM publication WHERE number = ?"
_SCHEMAS = "SELECT urn, attributes FROM scim_schema ORDER BY urn, source_id"


class Pages:
    """Reads what is served; safe to share between threads.

    A search that takes longer than ``seconds`` is `Interrupted`.
    """

    def __init__(self, store: Store, seconds: float = SEARCH_SECONDS) -> None:
        self._readers = Readers(store.url, seconds)
        store.at_close.callback(self.close)
        self._times: dict[int, datetime] = {}
        self._parts = {
            (kind, members): _parts(kind, members, self._readers.sqlite)
            for kind in Kind
            for members in (True, False)
        }
        self._pages = {key: _PAGE.format_map(parts) for key, parts in self._parts.items()}
        self._ones = {key: _ONE.format_map(parts) for key, parts in self._parts.items()}

    def page(self, query: Query) -> Page:
        """The rows of a list request and their total; raises `StorageError`.

        Without a filter the total is the highest position, and a hole is left out of its page.
        With one it is the number of matches.
        """
        start = min(max(query.start, 1), _END)
        if query.filter is None:
            sql = self._pages[query.kind, query.members]
            found = self._readers.rows(sql, (start, start + query.count - 1))
        else:
            condition = self._searches[query.kind].condition(query.filter)
            parts = self._parts[query.kind, query.members]
            sql = _SEARCH.format(condition=condition.text, **parts)
            found = self._readers.rows(sql, (*condition.values, query.count, start - 1))
        # Sorted here: the database reads them in this order, but would build a tree to be sure.
        found.sort(key=itemgetter(0))
        return Page(found.pop(0)[1], self._rows(found))

    def latest(self) -> Latest | None:
        """The publication that was made last; None as long as nothing is `serving`."""
        found = self._readers.rows(_LATEST)
        if not found:
            # A restored store is not served at first, and uses numbers again.
            self._times = {}
            return None
        return _latest(*found[0])

    def stamp(self, query: Query) -> Stamp:
        """What a page of people has, without a filter, as of now.

        It costs little, as it reads no documents.
        """
        start = min(max(query.start, 1), _END)
        ((total, rows, *newest),) = self._readers.rows(_STAMP, (start, start + query.count - 1))
        return Stamp(total, rows, _latest(*newest))

    def one(self, kind: Kind, id: str, members: bool = True) -> Row | None:
        """The row with that id, if it is served; a group's with its members where asked."""
        if "\0" in id or not _encodable(id):
            return None
        rows = self._rows(self._readers.rows(self._ones[kind, members], (id,)))
        return rows[0] if rows else None

    def quick(self, query: Query) -> bool:
        """Whether an index answers, so that nobody has to wait for it."""
        return query.filter is None or is_lookup(query.kind, query.filter)

    def serving(self) -> bool:
        """Whether everybody's first load was published, so that resources may be answered."""
        return bool(self._readers.rows(_SERVING))

    def schemas(self) -> dict[str, list[dict[str, Any]]]:
        """The attributes of every custom schema by URN, those of several sources together."""
        merged: dict[str, dict[str, dict[str, Any]]] = {}
        for urn, attributes in self._readers.rows(_SCHEMAS):
            of_urn = merged.setdefault(urn, {})
            for attribute in orjson.loads(attributes):
                of_urn.setdefault(attribute["name"], attribute)
        return {urn: list(attributes.values()) for urn, attributes in merged.items()}

    def close(self) -> None:
        """Give back every connection."""
        self._readers.close()

    @cached_property
    def _searches(self) -> Mapping[Kind, Search]:
        json: Json = SqliteJson()
        if not self._readers.sqlite:
            icu = "SELECT collname FROM pg_collation WHERE collname = 'und-x-icu'"
            json = PostgresJson("und-x-icu" if self._readers.rows(icu) else "")
        return {kind: Search(kind, json) for kind in Kind}

    def _rows(self, found: Sequence[Any]) -> list[Row]:
        if not found:
            return []
        if len(found[0]) == 5:
            found = [(*row[:3], _spliced(row[3], row[4])) for row in found]
        _, numbers, ids, documents = zip(*found, strict=True)
        times = self._times
        if not times.keys() >= set(numbers):
            times = self._learned(set(numbers))
        return [*map(_row, zip(ids, documents, numbers, map(times.__getitem__, numbers)))]  # noqa: B905

    def _learned(self, numbers: set[int]) -> dict[int, datetime]:
        times = self._times if len(self._times) < _TIMES else {}
        for number in numbers - times.keys():
            ((stored,),) = self._readers.rows(_TIME, (number,))
            times[number] = Instant.of(stored)
        self._times = times
        return times


def _parts(kind: Kind, members: bool, sqlite: bool) -> dict[str, str]:
    """What the statements of a kind are put together from."""
    with_members = members and kind is Kind.GROUP
    return {
        "table": _TABLES[kind],
        "columns": _COLUMNS[kind],
        "members": _MEMBERS.format(join="group_concat" if sqlite else "string_agg")
        if with_members
        else "",
        "no_members": ", NULL" if with_members else "",
        "served": " AND groups.document IS NOT NULL" if kind is Kind.GROUP else "",
    }


def stamp_of(page: Page) -> Stamp:
    """The stamp of a page that was read, as `Pages.stamp` would have told it then."""
    newest = max(page.rows, key=attrgetter("publication"), default=None)
    latest = Latest(newest.publication, newest.modified) if newest else _latest(0, 0)
    return Stamp(page.total, len(page.rows), latest)


def _latest(number: int, at: int) -> Latest:
    return Latest(number, Instant.of(at))


def _spliced(document: bytes, members: str | None) -> bytes:
    if members is None:
        return document
    return b'%b,"members":[%b]}' % (document[:-1], members.encode())


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
