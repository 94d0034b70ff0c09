"""A command's wish to sync: the running daemon does it, or this process where none runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bridge.errors import BridgeError, LeaseHeld, UsageError
from bridge.store import Store, lease, requests
from bridge.store import sources as source_rows
from bridge.sync.decision import Progress
from bridge.sync.leadership import leadership, utc_now
from bridge.sync.report import Report
from bridge.sync.run import Sync

_POLL_SECONDS = 0.1


class Failed(BridgeError):
    """The daemon could not do what it was asked; the message is its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def sync(
    store: Store, folder: Path, names: Iterable[str], mode: str, actor: str, progress: Progress
) -> Iterator[Report]:
    """Sync each source and yield its report, here or by the daemon.

    Raises what `Sync.run` raises, and `LeaseHeld` where another command is syncing, or where the
    daemon ended without an answer.
    """
    with ExitStack() as stack:
        try:
            epoch = stack.enter_context(leadership(store))
        except LeaseHeld:
            with store.read() as connection:
                leader = lease.current(connection, utc_now())
            if not lease.is_daemon(leader):
                raise
            for name in names:
                yield _by_daemon(store, name, mode, actor, progress)
        else:
            here = Sync(store, folder, epoch)
            for name in names:
                yield here.run(name, mode, actor, progress)


def _by_daemon(store: Store, name: str, mode: str, actor: str, progress: Progress) -> Report:
    with store.write() as connection:
        source = source_rows.get(connection, name)
        if source is None or source.id is None:
            raise UsageError(
                f"the running daemon does not know the source {name!r} yet: "
                "it looks at the files every second, try again"
            )
        asked = requests.ask(connection, source.id, mode, actor, utc_now())
    progress("waiting for the daemon", 0)
    while True:
        with store.read() as connection:
            answer = requests.get(connection, asked)
            leader = lease.current(connection, utc_now())
        if answer is not None and answer.ended_at is not None:
            break
        if leader is None:
            raise LeaseHeld("the daemon ended before it answered: run the command again")
        time.sleep(_POLL_SECONDS)
    found = json.loads(answer.message)
    if "error" in found:
        raise Failed(found["error"], answer.exit_code or 1)
    found.pop("exit_code")
    return Report(**found)
