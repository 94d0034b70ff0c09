"""The names that expressions may use, and what a compiled expression is.

A compiled expression is a closure that takes a *frame*: a list whose first places are the clock's
(`NOW`, `TODAY`) and the steps that are left (`STEPS`), and whose others hold the attributes, vars
and loop names in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.mapping.faults import Place
from bridge.mapping.functions.registry import Site

NOW, TODAY, STEPS = 0, 1, 2
_FIRST_FREE = 3

Frame = list[Any]
Code = Callable[[Frame], Any]

CONSTANTS: Mapping[str, Any] = {"none": None, "null": None, "true": True, "false": False}
RESERVED = frozenset({*CONSTANTS, "now", "today", "tz", "src"})


@dataclass(slots=True)
class Scope:
    """The names that expressions may use, and the place each has in a frame.

    ``attributes`` are the source's names as it spells them, by their folded form, or None where
    they are not known because the source has a fault itself; ``required`` are the folded names
    without which an entry is an error.
    """

    site: Site
    attributes: Mapping[str, str] | None
    required: frozenset[str] = frozenset()
    places: dict[str, int] = field(default_factory=dict)
    """Folded attribute names in use: where each stands in a frame."""
    vars: dict[str, int] = field(default_factory=dict)
    examples: dict[str, Any] = field(default_factory=dict)
    """What vars may give, where that is known."""
    size: int = _FIRST_FREE

    def place(self) -> int:
        self.size += 1
        return self.size - 1

    def attribute(self, name: str) -> int | None:
        """Where the attribute of that name stands, case aside; None where there is none."""
        fold = name.casefold()
        if self.attributes is not None and fold not in self.attributes:
            return None
        if fold not in self.places:
            self.places[fold] = self.place()
        return self.places[fold]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: what it reads, and the code that works it out on a frame."""

    text: str
    place: Place
    code: Code
    attributes: Mapping[str, int]
    """The attributes it names itself, as the source spells them: places in a frame."""
    vars: Mapping[str, int]
    tables: frozenset[str]
    clock: bool
    """Whether it reads `now` or `today` itself."""
    zone: bool
    """Whether the file's timezone may matter to it."""
    normal: str
    """The expression without what makes no difference, such as blanks."""
    example: Any = None
    """What it may give; None where that is not known."""
