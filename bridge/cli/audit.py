"""`bridge audit`: what happened to people, plans and tokens, and who had it happen."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from bridge.cli.context import context
from bridge.cli.output import MOST, Json, data, note, plain, table
from bridge.errors import UsageError
from bridge.store import audit as rows
from bridge.store import resources
from bridge.store import sources as source_rows
from bridge.store.tables import AuditRow
from bridge.sync import why

ACTIONS = (
    "created",
    "deactivated",
    "reactivated",
    "override active",
    "override inactive",
    "override ended",
    "plan approved",
    "plan rejected",
    "erased",
    "relinked",
    "possible rehire",
    "token created",
    "token rotated",
    "token revoked",
)


def register(app: typer.Typer) -> None:
    app.command()(audit)


def audit(
    person: Annotated[
        str,
        typer.Argument(metavar="PERSON", help="Only what happened to this person."),
    ] = "",
    action: Annotated[
        str, typer.Option(metavar="ACTION", help="Only this, such as deactivated.")
    ] = "",
    actor: Annotated[
        str, typer.Option(metavar="NAME", help="Only what this person or the schedule did.")
    ] = "",
    source: Annotated[str, typer.Option(metavar="SOURCE", help="Only of this source.")] = "",
    since: Annotated[
        str, typer.Option(metavar="DATE", help="From this day on, such as 2027-01-31 (UTC).")
    ] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Before this day.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How much to show at most.")] = 50,
    export: Annotated[
        bool,
        typer.Option("--export", help="Everything that fits, the oldest first, a JSON a line."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell what happened, the newest first: every flip with its cause, and every word given.

    Example: bridge audit --action deactivated --since 2027-01-01
    """
    _, store = context()
    with store.read() as connection:
        names = {row.id: row.name for row in source_rows.all(connection)}
        whom = why.find(connection, person) if person else None
        _require_action(connection, action)
        search = rows.Search(
            source_id=whom.source_id if whom else _source(source, names),
            subject=whom.key if whom else None,
            action=action or None,
            actor=actor or None,
            **_period(since, until),
        )
        if export:
            for row in rows.find(connection, search, newest_first=False):
                sys.stdout.write(json.dumps(_as_json(row, names), default=plain) + "\n")
            return
        found = list(rows.find(connection, search, limit + 1))
        called = _called(connection, found)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        data([_as_json(row, names) for row in found])
    else:
        table(
            ["When (UTC)", "What", "Whom", "By", "Run", "Why"],
            (
                (
                    f"{row.at:%Y-%m-%d %H:%M:%S}",
                    row.action,
                    called.get((row.source_id, row.subject), row.subject),
                    row.actor,
                    row.run_id,
                    _why(json.loads(row.detail)),
                )
                for row in found
            ),
            empty="Nothing happened that fits.",
        )
    if more:
        note(f"These are the last {limit:,}: --limit shows more, --export everything.")


def _source(name: str, names: Mapping[int | None, str]) -> int | None:
    if not name:
        return None
    found = next((id for id, known in names.items() if known == name), None)
    if found is None:
        known = ", ".join(names.values()) or "none yet"
        raise UsageError(f"there is no source {name!r}: there are {known}")
    return found


def _require_action(connection: Connection, action: str) -> None:
    """What never happens by that name is a slip, not an answer of nobody."""
    if not action or action in ACTIONS:
        return
    # A newer bridge may have noted what this one does not know.
    if next(rows.find(connection, rows.Search(action=action), 1), None) is None:
        raise UsageError(f"there is no action {action!r}: there are {', '.join(ACTIONS)}")


def _period(since: str, until: str) -> dict[str, datetime | None]:
    start, end = _day("--since", since), _day("--until", until)
    if start and end and start >= end:
        raise UsageError(
            f"--since {since} is not before --until {until}, which is no part of the time itself: "
            "nothing is between them"
        )
    return {"since": start, "until": end}


def _day(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a date such as 2027-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _called(connection: Connection, found: list[AuditRow]) -> dict[tuple[int | None, str], str]:
    """What the people are called now to whom it happened."""
    subjects: dict[int, set[str]] = {}
    for row in found:
        if row.source_id is not None and row.subject:
            subjects.setdefault(row.source_id, set()).add(row.subject)
    return {
        (source_id, key): person.user_name
        for source_id, keys in subjects.items()
        for key, person in resources.served(connection, source_id, keys).items()
    }


def _why(detail: Mapping[str, Any]) -> str:
    """The reason, the rule that gave it, and the plan that let it through."""
    parts = [
        detail.get("reason") or "",
        detail.get("rule") and f"rule {detail['rule']}",
        detail.get("token") or "",
    ]
    if plan := detail.get("plan"):
        parts.append(f"plan {plan[:12]}")
    return "; ".join(part for part in parts if part)


def _as_json(row: AuditRow, names: Mapping[int | None, str]) -> dict[str, Any]:
    return {
        "at": row.at,
        "action": row.action,
        "source": names.get(row.source_id),
        "person": row.subject or None,
        "actor": row.actor,
        "run": row.run_id,
        "publication": row.publication,
        "approved": row.approved,
        **json.loads(row.detail),
    }
