"""`bridge doctor`: whether a source can be read, step by step, and what to do where not."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bridge import settings
from bridge.cli.output import Json, data, say
from bridge.mapping import Mapping
from bridge.sources import SourceSettings, doctor
from bridge.sources.doctor import Finding, State
from bridge.sync import catalog

_STYLES = {State.WARNING: "yellow", State.FAILED: "red", State.SKIPPED: "dim"}
_INDENT = " " * 20


def register(app: typer.Typer) -> None:
    app.command("doctor")(examine)


def examine(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")],
    as_json: Json = False,
) -> None:
    """Examine a source step by step and say what to do; writes nothing, changes nobody.

    It goes by the file on disk, live or not. Example: bridge doctor hr
    """
    found = []
    for finding in findings(catalog.load(settings.load().mappings).require(source)):
        found.append(finding)
        if not as_json:
            show(finding)
    code = doctor.worst(found)
    if as_json:
        shown = [asdict(finding) for finding in found]
        data({"source": source, "exit_code": code, "findings": shown})
    if code:
        raise typer.Exit(code)


def findings(mapping: Mapping) -> Iterator[Finding]:
    checkup = doctor.checkups()[mapping.source_type]
    opened = mapping.source_settings()
    assert isinstance(opened, SourceSettings)
    return checkup.examine(opened, Path(mapping.file).parent, mapping.wanted)


def show(finding: Finding) -> None:
    """A line a finding, folded to the terminal below itself; the advice starts a line."""
    width = max(shutil.get_terminal_size().columns, 40)
    head = f"{finding.state:<8}{finding.step:<12}"
    lines = _folded(head, finding.found, width)
    if finding.advice:
        lines += _folded(_INDENT, f"-> {finding.advice}", width)
    for line in lines:
        say(line, style=_STYLES.get(finding.state))


def _folded(first: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=_INDENT,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
