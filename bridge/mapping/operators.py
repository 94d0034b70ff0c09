"""The closures that expressions are made of; each takes a frame and answers a value.

Every one has a short way for what nearly all records have (text against fixed text, a date and
some days) and leaves the rest to `values`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping.values import (
    MAX_ITEMS,
    MAX_LIST_TEXT,
    Operator,
    Poison,
    arithmetic,
    compare,
    is_in,
    listed,
    sized,
    text_of,
    truth,
)

Code = Callable[[list[Any]], Any]
Level = tuple[Code, int, list[Code]]

ARITHMETIC: Mapping[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: Mapping[type, Any] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def slot_code(place: int) -> Code:
    """What stands at ``place``; raises the fault where that could not be had."""

    def code(frame: list[Any]) -> Any:
        value = frame[place]
        if value.__class__ is Poison:
            raise value.fault
        return value

    return code


def either(codes: Sequence[Code]) -> Code:
    """``or``: the first value that is neither absent nor false, else the last."""
    *first, last = codes

    def code(frame: list[Any]) -> Any:
        for part in first:
            value = part(frame)
            if value is not None and value is not False:
                return value
        return last(frame)

    return code


def both(codes: Sequence[Code]) -> Code:
    """``and``: the first value that is absent or false, else the last."""
    *first, last = codes

    def code(frame: list[Any]) -> Any:
        for part in first:
            value = part(frame)
            if value is None or value is False:
                return value
        return last(frame)

    return code


def not_code(inner: Code) -> Code:
    return lambda frame: not truth(inner(frame))


def compare_code(op: Operator, left: Code, right: Code, fixed: Any, zone: ZoneInfo) -> Code:
    if fixed.__class__ is str:

        def against_text(frame: list[Any]) -> bool:
            value = left(frame)
            if value.__class__ is str:
                return bool(op(value, fixed))
            return compare(op, value, fixed, zone)

        return against_text
    return lambda frame: compare(op, left(frame), right(frame), zone)


def chain_code(links: Sequence[Code]) -> Code:
    return lambda frame: all(link(frame) for link in links)


def in_code(left: Code, right: Code, wanted: bool, fixed: Any, zone: ZoneInfo) -> Code:
    if isinstance(fixed, list) and all(isinstance(item, str) for item in fixed):
        words = frozenset(fixed)

        def among_words(frame: list[Any]) -> bool:
            value = left(frame)
            if value.__class__ is str:
                return (value in words) is wanted
            return is_in(value, fixed, zone) is wanted

        return among_words
    return lambda frame: is_in(left(frame), right(frame), zone) is wanted


def arithmetic_code(op: Operator, left: Code, right: Code, const: bool) -> Code:
    by = right([]) if const else None
    if by.__class__ is timedelta and op in (operator.add, operator.sub):

        def by_days(frame: list[Any]) -> Any:
            value = left(frame)
            if value.__class__ is date:
                try:
                    return op(value, by)
                except OverflowError:
                    pass
            return arithmetic(op, value, by)

        return by_days
    return lambda frame: arithmetic(op, left(frame), right(frame))


def joined_code(codes: Sequence[Code]) -> Code:
    """An f-string: absent as soon as one of its parts is."""

    def code(frame: list[Any]) -> str | None:
        parts = []
        for part in codes:
            value = part(frame)
            if value is None:
                return None
            parts.append(value if value.__class__ is str else text_of(value))
        joined = "".join(parts)
        return sized(joined) or None

    return code


def list_code(codes: Sequence[Code]) -> Code:
    """A list; what is absent is not in it, and a list in a list is its elements."""

    def code(frame: list[Any]) -> list[Any] | None:
        values = [code(frame) for code in codes]
        return sized([x for value in values if value is not None for x in listed(value)]) or None

    return code


def call_code(
    call: Callable[..., Any], codes: list[Code], const: list[bool], needed: list[int]
) -> Code:
    """A call; where one of the ``needed`` arguments is absent, the answer is absent."""
    first = codes[0]
    if all(const[1:]):
        return _call_with_constants(call, first, [code([]) for code in codes[1:]], needed)
    if len(codes) == 2 and needed == [0]:
        second = codes[1]

        def two(frame: list[Any]) -> Any:
            value = first(frame)
            return None if value is None else call(value, second(frame))

        return two

    def code(frame: list[Any]) -> Any:
        values = [code(frame) for code in codes]
        if any(values[at] is None for at in needed):
            return None
        return call(*values)

    return code


def _call_with_constants(
    call: Callable[..., Any], first: Code, rest: list[Any], needed: list[int]
) -> Code:
    if 0 not in needed:
        return lambda frame: call(first(frame), *rest)
    if not rest:

        def one(frame: list[Any]) -> Any:
            value = first(frame)
            return None if value is None else call(value)

        return one

    def code(frame: list[Any]) -> Any:
        value = first(frame)
        return None if value is None else call(value, *rest)

    return code


def loop_code(element: Code, levels: Sequence[Level], steps: int) -> Code:
    """A comprehension; each turn of each of its loops is one of the record's steps."""

    def walk(frame: list[Any], level: int, found: list[Any]) -> int:
        source, place, tests = levels[level]
        value = source(frame)
        length = 0
        for item in () if value is None else listed(value):
            frame[steps] -= 1
            if frame[steps] < 0:
                raise EntryFault(f"takes more than {MAX_ITEMS:,} steps")
            frame[place] = item
            if not all(truth(test(frame)) for test in tests):
                continue
            if level + 1 < len(levels):
                length += walk(frame, level + 1, found)
            elif (made := element(frame)) is not None:
                found.extend(listed(made))
                length += sum(len(x) for x in listed(made) if isinstance(x, str))
            if length > MAX_LIST_TEXT or len(found) > MAX_ITEMS:
                raise EntryFault("grows to a list that is too large")
        return length

    def code(frame: list[Any]) -> list[Any] | None:
        found: list[Any] = []
        walk(frame, 0, found)
        return found or None

    return code
