"""When each token was last used and read a list to its end, noted beside the store now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import time

import structlog
from sqlalchemy import URL
from starlette.concurrency import run_in_threadpool

from bridge.errors import StorageError
from bridge.model import Kind
from bridge.store.activity import Activity, Use, Walk

_log = structlog.get_logger("bridge.scim")

_EVERY = 5.0
"""Seconds between two writes."""
_AGENT = 200
"""As much of the client's name for itself is kept."""


class Usage:
    """Remembers the last use of each token and its last walk of each list; writes in batches.

    ``url`` is the store's. That a use cannot be noted stops nobody from reading.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._activity: Activity | None = None
        self._noted: dict[int, tuple[float, str, bytes]] = {}
        self._walked: dict[tuple[int, Kind], Walk] = {}

    def note(self, token_id: int, address: str, user_agent: bytes) -> None:
        """A token was used just now; nothing is written yet."""
        self._noted[token_id] = (time(), address, user_agent)

    def note_walk(self, token_id: int, kind: Kind, total: int) -> None:
        """The end of an unfiltered list was read just now; nothing is written yet."""
        self._walked[token_id, kind] = Walk(token_id, kind.value, datetime.now(UTC), total)

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Write what was noted every few seconds while the context lasts, and at its end."""
        stop = asyncio.Event()
        writing = asyncio.create_task(self._write_until(stop))
        try:
            yield
        finally:
            stop.set()
            await writing
            await self._flush()
            if self._activity is not None:
                self._activity.close()

    async def _write_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY)
            await self._flush()

    async def _flush(self) -> None:
        noted, self._noted = self._noted, {}
        walked, self._walked = self._walked, {}
        if noted:
            uses = [
                Use(id, datetime.fromtimestamp(at, UTC), address, agent[:_AGENT].decode("latin-1"))
                for id, (at, address, agent) in noted.items()
            ]
            await run_in_threadpool(self._write, uses, [*walked.values()])

    def _write(self, uses: list[Use], walks: list[Walk]) -> None:
        try:
            if self._activity is None:
                self._activity = Activity.open(self._url)
            self._activity.note(uses, walks)
        except StorageError as error:
            _log.warning("the last use of a token was not noted", reason=str(error))
