"""`bridge deactivate`, `activate` and `override`: a word that wins over every source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from bridge.cli.context import context
from bridge.cli.output import Json, actor, ago, data, say, table
from bridge.cli.people import PersonName, as_row
from bridge.cli.sync import decide_now
from bridge.errors import UsageError
from bridge.settings import Settings
from bridge.store import Store, audit, erasures, overrides, resources
from bridge.store import sources as source_rows
from bridge.store.audit import Happened
from bridge.sync import why
from bridge.sync.leadership import utc_now
from bridge.sync.why import Person

group = typer.Typer(help="Your word on people, which wins over every source.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; it stands in the audit.")]
Until = Annotated[
    str,
    typer.Option(
        metavar="WHEN", help="When it ends by itself, such as 2027-01-31 or 2027-01-31T18:00 (UTC)."
    ),
]


def register(app: typer.Typer) -> None:
    app.command()(deactivate)
    app.command()(activate)
    app.add_typer(group, name="override")


def deactivate(
    person: PersonName, reason: Reason, until: Until = "", as_json: Json = False
) -> None:
    """Make a person inactive now, whatever the source says.

    Example: bridge deactivate ann@example.com --reason "laptop stolen"
    """
    _override(person, False, reason, until, as_json)


def activate(person: PersonName, reason: Reason, until: Until = "", as_json: Json = False) -> None:
    """Keep a person active, whatever the source says.

    Example: bridge activate ann@example.com --reason "contract renewed" --until 2027-01-31
    """
    _override(person, True, reason, until, as_json)


@group.command("list")
def list_(as_json: Json = False) -> None:
    """List the overrides that stand."""
    _, store = context()
    with store.read() as connection:
        rows = overrides.all(connection, utc_now())
        names = {row.id: row.name for row in source_rows.all(connection)}
    if as_json:
        hidden = {"id", "source_id", "ended_at"}
        data([{**row.model_dump(exclude=hidden), "source": names[row.source_id]} for row in rows])
        return
    table(
        ["Person", "Is", "By", "Since", "Until", "Reason"],
        (
            (
                row.person_key,
                "active" if row.active else "inactive",
                row.actor,
                ago(row.created_at),
                f"{row.until:%Y-%m-%d %H:%M}" if row.until else "you end it",
                row.reason,
            )
            for row in rows
        ),
        empty="No override stands: the sources speak for everybody.",
    )


@group.command()
def end(person: PersonName, as_json: Json = False) -> None:
    """Let the source speak for a person again.

    Example: bridge override end ann@example.com
    """
    settings, store = context()
    now = utc_now()
    with store.write() as connection:
        found = why.find(connection, person)
        if not overrides.end(connection, found.source_id, found.key, now):
            raise UsageError(f"no override stands for {found.name}: bridge override list shows all")
        _note(connection, found, "override ended", {}, now)
    _take_effect(settings, store, found, as_json)


def _override(person: str, active: bool, reason: str, until: str, as_json: bool) -> None:
    settings, store = context()
    if not reason.strip():
        raise UsageError("--reason is empty: say why, it stands in the audit")
    end = _moment(until) if until else None
    now = utc_now()
    with store.write() as connection:
        found = why.find(connection, person)
        if found.served is None:
            raise UsageError(f"{found.name} is not served yet: there is nothing to override")
        if erasures.of(connection, found.source_id, [found.key]):
            raise UsageError("this person was erased: there is nobody left to override")
        overrides.set(connection, found.source_id, found.key, active, reason, actor(), now, end)
        word = "override active" if active else "override inactive"
        _note(connection, found, word, {"reason": reason, "until": until or None}, now)
    _take_effect(settings, store, found, as_json)


def _note(
    connection: Connection, person: Person, action: str, detail: dict[str, Any], now: datetime
) -> None:
    happened = Happened(
        now, actor(), action, source_id=person.source_id, subject=person.key, detail=detail
    )
    audit.add(connection, [happened])


def _take_effect(settings: Settings, store: Store, person: Person, as_json: bool) -> None:
    decide_now(settings, store, person.source.name)
    with store.read() as connection:
        now = resources.served(connection, person.source_id, [person.key])[person.key]
    if as_json:
        data(as_row(now, person.source.name))
    else:
        say(f"{now.user_name} is {'active' if now.active else 'inactive'}: {now.reason}.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is not a date such as 2027-01-31") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= utc_now():
        raise UsageError(f"--until {text} has passed already: give a later one")
    return moment
