"""Patterns, by RE2: it takes time in proportion to the text, whatever the pattern.

RE2 is asked through Python, which costs more than most searches. So what needs no engine gets
none: text at the beginning, and a set of characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import TOLL, Group, Site, Weighted
from bridge.mapping.values import MAX_TEXT, blank_is_none, text_of

GROUP = Group()

_AT_START = re.compile(r"\^([A-Za-z0-9 @:_,;=/#-]+)", re.ASCII)
# The same in RE2 and in Python, and linear in both.
_SET = re.compile(r"\[\^?(?:[A-Za-z0-9 @:_,;=/#+.()]|(?<!-)-(?!-))+\]\+?", re.ASCII)
_MAX_PATTERN = 500
_MAX_PROGRAM = 5_000
_MAX_MEMORY = 1 << 20
_MAX_WORK = 1_000_000
"""Characters of a text times the size of the pattern: RE2 takes 20 ns of each at the worst."""


@GROUP.made(3, fixed=(1, 2))
def resub(site: Site, pattern: str, new: str) -> Weighted:
    r"""Every match of a pattern as another text: `resub(text, pattern, new)`.

    In the new text `\1` is what the first bracket matched; text with a backslash starts with r.

    >>> '+49 (30) 123-45' | resub('[^0-9+]', '')
    '+493012345'
    >>> 'Cruz, Ana' | resub(r'(\w+), (\w+)', r'\2 \1')
    'Ana Cruz'
    """
    compiled = _pattern(pattern)
    longest = _MAX_WORK // compiled.programsize
    _refuse_controls(new)
    references = new.count("\\")
    if not re.fullmatch(r"(?s)(?:[^\\]|\\[0-9\\])*", new):
        raise ValueError("the new text may hold \\0 to \\9 and \\\\, and no other backslash")
    if any(int(number) > compiled.groups for number in re.findall(r"\\([0-9])", new)):
        raise ValueError("the new text names a bracket that the pattern does not have")
    changed = compiled.sub
    if _SET.fullmatch(pattern) and not references:
        changed = re.compile(pattern).sub
    # Each match adds at most the new text and, for each bracket it names, the text itself.

    def call(value: Any) -> str | None:
        text = _searchable(value, longest)
        if (len(text) + 1) * (len(new) + 1) + len(text) * references > MAX_TEXT:
            raise EntryFault("may grow beyond 65,536 characters: shorten the text first")
        return blank_is_none(changed(new, text))

    return _weighted(call, compiled)


@GROUP.made(2, fixed=(1,))
def extract(site: Site, pattern: str) -> Weighted:
    r"""What a pattern finds first, or what its first bracket holds: `extract(text, pattern)`.

    >>> 'CN=Zoe,OU=Staff' | extract('OU=([^,]+)')
    'Staff'
    >>> 'room 12b' | extract('[0-9]+')
    '12'
    >>> 'room' | extract('[0-9]+')
    absent
    """
    compiled = _pattern(pattern)
    longest = _MAX_WORK // compiled.programsize
    group = min(compiled.groups, 1)

    def call(value: Any) -> str | None:
        found = compiled.search(_searchable(value, longest))
        return blank_is_none(found[group] or "") if found else None

    return _weighted(call, compiled)


@GROUP.made(2, fixed=(1,))
def matches(site: Site, pattern: str) -> Weighted:
    """Whether a pattern is found anywhere (`^` and `$` tie it): `matches(text, pattern)`.

    >>> 'SMTP:zoe@example.com' | matches('^SMTP:')
    True
    """
    compiled = _pattern(pattern)
    longest = _MAX_WORK // compiled.programsize
    if found := _AT_START.fullmatch(pattern):
        start = found[1]
        return Weighted(lambda value: text_of(value).startswith(start), TOLL)

    def call(value: Any) -> bool:
        return compiled.search(_searchable(value, longest)) is not None

    return _weighted(call, compiled)


def _pattern(pattern: str) -> Any:
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(f"a pattern has at most {_MAX_PATTERN} characters")
    _refuse_controls(pattern)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"not a pattern of RE2: {reason}") from None
    if compiled.programsize > _MAX_PROGRAM:
        raise ValueError("the pattern is too large: use smaller numbers of repetition")
    return compiled


def _weighted(call: Callable[[Any], Any], compiled: Any) -> Weighted:
    return Weighted(call, max(TOLL, compiled.programsize * 5 // 2))


def _searchable(value: Any, longest: int) -> str:
    text = text_of(value)
    if len(text) > longest:
        raise EntryFault("is too long for this pattern: shorten the text first")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise EntryFault("holds half a character, which no pattern can read") from None
    return text


def _refuse_controls(text: str) -> None:
    r"""In '\1' and '\b' Python's grammar reads a control character, which nobody means here."""
    if any(character < " " for character in text):
        raise ValueError(r"write r'...' around text with a backslash, such as r'\1' or r'\b'")
