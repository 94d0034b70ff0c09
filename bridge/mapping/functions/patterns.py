"""Patterns, by RE2: it takes time in proportion to the text, whatever the pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import MAX_TEXT, blank_is_none, text_of

GROUP = Group()
_MAX_PATTERN = 500


@GROUP.made(3, fixed=(1, 2))
def resub(site: Site, pattern: str, new: str) -> Callable[[Any], str | None]:
    r"""Every match of a pattern as another text: `resub(text, pattern, new)`.

    In the new text `\1` is what the first bracket matched; text with a backslash starts with r.

    >>> '+49 (30) 123-45' | resub('[^0-9+]', '')
    '+493012345'
    >>> 'Cruz, Ana' | resub(r'(\w+), (\w+)', r'\2 \1')
    'Ana Cruz'
    """
    compiled = _pattern(pattern)
    _refuse_controls(new)
    if not re.fullmatch(r"(?s)(?:[^\\]|\\[0-9\\])*", new):
        raise ValueError("the new text may hold \\0 to \\9 and \\\\, and no other backslash")
    if any(int(number) > compiled.groups for number in re.findall(r"\\([0-9])", new)):
        raise ValueError("the new text names a bracket that the pattern does not have")
    # Each match adds at most the new text and, for each bracket it names, the text itself.
    references = new.count("\\")

    def call(value: Any) -> str | None:
        text = _searchable(value)
        if (len(text) + 1) * (len(new) + 1) + len(text) * references > MAX_TEXT:
            raise EntryFault("may grow beyond 65,536 characters: shorten the text first")
        return blank_is_none(compiled.sub(new, text))

    return call


@GROUP.made(2, fixed=(1,))
def extract(site: Site, pattern: str) -> Callable[[Any], str | None]:
    r"""What a pattern finds first, or what its first bracket holds: `extract(text, pattern)`.

    >>> 'CN=Zoe,OU=Staff' | extract('OU=([^,]+)')
    'Staff'
    >>> 'room 12b' | extract('[0-9]+')
    '12'
    >>> 'room' | extract('[0-9]+')
    absent
    """
    compiled = _pattern(pattern)
    group = min(compiled.groups, 1)

    def call(value: Any) -> str | None:
        found = compiled.search(_searchable(value))
        return blank_is_none(found[group] or "") if found else None

    return call


@GROUP.made(2, fixed=(1,))
def matches(site: Site, pattern: str) -> Callable[[Any], bool]:
    """Whether a pattern is found anywhere (`^` and `$` tie it): `matches(text, pattern)`.

    >>> 'SMTP:zoe@example.com' | matches('^SMTP:')
    True
    """
    compiled = _pattern(pattern)
    return lambda value: compiled.search(_searchable(value)) is not None


def _pattern(pattern: str) -> Any:
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(f"a pattern has at most {_MAX_PATTERN} characters")
    _refuse_controls(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"not a pattern of RE2: {reason}") from None


def _searchable(value: Any) -> str:
    text = text_of(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EntryFault("holds half a character, which no pattern can read") from None
    return text


def _refuse_controls(text: str) -> None:
    r"""In '\1' and '\b' Python's grammar reads a control character, which nobody means here."""
    if any(character < " " for character in text):
        raise ValueError(r"write r'...' around text with a backslash, such as r'\1' or r'\b'")
