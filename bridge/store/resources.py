"""The people and groups Okta is served, as the sync role looks at them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    select,
    union_all,
)

from bridge.model import GROUP_URN, USER_URN, Kind, Link, Served
from bridge.store.statements import among, aside, rows_for
from bridge.store.tables import GroupRow, LinkRow, SourceRow, UserRow, fold, table

_users = table(UserRow)
_groups = table(GroupRow)
_links = table(LinkRow)

_CORE = {Kind.USER: USER_URN, Kind.GROUP: GROUP_URN}
_in_source = _users.c.source_id == bindparam("source")
_SERVED: Select[Any] = select(
    *(column for column in _users.c if column.name not in ("name_fold", "email_fold"))
)
_BY_KEY = _SERVED.where(_in_source, _users.c.key.in_(among()))
_BY_FOLD = _SERVED.where(_users.c.name_fold.in_(among())).order_by(_users.c.position)
_in_source_aside = aside(_users.c.source_id) == bindparam("source")
_GROUP_NAMES = select(_groups.c.key, _groups.c.display_name).where(
    _groups.c.source_id == bindparam("source"), _groups.c.key.in_(among())
)
_NAMED_BY = {
    "key": (_users.c.key, _in_source),
    "externalId": (_users.c.external_id, _in_source_aside),
    "userName": (_users.c.name_fold, _in_source_aside),
}
_DEPENDENTS = (
    select(_users.c.key)
    .join(_links, _links.c.user_position == _users.c.position)
    .where(
        _links.c.source_id == bindparam("source"),
        _links.c.by == bindparam("by"),
        _links.c.ref.in_(among()),
    )
)


def render(id: str, kind: Kind, attributes: Mapping[str, Any]) -> bytes:
    """The stored document: SCIM 2.0 JSON with ``schemas`` and ``id``, without ``meta``."""
    urns = [_CORE[kind], *(name for name in attributes if name.startswith("urn:"))]
    return orjson.dumps({"schemas": urns, "id": id, **attributes})


def link_name(by: str, ref: str) -> str:
    """A reference in the form in which two of them are compared."""
    return fold(ref) if by == "userName" else ref


def served(c: Connection, source_id: int, keys: Iterable[str]) -> dict[str, Served]:
    """The people of a source who are served, by their keys."""
    return {row.key: _served(row) for row in rows_for(c, _BY_KEY, keys, source=source_id)}


def resolve(c: Connection, source_id: int, by: str, refs: Iterable[str]) -> dict[str, Served]:
    """Who is meant by each reference; one that means nobody served is not in the answer.

    ``by`` is ``key``, ``externalId`` or ``userName``. Of several the active one is meant, then
    the one served longest.
    """
    column, in_source = _NAMED_BY[by]
    wanted: dict[str, list[str]] = {}
    for ref in refs:
        wanted.setdefault(link_name(by, ref), []).append(ref)
    statement = _SERVED.add_columns(column.label("named")).where(in_source, column.in_(among()))
    found: dict[str, Served] = {}
    for row in rows_for(c, statement, wanted, source=source_id):
        person, rival = _served(row), found.get(row.named)
        if rival is None or (not person.active, person.position) < (
            not rival.active,
            rival.position,
        ):
            found[row.named] = person
    return {ref: person for name, person in found.items() for ref in wanted[name]}


def dependents(c: Connection, source_id: int, pairs: Collection[tuple[str, str]]) -> set[str]:
    """The keys of the people who refer to one of these ``(by, ref)``."""
    names: dict[str, set[str]] = {}
    for by, ref in pairs:
        names.setdefault(by, set()).add(link_name(by, ref))
    return {
        row.key
        for by, refs in names.items()
        for row in rows_for(c, _DEPENDENTS, refs, source=source_id, by=by)
    }


def group_names(c: Connection, source_id: int, keys: Iterable[str]) -> dict[str, str]:
    """What groups of a source are called that are served or were, by key."""
    return {row.key: row.display_name for row in rows_for(c, _GROUP_NAMES, keys, source=source_id)}


def values(c: Connection, path: Sequence[str]) -> Iterator[str]:
    """What stands at a path of everybody's attributes, over all sources; walks through all."""
    documents = select(_users.c.document)
    for document in c.execute(documents, execution_options={"yield_per": 10_000}).scalars():
        value: Any = orjson.loads(document)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            yield str(value)


def holders(c: Connection, folds: Iterable[str]) -> dict[str, list[Served]]:
    """Who holds each folded userName, over all sources, the longest served first."""
    found: dict[str, list[Served]] = {}
    for row in rows_for(c, _BY_FOLD, folds):
        person = _served(row)
        found.setdefault(fold(person.user_name), []).append(person)
    return found


def find(c: Connection, text: str) -> list[Served]:
    """The people a text names: userName, e-mail, external id, key or SCIM id."""
    sources = select(table(SourceRow).c.id)
    named = [
        _users.c.name_fold == fold(text),
        _users.c.email_fold == fold(text),
        _users.c.external_id == text,
        _users.c.id == text,
        _users.c.source_id.in_(sources) & (_users.c.key == text),
    ]
    # One index each, where an OR of them would read the whole table.
    positions = union_all(*(select(_users.c.position).where(condition) for condition in named))
    statement = _SERVED.where(_users.c.position.in_(positions)).order_by(_users.c.position)
    return [_served(row) for row in c.execute(statement)]


def listing(
    c: Connection,
    after_position: int = 0,
    limit: int = 500,
    source_id: int | None = None,
    active: bool | None = None,
) -> list[Served]:
    """The next people in order of position, of one source or all, active or not or both."""
    statement = _SERVED.where(_users.c.position > after_position)
    if source_id is not None:
        statement = statement.where(_users.c.source_id == source_id)
    if active is not None:
        statement = statement.where(_users.c.active.is_(active))
    return [_served(row) for row in c.execute(statement.order_by(_users.c.position).limit(limit))]


def encode_links(links: Iterable[Link]) -> bytes | None:
    """Links as they are stored; None for no links."""
    rows = [(link.path, link.by, link.ref, link.want) for link in links]
    return orjson.dumps(rows) if rows else None


def encode_groups(groups: Iterable[str]) -> bytes | None:
    """Keys of groups as they are stored; None for no groups."""
    keys = sorted(groups)
    return orjson.dumps(keys) if keys else None


def _served(row: Row[Any]) -> Served:
    links = orjson.loads(row.links) if row.links else ()
    return Served(
        position=row.position,
        id=row.id,
        key=row.key,
        user_name=row.user_name,
        active=row.active,
        ever_active=row.ever_active,
        document=row.document,
        links=tuple(Link(tuple(path), by, ref, want) for path, by, ref, want in links),
        groups=frozenset(orjson.loads(row.groups)) if row.groups else frozenset(),
        reason=row.reason,
        publication=row.publication,
        source_id=row.source_id,
    )
