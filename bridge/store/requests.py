"""What commands ask of the running daemon, and what it answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bridge.store.statements import model, new_id
from bridge.store.tables import RequestRow, table

_requests = table(RequestRow)


def ask(c: Connection, source_id: int, mode: str, actor: str, now: datetime) -> int:
    """Ask for a run of a source and return the request's id."""
    row = RequestRow(source_id=source_id, mode=mode, actor=actor, created_at=now)
    return new_id(c, insert(_requests), row.model_dump(exclude={"id"}))


def pending(c: Connection) -> list[RequestRow]:
    """The requests nobody has answered yet, the oldest first."""
    statement = select(_requests).where(_requests.c.ended_at.is_(None)).order_by(_requests.c.id)
    return [model(RequestRow, row) for row in c.execute(statement)]


def answer(
    c: Connection, id: int, run_id: int | None, exit_code: int, message: str, now: datetime
) -> None:
    """Say how a request ended; ``exit_code`` is what the command that asked ends with."""
    c.execute(
        update(_requests)
        .where(_requests.c.id == id)
        .values(run_id=run_id, exit_code=exit_code, message=message, ended_at=now)
    )


def get(c: Connection, id: int) -> RequestRow | None:
    """The request with that id, answered or not."""
    row = c.execute(select(_requests).where(_requests.c.id == id)).one_or_none()
    return None if row is None else model(RequestRow, row)
