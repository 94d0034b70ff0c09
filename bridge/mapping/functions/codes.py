"""Codes: countries by ISO 3166-1, and bytes as text."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import MAX_TEXT, single, sized, text_of

GROUP = Group()

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Country:
    """A country's codes, and its name in each language."""

    alpha2: str
    alpha3: str
    number: str
    names: Mapping[str, str]


@GROUP.plain()
def country2(value: Any) -> str | None:
    """The two letters of a country: `country2(country)`.

    A country is given by its two or three letters, its number, or its English or German name, in
    any case. Nothing is answered for what is none.

    >>> 'Germany' | country2
    'DE'
    >>> 'Atlantis' | country2
    absent
    """
    country = _country(value)
    return country.alpha2 if country else None


@GROUP.plain()
def country3(value: Any) -> str | None:
    """The three letters of a country, given as for `country2`: `country3(country)`.

    >>> 'Österreich' | country3
    'AUT'
    """
    country = _country(value)
    return country.alpha3 if country else None


@GROUP.plain()
def country_number(value: Any) -> str | None:
    """The three digits of a country, given as for `country2`: `country_number(country)`.

    >>> 'BE' | country_number
    '056'
    """
    country = _country(value)
    return country.number if country else None


@GROUP.made(1, 2, fixed=(1,))
def country_name(site: Site, language: str = "en") -> Callable[[Any], str | None]:
    """The name of a country, given as for `country2`: `country_name(country, language)`.

    The language is `en` (unless said otherwise) or `de`.

    >>> 276 | country_name
    'Germany'
    >>> 'CHE' | country_name('de')
    'Schweiz'
    """
    if language not in ("en", "de"):
        raise ValueError("the language is 'en' or 'de'")

    def call(value: Any) -> str | None:
        country = _country(value)
        return country.names[language] if country else None

    return call


@GROUP.plain()
def b64(value: Any) -> str:
    """Bytes, or those of a text in UTF-8, as Base64: `b64(value)`.

    Of `objectGUID` that is the immutable id of Microsoft Entra.

    >>> 'Zoë' | b64
    'Wm/Dqw=='
    """
    return str(sized(base64.b64encode(_bytes(value)).decode()))


@GROUP.plain(name="hex")
def hex_(value: Any) -> str:
    """Bytes, or those of a text in UTF-8, as two digits each: `hex(value)`.

    >>> 'Zoë' | hex
    '5a6fc3ab'
    """
    return str(sized(_bytes(value).hex()))


def _bytes(value: Any) -> bytes:
    value = single(value)
    try:
        found: bytes = value if isinstance(value, bytes) else text_of(value).encode()
    except UnicodeEncodeError:
        raise EntryFault("holds half a character, which has no bytes") from None
    if len(found) > MAX_TEXT:
        raise EntryFault(f"grows beyond {MAX_TEXT:,} characters")
    return found


def _country(value: Any) -> Country | None:
    text = text_of(value)
    return _named(text) if len(text) <= _LONGEST_NAME else None


@lru_cache(maxsize=4096)
def _named(text: str) -> Country | None:
    folded = _folded(text)
    return _countries().get(folded.zfill(3) if folded.isdigit() else folded)


@cache
def _countries() -> Mapping[str, Country]:
    """Every country by its codes and by all of its names, folded."""
    table = resources.files("bridge.mapping.functions").joinpath("countries.tsv")
    found: dict[str, Country] = {}
    for line in table.read_text(encoding="utf-8").splitlines()[1:]:
        alpha2, alpha3, number, *names = line.split("\t")
        english, german = (each.split("|") for each in names)
        country = Country(alpha2, alpha3, number, {"en": english[0], "de": german[0]})
        for name in (alpha2, alpha3, number, *english, *german):
            found[_folded(name)] = country
    return found


def _folded(text: str) -> str:
    """The letters and digits alone: so accents, `&`, dots, blanks and `the` do not matter."""
    text = text.casefold().replace("&", " and ").replace("'", "").replace("’", "")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(word for word in re.findall("[a-z0-9]+", plain) if word != "the")
