"""Choosing a value, and asking whether there is one. These see what is absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import clean, text_of

GROUP = Group()


@GROUP.made(2, 3, fixed=(1,), sees=(0, 2))
def lookup(site: Site, table: str) -> Callable[..., Any]:
    """The value of a key in a table of `lookups`: `lookup(key, table, otherwise)`.

    A key that is absent or not in the table gives the third argument, or nothing.

    >>> '100' | lookup('departments')
    'Engineering'
    >>> '999' | lookup('departments', 'Unknown')
    'Unknown'
    >>> none | lookup('departments', 'Unknown')
    'Unknown'
    """
    if table not in site.tables:
        raise ValueError(f"there is no table {table!r} under lookups")
    values = site.tables[table]

    def call(key: Any, otherwise: Any = None) -> Any:
        if key.__class__ is not str:
            if key is None:
                return otherwise
            key = text_of(key)
        return values.get(key, otherwise)

    return call


@GROUP.plain(2, sees=(0, 1))
def default(value: Any, otherwise: Any) -> Any:
    """The value, or another one where it is absent: `default(value, otherwise)`.

    >>> none | default('en')
    'en'
    >>> 'de' | default('en')
    'de'
    """
    return otherwise if clean(value) is None else value


@GROUP.plain(1, 50, sees=tuple(range(50)))
def coalesce(*values: Any) -> Any:
    """The first of the values that is present: `coalesce(value, value, ...)`.

    >>> coalesce(none, '', 'third')
    'third'
    """
    return next((value for value in values if clean(value) is not None), None)


@GROUP.plain(sees=(0,))
def present(value: Any) -> bool:
    """Whether there is a value: `present(value)`.

    >>> 'x' | present
    True
    >>> ' ' | present
    False
    """
    return clean(value) is not None


@GROUP.plain(sees=(0,))
def empty(value: Any) -> bool:
    """Whether there is no value: `empty(value)`.

    >>> none | empty
    True
    """
    return clean(value) is None
