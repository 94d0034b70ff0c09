"""Calls of functions: closures that work out the arguments, pay for them, and call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bridge.mapping.scope import Code, Frame
from bridge.mapping.steps import SIZED, pay_for


def call_code(
    call: Callable[..., Any], codes: list[Code], const: list[bool], needed: list[int], toll: int
) -> Code:
    """A call; where one of the ``needed`` arguments is absent, the answer is absent.

    The record pays for what is long among the arguments, ``toll`` 1,024ths of a step a character.
    """
    first, free = codes[0], 1024 // toll if toll else sys.maxsize
    if all(const[1:]):
        return _call_with_constants(call, first, [code([]) for code in codes[1:]], needed, toll)
    if len(codes) == 2 and needed == [0]:
        second = codes[1]

        def two(frame: Frame) -> Any:
            value = first(frame)
            if value is None:
                return None
            if value.__class__ in SIZED and len(value) > free:
                pay_for(frame, value, toll)
            return call(value, second(frame))

        return two

    def code(frame: Frame) -> Any:
        values = [code(frame) for code in codes]
        if any(values[at] is None for at in needed):
            return None
        for value in values:
            if value.__class__ in SIZED and len(value) > free:
                pay_for(frame, value, toll)
        return call(*values)

    return code


def _call_with_constants(
    call: Callable[..., Any], first: Code, rest: list[Any], needed: list[int], toll: int
) -> Code:
    free = 1024 // toll if toll else sys.maxsize
    if 0 not in needed:

        def seeing(frame: Frame) -> Any:
            value = first(frame)
            if value.__class__ in SIZED and len(value) > free:
                pay_for(frame, value, toll)
            return call(value, *rest)

        return seeing
    if not rest:

        def one(frame: Frame) -> Any:
            value = first(frame)
            if value is None:
                return None
            if value.__class__ in SIZED and len(value) > free:
                pay_for(frame, value, toll)
            return call(value)

        return one

    def code(frame: Frame) -> Any:
        value = first(frame)
        if value is None:
            return None
        if value.__class__ in SIZED and len(value) > free:
            pay_for(frame, value, toll)
        return call(value, *rest)

    return code
