"""Comprehensions: closures that go through lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.scope import STEPS, Code, Frame
from bridge.mapping.steps import pay
from bridge.mapping.values import MAX_ITEMS, MAX_LIST_TEXT, listed, truth

Level = tuple[Code, int, Sequence[Code]]
"""A ``for``: what gives the list, the place of the name, and the conditions after ``if``."""


def loop_code(element: Code, levels: Sequence[Level], price: int) -> Code:
    """A comprehension; each turn of each of its loops costs the record ``price`` steps."""

    def walk(frame: Frame, level: int, found: list[Any]) -> int:
        source, place, tests = levels[level]
        value, length, last = source(frame), 0, level + 1 == len(levels)
        for item in () if value is None else listed(value):
            frame[STEPS] -= price
            if frame[STEPS] < 0:
                pay(frame, 0)
            frame[place] = item
            for test in tests:
                answer = test(frame)
                if answer is not True and not truth(answer):
                    break
            else:
                if not last:
                    length += walk(frame, level + 1, found)
                else:
                    length += _gather(found, element(frame))
                if length > MAX_LIST_TEXT or len(found) > MAX_ITEMS:
                    raise EntryFault("grows to a list that is too large")
        return length

    def code(frame: Frame) -> list[Any] | None:
        found: list[Any] = []
        walk(frame, 0, found)
        return found or None

    return code


def _gather(found: list[Any], made: Any) -> int:
    """Add what an element came to, a list as its elements; gives how many characters that is."""
    if made.__class__ is str:
        found.append(made)
        return len(made)
    if made is None:
        return 0
    elements = listed(made)
    found.extend(elements)
    return sum(len(each) for each in elements if isinstance(each, str))
