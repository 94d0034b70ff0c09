"""`bridge token`: what SCIM clients sign in with."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy import Connection

from bridge.cli.context import context
from bridge.cli.output import Json, actor, ago, counted, data, note, say, table
from bridge.errors import UsageError
from bridge.store import audit, tokens
from bridge.store.activity import Activity
from bridge.store.audit import Happened
from bridge.sync.leadership import utc_now

group = typer.Typer(help="Tokens of SCIM clients such as Okta.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The client that uses it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="token")


@group.command()
def create(
    name: Name,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days until it expires; otherwise never.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once: the store keeps only its SHA-256.

    Example: bridge token create okta --days 365
    """
    _, store = context()
    now = utc_now()
    with store.write() as connection:
        row, secret = tokens.create(
            connection, name, now + timedelta(days=days) if days else None, now
        )
        _note(connection, "token created", name)
    _show(name, secret, row.expires_at, as_json)


@group.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=8760, help="How long the old one stays good.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Make a new token of a name; the old one stays good meanwhile, so that nothing stops.

    Example: bridge token rotate okta --overlap-hours 48
    """
    _, store = context()
    now, overlap = utc_now(), timedelta(hours=overlap_hours)
    with store.write() as connection:
        row, secret = tokens.rotate(connection, name, overlap, now)
        _note(connection, "token rotated", name)
    _show(name, secret, row.expires_at, as_json)
    if not as_json:
        end = f"stays good until {now + overlap:%Y-%m-%d %H:%M} UTC at most"
        note(f"The old one {end if overlap else 'is good no longer'}.")


@group.command()
def revoke(name: Name, as_json: Json = False) -> None:
    """End every token of a name, at once."""
    _, store = context()
    with store.write() as connection:
        count = tokens.revoke(connection, name, utc_now())
        if not count:
            raise UsageError(
                f"there is no token {name!r} that is good: bridge token list shows them"
            )
        _note(connection, "token revoked", name)
    if as_json:
        data({"name": name, "revoked": count})
    else:
        say(f"{counted(count, 'token', 'tokens')} of {name!r} revoked.")


@group.command("list")
def list_(as_json: Json = False) -> None:
    """List the tokens there are, when each ends, and when it was last used."""
    _, store = context()
    now = utc_now()
    with store.read() as connection:
        rows = tokens.listing(connection)
    notes = Activity.open(store.url)
    uses = notes.last_uses()
    notes.close()
    if as_json:
        data(
            [
                {
                    "name": row.name,
                    "hint": row.hint,
                    "state": tokens.state(row, now),
                    "created_at": row.created_at,
                    "expires_at": row.expires_at,
                    "last_used_at": uses[row.id].at if row.id in uses else None,
                    "last_used_by": uses[row.id].user_agent if row.id in uses else None,
                }
                for row in rows
            ]
        )
        return
    table(
        ["Name", "Begins with", "State", "Made", "Ends (UTC)", "Last used"],
        (
            (
                row.name,
                row.hint,
                tokens.state(row, now),
                ago(row.created_at),
                f"{row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "never",
                ago(uses[row.id].at) if row.id in uses else "never",
            )
            for row in rows
        ),
        empty="There are no tokens: bridge token create NAME makes one.",
    )


def _note(connection: Connection, action: str, name: str) -> None:
    audit.add(connection, [Happened(utc_now(), actor(), action, detail={"token": name})])


def _show(name: str, secret: str, expires: object, as_json: bool) -> None:
    if as_json:
        data({"name": name, "token": secret, "expires_at": expires})
    else:
        say(secret)
        note("This is shown once: give it to the client now.")
