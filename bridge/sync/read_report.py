"""How a read of a source went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.model import Verdict

COMPLETE = Verdict(complete=True).word
INCOMPLETE = Verdict(complete=False).word
FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ReadReport:
    """How a read went: ``verdict`` is COMPLETE, INCOMPLETE or FAILED, the last where nothing
    answered. ``gone`` counts the records found missing by a whole read or named as deleted.
    ``refused`` says that the credentials were. ``certificate_ends`` is the server's, and
    ``password_ends`` that of the account by which it was read. ``skew`` is how far the source's
    clock is ahead of ours, where it tells its time."""

    verdict: str
    reason: str = ""
    entries: int = 0
    changed: int = 0
    gone: int = 0
    refused: bool = False
    certificate_ends: datetime | None = None
    password_ends: datetime | None = None
    skew: timedelta | None = None
