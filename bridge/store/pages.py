"""The hot path of the web role: one page or one row in one statement.

Statements are compiled once and run on the driver's own connections, without SQLAlchemy, which
would cost several times what the database does. One statement sees one moment of the store, so
the total and the rows of a page belong together.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from bridge.model import Kind, Page, Query, Row
from bridge.store.database import BUSY_SECONDS, Store, is_sqlite
from bridge.store.faults import ERRORS, explained
from bridge.store.tables import (
    GroupRow,
    Instant,
    MembershipRow,
    PublicationRow,
    SchemaRow,
    ServingRow,
    UserRow,
    fold,
    table,
)

_users = table(UserRow)
_groups = table(GroupRow)
_membership = table(MembershipRow)
_publications = table(PublicationRow)
_schemas = table(SchemaRow)

_TABLES = {Kind.USER: _users, Kind.GROUP: _groups}
_MATCHES = {
    (Kind.USER, "id"): _users.c.id,
    (Kind.USER, "userName"): _users.c.name_fold,
    (Kind.USER, "externalId"): _users.c.external_id,
    (Kind.GROUP, "id"): _groups.c.id,
    (Kind.GROUP, "displayName"): _groups.c.name_fold,
}
_FOLDED = {"userName", "displayName"}
# Each list is one statement, so that total and rows are of one moment: a row with position 0 and
# the total, then rows of position, publication, id, document and, for groups, members.
_FIRST: ColumnElement[int] = literal_column("0")
# Beyond every position, within every integer.
_END = 2**53
# Times of so many publications are remembered.
_TIMES = 10_000


class Pages:
    """Reads what is served; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._url = store.url
        self._sqlite = is_sqlite(store.url)
        self._free: deque[Any] = deque()
        store.at_close.callback(self.close)
        self._times: dict[int, datetime] = {}
        members = {Kind.USER: [], Kind.GROUP: [_members(self._sqlite)]}
        self._pages = {kind: self._compiled(_page(kind, members[kind])) for kind in Kind}
        self._matched = {
            (kind, name): self._compiled(_match(kind, name, members[kind]))
            for kind, name in _MATCHES
        }
        self._serving = self._compiled(select(table(ServingRow).c.id))
        self._time = self._compiled(
            select(_publications.c.at).where(_publications.c.number == bindparam("number"))
        )
        self._schemas = self._compiled(
            select(_schemas.c.urn, _schemas.c.attributes).order_by(
                _schemas.c.urn, _schemas.c.source_id
            )
        )

    def page(self, query: Query) -> Page:
        """The rows of a list request and their total; raises `StorageError`.

        Without a match the total is the highest position, and a hole is left out of its page.
        With one it is the number of matches; ``match`` names ``id``, ``userName`` or
        ``externalId`` of users, ``id``, ``displayName`` or ``externalId`` of groups.
        """
        start = min(max(query.start, 1), _END)
        if query.match is None:
            last = start + query.count - 1
            return self._page(self._pages[query.kind], {"first": start, "last": last})
        name, value = query.match
        if (query.kind, name) == (Kind.GROUP, "externalId") or not _storable(value):
            return Page(0)
        return self._page(
            self._matched[query.kind, name],
            {
                "value": fold(value) if name in _FOLDED else value,
                "count": query.count,
                "skip": start - 1,
            },
        )

    def one(self, kind: Kind, id: str) -> Row | None:
        """The row with that id, if it is served."""
        rows = self.page(Query(kind, count=1, match=("id", id))).rows
        return rows[0] if rows else None

    def serving(self) -> bool:
        """Whether everybody's first load was published, so that resources may be answered."""
        return bool(self._fetch(self._serving, {}))

    def schemas(self) -> dict[str, list[dict[str, Any]]]:
        """The attributes of every custom schema by URN, those of several sources together."""
        merged: dict[str, dict[str, dict[str, Any]]] = {}
        for urn, attributes in self._fetch(self._schemas, {}):
            of_urn = merged.setdefault(urn, {})
            for attribute in orjson.loads(attributes):
                of_urn.setdefault(attribute["name"], attribute)
        return {urn: list(attributes.values()) for urn, attributes in merged.items()}

    def close(self) -> None:
        """Give back every connection."""
        while self._free:
            self._free.pop().close()

    def _page(self, statement: _Compiled, values: dict[str, Any]) -> Page:
        found = self._fetch(statement, values)
        # Sorted here: the database reads them in this order, but would build a tree to be sure.
        found.sort(key=itemgetter(0))
        total = found.pop(0)[1]
        try:
            return Page(total, _rows(found, self._times))
        except KeyError:
            return Page(total, _rows(found, self._learned({row[1] for row in found})))

    def _learned(self, numbers: set[int]) -> dict[int, datetime]:
        times = self._times if len(self._times) < _TIMES else {}
        for number in numbers - times.keys():
            ((stored,),) = self._fetch(self._time, {"number": number})
            times[number] = Instant.of(stored)
        self._times = times
        return times

    def _compiled(self, statement: ClauseElement) -> _Compiled:
        return _Compiled(statement, self._sqlite)

    def _fetch(self, statement: _Compiled, values: dict[str, Any]) -> list[Any]:
        given = statement.constants | values
        parameters = [given[name] for name in statement.names]
        with explained():
            while True:
                try:
                    connection, fresh = self._free.pop(), False
                except IndexError:
                    connection, fresh = self._connect(), True
                try:
                    rows = connection.execute(statement.sql, parameters).fetchall()
                except ERRORS:
                    connection.close()
                    # A kept connection may have died with the server; a new one tells.
                    if fresh:
                        raise
                    continue
                self._free.append(connection)
                return rows  # type: ignore[no-any-return]

    def _connect(self) -> sqlite3.Connection | psycopg.Connection[Any]:
        if self._sqlite:
            # A file that was taken away is an error, not an empty store.
            file = Path(str(self._url.database)).absolute().as_uri() + "?mode=rw"
            connection = sqlite3.connect(
                file,
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA query_only = ON")
            return connection
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        server = psycopg.connect(
            url, autocommit=True, connect_timeout=10, cursor_factory=psycopg.ClientCursor
        )
        server.read_only = True
        return server


class _Compiled:
    """A statement as the driver takes it, and the names of its parameters in their order."""

    def __init__(self, statement: ClauseElement, sqlite: bool) -> None:
        dialect = (
            SQLiteDialect_pysqlite() if sqlite else PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        )
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self.names: Sequence[str] = compiled.positiontup or ()
        self.constants = compiled.params


def _page(kind: Kind, members: list[ColumnElement[Any]]) -> CompoundSelect[Any]:
    rows = _TABLES[kind]
    total = select(_FIRST, func.coalesce(func.max(rows.c.position), 0), null(), null())
    place: ColumnElement[bool] = rows.c.position.between(
        bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
    )
    if kind is Kind.GROUP:
        place &= rows.c.document.is_not(None)
    return union_all(
        total.add_columns(*(null() for _ in members)), _columns(rows, members).where(place)
    )


def _match(kind: Kind, name: str, members: list[ColumnElement[Any]]) -> CompoundSelect[Any]:
    rows = _TABLES[kind]
    met = (_MATCHES[kind, name] == bindparam("value")) & rows.c.document.is_not(None)
    total = select(_FIRST, func.count(), null(), null()).select_from(rows).where(met)
    page = (
        _columns(rows, members)
        .where(met)
        .order_by(rows.c.position)
        .limit(bindparam("count", type_=BigInteger))
        .offset(bindparam("skip", type_=BigInteger))
        .subquery()
    )
    return union_all(total.add_columns(*(null() for _ in members)), select(page))


def _columns(rows: Table, members: list[ColumnElement[Any]]) -> Select[Any]:
    return select(rows.c.position, rows.c.publication, rows.c.id, rows.c.document, *members)


def _members(sqlite: bool) -> ColumnElement[Any]:
    in_order = (
        select(_users.c.id)
        .join(_membership, _membership.c.user_position == _users.c.position)
        .where(_membership.c.group_position == _groups.c.position)
        .order_by(_membership.c.user_position)
        .correlate(_groups)
        .subquery()
    )
    # An id is a UUID: nothing in it needs escaping.
    start: ColumnElement[str] = literal_column("""'{"value":"'""")
    member = start.concat(in_order.c.id).concat(literal_column("""'","type":"User"}'"""))
    join = func.group_concat if sqlite else func.string_agg
    together = join(member, literal_column("','"))
    return select(together).select_from(in_order).scalar_subquery().label("members")


def _rows(found: list[Any], times: dict[int, datetime]) -> list[Row]:
    if found and len(found[0]) == 5:
        found = [(*row[:3], _spliced(row[3], row[4])) for row in found]
    return [Row._make((id, document, number, times[number])) for _, number, id, document in found]


def _spliced(document: bytes, members: str | None) -> bytes:
    if members is None:
        return document
    return b'%b,"members":[%b]}' % (document[:-1], members.encode())


def _storable(value: str) -> bool:
    """Whether any stored text can equal it: lone surrogates and NUL are in none."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
