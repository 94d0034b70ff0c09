"""Searches that read everybody: a few at a time, none for long, beside all other requests."""

from __future__ import annotations

from anyio import CapacityLimiter, fail_after, to_thread

from bridge.model import Page, Query
from bridge.scim.errors import ScimError, later
from bridge.store.pages import Pages
from bridge.store.readers import Interrupted

_AT_ONCE = 2
_WAIT = 10.0
"""Seconds that a search waits for others, and then is asked to wait again."""


class Searcher:
    """Reads pages in threads of its own, so that no search keeps a plain page waiting."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._places = CapacityLimiter(_AT_ONCE)
        self._threads = CapacityLimiter(_AT_ONCE)

    async def page(self, query: Query) -> Page:
        """The page of a search.

        Raises `ScimError` 400 ``tooMany`` where it takes longer than it may, and 429 where others
        are under way all the time.
        """
        try:
            with fail_after(_WAIT):
                await self._places.acquire()
        except TimeoutError:
            raise later(429, "Too many searches are under way.", _WAIT) from None
        try:
            return await to_thread.run_sync(self._pages.page, query, limiter=self._threads)
        except Interrupted:
            detail = "The filter takes too long: compare an attribute that is indexed as well."
            raise ScimError(400, detail, "tooMany") from None
        finally:
            self._places.release()
