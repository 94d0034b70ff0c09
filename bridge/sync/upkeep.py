"""Forgetting what is older than the settings want it kept, in small transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bridge.store import Store, retention
from bridge.store.retention import Keep


def forget(
    store: Store, keep: Keep, now: datetime, between: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Take out what is too old and say how much of what that was.

    ``between`` is called before every transaction; what it raises ends the work where it is.
    """
    done: dict[str, int] = {}
    for what, step in retention.steps(keep, now).items():
        while True:
            between()
            with store.write() as connection:
                count = step(connection)
            if not count:
                break
            done[what] = done.get(what, 0) + count
    return done
