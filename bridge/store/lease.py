"""The lease: which process publishes.

Every holder gets a higher epoch. A publication checks its epoch inside its own transaction, so a
process that was frozen and taken over cannot publish when it wakes up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from bridge.errors import LeaseHeld
from bridge.model import MOST_SKEW
from bridge.store.statements import insert
from bridge.store.tables import HeartbeatRow, LeaseRow, table

TTL = timedelta(seconds=30)
"""How long a lease is good after the last sign of life."""

DAEMON = "the daemon"
"""How the name of a holder begins that answers requests."""

_lease = table(LeaseRow)
_beat = table(HeartbeatRow)


def acquire(
    c: Connection,
    holder: str,
    now: datetime,
    ttl: timedelta = TTL,
    process: str = "",
    is_gone: Callable[[str], bool] = lambda process: False,
) -> int:
    """Take the lease and return its epoch; `LeaseHeld` says who has it and until when.

    ``process`` is what ``is_gone`` of a successor is asked about: a holder that is gone for
    certain is not waited for.
    """
    nobody = insert(c, _lease).values(id=1, holder="", epoch=0, process="")
    c.execute(nobody.on_conflict_do_nothing())
    lease = c.execute(select(_lease).with_for_update()).one()
    beat = c.execute(select(_beat).where(_beat.c.epoch == lease.epoch)).one_or_none()
    if beat is not None and beat.expires_at > now and not is_gone(lease.process):
        raise LeaseHeld(
            f"{lease.holder} holds the lease until {beat.expires_at:%Y-%m-%d %H:%M:%SZ}:"
            " ask it, or wait"
        )
    epoch = int(lease.epoch) + 1
    c.execute(update(_lease).values(holder=holder, epoch=epoch, process=process))
    values = {"epoch": epoch, "expires_at": now + ttl}
    beat_row = insert(c, _beat).values(id=1, **values)
    c.execute(beat_row.on_conflict_do_update(index_elements=["id"], set_=values))
    return epoch


def renew(c: Connection, epoch: int, now: datetime, ttl: timedelta = TTL) -> None:
    """Show that the holder is alive; `LeaseHeld` where another one has taken over."""
    statement = update(_beat).where(_beat.c.epoch == epoch).values(expires_at=now + ttl)
    if c.execute(statement).rowcount == 0:
        raise LeaseHeld("another process has taken the lease over: this one stops publishing")


def check(c: Connection, epoch: int) -> None:
    """Make sure, until the transaction ends, that nobody takes over; `LeaseHeld` if one has."""
    held = c.execute(select(_lease.c.epoch).with_for_update()).scalar_one_or_none()
    if held != epoch:
        raise LeaseHeld("another process has taken the lease over: nothing was published")


def release(c: Connection, epoch: int) -> None:
    """Give the lease back; nothing happens where it was taken over."""
    c.execute(delete(_beat).where(_beat.c.epoch == epoch))


def current(c: Connection, now: datetime) -> str | None:
    """Who holds the lease at ``now``, if anybody."""
    return c.execute(
        select(_lease.c.holder)
        .join(_beat, _beat.c.epoch == _lease.c.epoch)
        .where(_beat.c.expires_at > now)
    ).scalar_one_or_none()


class Silence:
    """How long a holder has shown no life, to a process that waits for the lease.

    Until when a lease is good is told by its holder's clock. Where that was far ahead, a holder
    that is dead would keep everybody out until then. One that lives renews the lease, whatever its
    clock shows; so such a lease ends when it was not renewed for the time that a lease is good for,
    by a clock that nobody sets.
    """

    def __init__(self, ttl: timedelta = TTL, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl = ttl
        self._clock = clock
        self._seen: tuple[int, datetime] | None = None
        self._since = clock()

    def has_ended(self, c: Connection, now: datetime) -> bool:
        """Look again, and end a lease that is not to be waited for; whether one was ended."""
        beat = c.execute(select(_beat)).one_or_none()
        seen = None if beat is None else (beat.epoch, beat.expires_at)
        latest = now + self._ttl + MOST_SKEW
        if beat is None or beat.expires_at <= latest or seen != self._seen:
            self._seen, self._since = seen, self._clock()
            return False
        if self._clock() - self._since <= self._ttl.total_seconds():
            return False
        # Only as it was seen: a holder may show life at this very moment.
        same = delete(_beat).where(_beat.c.epoch == beat.epoch)
        return c.execute(same.where(_beat.c.expires_at == beat.expires_at)).rowcount == 1


def is_daemon(holder: str | None) -> bool:
    """Whether the holder of the lease, if there is one, is a daemon, which answers requests."""
    return holder is not None and holder.startswith(DAEMON)
