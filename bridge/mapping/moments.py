"""Dates and moments, and when an answer that depends on the clock changes next.

Datetimes are kept in UTC; a date is a day somewhere, and becomes a moment in a zone. ``now`` and
``today`` are not plain values: a comparison with them notes on the `Clock` at which moment it
would come out differently, and ``today`` used in any other way notes the next midnight. As long
as the clock stands before `Clock.until`, the same record gives the same answer.

Days beyond the calendar stand still at its ends, so that 31.12.9999 goes on meaning "never".
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from bridge.errors import EntryFault

_DAY = timedelta(days=1)
_NONE = timedelta(0)
_STEP = timedelta(microseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)

Day = TypeVar("Day", date, datetime)
Comparison = Callable[[Any, Any], bool]

# As time goes by, `now < x` turns when x is reached, and `now <= x` when it has passed.
_TURNS_AT = frozenset({operator.lt, operator.ge, operator.eq, operator.ne})
_TURNS_AFTER = frozenset({operator.le, operator.gt, operator.eq, operator.ne})


class Clock:
    """The moment of one evaluation, and the next moment at which its answer may differ."""

    __slots__ = ("now", "until")

    def __init__(self, now: datetime) -> None:
        self.now = now.astimezone(UTC)
        self.until: datetime | None = None

    def changes_at(self, moment: datetime) -> None:
        """Something turns at ``moment``, unless that has passed."""
        if moment > self.now and (self.until is None or moment < self.until):
            self.until = moment


class Now:
    """The moment of the evaluation, moved by a number of days."""

    __slots__ = ("clock", "shift")

    def __init__(self, clock: Clock, shift: timedelta = _NONE) -> None:
        self.clock = clock
        self.shift = shift

    def moved(self, by: timedelta) -> Now:
        return Now(self.clock, added(self.shift, by))

    @property
    def moment(self) -> datetime:
        return moved(self.clock.now, self.shift)

    def compared(self, op: Comparison, moment: datetime) -> bool:
        """``self op moment``; the clock knows when the answer turns."""
        turn = moved(moment, -self.shift) if self.shift else moment
        if op in _TURNS_AT:
            self.clock.changes_at(turn)
        if op in _TURNS_AFTER:
            self.clock.changes_at(moved(turn, _STEP))
        return op(self.moment, moment)

    def day(self, zone: ZoneInfo) -> date:
        """The day in ``zone``; the clock knows when the next one begins."""
        day = day_in(self.moment, zone)
        self.clock.changes_at(moved(start_of_day(moved(day, _DAY), zone), -self.shift))
        return day


class Today:
    """The day of the evaluation in a zone, moved by a number of days."""

    __slots__ = ("clock", "shift", "zone")

    def __init__(self, clock: Clock, zone: ZoneInfo, shift: timedelta = _NONE) -> None:
        self.clock = clock
        self.zone = zone
        self.shift = shift

    def moved(self, by: timedelta) -> Today:
        return Today(self.clock, self.zone, added(self.shift, by))

    @property
    def plain(self) -> date:
        return moved(day_in(self.clock.now, self.zone), self.shift)

    def compared(self, op: Comparison, day: date) -> bool:
        """``self op day``; the clock knows when the answer turns."""
        turn = moved(day, -self.shift)
        if op in _TURNS_AT:
            self.clock.changes_at(start_of_day(turn, self.zone))
        if op in _TURNS_AFTER:
            self.clock.changes_at(end_of_day(turn, self.zone))
        return op(self.plain, day)

    def settled(self) -> date:
        """This day as a plain value, good until the next midnight."""
        self.clock.changes_at(
            start_of_day(moved(day_in(self.clock.now, self.zone), _DAY), self.zone)
        )
        return self.plain


known_zones = cache(available_timezones)
"""The names of all time zones, which stand in some hundred files."""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name. Raises `EntryFault` where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise EntryFault("is not the name of a time zone, such as Europe/Berlin") from None


@lru_cache(maxsize=65536)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of ``day`` in ``zone``, in UTC.

    Where the clocks skip midnight this is the moment at which they skip it, and where midnight
    comes twice it is the first.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        start = midnight.astimezone(UTC)
        if start.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
            return start
        return _end_of_gap(start - _DAY, start, day, zone)
    except OverflowError:
        return LAST if day.year > 1 else FIRST


def _end_of_gap(before: datetime, after: datetime, day: date, zone: ZoneInfo) -> datetime:
    """The first moment that is on ``day`` or later, between one before it and one not before it."""
    while after - before > _STEP:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).date() < day:
            before = middle
        else:
            after = middle
    return after


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the next day: a day is over when ``now`` has reached its end."""
    return LAST if day == date.max else start_of_day(day + _DAY, zone)


def day_in(moment: datetime, zone: ZoneInfo) -> date:
    """The day that ``moment`` falls on in ``zone``: the last one that has begun.

    So days never go back, though clocks that are set back from after midnight do.
    """
    try:
        day = moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()
    tomorrow = moved(day, _DAY)
    return day if moment < start_of_day(tomorrow, zone) else tomorrow


def moved(value: Day, by: timedelta) -> Day:
    """A date or datetime, moved, and no further than the calendar goes."""
    try:
        return value + by
    except OverflowError:
        if isinstance(value, datetime):
            return LAST if by > _NONE else FIRST
        return date.max if by > _NONE else date.min


def is_temporal(value: Any) -> bool:
    """Whether the value is a date or a moment of any form."""
    return isinstance(value, (date, Now, Today))


def compare(op: Comparison, a: Any, b: Any, zone: ZoneInfo) -> bool:
    """``a op b`` of two temporal values; a day and a moment compare as its start in ``zone``."""
    if isinstance(b, Now | Today):
        if isinstance(a, Today):
            return compare(op, a.settled(), b, zone)
        if not isinstance(a, Now):
            return compare(MIRRORED[op], b, a, zone)
        if isinstance(b, Now):
            return op(a.moment, b.moment)
        b = b.settled()
    if isinstance(a, Now):
        return a.compared(op, b if isinstance(b, datetime) else start_of_day(b, zone))
    if isinstance(a, Today):
        if not isinstance(b, datetime):
            return a.compared(op, b)
        a = a.settled()
    return op(
        a if isinstance(a, datetime) else start_of_day(a, zone),
        b if isinstance(b, datetime) else start_of_day(b, zone),
    )


MIRRORED: dict[Comparison, Comparison] = {
    operator.eq: operator.eq,
    operator.ne: operator.ne,
    operator.lt: operator.gt,
    operator.le: operator.ge,
    operator.gt: operator.lt,
    operator.ge: operator.le,
}


def added(first: timedelta, second: timedelta) -> timedelta:
    try:
        return first + second
    except OverflowError:
        raise EntryFault("is more days than a calendar has") from None
