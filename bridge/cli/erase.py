"""`bridge erase`: forget a person who left."""

from __future__ import annotations

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, actor, data, say
from bridge.cli.people import PersonName, as_row
from bridge.cli.sync import decide_now
from bridge.errors import UsageError
from bridge.store import erasures, records, resources
from bridge.sync import why
from bridge.sync.leadership import utc_now


def register(app: typer.Typer) -> None:
    app.command()(erase)


def erase(person: PersonName, as_json: Json = False) -> None:
    """Keep nothing of a person who left but the place in the list, for good.

    Example: bridge erase ann@example.com
    """
    settings, store = context()
    with store.write() as connection:
        found = why.find(connection, person)
        if found.served is None:
            raise UsageError(f"{found.name} is not served: there is nothing to erase")
        if records.of_people(connection, found.source_id, [found.key]):
            raise UsageError(
                f"{found.name} is still in the source {found.source.name!r}: delete the person "
                "there first, and run bridge sync --full"
            )
        if found.served.active:
            raise UsageError(f"{found.name} is still active: bridge plan list shows what waits")
        erasures.ask(connection, found.source_id, found.key, actor(), utc_now())
    decide_now(settings, store, found.source.name)
    with store.read() as connection:
        now = resources.served(connection, found.source_id, [found.key])[found.key]
    if as_json:
        data(as_row(now, found.source.name))
    else:
        say(f"Nothing is left of this person but number {now.position} in the list, inactive.")
        say("Backups made before still have the rest.")
