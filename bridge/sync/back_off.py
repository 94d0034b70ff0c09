"""Not trying refused credentials again and again, which would lock the account.

One try, then a wait of 15 minutes that doubles with every further refusal, up to 4 hours. Other
settings, the secrets among them, are tried at once, and so is whatever a person asks for.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from bridge.store import Store, refusals
from bridge.store.tables import RefusalRow
from bridge.sync.read_report import FAILED, ReadReport

SCHEDULE, FILE = "schedule", "file"
"""The actors of runs that nobody asked for: because of the time, or of an edited file."""

_FIRST = timedelta(minutes=15)
_LONGEST = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class BackOff:
    """Whether a source may be asked with these settings by that actor now."""

    store: Store
    source_id: int
    settings: BaseModel
    actor: str
    now: datetime

    def wait(self) -> str:
        """Why not to ask just now; empty where asking is right."""
        if self.actor not in (SCHEDULE, FILE):
            return ""
        refusal = self._refusal()
        # A clock that was set back must not make it wait for longer.
        if refusal is None or not timedelta(0) < refusal.again_at - self.now <= _LONGEST:
            return ""
        return _with_time(refusal)

    def note(self, read: ReadReport) -> ReadReport:
        """Note how a read went that was tried; the report says when the next try is."""
        refusal = self._refusal()
        if read.refused:
            tries = refusal.tries + 1 if refusal else 1
            salt = os.urandom(16)
            refusal = RefusalRow(
                id=refusal.id if refusal else None,
                source_id=self.source_id,
                tries=tries,
                again_at=self.now + min(_FIRST * 2 ** min(tries - 1, 10), _LONGEST),
                reason=read.reason,
                salt=salt,
                digest=_digest(self.settings, salt),
            )
            with self.store.write() as connection:
                refusals.clear(connection, before=self.now - _LONGEST)
                refusals.put(connection, refusal)
            return replace(read, reason=_with_time(refusal))
        if refusal is not None and read.verdict != FAILED:
            with self.store.write() as connection:
                refusals.remove(connection, refusal.id)
        return read

    def _refusal(self) -> RefusalRow | None:
        with self.store.read() as connection:
            refused = refusals.of(connection, self.source_id)
        same = (row for row in refused if _is_same(row, self.settings))
        return next(same, None)


def _with_time(refusal: RefusalRow) -> str:
    return (
        f"{refusal.reason} (tried again after {refusal.again_at:%Y-%m-%d %H:%M} UTC, or at once "
        "when the settings or the secret change, or by bridge sync)"
    )


def _is_same(refusal: RefusalRow, settings: BaseModel) -> bool:
    return hmac.compare_digest(refusal.digest, _digest(settings, refusal.salt))


def _digest(settings: BaseModel, salt: bytes) -> bytes:
    """What settings come to, slow enough that nobody finds the secret in a copy of the store."""
    known = repr(sorted((name, _open(value)) for name, value in settings))
    return hashlib.scrypt(known.encode(), salt=salt, n=2**14, r=8, p=1)


def _open(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else repr(value)
