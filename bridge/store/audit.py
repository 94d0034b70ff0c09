"""The audit: what happened to people, plans and tokens; rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


def of(c: Connection, source_id: int, subject: str, limit: int = 100) -> list[AuditRow]:
    """What happened to a person, the newest first."""
    statement = select(_audit).where(_audit.c.source_id == source_id, _audit.c.subject == subject)
    return [
        model(AuditRow, row)
        for row in c.execute(statement.order_by(_audit.c.id.desc()).limit(limit))
    ]


def recent(c: Connection, limit: int = 100) -> list[AuditRow]:
    """What happened last, the newest first."""
    statement = select(_audit).order_by(_audit.c.id.desc()).limit(limit)
    return [model(AuditRow, row) for row in c.execute(statement)]


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
