"""The closures that expressions are made of; each takes a frame and answers a value.

Every one has a short way for what nearly all records have (text against fixed text, a date and
some days) and leaves the rest to `values`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping.scope import Code, Frame
from bridge.mapping.steps import ELEMENTS_A_STEP, pay
from bridge.mapping.values import (
    MAX_TEXT,
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

_JOINED_A_STEP = 256

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

    def code(frame: Frame) -> Any:
        value = frame[place]
        if value.__class__ is Poison:
            raise value.fault
        return value

    return code


def either(codes: Sequence[Code]) -> Code:
    """``or``: the first value that is neither absent nor false, else the last."""
    *first, last = codes

    def code(frame: Frame) -> Any:
        for part in first:
            value = part(frame)
            if value is not None and value is not False:
                return value
        return last(frame)

    return code


def both(codes: Sequence[Code]) -> Code:
    """``and``: the first value that is absent or false, else the last."""
    *first, last = codes

    def code(frame: Frame) -> Any:
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

        def against_text(frame: Frame) -> bool:
            value = left(frame)
            if value.__class__ is str:
                return bool(op(value, fixed))
            return compare(op, value, fixed, zone)

        return against_text

    def either_side(frame: Frame) -> bool:
        a, b = left(frame), right(frame)
        if a.__class__ is list and b.__class__ is list:
            pay(frame, len(a) // ELEMENTS_A_STEP)
        return compare(op, a, b, zone)

    return either_side


def chain_code(links: Sequence[Code]) -> Code:
    return lambda frame: all(link(frame) for link in links)


def in_code(left: Code, right: Code, wanted: bool, fixed: Any, zone: ZoneInfo) -> Code:
    if isinstance(fixed, list) and all(isinstance(item, str) for item in fixed):
        words = frozenset(fixed)

        def among_words(frame: Frame) -> bool:
            value = left(frame)
            if value.__class__ is str:
                return (value in words) is wanted
            return is_in(value, fixed, zone) is wanted

        return among_words

    def among(frame: Frame) -> bool:
        value, container = left(frame), right(frame)
        if container.__class__ is list:
            pay(frame, len(container) // ELEMENTS_A_STEP)
        return is_in(value, container, zone) is wanted

    return among


def arithmetic_code(op: Operator, left: Code, right: Code, const: bool) -> Code:
    by = right([]) if const else None
    if by.__class__ is timedelta and op in (operator.add, operator.sub):

        def by_days(frame: Frame) -> Any:
            value = left(frame)
            if value.__class__ is date:
                try:
                    return op(value, by)
                except OverflowError:
                    pass
            return arithmetic(op, value, by)

        return by_days

    def code(frame: Frame) -> Any:
        result = arithmetic(op, left(frame), right(frame))
        if result.__class__ is str and len(result) > _JOINED_A_STEP:
            pay(frame, len(result) // _JOINED_A_STEP)
        elif result.__class__ is list:
            pay(frame, len(result) // ELEMENTS_A_STEP)
        return result

    return code


def joined_code(codes: Sequence[Code]) -> Code:
    """An f-string: absent as soon as one of its parts is."""

    def code(frame: Frame) -> str | None:
        parts, size = [], 0
        for part in codes:
            value = part(frame)
            if value is None:
                return None
            text = value if value.__class__ is str else text_of(value)
            parts.append(text)
            size += len(text)
            if size > MAX_TEXT:
                raise EntryFault(f"grows beyond {MAX_TEXT:,} characters")
        if size > _JOINED_A_STEP:
            pay(frame, size // _JOINED_A_STEP)
        return "".join(parts) or None

    return code


def list_code(codes: Sequence[Code]) -> Code:
    """A list; what is absent is not in it, and a list in a list is its elements."""

    def code(frame: Frame) -> list[Any] | None:
        found: list[Any] = []
        for element in codes:
            value = element(frame)
            if value is not None:
                found.extend(listed(value))
                sized(found)
                if value.__class__ is list:
                    pay(frame, len(found) // ELEMENTS_A_STEP)
        return found or None

    return code
