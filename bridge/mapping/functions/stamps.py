"""Moments and days in the forms in which systems store them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping import moments
from bridge.mapping.functions.registry import Group
from bridge.mapping.functions.types import whole
from bridge.mapping.moments import FIRST, LAST
from bridge.mapping.values import kind, single, text_of

GROUP = Group()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILETIME = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = 2**63 - 1
_TICK = timedelta(microseconds=1)

# RFC 4517 section 3.3.13; minutes and seconds may be left out, and so may the offset's minutes.
_GENTIME = re.compile(
    r"(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])(?:([0-5]\d)([0-5]\d|60)?)?"
    r"(?:[.,](\d+))?(?:Z|([+-])([01]\d|2[0-3])([0-5]\d)?)",
    re.ASCII,
)
_MSDATE = re.compile(r"/Date\(([+-]?\d{1,18})(?:[+-]\d{1,4})?\)/", re.ASCII)


@GROUP.plain()
def epoch(value: Any) -> datetime | None:
    """A moment from seconds since 1970; 0 or less means never: `epoch(number)`.

    >>> '86400' | epoch
    datetime(1970, 1, 2, 0, 0, tzinfo=UTC)
    """
    seconds = whole(value)
    return _moved(_EPOCH, seconds, "seconds") if seconds > 0 else None


@GROUP.plain()
def epoch_day(value: Any) -> date | None:
    """A date from days since 1970; 0 or less means never: `epoch_day(number)`.

    >>> 20000 | epoch_day
    date(2024, 10, 4)
    >>> -1 | epoch_day
    absent
    """
    number = whole(value)
    return _moved(_EPOCH, number, "days").date() if number > 0 else None


@GROUP.plain()
def filetime(value: Any) -> datetime | None:
    """A moment from Windows' ten-millionths of a second since 1601: `filetime(number)`.

    0 and 9223372036854775807 mean never, and give nothing.

    >>> 134258436000000000 | filetime
    datetime(2026, 6, 13, 17, 0, tzinfo=UTC)
    >>> '9223372036854775807' | filetime
    absent
    """
    # The largest number is beyond those that expressions reckon with.
    ticks = single(value)
    if type(ticks) is not int:
        text = text_of(ticks).strip()
        ticks = int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else -1
    if not 0 <= ticks <= _NEVER:
        raise EntryFault("is no Windows time, a whole number from 0 to 9223372036854775807")
    if ticks in (0, _NEVER):
        return None
    return moments.moved(_FILETIME, timedelta(microseconds=ticks // 10))


@GROUP.plain()
def to_epoch(value: Any) -> int:
    """A moment as whole seconds since 1970: `to_epoch(moment)`.

    >>> datetime('1970-01-02T00:00:00Z') | to_epoch
    86400
    """
    return (_moment(value) - _EPOCH) // timedelta(seconds=1)


@GROUP.plain()
def to_filetime(value: Any) -> int:
    """A moment as Windows' ten-millionths of a second since 1601: `to_filetime(moment)`.

    >>> datetime('2026-06-13T17:00:00Z') | to_filetime
    134258436000000000
    """
    moment = _moment(value)
    if moment < _FILETIME:
        raise EntryFault("is before 1601, where Windows' time begins")
    return (moment - _FILETIME) // _TICK * 10


@GROUP.plain()
def gentime(value: Any) -> datetime:
    """A moment from LDAP's generalized time (RFC 4517 section 3.3.13): `gentime(text)`.

    Minutes and seconds may be left out, and the last part may have a fraction.

    >>> '20260613190000.0+0200' | gentime
    datetime(2026, 6, 13, 17, 0, tzinfo=UTC)
    >>> '2026061317.5Z' | gentime
    datetime(2026, 6, 13, 17, 30, tzinfo=UTC)
    """
    found = _GENTIME.fullmatch(text_of(value).strip())
    if found is None:
        raise EntryFault("is no generalized time, such as 20260613170000Z")
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    if year == "0000":
        return FIRST
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), tzinfo=UTC)
    except ValueError:
        raise EntryFault("is a generalized time of a day that there is not") from None
    unit = 3_600_000_000 if minute is None else 60_000_000 if second is None else 1_000_000
    passed = int(f"{fraction or 0}"[:12]) * unit // 10 ** len(f"{fraction or 0}"[:12])
    moment = moments.moved(
        moment, timedelta(minutes=int(minute or 0), seconds=int(second or 0), microseconds=passed)
    )
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return moments.moved(moment, -offset if sign == "+" else offset)


@GROUP.plain()
def msdate(value: Any) -> datetime:
    """A moment from milliseconds since 1970, also as OData writes them: `msdate(text)`.

    >>> '/Date(1781370000000+0120)/' | msdate
    datetime(2026, 6, 13, 17, 0, tzinfo=UTC)
    >>> 1781370000000 | msdate
    datetime(2026, 6, 13, 17, 0, tzinfo=UTC)
    """
    value = single(value)
    found = _MSDATE.fullmatch(value.strip()) if isinstance(value, str) else None
    return _moved(_EPOCH, int(found[1]) if found else whole(value), "milliseconds")


def _moment(value: Any) -> datetime:
    value = single(value)
    if not isinstance(value, datetime):
        raise EntryFault(f"is {kind(value)} where a moment is expected: use datetime or start_of")
    return value


def _moved(start: datetime, number: int, unit: str) -> datetime:
    try:
        return moments.moved(start, timedelta(**{unit: number}))
    except OverflowError:
        return LAST if number > 0 else FIRST
