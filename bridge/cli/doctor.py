"""`bridge doctor`: whether a source can be read, step by step, and what to do where not."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge import settings
from bridge.cli.output import Json, data, say, show_faults
from bridge.errors import FileFaults, UsageError
from bridge.mapping import Mapping
from bridge.sources import SourceSettings, doctor
from bridge.sources.doctor import Finding, State
from bridge.sync import catalog
from bridge.sync.catalog import Catalog

_STYLES = {State.WARNING: "yellow", State.FAILED: "red", State.SKIPPED: "dim"}
_INDENT = " " * 20


def register(app: typer.Typer) -> None:
    app.command("doctor")(examine)


def examine(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="One source; otherwise all.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Examine sources step by step and say what to do; writes nothing, changes nobody.

    It goes by the files on disk, live or not. Example: bridge doctor hr
    """
    files = catalog.load(settings.load().mappings)
    if source:
        answer = examined(files.require(source), as_json)
        code = answer["exit_code"]
    else:
        show_faults(files.faults)
        answers = list(_each(files, as_json))
        code = max((each["exit_code"] for each in answers), default=0)
        if files.faults:
            code = FileFaults.exit_code
        elif not answers:
            raise UsageError(f"there is no mapping file in {files.folder}: put one there")
        answer = {"exit_code": code, "sources": answers}
    if as_json:
        data(answer)
    if code:
        raise typer.Exit(code)


def _each(files: Catalog, as_json: bool) -> Iterator[dict[str, Any]]:
    for file in files:
        if file.mapping is not None:
            if not as_json:
                say(f"{file.name}: {file.path}")
            yield examined(file.mapping, as_json)


def examined(mapping: Mapping, as_json: bool) -> dict[str, Any]:
    """What was found, after showing each finding as it is made unless it is to be JSON."""
    found = []
    for finding in findings(mapping):
        found.append(finding)
        if not as_json:
            show(finding)
    return {
        "source": mapping.name,
        "exit_code": doctor.worst(found),
        "findings": [asdict(finding) for finding in found],
    }


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
