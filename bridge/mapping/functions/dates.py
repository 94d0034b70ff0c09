"""Dates (a day, somewhere) and moments (the same everywhere).

A zone is a name such as `Europe/Berlin`; without one, or where it is absent, the file's
`timezone` is meant. `now` is the moment of the sync and `today` its day; they are names, not
functions. Subtract or add `days`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping import moments
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.functions.types import whole
from bridge.mapping.moments import Now
from bridge.mapping.values import day_of, single, text_of

GROUP = Group()

_DIRECTIVE = re.compile(r"%(.?)")
_READABLE = frozenset("dmyYjHMSfIpbBzZ%aA")
_WRITABLE = _READABLE | frozenset("GVu")
_MAX_DAYS = 4_000_000
_LONGEST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@GROUP.made(1, 3, fixed=(1,), sees=(2,), name="date")
def date_(site: Site, form: str | None = None) -> Callable[..., date | None]:
    """A day, read from text, or the day of a moment in a zone: `date(value, format, zone)`.

    Without a format, text is `2026-07-04`.

    >>> '04.07.2026' | date('%d.%m.%Y')
    date(2026, 7, 4)
    >>> '2026-07-04T22:30:00Z' | datetime | date('%Y-%m-%d', 'Europe/Berlin')
    date(2026, 7, 5)
    """
    form = "%Y-%m-%d" if form is None else _readable(form)

    def call(value: Any, zone: Any = None) -> date:
        value = single(value)
        if isinstance(value, str):
            return _read(value.strip(), form).date()
        return day_of(value, _zone(site, zone))

    return call


@GROUP.made(1, 3, fixed=(1,), sees=(2,), name="datetime")
def datetime_(site: Site, form: str | None = None) -> Callable[..., Any]:
    """A moment, read from text in a zone or from a date's start: `datetime(value, format, zone)`.

    Without a format, text is `2026-07-04T22:30:00` and may end in `Z` or `+02:00`.

    >>> '2026-07-04T12:00:00+02:00' | datetime
    datetime(2026, 7, 4, 10, 0, tzinfo=UTC)
    >>> '4/7/2026 12:00' | datetime('%d/%m/%Y %H:%M', 'Europe/Berlin')
    datetime(2026, 7, 4, 10, 0, tzinfo=UTC)
    """
    form = form and _readable(form)

    def call(value: Any, zone: Any = None) -> Any:
        value, where = single(value), _zone(site, zone)
        if isinstance(value, datetime | Now):
            return value
        if not isinstance(value, str):
            return moments.start_of_day(day_of(value, where), where)
        read = _read(value.strip(), form) if form else _read_iso(value)
        try:
            return (read if read.tzinfo else read.replace(tzinfo=where)).astimezone(UTC)
        except OverflowError:
            raise EntryFault("is beyond the calendar") from None

    return call


@GROUP.plain()
def days(value: Any) -> timedelta:
    """A number of days, to add to a date or subtract from it: `days(number)`.

    >>> date('2026-07-04') + days(30)
    date(2026, 8, 3)
    """
    number = whole(value)
    if abs(number) > _MAX_DAYS:
        raise EntryFault("is more days than a calendar has")
    return timedelta(days=number)


@GROUP.made(1, 2, sees=(1,))
def start_of(site: Site) -> Callable[..., datetime]:
    """The moment at which a day begins in a zone: `start_of(date, zone)`.

    >>> start_of(date('2026-07-04'), 'Europe/Berlin')
    datetime(2026, 7, 3, 22, 0, tzinfo=UTC)
    """

    def call(value: Any, zone: Any = None) -> datetime:
        where = _zone(site, zone)
        return moments.start_of_day(
            value if value.__class__ is date else day_of(value, where), where
        )

    return call


@GROUP.made(1, 2, sees=(1,))
def end_of(site: Site) -> Callable[..., datetime]:
    """The moment at which a day is over in a zone, the start of the next: `end_of(date, zone)`.

    So `end_of(last_day, zone) <= now` says that the last day has passed.

    >>> end_of(date('2026-07-04'), 'Europe/Berlin')
    datetime(2026, 7, 4, 22, 0, tzinfo=UTC)
    """

    def call(value: Any, zone: Any = None) -> datetime:
        where = _zone(site, zone)
        return moments.end_of_day(value if value.__class__ is date else day_of(value, where), where)

    return call


@GROUP.made(2, 3, sees=(2,))
def days_between(site: Site) -> Callable[..., int]:
    """How many days from one date to another, in a zone: `days_between(from, to, zone)`.

    >>> days_between(date('2026-07-04'), date('2026-07-01'))
    -3
    """

    def call(first: Any, second: Any, zone: Any = None) -> int:
        where = _zone(site, zone)
        return (day_of(second, where) - day_of(first, where)).days

    return call


@GROUP.made(1, 3, fixed=(1,), sees=(2,))
def format_date(site: Site, form: str | None = None) -> Callable[..., str]:
    """A date or moment as text, in a zone: `format_date(value, format, zone)`.

    Without a format it is `2026-07-04`, for a moment `2026-07-04T10:00:00Z`.

    >>> date('2026-07-04') | format_date('%d.%m.%y')
    '04.07.26'
    >>> datetime('2026-07-04T22:30:00Z') | format_date('%d %H:%M', 'Europe/Berlin')
    '05 00:30'
    """
    if form is not None:
        _check(form, _WRITABLE)

    def call(value: Any, zone: Any = None) -> str:
        value = single(value)
        if isinstance(value, datetime):
            return _written(value.astimezone(_zone(site, zone)), form) if form else text_of(value)
        if isinstance(value, Now):
            raise EntryFault("writes now, which changes every moment: use today")
        return _written(day_of(value, site.zone), form)

    return call


def _zone(site: Site, zone: Any) -> ZoneInfo:
    return site.zone if zone is None else moments.zone_named(text_of(zone))


def _check(form: str, allowed: frozenset[str]) -> str:
    for letter in _DIRECTIVE.findall(form):
        if letter not in allowed:
            raise ValueError(f"%{letter} is not a part of a date format")
    return form


def _readable(form: str) -> str:
    letters = set(_DIRECTIVE.findall(_check(form, _READABLE)))
    if not letters & {"y", "Y"} or not ("j" in letters or {"d"} < letters & {*"dmbB"}):
        raise ValueError("the format needs a day, a month and a year, such as %d.%m.%Y")
    try:
        datetime.strptime(_EPOCH.strftime(form), form)
    except (ValueError, re.error):
        raise ValueError("not a date format, such as %d.%m.%Y") from None
    return form


@lru_cache(maxsize=65536)
def _read(value: str, form: str) -> datetime:
    try:
        if len(value) > _LONGEST:
            # A format takes any number of blanks, and what is kept here shall not be large.
            raise ValueError
        return datetime.strptime(value, form)
    except (ValueError, OverflowError):
        raise EntryFault(f"does not match format {form!r}") from None


def _read_iso(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise EntryFault("does not match format '2026-07-04T12:00:00Z'") from None


def _written(value: date, form: str | None) -> str:
    return value.strftime(form) if form else value.isoformat()
