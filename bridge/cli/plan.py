"""`bridge plan`: what waits for a person's word."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from bridge.cli.context import context
from bridge.cli.output import MOST, Json, actor, ago, complain, counted, data, say, table
from bridge.cli.summary import Summary
from bridge.cli.sync import decide_now
from bridge.cli.words import kind, kinds, sentences, sums
from bridge.errors import UsageError
from bridge.settings import Settings
from bridge.store import Store, plans
from bridge.store import sources as source_rows
from bridge.store.tables import PlanRow
from bridge.sync import why
from bridge.sync.change import EDITED
from bridge.sync.leadership import utc_now

group = typer.Typer(help="Changes that wait for your word.", no_args_is_help=True)

Hash = Annotated[str, typer.Argument(metavar="HASH", help="The plan, or a unique beginning of it.")]

_PURPOSES = {
    plans.FIRST_LOAD: "The first load: nobody of this source is served before you approve it.",
    plans.EDIT: "An edited mapping file: it goes live whole when you approve it.",
    plans.CHANGES: "Changes above the limits of the mapping file; everything else is live.",
}


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="plan")


@group.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also what is decided and done.")] = False,
    as_json: Json = False,
) -> None:
    """List the plans that are open: held, approved or rejected."""
    _, store = context()
    with store.read() as connection:
        rows = plans.listing(connection, states=None if all_ else plans.OPEN)
        names = {row.id: row.name for row in source_rows.all(connection)}
    if as_json:
        data([_as_json(row, names[row.source_id]) for row in rows])
        return
    table(
        ["Plan", "Source", "State", "Since", "Changes"],
        (
            (
                row.hash[: plans.SHOWN],
                names[row.source_id],
                row.state,
                ago(row.created_at),
                kinds(json.loads(row.counts)),
            )
            for row in rows
        ),
        empty="Nothing waits for your word.",
    )


@group.command()
def show(
    hash: Hash,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many changes to show at most.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """Show what a plan would change: the sums, what is odd, and person by person.

    Example: bridge plan show 3f2a91
    """
    _, store = context()
    with store.read() as connection:
        row = _get(connection, hash)
        changes = plans.changes(connection, _id(row), limit=limit)
        size = plans.size(connection, row)
        summary = Summary.of(plans.outcomes(connection, _id(row)))
        [name] = [s.name for s in source_rows.all(connection) if s.id == row.source_id]
    if as_json:
        shown = [change._asdict() for change in changes]
        found = {"people": size, "outcomes": dict(summary.outcomes), "odd": summary.odd}
        data({**_as_json(row, name), **found, "changes": shown})
        return
    for sentence in _introduction(row, name, size, summary):
        say(sentence)
    table(
        ["Person", "Change", "To"],
        ((change.before, kind(change.kind), _outcome(change)) for change in changes),
        empty="Every change of it is settled.",
    )
    total = sum(summary.outcomes.values())
    if total > len(changes):
        say(f"... and {total - len(changes):,} more: --limit shows them")
    if row.state == plans.HELD:
        short = row.hash[: plans.SHOWN]
        say(f"\nbridge plan approve {short}   lets all of it go live")
        until = "the file is edited again" if row.purpose == plans.EDIT else "the records change"
        say(f"bridge plan reject {short}    keeps it away until {until}")
        if row.purpose == plans.EDIT:
            say(f"bridge preview {name}   shows every value that it would change")
        if row.purpose == plans.CHANGES and size > 1:
            names = ", ".join(sorted(json.loads(row.counts)))
            say(f"Either takes --person or --kind for a part of it; its kinds are {names}.")


People = Annotated[
    list[str] | None, typer.Option("--person", help="Only this person's changes; repeatable.")
]
Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only changes of this kind; repeatable.")
]


@group.command()
def approve(hash: Hash, person: People = None, kind: Kinds = None, as_json: Json = False) -> None:
    """Let a plan go live, now, or a part of it; later additions need a word of their own.

    Example: bridge plan approve 3f2a91 --person ann@example.com
    """
    settings, store = context()
    with store.write() as connection:
        row = _part(connection, hash, person or (), kind or ())
        row = plans.approve(connection, row.hash, actor(), utc_now())
    _take_effect(settings, store, row, as_json)


@group.command()
def reject(hash: Hash, person: People = None, kind: Kinds = None, as_json: Json = False) -> None:
    """Keep a plan's changes, or a part of them, away until the records behind them change.

    An edited file stays away until it is edited again.

    Example: bridge plan reject 3f2a91 --kind renamed
    """
    settings, store = context()
    with store.write() as connection:
        row = _part(connection, hash, person or (), kind or ())
        row = plans.reject(connection, row.hash, actor(), utc_now())
    _take_effect(settings, store, row, as_json)


def _part(
    connection: Connection, hash: str, people: Collection[str], kinds: Collection[str]
) -> PlanRow:
    """The plan, or the plan that a part of it has become."""
    row = _get(connection, hash)
    if not people and not kinds:
        return row
    found = [why.find(connection, person) for person in people]
    subjects = {person.key for person in found if person.source_id == row.source_id}
    if len(subjects) < len(found):
        raise UsageError("the plan is of another source than that person")
    return plans.split(connection, row, subjects, kinds)


def _introduction(row: PlanRow, name: str, size: int, summary: Summary) -> Iterator[str]:
    yield f"Plan {row.hash[: plans.SHOWN]} of {name}: {row.state} since {ago(row.created_at)}."
    if row.decided_by:
        yield f"{row.state.capitalize()} by {row.decided_by} {ago(row.decided_at)}."
    yield _PURPOSES[row.purpose]
    what = kinds(json.loads(row.counts))
    if row.purpose == plans.FIRST_LOAD:
        what = f"{summary.active:,} active, {size - summary.active:,} inactive"
    yield f"\n{counted(size, 'person', 'people')}: {what}"
    yield from sums(summary.outcomes)
    if row.purpose == plans.FIRST_LOAD:
        for words, people in summary.odd.items():
            some = ", ".join(people[:3]) + (" ..." if len(people) > 3 else "")
            yield f"Odd: {counted(len(people), 'person', 'people')} {words}: {some}"
        yield "Who cannot be mapped at all is listed by bridge status."
    yield ""


def _outcome(change: plans.PlanChange) -> str:
    """What comes of a change, with the new name where an edited file gives one."""
    name = change.target.rpartition("\n")[2]
    if change.kind != EDITED or name == "inactive":
        return change.after
    return f"{change.after}; called {name}"


def _take_effect(settings: Settings, store: Store, row: PlanRow, as_json: bool) -> None:
    with store.read() as connection:
        [name] = [s.name for s in source_rows.all(connection) if s.id == row.source_id]
    report = decide_now(settings, store, name)
    with store.read() as connection:
        now = plans.by_id(connection, _id(row))
    if as_json:
        data({**_as_json(now, name), "sync": report.as_json()})
    else:
        say(f"Plan {row.hash[: plans.SHOWN]} is {now.state}.")
        for sentence in sentences(report):
            say(sentence)
    for fault in report.faults:
        complain(fault)


def _get(connection: Connection, hash: str) -> PlanRow:
    row = plans.get(connection, hash)
    if row is None:
        raise UsageError(f"there is no plan {hash}: bridge plan list shows them")
    return row


def _id(row: PlanRow) -> int:
    assert row.id is not None
    return row.id


def _as_json(row: PlanRow, source: str) -> dict[str, Any]:
    return {
        "hash": row.hash,
        "source": source,
        "state": row.state,
        "purpose": row.purpose,
        "counts": json.loads(row.counts),
        "created_at": row.created_at,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by or None,
    }
