"""`bridge backup` and `bridge restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, Steps, counted, data, say
from bridge.errors import LeaseHeld
from bridge.store import backup as backups
from bridge.store import lease
from bridge.sync.leadership import leadership, utc_now

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup's file.")]


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)


def backup(file: File, as_json: Json = False) -> None:
    """Copy one moment of the store into a new file, while everything goes on, and check the copy.

    Example: bridge backup /backup/bridge-2027-01-31.db
    """
    _, store = context()
    with Steps() as steps:
        people = backups.save(store, file, steps)
    size = file.stat().st_size
    if as_json:
        data({"file": str(file), "people": people, "bytes": size})
    else:
        say(f"{file} holds {counted(people, 'person', 'people')} and is sound ({size:,} bytes).")
        say("It holds everybody's data: keep it as safe as the store.")


def restore(
    file: File,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of what the store holds.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the store what a backup holds; stop the daemon first.

    Nothing is served until every source was read whole and decided on.

    Example: bridge restore /backup/bridge-2027-01-31.db --replace
    """
    _, store = context()
    try:
        with Steps() as steps, leadership(store):
            people = backups.load(store, file, utc_now(), steps, replace)
    except LeaseHeld:
        with store.read() as connection:
            who = lease.current(connection, utc_now()) or "another process"
        raise LeaseHeld(
            f"{who} works on the store: stop it first, and run the command again"
        ) from None
    if as_json:
        data({"file": str(file), "people": people})
    else:
        say(f"The store holds {counted(people, 'person', 'people')} of {file}.")
        say("SCIM answers 503 until every source was read whole: bridge sync --full")
