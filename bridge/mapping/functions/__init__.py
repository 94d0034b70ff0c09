"""The functions of expressions, one group a module; `FUNCTIONS` is all of them by name.

A function's docstring starts with what it does, says how it is called and what it answers, and
ends with examples: an expression after ``>>>`` and its value, which the tests run.

A function given nothing where it needs something answers nothing without being called; its
``sees`` are the arguments (from 0) that it wants to know about also when they are absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.mapping.functions import choice, dates, links, lists, patterns, text, types
from bridge.mapping.functions.registry import Function

FUNCTIONS: Mapping[str, Function] = {
    function.name: function
    for module in (text, patterns, choice, lists, types, dates, links)
    for function in module.GROUP
}

NOT_YET = frozenset(
    ("filetime", "gentime", "msdate", "to_filetime", "guid", "sid", "bit", "rdn", "parent_dn",
     "under", "country2", "country3", "country_name", "b64", "hex")
)  # fmt: skip
"""Functions of the language that this version does not have."""
