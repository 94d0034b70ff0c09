"""The faults of one file, gathered while it is read, so that an admin sees all of them at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.errors import Fault, FileFaults

_MOST = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the file; line and column count from 1."""

    line: int
    column: int


class Faults:
    """A list of faults that is only ever added to."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.split("\n")
        self._faults: list[Fault] = []

    def add(self, place: Place, message: str, hint: str = "", *, show: bool = True) -> None:
        """Note a fault; without ``show`` its line is not repeated, since it holds a secret."""
        line = self._lines[place.line - 1] if show and place.line <= len(self._lines) else ""
        self._faults.append(
            Fault(self._file, place.line, place.column, message, hint, line[:500].rstrip("\r"))
        )

    def __len__(self) -> int:
        return len(self._faults)

    def error(self) -> FileFaults:
        """All of them as an error: the first 100, each once."""
        return FileFaults(sorted(set(self._faults))[:_MOST])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or nothing where none is near."""
    by_fold = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[near[0]]!r}?" if near else ""
