"""What expressions work on: text, numbers, true and false, dates, moments, days, lists, nothing.

Absence has one form, None: ``''``, blanks, ``[]`` and null all become it. A list of one counts
as its only element where one value is expected, and one value as a list of one where a list is.
Anything else that does not fit is an `EntryFault`: a comparison that cannot be made is never
quietly false, since the person whom it was meant to find would be missed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping import moments
from bridge.mapping.moments import Now, Today

MAX_TEXT = 65_536
"""Characters of one text."""
MAX_ITEMS = 10_000
"""Elements of one list."""
MAX_STEPS = 10_000
"""Work on one record, in steps of a few microseconds at most."""
MAX_LIST_TEXT = 1_000_000
"""Characters of all the elements of one list."""
MAX_NUMBER = 10**18
MAX_ANY_NUMBER = 2**64
"""Numbers of a source, which are handed on and not reckoned with, go so far."""

Operator = Callable[[Any, Any], Any]
Finish = Callable[[Any], Any]
"""Makes the value of an expression the JSON value of a target. Raises `EntryFault`."""

_PLAIN = frozenset({str, int, float, date, datetime, timedelta})
_EQUALITY = (operator.eq, operator.ne)


@dataclass(frozen=True, slots=True)
class Reference:
    """What `ref` yields: another person, found by what they are known by."""

    by: str
    ref: str
    want: str


class Poison:
    """Stands where a value cannot be had; reading it raises the fault it was made of."""

    __slots__ = ("fault",)

    def __init__(self, fault: EntryFault) -> None:
        self.fault = fault


def clean(value: Any) -> Any:
    """A source's value with every form of absence as None."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, list | tuple):
        return [x for each in value if (x := clean(each)) is not None] or None
    return None if value == b"" else value


def blank_is_none(text: str) -> str | None:
    return text if text and not text.isspace() else None


def sized(value: Any) -> Any:
    """``value`` if it is within the bounds. Raises `EntryFault` where it is not."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise EntryFault(f"grows beyond {MAX_TEXT:,} characters")
    elif isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise EntryFault(f"grows beyond {MAX_ITEMS:,} elements")
        if sum(len(item) for item in value if isinstance(item, str)) > MAX_LIST_TEXT:
            raise EntryFault(f"grows beyond {MAX_LIST_TEXT:,} characters")
    return value


def kind(value: Any) -> str:
    """What a value is, in an admin's words."""
    names: tuple[tuple[Any, str], ...] = (
        (bool, "true or false"),
        (str, "text"),
        (int | float, "a number"),
        (Now, "now"),
        (Today, "today"),
        (datetime, "a moment"),
        (date, "a date"),
        (timedelta, "a number of days"),
        (list, "a list"),
        (bytes, "binary"),
    )
    return next((name for types, name in names if isinstance(value, types)), "nothing")


def single(value: Any) -> Any:
    """The value itself, or the only element of a list."""
    if isinstance(value, list):
        if len(value) > 1:
            raise EntryFault("is a list of several values where one is expected: use first or join")
        return value[0]
    return value


def listed(value: Any) -> list[Any]:
    """The list itself, or the one value as a list."""
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """Text, or a number, date or moment as text (``2026-07-04``, ``2026-07-04T12:00:00Z``)."""
    if value.__class__ is str:
        return value
    value = single(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | date | Today):
        raise EntryFault(f"is {kind(value)} where text is expected{_remedy(value)}")
    if isinstance(value, Today):
        value = value.settled()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if not abs(value) <= MAX_ANY_NUMBER:
        raise EntryFault("is a number too large to write")
    return str(value)


def _remedy(value: Any) -> str:
    if isinstance(value, bool):
        return ": use text"
    return ": it changes every moment; use today" if isinstance(value, Now) else ""


def whole_number(value: Any) -> int:
    value = single(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise EntryFault(f"is {kind(value)} where a whole number is expected: use int")


def truth(value: Any) -> bool:
    """A condition's answer: absent counts as false, and only true and false are answers."""
    if value is None or value is False:
        return False
    if value is True:
        return True
    value = single(value)
    if isinstance(value, bool):
        return value
    raise EntryFault(f"is {kind(value)} where true or false is expected: compare it, or use bool")


def day_of(value: Any, zone: ZoneInfo) -> date:
    """The day that a date, a moment, `now` or `today` is, in ``zone``."""
    value = single(value)
    if isinstance(value, datetime):
        return moments.day_in(value, zone)
    if isinstance(value, date):
        return value
    if isinstance(value, Now):
        return value.day(zone)
    if isinstance(value, Today):
        return value.settled()
    raise EntryFault(f"is {kind(value)} where a date is expected: use date")


def compare(op: Operator, a: Any, b: Any, zone: ZoneInfo) -> bool:
    """``a op b``, where anything compared with something absent is only unequal to it.

    Raises `EntryFault` where the two cannot be compared, ``text == 5`` included.
    """
    if a is None or b is None:
        return op is operator.ne
    if a.__class__ is b.__class__ and a.__class__ in _PLAIN:
        return bool(op(a, b))
    if a.__class__ is datetime and b.__class__ is Now:
        return b.compared(moments.MIRRORED[op], a)
    if isinstance(a, list) != isinstance(b, list):
        a, b = single(a), single(b)
    if moments.is_temporal(a) and moments.is_temporal(b):
        return moments.compare(op, a, b, zone)
    if (_number(a) and _number(b)) or a.__class__ is b.__class__ in _PLAIN:
        return bool(op(a, b))
    if a.__class__ is b.__class__ and op in _EQUALITY:
        return bool(op(a, b))
    raise EntryFault(f"compares {kind(a)} with {kind(b)}{_hint(a, b)}")


def is_in(value: Any, container: Any, zone: ZoneInfo) -> bool:
    """Whether the list has an element equal to ``value``; one value is a list of one."""
    if value is None or container is None:
        return False
    value, items = single(value), listed(container)
    if value.__class__ is str and (value in items or set(map(type, items)) == {str}):
        return value in items
    return any(compare(operator.eq, value, item, zone) for item in items)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hint(a: Any, b: Any) -> str:
    if isinstance(a, str) or isinstance(b, str):
        other = b if isinstance(a, str) else a
        if _number(other):
            return ": use int or num, or quote the number"
        if isinstance(other, bool):
            return ": use bool"
        if moments.is_temporal(other):
            return ": use date or datetime"
    return ""


def arithmetic(op: Operator, a: Any, b: Any) -> Any:
    """``a op b`` on numbers, days and dates, and ``+`` on text and lists."""
    if a is None or b is None:
        return None
    plus = op is operator.add
    if plus and isinstance(a, list) and isinstance(b, list):
        return sized(a + b)
    a, b = single(a), single(b)
    if plus and isinstance(a, str) and isinstance(b, str):
        return sized(a + b)
    if _number(a) and _number(b):
        return _calculated(op, a, b)
    if plus and isinstance(a, timedelta):
        a, b = b, a
    if isinstance(b, timedelta) and (plus or op is operator.sub):
        by = b if plus else -b
        if isinstance(a, Now | Today):
            return a.moved(by)
        if isinstance(a, date):
            return moments.moved(a, by)
        if isinstance(a, timedelta):
            return moments.added(a, by)
    names = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.mod: "%"}
    if isinstance(a, date | Now | Today) and isinstance(b, date | Now | Today):
        raise EntryFault("subtracts dates: use days_between")
    raise EntryFault(f"has {kind(a)} {names.get(op, '/')} {kind(b)}")


def _calculated(op: Operator, a: Any, b: Any) -> Any:
    try:
        result = op(a, b)
    except (ZeroDivisionError, OverflowError):
        raise EntryFault("divides by zero or grows too large") from None
    if not abs(result) <= MAX_NUMBER:
        raise EntryFault("grows to a number of more than 18 digits")
    return result
