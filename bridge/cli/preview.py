"""`bridge preview`: what the mapping files on disk would change, before they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bridge.cli.context import context
from bridge.cli.output import MOST, Json, Steps, counted, data, say, table
from bridge.cli.words import SHOWN_SUMS, kind, kinds, sums
from bridge.store import plans, records
from bridge.store import sources as source_rows
from bridge.sync.leadership import utc_now
from bridge.sync.preview import Changed, Preview
from bridge.sync.preview import preview as decided

_PURPOSES = {
    plans.FIRST_LOAD: "was never served: this would be its first load",
    plans.EDIT: "is not what is live",
    plans.CHANGES: "is what is live",
}


def register(app: typer.Typer) -> None:
    app.command()(preview)


def preview(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")],
    person: Annotated[
        str,
        typer.Option(metavar="PERSON", help="Only this one: a userName, e-mail, id or key."),
    ] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many people to show at most.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """Show what the mapping file on disk would change; writes nothing and reads no source.

    It decides on the records as a sync does. Example: bridge preview hr --person ann@example.com
    """
    settings, store = context()
    with store.read() as connection:
        row = source_rows.get(connection, source)
        total = records.count(connection, row.id) if row and row.id and not person else None
    with Steps(total) as steps:
        found = decided(store, settings.mappings, source, utc_now(), steps, person, limit)
    if as_json:
        data(_as_json(found))
        return
    for sentence in _sentences(found, person):
        say(sentence)
    if person:
        say("")
        for each in found.people:
            table(["Value", "Now", "Then"], _values(each), empty="Nothing would be served.")
    elif found.people:
        say("")
        rows = (row for each in found.people for row in _rows(each))
        table(["Person", "What", "Now", "Then"], rows, empty="")
    if found.changed > len(found.people):
        say(f"... and {found.changed - len(found.people):,} more: --limit shows them")


def _sentences(found: Preview, person: str) -> Iterator[str]:
    yield f"{found.source}: {found.file} {_PURPOSES[found.purpose]}."
    if found.reread:
        yield "  It asks the source for something else: a sync would first read everything anew."
    if found.unread:
        yield f"  Not in the records yet, so absent below: {', '.join(found.unread)}"
    who = person or counted(found.looked_at, "person", "people") + " looked at"
    if not found.changed:
        yield f"  {who}: nobody would be served differently."
    else:
        yield f"  {who}: {counted(found.changed, 'person', 'people')} would be served differently."
    if found.newcomers:
        yield f"  {found.newcomers:>9,}  for the first time"
    yield from sums(found.attributes)
    yield from sums(found.deactivated, "would become inactive: {}")
    for each in found.renamed[:SHOWN_SUMS]:
        yield f"  the group {each.before} would be called {each.after}"
    if len(found.renamed) > SHOWN_SUMS:
        yield f"  and {len(found.renamed) - SHOWN_SUMS:,} other groups otherwise than now"
    yield from sums(found.faults, "cannot be mapped, and would stay as they are: {}")
    if not found.held:
        return
    above = kinds({name: found.kinds[name] for name in found.held})
    if found.purpose == plans.FIRST_LOAD:
        yield "  It would be held until you approve it, as every first load."
    elif found.purpose == plans.EDIT:
        yield f"  The file would be held, whole, with its changes: above the limits ({above})."
    else:
        yield f"  These would be held, since they are above their limits: {above}."


def _rows(person: Changed) -> Iterator[tuple[str, str, str, str]]:
    name = person.user_name
    if person.flips:
        yield name, "active", _word(person.before), f"{_word(person.active)}: {person.reason}"
    for each in person.differences if person.before is not None else ():
        yield name, each.name, _text(each.before), _text(each.after)
    for fault in person.faults:
        yield name, "cannot be mapped", "", fault
    for waiting in person.waiting:
        yield name, "waits in a plan", "", kind(waiting)


def _values(person: Changed) -> Iterator[tuple[str, str, str]]:
    """Everything that would be served, beside what is served now."""
    now = {each.name: each.before for each in person.differences}
    values = {**person.values, **{name: None for name in now if name not in person.values}}
    values["active"] = f"{_word(person.active)}: {person.reason}" if person.values else None
    if person.flips or (person.values and person.before is not None):
        now["active"] = _word(person.before)
    for name, value in values.items():
        if value is not None or name in now:
            unchanged = None if person.before is None else value
            yield name, _text(now.get(name, unchanged)), _text(value)
    for fault in person.faults:
        yield "cannot be mapped", "", fault


def _word(active: bool | None) -> str:
    return "not served" if active is None else "active" if active else "inactive"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_json(found: Preview) -> dict[str, Any]:
    return {
        "source": found.source,
        "file": found.file,
        "purpose": found.purpose,
        "reread": found.reread,
        "unread": list(found.unread),
        "looked_at": found.looked_at,
        "changed": found.changed,
        "newcomers": found.newcomers,
        "kinds": dict(found.kinds),
        "held": sorted(found.held),
        "attributes": dict(found.attributes),
        "deactivated": dict(found.deactivated),
        "faults": dict(found.faults),
        "renamed": [
            {"key": each.key, "before": each.before, "after": each.after} for each in found.renamed
        ],
        "people": [_person(person) for person in found.people],
    }


def _person(person: Changed) -> dict[str, Any]:
    return {
        "key": person.key,
        "userName": person.user_name,
        "before": person.before,
        "active": person.active,
        "reason": person.reason or None,
        "rule": person.rule or None,
        "until": person.until,
        "values": dict(person.values),
        "kinds": list(person.kinds),
        "waiting": list(person.waiting),
        "differences": [
            {"name": each.name, "before": each.before, "after": each.after}
            for each in person.differences
        ],
        "faults": list(person.faults),
    }
