"""``limits:``: how many changes of a kind may go live in one run without a person's word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_NUMBER = r"\s*([0-9]{1,9})\s*"
_PERCENT = r"\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%\s*"
_EITHER_OF_TWO = rf"\s*max\s*\((?:{_NUMBER},{_PERCENT}|{_PERCENT},{_NUMBER})\)\s*"
_LARGER = re.compile(_EITHER_OF_TWO)
_CAPPED = re.compile(rf"min\s*\({_NUMBER},({_EITHER_OF_TWO}|{_PERCENT})\)")

HINT = "write `5`, `2%`, `max(1, 2%)` or `min(500, max(1, 2%))`"


@dataclass(frozen=True, slots=True)
class Limit:
    """The larger of ``floor`` people and ``percent`` of all, and never more than ``cap``."""

    floor: int
    percent: Fraction = Fraction(0)
    cap: int | None = None

    def of(self, people: int) -> int:
        """How many changes are within the limit, of so many active people; rounded down."""
        limit = max(self.floor, int(people * self.percent / 100))
        return limit if self.cap is None else min(limit, self.cap)

    def __str__(self) -> str:
        if not self.percent:
            return str(self.floor if self.cap is None else min(self.floor, self.cap))
        percent = f"{float(self.percent):g}%"
        text = f"max({self.floor}, {percent})" if self.floor else percent
        return text if self.cap is None else f"min({self.cap}, {text})"


def limit(text: str) -> Limit:
    """The limit that ``text`` says. Raises ``ValueError`` with what is wrong."""
    text, cap = text.strip(), None
    if match := _CAPPED.fullmatch(text):
        cap, text = int(match[1]), match[2]
    if match := _LARGER.fullmatch(text):
        floor, percent = (match[1] or match[4]), (match[2] or match[3])
    elif match := re.fullmatch(_PERCENT, text):
        floor, percent = "0", match[1]
    elif cap is None and (match := re.fullmatch(_NUMBER, text)):
        floor, percent = match[1], "0"
    else:
        raise ValueError(f"{text!r} is not a limit")
    if Fraction(percent) > 100:
        raise ValueError(f"{percent}% is more than everybody")
    return Limit(int(floor), Fraction(percent), cap)


DEFAULTS: Mapping[str, Limit] = {
    "absent": limit("min(500, max(1, 2%))"),
    "disabled": limit("min(500, max(3, 5%))"),
    "reactivated": limit("max(1, 1%)"),
    "edited": limit("max(1, 1%)"),
    "renamed": limit("max(3, 2%)"),
    "emptied": limit("max(3, 5%)"),
    "new": limit("max(20, 20%)"),
    "memberships": limit("max(20, 10%)"),
    "per_day": limit("max(3, 15%)"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one source, each with its default; people are those active now."""

    absent: Limit = DEFAULTS["absent"]
    disabled: Limit = DEFAULTS["disabled"]
    reactivated: Limit = DEFAULTS["reactivated"]
    edited: Limit = DEFAULTS["edited"]
    renamed: Limit = DEFAULTS["renamed"]
    emptied: Limit = DEFAULTS["emptied"]
    new: Limit = DEFAULTS["new"]
    memberships: Limit = DEFAULTS["memberships"]
    per_day: Limit = DEFAULTS["per_day"]
    first_load: str = "hold"
    """``hold`` until a person approves, or ``publish``."""


KINDS = tuple(DEFAULTS)
