"""The functions of expressions, one group a module; `FUNCTIONS` is all of them by name.

A function's docstring starts with what it does, says how it is called and what it answers, and
ends with examples: an expression after ``>>>`` and its value, which the tests run.

A function given nothing where it needs something answers nothing without being called; its
``sees`` are the arguments (from 0) that it wants to know about also when they are absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.mapping.functions import (
    choice,
    codes,
    dates,
    directory,
    links,
    lists,
    patterns,
    stamps,
    text,
    types,
)
from bridge.mapping.functions.registry import Function

FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for module in (text, patterns, choice, lists, types, dates, stamps, directory, codes, links)
    for function in module.GROUP
}
