"""What an expression is known to be before any record is there, shown by an example of it.

So a value that can never be what it is for is a fault of the file, and not of everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.mapping.functions.registry import Function
from bridge.mapping.moments import Clock, Now
from bridge.mapping.scope import Code

_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
NOW = Now(Clock(_MOMENT))
_RESULTS: Mapping[str, Any] = {
    "str": "x",
    "int": 1,
    "int | float": 1,
    "bool": True,
    "date": date(2000, 1, 1),
    "datetime": _MOMENT,
    "timedelta": timedelta(days=1),
}
_MADE = re.compile(r"Callable\[(?:\.\.\.|\[[^\]]*\]), (.*)\]")


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression; ``example`` is what it may give, None where that is not known."""

    code: Code
    const: bool = False
    example: Any = None

    @property
    def value(self) -> Any:
        return self.code([])


def result(function: Function) -> Any:
    """An example of what a function gives, by what it says of itself."""
    said = function.returns
    if made := _MADE.fullmatch(said):
        said = made[1]
    return _RESULTS.get(said.removesuffix(" | None"))


def common(nodes: Iterable[Node]) -> Any:
    """An example of what one or the other gives, where they are of one kind."""
    examples = [node.example for node in nodes if not (node.const and node.example is None)]
    kinds = {type(example) for example in examples}
    return examples[0] if len(kinds) == 1 else None
