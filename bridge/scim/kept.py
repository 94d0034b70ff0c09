"""Plain pages of people, kept as they were answered for as long as nothing in them changes.

Clients walk the whole list again and again, and hardly anything of it changes in between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from bridge.model import Kind, Latest, Page, Query, Stamp
from bridge.scim import query
from bridge.scim.dialect import Dialect, Part
from bridge.store.pages import Pages, stamp_of

_MOST = 24_000_000
"""Bytes of answers that are kept, those that were asked for last."""
_MORE = frozenset(("filter", "attributes", "excludedattributes"))
"""The parameters that ask for something else than a plain page."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a query, good while the store's page has that stamp.

    ``latest`` is the last publication after which that was looked at.
    """

    query: Query
    stamp: Stamp
    body: bytes
    latest: Latest


class Kept:
    """Answers lists of people; ``read`` calls a method of ``pages`` where it may wait."""

    def __init__(
        self,
        pages: Pages,
        dialect: Dialect,
        read: Callable[..., Awaitable[Any]],
        most: int = _MOST,
    ) -> None:
        self._pages = pages
        self._dialect = dialect
        self._read = read
        self._most = most
        self._bytes = 0
        self._answers: OrderedDict[bytes, Answered] = OrderedDict()

    async def answer(self, query_string: bytes, latest: Latest) -> Answered | None:
        """The answer as of now, or of a moment after ``latest``; None where more is asked."""
        kept = self._answers.get(query_string)
        if kept is not None and kept.latest == latest:
            self._answers.move_to_end(query_string)
            return kept
        asked = kept.query if kept else _plain(query_string)
        if asked is None:
            return None
        if kept is not None and kept.stamp == await self._read(self._pages.stamp, asked):
            answered = replace(kept, latest=latest)
        else:
            page: Page = await self._read(self._pages.page, asked)
            body = self._dialect.listing(asked.start, (Part(asked.kind, page),))
            answered = Answered(asked, stamp_of(page), body, latest)
        self._keep(query_string, answered)
        return answered

    def _keep(self, query_string: bytes, answered: Answered) -> None:
        old = self._answers.pop(query_string, None)
        self._bytes += len(answered.body) - (len(old.body) if old else 0)
        self._answers[query_string] = answered
        while self._bytes > self._most:
            _, given_up = self._answers.popitem(last=False)
            self._bytes -= len(given_up.body)


def _plain(query_string: bytes) -> Query | None:
    given = query.parameters(query_string)
    return query.parse(Kind.USER, given, {}) if _MORE.isdisjoint(given) else None
