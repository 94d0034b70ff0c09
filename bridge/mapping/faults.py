"""The faults of one file, gathered while it is read, so that an admin sees all of them at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bridge.errors import Fault, FileFaults

_MOST = 100
_ENOUGH = 200
_LONGEST_NAME = 200
_LONGEST_LINE = 500
# A key that sounds like a secret with what is no reference behind it, or name:password@host.
# The line may be no YAML, and the key misspelled.
_IN_THE_CLEAR = re.compile(
    r"""(?:^|[\s{,"'])(?:\w*_)?(?:pas+w\w*|pass|pwd?|passphrase|secret|token|credentials?)["']?:"""
    r"""\s+(?!["']?\$\{(?:env|file):)[^\s#]|://[^/\s@]*@""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the file, or in the ``preset`` that it extends; both count from 1."""

    line: int
    column: int
    preset: str = ""

    @property
    def in_words(self) -> str:
        """Such as ``line 12`` or ``line 12 of the preset openldap``."""
        return f"line {self.line}" + (f" of the preset {self.preset}" if self.preset else "")


class Enough(Exception):
    """So many faults that nobody reads more of them."""


class Faults:
    """A list of faults that is only ever added to."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._lines = text.removeprefix("\ufeff").split("\n")
        self._faults: list[Fault] = []
        self._hidden: set[int] = set()
        self._preset: list[str] = []
        self._pulled_in = Place(1, 1)

    def pull_in(self, preset: str, place: Place) -> None:
        """Tell faults inside the text of a preset at ``place``, where the file names it."""
        self._preset = preset.split("\n")
        self._pulled_in = place

    def hide(self, place: Place) -> None:
        """Show the line there with none of the faults on it, since it holds a secret."""
        self._hidden.add(place.line)

    def line(self, place: Place) -> str:
        """The line of the file there; of a preset it is empty."""
        return "" if place.preset else self._lines[place.line - 1]

    def add(self, place: Place, message: str, hint: str = "") -> None:
        """Note a fault.

        Raises `Enough` after two hundred, so that a hostile file costs no more than a long one.
        """
        if place.preset:
            inside = self._preset[place.line - 1].strip()
            message = f"in {place.in_words}, `{_short(inside, 80)}`: {message}"
            place = self._pulled_in
        line = self._lines[place.line - 1] if place.line <= len(self._lines) else ""
        line = line[:_LONGEST_LINE].rstrip("\r")
        message = _short(message, _LONGEST_LINE)
        self._faults.append(Fault(self._file, place.line, place.column, message, hint, line))
        if len(self._faults) >= _ENOUGH:
            raise Enough

    def __len__(self) -> int:
        return len(self._faults)

    def error(self) -> FileFaults:
        """All of them as an error: the first 100, each once, and no line that holds a secret."""
        shown = (
            replace(fault, source_line="")
            if fault.line in self._hidden or in_the_clear(fault.source_line)
            else fault
            for fault in self._faults
        )
        return FileFaults(sorted(set(shown))[:_MOST])


def in_the_clear(line: str) -> bool:
    """Whether a line of a file seems to hold a secret."""
    return bool(_IN_THE_CLEAR.search(line))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or nothing where none is near."""
    if len(name) > _LONGEST_NAME:
        return ""
    by_fold = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[near[0]]!r}?" if near else ""


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
