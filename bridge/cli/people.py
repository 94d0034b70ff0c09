"""`bridge people`: who is served."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from bridge.cli.context import context
from bridge.cli.output import MOST, Json, data, note, table
from bridge.errors import UsageError
from bridge.model import Served
from bridge.store import resources
from bridge.store import sources as source_rows

PersonName = Annotated[
    str,
    typer.Argument(metavar="PERSON", help="A userName, e-mail, external id, key or SCIM id."),
]


def register(app: typer.Typer) -> None:
    app.command()(people)


def people(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="Only whose userName, key or reason holds this."),
    ] = "",
    source: Annotated[str, typer.Option(metavar="SOURCE", help="Only of this source.")] = "",
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only who is so; otherwise both.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many to show at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the people Okta is served, in the order of the list.

    Example: bridge people --inactive "last day"
    """
    _, store = context()
    with store.read() as connection:
        names = {row.id: row.name for row in source_rows.all(connection)}
        ids = {name: id for id, name in names.items()}
        if source and source not in ids:
            known = ", ".join(ids) or "none yet"
            raise UsageError(f"there is no source {source!r}: there are {known}")
        everybody = _people(connection, ids.get(source), active)
        found = list(islice(_holding(everybody, text.casefold()), limit + 1))
    more, found = len(found) > limit, found[:limit]
    if as_json:
        data([as_row(person, names[person.source_id]) for person in found])
    else:
        table(
            ["#", "userName", "Active", "Source", "Why"],
            (
                (
                    person.position,
                    person.user_name,
                    "yes" if person.active else "no",
                    names[person.source_id],
                    person.reason,
                )
                for person in found
            ),
            empty="Nobody is served who fits." if text or source else "Nobody is served.",
        )
    if more:
        note(f"These are the first {limit:,}: --limit shows more.")


def as_row(person: Served, source: str) -> dict[str, Any]:
    """A person as every command prints one in JSON."""
    return {
        "id": person.id,
        "key": person.key,
        "position": person.position,
        "userName": person.user_name,
        "active": person.active,
        "reason": person.reason,
        "source": source,
    }


def _people(connection: Connection, source_id: int | None, active: bool | None) -> Iterator[Served]:
    position = 0
    while found := resources.listing(connection, position, 500, source_id, active):
        yield from found
        position = found[-1].position


def _holding(people: Iterator[Served], text: str) -> Iterator[Served]:
    for person in people:
        if any(text in held.casefold() for held in (person.user_name, person.key, person.reason)):
            yield person
