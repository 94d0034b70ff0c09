"""Plain pages of people, kept as they were answered for as long as nothing in them changes.

Clients walk the whole list again and again, and hardly anything of it changes in between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from bridge.model import Kind, Latest, Page, Query, Stamp
from bridge.scim import query
from bridge.scim.dialect import Dialect, Part
from bridge.scim.shelf import Shelf
from bridge.store.pages import Pages, stamp_of

_MORE = frozenset(("filter", "attributes", "excludedattributes"))
"""The parameters that ask for something else than a plain page."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a query, good while the store's page has that stamp.

    ``latest`` is the last publication after which that was looked at.
    """

    query: Query
    stamp: Stamp
    latest: Latest


class Kept:
    """Answers lists of people; ``read`` calls a method of ``pages`` where it may wait."""

    def __init__(
        self,
        pages: Pages,
        dialect: Dialect,
        read: Callable[..., Awaitable[Any]],
        shelf: Shelf,
    ) -> None:
        self._pages = pages
        self._dialect = dialect
        self._read = read
        self._shelf = shelf
        self._answered: dict[bytes, Answered] = {}

    async def answer(self, query_string: bytes, latest: Latest) -> tuple[Answered, bytes] | None:
        """The answer as of now, or of a moment after ``latest``; None where more is asked."""
        kept = self._answered.get(query_string)
        if kept is not None and (kept.latest == latest or await self._still(kept)):
            body = self._shelf.get(query_string)
            if body is not None:
                if kept.latest != latest:
                    kept = self._answered[query_string] = replace(kept, latest=latest)
                return kept, body
        asked = kept.query if kept else _plain(query_string)
        if asked is None:
            return None
        page: Page = await self._read(self._pages.page, asked)
        body = self._dialect.listing(asked.start, (Part(asked.kind, page),))
        answered = Answered(asked, stamp_of(page), latest)
        self._answered[query_string] = answered
        for forgotten in self._shelf.put(query_string, body):
            self._answered.pop(forgotten, None)
        return answered, body

    async def _still(self, kept: Answered) -> bool:
        """Whether nothing in a page has changed since it was answered."""
        return bool(kept.stamp == await self._read(self._pages.stamp, kept.query))


def _plain(query_string: bytes) -> Query | None:
    given = query.parameters(query_string)
    return query.parse(Kind.USER, given, {}) if _MORE.isdisjoint(given) else None
