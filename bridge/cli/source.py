"""`bridge source`: sources as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, data, say
from bridge.cli.sync import decide_now
from bridge.cli.words import sentences
from bridge.errors import UsageError
from bridge.store import plans, records
from bridge.store import sources as source_rows
from bridge.sync import catalog
from bridge.sync.leadership import utc_now
from bridge.sync.words import words_of

group = typer.Typer(help="Sources as a whole.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="source")


@group.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")],
    as_json: Json = False,
) -> None:
    """Let everybody of a source whose file is gone become inactive, once you approve that.

    Example: bridge source remove old-hr
    """
    settings, store = context()
    with store.write() as connection:
        row = source_rows.get(connection, name)
        if row is None or row.id is None:
            known = ", ".join(each.name for each in source_rows.all(connection)) or "none yet"
            raise UsageError(f"there is no source {name!r}: there are {known}")
        files = catalog.load(settings.mappings, [row])
        if files.find(name) is not None or files.at(row.file) is not None:
            raise UsageError(f"{row.file} is still there: take it out of the folder first")
        records.let_go(connection, row.id, utc_now())
        for plan in plans.listing(connection, row.id, [plans.REJECTED]):
            plans.overtake(connection, plan)  # this command is a newer word
        records.make_everybody_due(connection, row.id)
        if row.mapping_text:
            live = catalog.compile(row.mapping_text, row.file)
            source_rows.set_words(connection, row.id, words_of(live))  # nobody is left in others
    # That the file is gone is no fault here.
    report = replace(decide_now(settings, store, name), faults=[])
    if as_json:
        data(report.as_json())
    else:
        for sentence in sentences(report):
            say(sentence)
    if report.exit_code:
        raise typer.Exit(report.exit_code)
