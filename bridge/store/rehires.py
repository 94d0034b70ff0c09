"""Newcomers who may be somebody that was there before under another key: whoever shares a name.

Nobody is merged by that; it is only noted when they come, for a person to look at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, bindparam, literal_column, select

from bridge.store.statements import among, model, rows_for
from bridge.store.tables import AuditRow, LookupRow, UserRow, fold, table
from bridge.store.user_rows import UserWrite, looked_up

ACTION = "possible rehire"
"""In the audit, of a newcomer; the detail holds under ``of`` the ids of whom it may be, and ``by``
which names."""

_users = table(UserRow)
_lookups = table(LookupRow)
_audit = table(AuditRow)

_OF_LOOKUP: Select[Any] = (
    select(_lookups.c.value.label("named"), _users.c.id)
    .join(_users, _users.c.position == _lookups.c.user_position)
    .where(_lookups.c.name == bindparam("name"), _lookups.c.value.in_(among()))
)
_OF_COLUMN: dict[str, Select[Any]] = {
    name: select(_users.c[column].label("named"), _users.c.id).where(
        _users.c[column].in_(among())
    )
    for name, column in (
        ("userName", "name_fold"), ("externalId", "external_id"), ("email", "email_fold"),
    )
}  # fmt: skip
# As the index has it: a bound value would not be known to be the same.
_RECENT = (
    select(_audit)
    .where(_audit.c.action == literal_column(f"'{ACTION}'"), _audit.c.at >= bindparam("since"))
    .order_by(_audit.c.id.desc())
)


class Shared(NamedTuple):
    """A name that a newcomer shares with somebody who is served: which, and the SCIM id of whom."""

    by: str
    id: str


def sharing(c: Connection, newcomers: Sequence[UserWrite]) -> dict[str, set[Shared]]:
    """Who among those served has a userName, an external id, an e-mail or an employee number of a
    newcomer, by the newcomer's id; ask before the newcomers are served."""
    wanted: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in newcomers:
        for name, value in _names(each):
            wanted[name][value].add(each.id)
    found: dict[str, set[Shared]] = defaultdict(set)
    for name, of in wanted.items():
        rows = list(rows_for(c, _OF_COLUMN[name], of)) if name in _OF_COLUMN else []
        if name not in ("userName", "externalId"):
            rows += rows_for(c, _OF_LOOKUP, of, name=name)
        for row in rows:
            for new in of[row.named] - {row.id}:
                found[new].add(Shared(name, row.id))
    return dict(found)


def recent(c: Connection, since: datetime) -> Iterator[AuditRow]:
    """What was noted since then, the newest first."""
    for row in c.execute(_RECENT, {"since": since}):
        yield model(AuditRow, row)


def _names(person: UserWrite) -> Iterator[tuple[str, str]]:
    yield "userName", fold(person.user_name)
    if person.external_id is not None:
        yield "externalId", person.external_id
    if person.email is not None:
        yield "email", fold(person.email)
    yield from looked_up(orjson.loads(person.document))
