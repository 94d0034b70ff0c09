"""Warnings before something ends: 30, 14, 7 days and one day ahead, and when it has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

_DAYS = (0, 1, 7, 14, 30)
_log = structlog.get_logger()


class Endings:
    """Warns of each certificate, or of whatever else ``what`` says, as it comes nearer to its end,
    once at each step."""

    def __init__(self, what: str = "a certificate") -> None:
        self._what = what
        self._told: dict[str, int] = {}

    def look(self, of: str, ends: datetime | None, now: datetime) -> None:
        """Warn if a step was passed; ``of`` is a source's name, or ``web`` for our own."""
        left = timedelta.max if ends is None else ends - now
        step = next((days for days in _DAYS if left <= timedelta(days=days)), None)
        if step is None:
            self._told.pop(of, None)
        elif self._told.get(of) != step:
            self._told[of] = step
            (_log.warning if step else _log.error)(
                f"{self._what} ends soon" if step else f"{self._what} has ended",
                of=of,
                ends=f"{ends:%Y-%m-%d %H:%M} UTC",
                days=left.days,
            )
