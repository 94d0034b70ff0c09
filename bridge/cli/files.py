"""`bridge check` and `bridge test`: mapping files, without touching any source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from bridge import settings
from bridge.cli.output import Json, complain, data, note, say
from bridge.errors import Fault, FileFaults, UsageError
from bridge.mapping import run_tests
from bridge.sync import catalog
from bridge.sync.catalog import MappingFile

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Mapping files; otherwise all of BRIDGE_MAPPINGS."),
]


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.command("test")(run)


def check(files: Files = None, as_json: Json = False) -> None:
    """Say everything that is wrong with mapping files, where, and what to do; reads no source.

    Example: bridge check mappings/hr.yaml
    """
    loaded = _load(files)
    faults = [fault for file in loaded for fault in file.faults]
    if as_json:
        data([_fault(fault) for fault in faults])
    else:
        show_faults(faults)
        for file in loaded:
            if file.mapping is not None:
                say(f"{file.path}: good ({file.mapping.name})")
    if faults:
        raise typer.Exit(FileFaults.exit_code)


def run(files: Files = None, as_json: Json = False) -> None:
    """Run the tests that stand in mapping files; reads no source."""
    loaded = _load(files)
    faults = [fault for file in loaded for fault in file.faults]
    results = [
        (file, result) for file in loaded if file.mapping for result in run_tests(file.mapping)
    ]
    failed = [result for _, result in results if not result.passed]
    if as_json:
        data(
            {
                "passed": len(results) - len(failed),
                "failed": len(failed),
                "faults": [_fault(fault) for fault in faults],
                "tests": [
                    {
                        "file": str(file.path),
                        "line": result.line,
                        "name": result.name,
                        "passed": result.passed,
                        "problems": list(result.problems),
                    }
                    for file, result in results
                ],
            }
        )
    else:
        show_faults(faults)
        for file, result in results:
            if not result.passed:
                complain(f"{file.path}:{result.line}: failed: {result.name}")
                for problem in result.problems:
                    note(f"    {problem}")
        say(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    if faults or failed:
        raise typer.Exit(FileFaults.exit_code)


def show_faults(faults: Sequence[Fault]) -> None:
    """Print faults on stderr, each with its line of the file and a caret below the place."""
    for fault in faults:
        complain(str(fault))
        if fault.source_line:
            before = fault.source_line[: fault.column - 1]
            # Tabs stay tabs and wide characters take two places, so that the caret stands right.
            blank = "".join(c if c == "\t" else " " * cell_len(c) for c in before)
            note(f"    {fault.source_line}")
            note(f"    {blank}^")


def _load(files: list[Path] | None) -> Sequence[MappingFile]:
    if files:
        return [catalog.load_file(path) for path in files]
    folder = settings.load().mappings
    loaded = catalog.load(folder).files
    if not loaded:
        raise UsageError(f"there is no mapping file in {folder}: put one there, or name a file")
    return loaded


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "message": fault.message,
        "hint": fault.hint or None,
    }
