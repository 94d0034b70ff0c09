"""Lists: several values of one attribute. One value counts as a list of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import (
    MAX_TEXT,
    blank_is_none,
    is_in,
    listed,
    sized,
    text_of,
    whole_number,
)

GROUP = Group()


@GROUP.plain(1, 2)
def split(value: Any, mark: Any = None) -> list[str] | None:
    """The parts of a text between marks or, without one, its words: `split(text, mark)`.

    Parts are trimmed, and empty ones left out.

    >>> 'a, b,,c' | split(',')
    ['a', 'b', 'c']
    """
    parts = text_of(value).split(None if mark is None else text_of(mark))
    found = [part.strip() for part in parts if blank_is_none(part)]
    return sized(found) or None


@GROUP.plain(2, 50, sees=tuple(range(50)), piped_last=True)
def join(mark: Any, *values: Any) -> str | None:
    """Texts and lists as one text with a mark between: `join(mark, value, value, ...)`.

    What is absent is left out. Piped: `list | join(mark)`.

    >>> join(' ', 'Ana', none, 'Cruz')
    'Ana Cruz'
    >>> ['a', 'b'] | join(', ')
    'a, b'
    """
    parts = [text_of(x) for value in values if value is not None for x in listed(value)]
    # A mark of blanks alone is as good as any other here, though elsewhere it would be absent.
    between = "" if mark is None else text_of(mark)
    if sum(map(len, parts)) + len(between) * (len(parts) - 1) > MAX_TEXT:
        raise EntryFault(f"grows beyond {MAX_TEXT:,} characters")
    return blank_is_none(between.join(parts))


@GROUP.plain()
def first(value: Any) -> Any:
    """The first element: `first(list)`.

    >>> ['a', 'b'] | first
    'a'
    """
    return listed(value)[0]


@GROUP.plain()
def last(value: Any) -> Any:
    """The last element: `last(list)`.

    >>> ['a', 'b'] | last
    'b'
    """
    return listed(value)[-1]


@GROUP.plain(2)
def item(value: Any, number: Any) -> Any:
    """One element, counted from 1, from the end with a minus: `item(list, number)`.

    >>> ['a', 'b', 'c'] | item(2)
    'b'
    >>> ['a', 'b', 'c'] | item(4)
    absent
    """
    items, index = listed(value), whole_number(number)
    if index == 0 or abs(index) > len(items):
        return None
    return items[index - 1 if index > 0 else index]


@GROUP.plain()
def unique(value: Any) -> list[Any]:
    """Each element once, in its first place: `unique(list)`.

    >>> ['b', 'a', 'b'] | unique
    ['b', 'a']
    """
    return list(dict.fromkeys(listed(value)))


@GROUP.plain()
def count(value: Any) -> int:
    """How many elements: `count(list)`.

    >>> ['a', 'b'] | count
    2
    """
    return len(listed(value))


@GROUP.made(2)
def contains(site: Site) -> Callable[[Any, Any], bool]:
    """Whether a text holds a text, or a list an element: `contains(value, part)`.

    >>> 'CN=Zoe,OU=Leavers,DC=x' | contains('OU=Leavers,')
    True
    >>> ['staff', 'faculty'] | contains('staf')
    False
    """

    def call(value: Any, part: Any) -> bool:
        if isinstance(value, list):
            return is_in(part, value, site.zone)
        return text_of(part) in text_of(value)

    return call
