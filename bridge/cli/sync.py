"""`bridge sync`: read, decide and publish now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, Steps, actor, complain, data, say, show_faults
from bridge.cli.words import sentences
from bridge.errors import Fault, FileFaults, LeaseHeld, UsageError
from bridge.settings import Settings
from bridge.store import Store
from bridge.store import sources as source_rows
from bridge.store.tables import SourceRow
from bridge.sync import ask, catalog
from bridge.sync.catalog import Catalog
from bridge.sync.read_report import COMPLETE, FAILED, INCOMPLETE
from bridge.sync.report import Report
from bridge.sync.run import CHANGES, DECIDE, FULL

_WORST = (FAILED, INCOMPLETE, COMPLETE)
_GRAVEST = (5, 7, 4, 3)


def register(app: typer.Typer) -> None:
    app.command()(sync)


def sync(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="One source; otherwise all.")
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Read everything, not just what is new.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the sources now, decide, and publish what the limits allow.

    A running daemon is asked to do it and waited for; where none runs, it is done here.
    Example: bridge sync hr --full
    """
    settings, store = context()
    with store.read() as connection:
        rows = source_rows.all(connection)
    files = catalog.load(settings.mappings, rows)
    names = _names(source, files, rows)
    mode = FULL if full else CHANGES
    with Steps() as steps:
        reports = list(ask.sync(store, settings.mappings, names, mode, actor(), steps))
    # A file without a source to its name has no report that would tell its faults.
    faults = () if source else files.faults
    code = _exit_code(reports, faults)
    if as_json:
        data(_together(reports, faults, code))
    else:
        for report in reports:
            for sentence in sentences(report):
                say(sentence)
    show_faults(faults)
    shown = {str(fault) for fault in faults}
    for report in reports:
        for text in report.faults:
            if text not in shown:
                complain(text)
    if code:
        raise typer.Exit(code)


def decide_now(settings: Settings, store: Store, name: str) -> Report:
    """Let what a command just wrote about a source take effect, without reading it."""
    try:
        with Steps() as steps:
            [report] = ask.sync(store, settings.mappings, [name], DECIDE, actor(), steps)
    except LeaseHeld as error:
        raise LeaseHeld(f"noted, and done by the next sync, not now: {error}") from None
    return report


def _names(source: str, files: Catalog, rows: Sequence[SourceRow]) -> list[str]:
    """The source asked for, or each there is: with a good file, or live although its is not."""
    live = [row.name for row in rows if row.mapping_text]
    names = list(dict.fromkeys([*(file.name for file in files if file.name), *live]))
    if source in names:
        return [source]
    if files.faults and (source or not names):
        raise FileFaults(files.faults)
    if source:
        known = ", ".join(names) or "none"
        raise UsageError(f"there is no source {source!r}: there are {known}")
    if not names:
        raise UsageError(f"there is no mapping file in {files.folder}: put one there")
    return names


def _exit_code(reports: Sequence[Report], faults: Sequence[Fault]) -> int:
    codes = {report.exit_code for report in reports}
    if faults:
        codes.add(FileFaults.exit_code)
    return next((code for code in _GRAVEST if code in codes), 0)


def _together(reports: Sequence[Report], faults: Sequence[Fault], code: int) -> dict[str, Any]:
    """All reports as one: the worst verdict, the sums, and each source's own beside them."""
    verdicts = [report.verdict for report in reports]
    counts: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
        held.update(report.held)
    return {
        "verdict": next((word for word in _WORST if word in verdicts), ""),
        "counts": dict(counts),
        "held": dict(held),
        "exit_code": code,
        "faults": [str(fault) for fault in faults],
        "sources": [report.as_json() for report in reports],
    }
