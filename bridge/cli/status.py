"""`bridge status`: how the sources are, what is held, who cannot be mapped."""

from __future__ import annotations

import json
from typing import Any

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, ago, counted, data, say, table
from bridge.cli.words import rehire
from bridge.health import freshness
from bridge.store import lease, plans, problems, runs
from bridge.store import sources as source_rows
from bridge.store.pages import Pages
from bridge.store.tables import RunRow, SourceRow
from bridge.sync import catalog, rehires
from bridge.sync.leadership import utc_now

_SHOWN = 20


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(as_json: Json = False) -> None:
    """Show how each source is, what waits for your word, and who cannot be mapped."""
    settings, store = context()
    with store.read() as connection:
        rows = source_rows.all(connection)
        names = {row.id: row.name for row in rows}
        last = {
            row.name: runs.latest(connection, row.id, reads=True)
            for row in rows
            if row.id is not None
        }
        held = plans.listing(connection, states=[plans.HELD])
        troubled = problems.all(connection, limit=1000)
        leader = lease.current(connection, utc_now())
        unwell = freshness.reasons(connection, utc_now())
        rehired = rehires.possible(connection, utc_now())
    files = catalog.load(settings.mappings, rows)
    pages = Pages(store)
    serving = pages.serving()
    pages.close()
    if as_json:
        data(
            {
                "serving": serving,
                "daemon": leader,
                "sources": [_source(row, last[row.name]) for row in rows],
                "held": [{"hash": row.hash, "source": names[row.source_id]} for row in held],
                "problems": [
                    {
                        "source": names[source_id],
                        "person": subject,
                        "messages": list(problem.messages),
                        "since": problem.since,
                    }
                    for source_id, subject, problem in troubled
                ],
                "rehires": [
                    {
                        "source": names[each.new.source_id],
                        "new": each.new.id,
                        "old": each.old.id,
                        "by": list(each.by),
                        "next": each.advice,
                    }
                    for each in rehired
                ],
                "faults": [str(fault) for fault in files.faults],
                "unwell": unwell,
            }
        )
        return
    if serving:
        say("People are served.")
    elif rows and all(row.loaded_at for row in rows):
        say(
            "Nobody is served: after a restore every source is read whole first (where its file is "
            "gone: put it back, or bridge source remove), and nobody may wait for your word: "
            "bridge sync --full"
        )
    else:
        say("Nobody is served: no first load is approved yet.")
    if leader is None:
        say("Nobody syncs: bridge serve starts the daemon; where it runs, its log says why.")
    else:
        say(f"{leader[0].upper()}{leader[1:]} syncs.")
    say("")
    table(
        ["Source", "Active", "Inactive", "Last run", "Verdict", "Last complete read"],
        (_cells(row, last[row.name]) for row in rows),
        empty="No source was read yet: bridge sync reads them now.",
    )
    for row in rows:
        run = last[row.name]
        if row.paused:
            say(
                f"\n{row.name} is paused, its people stay as they are: {row.paused}", style="yellow"
            )
        elif run is not None and run.reason:
            say(f"\n{row.name}: {run.reason}", style="yellow")
    for plan in held:
        say(
            f"\n{names[plan.source_id]} waits for your word: "
            f"bridge plan show {plan.hash[: plans.SHOWN]}",
            style="yellow",
        )
    for fault in files.faults:
        say(f"\n{fault}", style="red")
    if unwell:
        say("\n/healthz/fresh gives the alarm:", style="yellow")
    for reason in unwell:
        say(f"  {reason}", style="yellow")
    if rehired:
        say("")
        for each in rehired[:_SHOWN]:
            for sentence in rehire(each):
                say(sentence)
        if len(rehired) > _SHOWN:
            say(f"... and {len(rehired) - _SHOWN} more: bridge status --json lists all")
    if troubled:
        people = counted(len(troubled), "person or record", "people or records")
        say(f"\n{people} cannot be served as the source has them;")
        say("whoever was served before keeps the last good values:\n")
        table(
            ["Person", "Source", "Since", "Why"],
            (
                (subject, names[source_id], ago(problem.since), "; ".join(problem.messages))
                for source_id, subject, problem in troubled[:_SHOWN]
            ),
            empty="",
        )
        if len(troubled) > _SHOWN:
            say(f"... and {len(troubled) - _SHOWN} more: bridge status --json lists all")


def _source(row: SourceRow, run: RunRow | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "file": row.file,
        "people": row.people,
        "active": row.active,
        "paused": row.paused or None,
        "mapping_version": row.mapping_version,
        "complete_at": row.complete_at,
        "last_run": None
        if run is None
        else {
            "run": run.id,
            "mode": run.mode,
            "actor": run.actor,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "verdict": run.verdict,
            "reason": run.reason,
            "counts": json.loads(run.counts),
            "held": json.loads(run.held),
        },
    }


def _cells(row: SourceRow, run: RunRow | None) -> tuple[object, ...]:
    return (
        row.name,
        f"{row.active:,}",
        f"{row.people - row.active:,}",
        ago(run.started_at) if run else "never",
        _verdict(run) if run else "",
        ago(row.complete_at),
    )


def _verdict(run: RunRow) -> str:
    if run.ended_at is None:
        return "not ended"
    return run.verdict or "no read"
