"""Values by name, each made when it is first asked for.

This is how the bridge imports what only some of its commands need, and nowhere else: a command's
module when that command is called, a source's when a file has its ``type``. Importing everything
would take longer than most commands take to do their work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Lazy(Mapping[str, T]):
    """A mapping of ``names`` to what ``make`` gives for each; nothing is made twice."""

    def __init__(self, names: Sequence[str], make: Callable[[str], T]) -> None:
        self._names = tuple(names)
        self._make = make
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            if name not in self._names:
                raise KeyError(name)
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
