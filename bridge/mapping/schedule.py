"""``schedule:``: when a source is asked for changes, and when everything is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_INTERVAL = re.compile(r"(?:every\s+)?(?:([0-9]{1,5})\s+)?(second|minute|hour|day|week)s?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun",
           "jul", "aug", "sep", "oct", "nov", "dec")  # fmt: skip
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12))

HINT = "such as `5 minutes`, `every hour` or `every 6 hours`"
_LONGEST = 100
DEFAULT_FULL = "every hour"
CRON_HINT = HINT + ", or cron: `30 2 * * *`, `0 5 * * mon-fri`"


@dataclass(frozen=True, slots=True)
class Schedule:
    """``changes`` is None where changes are not asked for between complete reads; ``full`` is an
    interval, or cron text of five fields (weekdays by name) in the file's timezone."""

    changes: timedelta | None = None
    full: timedelta | str = timedelta(hours=1)
    """As `DEFAULT_FULL` says, where the file does not."""


def interval(text: str) -> timedelta:
    """The interval that ``text`` names. Raises ``ValueError``."""
    match = _INTERVAL.fullmatch(text.strip().lower())
    if match is None or match[1] == "0":
        raise ValueError(f"{text!r} is not an interval")
    return timedelta(**{match[2] + "s": int(match[1] or 1)})


def interval_or_cron(text: str) -> timedelta | str:
    """An interval, or cron text with single blanks. Raises ``ValueError``."""
    if len(text) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    fields = text.lower().split()
    if len(fields) != 5 or fields[0] == "every":
        return interval(text)
    for field, (name, least, most) in zip(fields, _FIELDS, strict=False):
        _check(field, name, least, most, _MONTHS if name == "month" else ())
    _check(fields[4], "weekday", 1, 0, _WEEKDAYS)
    return " ".join(fields)


def _check(field: str, name: str, least: int, most: int, words: tuple[str, ...]) -> None:
    # Numbers of weekdays are refused: programs disagree on which day is 0.
    hint = ", weekdays are mon to sun" if name == "weekday" else ""
    for part in field.split(","):
        span, slash, step = part.partition("/")
        good = not slash or (step.isascii() and step.isdigit() and 0 < int(step) < 100)
        for end in span.split("-", 1) if span != "*" else ():
            number = end.isascii() and end.isdigit() and least <= int(end) <= most
            good = good and (number or end in words)
        if not good:
            raise ValueError(f"cron has no {name} {part!r}{hint}")
