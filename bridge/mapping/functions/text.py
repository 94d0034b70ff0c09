"""Text: ``mail | lower``. Positions count from 1. A result of blanks alone is absent."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import MAX_TEXT, blank_is_none, sized, text_of, whole_number

GROUP = Group()

_DIGITS = frozenset("0123456789")


@GROUP.plain()
def upper(value: Any) -> str:
    """Capital letters: `upper(text)`.

    >>> 'straße' | upper
    'STRASSE'
    """
    return text_of(value).upper()


@GROUP.plain()
def lower(value: Any) -> str:
    """Small letters: `lower(text)`.

    >>> 'Zoe.M@Example.COM' | lower
    'zoe.m@example.com'
    """
    return (value if value.__class__ is str else text_of(value)).lower()


@GROUP.plain()
def title(value: Any) -> str:
    """Each word with a capital first letter: `title(text)`.

    >>> 'ANNA-MARIA o\\'neil' | title
    "Anna-Maria O'Neil"
    """
    return text_of(value).title()


@GROUP.plain()
def trim(value: Any) -> str | None:
    """Without blanks at both ends: `trim(text)`.

    >>> '  Zoe ' | trim
    'Zoe'
    """
    return (value if value.__class__ is str else text_of(value)).strip() or None


@GROUP.plain()
def nospaces(value: Any) -> str | None:
    """Without any blanks: `nospaces(text)`.

    >>> ' de la  Cruz' | nospaces
    'delaCruz'
    """
    return "".join(text_of(value).split()) or None


@GROUP.plain(2)
def left(value: Any, count: Any) -> str | None:
    """The first characters: `left(text, count)`.

    >>> 'Engineering' | left(3)
    'Eng'
    """
    return blank_is_none(text_of(value)[: max(0, whole_number(count))])


@GROUP.plain(2)
def right(value: Any, count: Any) -> str | None:
    """The last characters: `right(text, count)`.

    >>> ('00000000' + '4711') | right(8)
    '00004711'
    """
    text, wanted = text_of(value), max(0, whole_number(count))
    return blank_is_none(text[max(0, len(text) - wanted) :])


@GROUP.plain(2, 3)
def mid(value: Any, start: Any, count: Any = MAX_TEXT) -> str | None:
    """The characters from a position on, all or so many: `mid(text, start, count)`.

    >>> 'DE-1234-X' | mid(4, 4)
    '1234'
    >>> 'DE-1234' | mid(4)
    '1234'
    """
    first = whole_number(start) - 1
    if first < 0:
        raise EntryFault("mid counts positions from 1")
    return blank_is_none(text_of(value)[first : first + max(0, whole_number(count))])


@GROUP.plain(2)
def before(value: Any, mark: Any) -> str | None:
    """What stands before the first mark, or all where there is none: `before(text, mark)`.

    >>> 'zoe@example.com' | before('@')
    'zoe'
    >>> 'de' | before(',')
    'de'
    """
    return blank_is_none(text_of(value).partition(text_of(mark))[0])


@GROUP.plain(2)
def after(value: Any, mark: Any) -> str | None:
    """What stands after the first mark, or nothing where there is none: `after(text, mark)`.

    >>> 'SMTP:zoe@example.com' | after(':')
    'zoe@example.com'
    >>> 'zoe' | after(':')
    absent
    """
    return blank_is_none(text_of(value).partition(text_of(mark))[2])


@GROUP.plain(2)
def before_last(value: Any, mark: Any) -> str | None:
    """What stands before the last mark, or all where there is none: `before_last(text, mark)`.

    >>> 'a.b.c' | before_last('.')
    'a.b'
    """
    head, found, tail = text_of(value).rpartition(text_of(mark))
    return blank_is_none(head if found else tail)


@GROUP.plain(2)
def word(value: Any, number: Any) -> str | None:
    """One of the words, counted from 1, from the end with a minus: `word(text, number)`.

    >>> 'Ana Maria Cruz' | word(2)
    'Maria'
    >>> 'Ana Maria Cruz' | word(-1)
    'Cruz'
    """
    words, index = text_of(value).split(), whole_number(number)
    if index == 0 or abs(index) > len(words):
        return None
    return words[index - 1 if index > 0 else index]


@GROUP.plain(name="len")
def length(value: Any) -> int:
    """How many characters: `len(text)`. For a list there is `count`.

    >>> 'Zoë' | len
    3
    """
    return len(text_of(value))


@GROUP.plain(2)
def starts(value: Any, beginning: Any) -> bool:
    """Whether the text begins with that: `starts(text, beginning)`.

    >>> 'svc-backup' | starts('svc-')
    True
    """
    return text_of(value).startswith(text_of(beginning))


@GROUP.plain(2)
def ends(value: Any, ending: Any) -> bool:
    """Whether the text ends with that: `ends(text, ending)`.

    >>> 'PC-17$' | ends('$')
    True
    """
    return text_of(value).endswith(text_of(ending))


@GROUP.plain(3, sees=(2,))
def replace(value: Any, old: Any, new: Any) -> str | None:
    """Every occurrence of a text as another one, or gone: `replace(text, old, new)`.

    >>> 'a/b/c' | replace('/', '-')
    'a-b-c'
    >>> 'a/b/c' | replace('/', '')
    'abc'
    """
    text, old, new = text_of(value), text_of(old), "" if new is None else text_of(new)
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise EntryFault(f"grows beyond {MAX_TEXT:,} characters")
    return blank_is_none(text.replace(old, new))


@GROUP.plain()
def digits(value: Any) -> str | None:
    """Only the digits 0 to 9: `digits(text)`.

    >>> 'Badge 00-417' | digits
    '00417'
    """
    return "".join(filter(_DIGITS.__contains__, text_of(value))) or None


@GROUP.made(1, 2, fixed=(1,), name="ascii", toll=64)
def ascii_(site: Site, style: str = "plain") -> Callable[[Any], str | None]:
    """Without accents and other marks, in plain or German spelling: `ascii(text, style)`.

    Letters that have no plain form are left out.

    >>> 'Jörg Gößner' | ascii
    'Jorg Gossner'
    >>> 'Jörg Gößner' | ascii('german')
    'Joerg Goessner'
    """
    if style not in ("plain", "german"):
        raise ValueError("the style is 'plain' or 'german'")
    table = _LETTERS | (_GERMAN if style == "german" else {})

    def call(value: Any) -> str | None:
        text = unicodedata.normalize("NFC", text_of(value)).translate(table)
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
        return blank_is_none(sized(plain))

    return call


_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
     "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
)  # fmt: skip
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
