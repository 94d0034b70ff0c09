"""`bridge relink`: a rehire goes on as the person of before."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, actor, data, say
from bridge.cli.people import as_row
from bridge.cli.sync import decide_now
from bridge.errors import UsageError
from bridge.store import audit, overrides, records, relinks, resources
from bridge.store.audit import Happened
from bridge.sync import why
from bridge.sync.leadership import utc_now


def register(app: typer.Typer) -> None:
    app.command()(relink)


def relink(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The person who left.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same one under a new key.")],
    as_json: Json = False,
) -> None:
    """Let a rehire's new record go on as the person of before: same id, same place.

    Example: bridge relink ann@example.com P2044
    """
    settings, store = context()
    now = utc_now()
    with store.write() as connection:
        before, after = why.find(connection, old), why.find(connection, new)
        if before.source_id != after.source_id:
            raise UsageError("a person goes on within one source, and these are of two")
        if before.key == after.key:
            raise UsageError("these are one person already")
        if before.served is None:
            raise UsageError(f"{before.name} was never served: there is no id to go on with")
        if records.of_people(connection, before.source_id, [before.key]):
            raise UsageError(
                f"{before.name} is still in the source {before.source.name!r}: two records are "
                "one person where the mapping's `key` says so"
            )
        if not records.of_people(connection, after.source_id, [after.key]):
            raise UsageError(f"{after.name} has no record in the source to go on with")
        if overrides.of(connection, after.source_id, [after.key], now):
            raise UsageError(
                f"an override stands for {after.name}, and ends with that record's own person: end "
                "it first (bridge override end), and give it again for the one who goes on"
            )
        relinks.set(connection, before.source_id, before.key, after.key, actor(), now)
        happened = Happened(now, actor(), "relinked", before.source_id, before.key,
                            detail={"new": after.key})  # fmt: skip
        audit.add(connection, [happened])
    decide_now(settings, store, before.source.name)
    with store.read() as connection:
        person = resources.served(connection, before.source_id, [before.key])[before.key]
    if as_json:
        data(as_row(person, before.source.name))
    else:
        word = "active" if person.active else "inactive"
        say(f"{person.user_name} goes on as number {person.position} in the list, {word}.")
