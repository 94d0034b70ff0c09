"""``unique:``: values that nobody else may have, in the order in which they are tried.

Whether somebody has a value is not known here: the mapping says what comes first and next, and
whoever settles the values takes the first that is free.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.errors import EntryFault
from bridge.mapping.frames import located
from bridge.mapping.scope import STEPS, Expression, Frame
from bridge.mapping.values import MAX_STEPS, Finish

MOST = 999
"""The largest number that the counter reaches."""


@dataclass(frozen=True, slots=True)
class Unique:
    """The expressions of a unique value; ``counter`` is that name's place in a frame."""

    label: str
    expressions: tuple[Expression, ...]
    counter: int
    finish: Finish

    def candidates(self, frame: Frame) -> Iterator[str]:
        """The values to try, each once; at first without a counter, then from 2 on.

        The frame is the iterator's own until it ends. Raises `EntryFault`, located.
        """
        seen: set[str] = set()
        for number in (None, *range(2, MOST + 1)):
            frame[self.counter], frame[STEPS] = number, MAX_STEPS
            tried = len(seen)
            for expression in self.expressions:
                if number is None or self._counts(expression):
                    value = self._value(expression, frame)
                    if value is not None and value not in seen:
                        seen.add(value)
                        yield value
            if number is not None and len(seen) == tried:
                return

    def _counts(self, expression: Expression) -> bool:
        return self.counter in expression.vars.values()

    def _value(self, expression: Expression, frame: Frame) -> str | None:
        try:
            value = expression.code(frame)
            found: str | None = None if value is None else self.finish(value)
        except EntryFault as fault:
            raise located(self.label, expression, fault) from None
        return found
