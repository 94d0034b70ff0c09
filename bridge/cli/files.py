"""`bridge check`, `bridge test` and `bridge schema`: mapping files and what may stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge import settings
from bridge.cli import doctor
from bridge.cli.output import Json, complain, data, note, say, show_faults
from bridge.errors import Fault, FileFaults, UsageError
from bridge.mapping import Mapping, run_tests
from bridge.mapping.faults import in_the_clear
from bridge.mapping.json_schema import json_schema
from bridge.mapping.show import DEFAULT, Line, shown
from bridge.sources import settings_models
from bridge.sync import catalog
from bridge.sync.catalog import MappingFile

_WIDTH = 100
"""Lines longer than this do not push all the comments to the right."""

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Mapping files; otherwise all of BRIDGE_MAPPINGS."),
]


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.command("test")(run)
    app.command()(schema)


def check(
    files: Files = None,
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="Print the whole effective file, each line with where it came from."
        ),
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also examine each source, as `bridge doctor` does.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with mapping files, where, and what to do.

    No source is touched unless --online is given. Example: bridge check mappings/hr.yaml
    """
    loaded = [catalog.tested(file) for file in _load(files)]
    faults = [fault for file in loaded for fault in file.faults]
    good = [file.mapping for file in loaded if file.mapping is not None]
    answer: dict[str, Any] = {"faults": [_fault(fault) for fault in faults]}
    if not as_json:
        show_faults(faults)
    if show:
        answer["lines"] = [line for file in loaded for line in _show(file, as_json)]
    elif not as_json:
        for mapping in good:
            say(f"{mapping.file}: good ({mapping.name})")
    code = FileFaults.exit_code if faults else 0
    if online:
        answer["sources"] = [_examine(mapping, as_json) for mapping in good]
        code = code or max((each["exit_code"] for each in answer["sources"]), default=0)
    if as_json:
        data(answer if show or online else answer["faults"])
    if code:
        raise typer.Exit(code)


def schema() -> None:
    """Print the JSON Schema of the mapping file, by which editors complete and check.

    Example: bridge schema > mappings/mapping.schema.json
    """
    data(json_schema(settings_models()))


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


def _show(file: MappingFile, as_json: bool) -> list[dict[str, Any]]:
    """Print the effective file, a file of its own with comments, or give its lines."""
    lines = shown(file.text, str(file.path))
    if file.mapping is None:
        lines = tuple(map(_without_secret, lines))
    if not as_json:
        width = max((len(line.text) for line in lines if len(line.text) <= _WIDTH), default=0)
        for line in lines:
            say(f"{line.text:<{width}}  # {_origin(file, line)}")
    return [
        {
            "file": str(file.path),
            "text": line.text,
            "preset": line.place.preset or None,
            "line": None if line.place.preset == DEFAULT else line.place.line,
        }
        for line in lines
    ]


def _without_secret(line: Line) -> Line:
    if not in_the_clear(line.text):
        return line
    return replace(line, text=f"{line.text.partition(':')[0]}: ***")


def _origin(file: MappingFile, line: Line) -> str:
    if line.place.preset == DEFAULT:
        return "by default"
    name = f"preset {line.place.preset}" if line.place.preset else file.path.name
    return f"{name}:{line.place.line}"


def _examine(mapping: Mapping, as_json: bool) -> dict[str, Any]:
    if not as_json:
        say(f"\n{mapping.file}, examined as `bridge doctor {mapping.name}` does:")
    return doctor.examined(mapping, as_json)


def _load(files: list[Path] | None) -> Sequence[MappingFile]:
    if files:
        return [catalog.load_file(path) for path in files]
    folder = settings.load().mappings
    loaded = catalog.load(folder, tests=False).files
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
