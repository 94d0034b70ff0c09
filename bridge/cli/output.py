"""What commands print: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
import os
import pwd
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from bridge.errors import Fault

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

MOST = 1_000_000_000
"""The most that may be asked to be shown at once: a number that every store takes."""

# Whatever a terminal would obey or show in another order instead of printing it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_GAP = "  "
_LAST = 25
"""How wide the last column of a table is at least, before the others fold too."""
_FOLDED = 10
"""How wide the columns are on average, where all of them fold."""


def data(value: Any) -> None:
    """Print a value as JSON on stdout."""
    # What stdout has no character for would become an escape that JSON does not know.
    in_ascii = not sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(value, ensure_ascii=in_ascii, indent=2, default=plain)
    sys.stdout.write(escaped(text) + "\n")


def say(text: str, style: str | None = None) -> None:
    """Print a sentence of the answer itself, with the empty lines before and after it."""
    _console(sys.stdout).print(_sentence(text), style=style)


def note(text: str) -> None:
    """Print a sentence beside the answer, on stderr."""
    _console(sys.stderr).print(_sentence(text))


def complain(text: str) -> None:
    """Print what went wrong, on stderr; lines after the first are indented."""
    _console(sys.stderr).print(printable(text).replace("\n", "\n    "), style="red")


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


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table that folds to fit the terminal, or the sentence ``empty``.

    The last column folds, and all of them where the others would leave it too little. Where the
    output is no terminal, or one too narrow to fold for, nothing is folded: a row is a line.
    """
    cells = [["" if cell is None else one_line(str(cell)) for cell in row] for row in rows]
    if not cells:
        say(empty)
        return
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal or console.width < _FOLDED * len(headings):
        console.width = sum(widths) + len(_GAP) * len(headings)
    left = console.width - sum(widths[:-1]) - len(_GAP) * (len(headings) - 1)
    folds = left < min(widths[-1], _LAST)
    drawn = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0), header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold", no_wrap=not folds and heading != headings[-1])
    for row in cells:
        drawn.add_row(*row)
    with console.capture() as captured:
        console.print(drawn)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def printable(text: str) -> str:
    """A text in which nothing commands the terminal: people's values come from outside."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """As `printable`, without a line of its own for anything."""
    return printable(text).replace("\n", "\N{SYMBOL FOR NEWLINE}")


def escaped(text: str) -> str:
    """JSON text of which nothing commands the terminal that it is looked at in."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _sentence(text: str) -> str:
    body = text.strip("\n")
    before = len(text) - len(text.lstrip("\n"))
    return "\n" * before + one_line(body) + "\n" * (len(text) - before - len(body))


def counted(count: int, one: str, many: str) -> str:
    """A number and its noun: ``1 person``, ``2,000 people``."""
    return f"{count:,} {one if count == 1 else many}"


def ago(moment: datetime | None) -> str:
    """How long ago a moment was, in the largest unit that fits; ``never`` for None."""
    if moment is None:
        return "never"
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return counted(seconds // size, name, f"{name}s") + " ago"
    return "just now"


def actor() -> str:
    """The login name of whoever runs the command; it stands in the audit."""
    name = os.environ.get("SUDO_USER")
    if name:
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"user {os.getuid()}"


at_end = ExitStack()
"""What is closed when the command ends, however it ends."""


class Steps:
    """The progress of a long command: a live line on a terminal, a JSON line a step elsewhere.

    ``of`` is how much there is to do in each step, where that is known: then there is a bar.
    """

    def __init__(self, of: int | None = None) -> None:
        self._bar: Bar | None = None
        self._step = ""
        console = _console(sys.stderr)
        if console.is_terminal:
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                *([BarColumn()] if of else []),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("starting", total=of)

    def __enter__(self) -> Steps:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, step: str, done: int) -> None:
        if self._bar:
            text = f"{step} {done:,}" if done else step
            self._bar.update(self._task, description=text, completed=done)
        elif step != self._step:
            sys.stderr.write(json.dumps({"step": step, "done": done}) + "\n")
            sys.stderr.flush()
        self._step = step


def _console(stream: Any) -> Console:
    """A console that folds no line, so that what is to be copied stays whole."""
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def plain(value: object) -> str:
    """A value that JSON does not know, such as a moment, as text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
