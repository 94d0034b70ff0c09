"""The audit: what happened to people, plans and tokens; rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from bridge.store.statements import chunks, model
from bridge.store.tables import AuditRow, table

_audit = table(AuditRow)
_INSERT = insert(_audit)


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened, as `AuditRow` keeps it; ``subject`` is a person's key.

    ``approved`` says that a person's word let it through: an approved plan or an override.
    ``detail`` is JSON: the source's fact, the rule, the reason, the mapping's version.
    """

    at: datetime
    actor: str
    action: str
    source_id: int | None = None
    subject: str = ""
    run_id: int | None = None
    publication: int | None = None
    approved: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


def add(c: Connection, happened: Iterable[Happened]) -> None:
    """Add to the audit, in the transaction of what happened."""
    for chunk in chunks(happened):
        c.execute(_INSERT, [_values(event) for event in chunk])


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in the audit; what is None does not matter. ``until`` is not part of
    the time."""

    source_id: int | None = None
    subject: str | None = None
    action: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def find(
    c: Connection, search: Search, limit: int | None = None, newest_first: bool = True
) -> Iterator[AuditRow]:
    """What happened that fits, in order of happening; streamed, however much it is."""
    statement = select(_audit)
    for name in ("source_id", "subject", "action", "actor"):
        if (wanted := getattr(search, name)) is not None:
            statement = statement.where(_audit.c[name] == wanted)
    if search.since is not None:
        statement = statement.where(_audit.c.at >= search.since)
    if search.until is not None:
        statement = statement.where(_audit.c.at < search.until)
    in_order = statement.order_by(_audit.c.id.desc() if newest_first else _audit.c.id)
    for row in c.execute(in_order.limit(limit), execution_options={"yield_per": 1000}):
        yield model(AuditRow, row)


def _values(event: Happened) -> dict[str, Any]:
    return {
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "source_id": event.source_id,
        "subject": event.subject,
        "run_id": event.run_id,
        "publication": event.publication,
        "approved": event.approved,
        "detail": json.dumps(event.detail, ensure_ascii=False),
    }
