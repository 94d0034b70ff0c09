"""From one type to another."""

from __future__ import annotations

import re
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group
from bridge.mapping.values import MAX_NUMBER, kind, single, text_of

GROUP = Group()

_YES = frozenset({"yes", "true", "1", "y", "t", "on"})
_NO = frozenset({"no", "false", "0", "n", "f", "off"})


@GROUP.plain(name="int")
def whole(value: Any) -> int:
    """A whole number: `int(text)`.

    >>> ' 0042' | int
    42
    """
    if value.__class__ is str and value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)
    number = numeric(value)
    if number != int(number):
        raise EntryFault("is not a whole number")
    return int(number)


@GROUP.plain(name="num")
def numeric(value: Any) -> int | float:
    """A number, with a point before its decimals: `num(text)`.

    >>> '0.5' | num
    0.5
    """
    value = single(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= MAX_NUMBER:
            raise EntryFault("is a number of more than 18 digits")
        return value
    text = text_of(value).strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", text, re.ASCII):
        raise EntryFault("is not a number")
    number = float(text) if "." in text else int(text)
    if abs(number) > MAX_NUMBER:
        raise EntryFault("is a number of more than 18 digits")
    return number


@GROUP.plain(name="bool")
def boolean(value: Any) -> bool:
    """True or false: `bool(text)`.

    Of yes, true, 1, y, t, on and no, false, 0, n, f, off, in any case. All else is an error.

    >>> 'Yes' | bool
    True
    >>> '0' | bool
    False
    """
    value = single(value)
    if isinstance(value, bool):
        return value
    word = text_of(value).strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise EntryFault(f"is {kind(value)} that is neither yes nor no")


@GROUP.plain(name="text")
def as_text(value: Any) -> str:
    """Text of a number, a date, a moment, or `true` and `false`: `text(value)`.

    >>> 42 | text
    '42'
    >>> (1 == 1) | text
    'true'
    """
    value = single(value)
    return str(value).lower() if isinstance(value, bool) else text_of(value)
