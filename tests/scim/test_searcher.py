"""Searches wait for each other, not for ever, and what takes too long is refused."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

import pytest

from bridge.model import Kind, Page, Query
from bridge.scim import searcher
from bridge.scim.errors import ScimError
from bridge.scim.searcher import Searcher
from bridge.store.pages import Pages
from bridge.store.readers import Interrupted

QUERY = Query(Kind.USER)


class Slow:
    """Pages that are not found until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.under_way = self.most = 0
        self._lock = threading.Lock()

    def page(self, query: Query) -> Page:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.go.wait(30)
        with self._lock:
            self.under_way -= 1
        return Page(7)


class TooLong:
    def page(self, query: Query) -> Page:
        raise Interrupted("a search took too long")


def test_a_few_searches_run_at_once_and_the_others_after_them() -> None:
    slow = Slow()

    async def run() -> list[Page]:
        searches = Searcher(cast(Pages, slow))
        waiting = [asyncio.create_task(searches.page(QUERY)) for _ in range(5)]
        while slow.under_way < searcher._AT_ONCE:
            await asyncio.sleep(0.001)
        slow.go.set()
        return await asyncio.gather(*waiting)

    assert [page.total for page in asyncio.run(run())] == [7] * 5
    assert slow.most == searcher._AT_ONCE


def test_who_would_wait_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "_WAIT", 0.01)
    slow = Slow()

    async def run() -> ScimError:
        searches = Searcher(cast(Pages, slow))
        running = [asyncio.create_task(searches.page(QUERY)) for _ in range(searcher._AT_ONCE)]
        while slow.under_way < searcher._AT_ONCE:
            await asyncio.sleep(0.001)
        with pytest.raises(ScimError) as refused:
            await searches.page(QUERY)
        slow.go.set()
        await asyncio.gather(*running)
        return refused.value

    refused = asyncio.run(run())
    assert (refused.status, refused.headers) == (429, {"retry-after": "1"})


def test_a_search_that_takes_too_long_is_refused_and_leaves_its_place() -> None:
    async def run() -> list[tuple[int, str]]:
        searches = Searcher(cast(Pages, TooLong()))
        found = []
        for _ in range(searcher._AT_ONCE + 1):
            with pytest.raises(ScimError) as refused:
                await searches.page(QUERY)
            found.append((refused.value.status, refused.value.scim_type))
        return found

    assert set(asyncio.run(run())) == {(400, "tooMany")}
