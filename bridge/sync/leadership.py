"""Being the one process that publishes: taking the lease, keeping it, giving it back."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from bridge.errors import LeaseHeld, StorageError
from bridge.store import Store, lease
from bridge.sync import process

DAEMON = lease.DAEMON
COMMAND = "a command"
_BEATS = 3
"""Signs of life within the time that a lease is good for."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def holder(role: str) -> str:
    """What this process is called in the lease: its role, process and host."""
    return f"{role} (process {os.getpid()} on {socket.gethostname()})"


@contextmanager
def leadership(
    store: Store,
    clock: Callable[[], datetime] = utc_now,
    *,
    role: str = COMMAND,
    ttl: timedelta = lease.TTL,
    lost: threading.Event | None = None,
) -> Iterator[int]:
    """Hold the lease for the duration of a block and give its epoch; raises `LeaseHeld`.

    A holder whose process on this machine is gone is not waited for.

    A thread shows a few times within ``ttl`` that this process is alive. Where another one has
    taken over meanwhile, ``lost`` is set, and a publication finds out inside its transaction.
    """
    with store.write() as connection:
        epoch = lease.acquire(
            connection, holder(role), clock(), ttl, process.mark(), process.is_gone
        )
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(ttl.total_seconds() / _BEATS):
            try:
                with store.write() as connection:
                    lease.renew(connection, epoch, clock(), ttl)
            except LeaseHeld:
                if lost is not None:
                    lost.set()
                return
            except StorageError:
                continue  # a long publication has the store; it renews the lease itself

    heart = threading.Thread(target=beat, name="lease", daemon=True)
    heart.start()
    try:
        yield epoch
    finally:
        ended.set()
        heart.join()
        # Where the store is out of reach, the lease runs out by itself.
        with suppress(StorageError), store.write() as connection:
            lease.release(connection, epoch)
