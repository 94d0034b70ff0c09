"""Requests answered from the store's pages, in one dialect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope

from bridge.model import Kind, Latest, Page, Query
from bridge.scim import projection, query, search_request
from bridge.scim.answer import Answer, NoContent
from bridge.scim.dialect import Dialect, Part
from bridge.scim.endpoint import Answering
from bridge.scim.errors import ScimError, later
from bridge.scim.etags import etag, is_known
from bridge.scim.kept import Kept
from bridge.scim.searcher import Searcher
from bridge.scim.shelf import Shelf
from bridge.scim.usage import Usage
from bridge.store.pages import Pages

P = ParamSpec("P")
T = TypeVar("T")

_FIRST_LOAD_RETRY = 60


class Reader:
    """Makes what answers each kind of request; ``inline`` reads the store without a thread."""

    def __init__(
        self, pages: Pages, dialect: Dialect, usage: Usage, shelf: Shelf, inline: bool
    ) -> None:
        self.dialect = dialect
        self._pages = pages
        self._usage = usage
        self._inline = inline
        self._searcher = Searcher(pages)
        self._last: Latest | None = None
        self._looked = False
        self._kept = Kept(pages, dialect, self._read, shelf)

    def listing(self, kind: Kind) -> Answering:
        async def answer(scope: Scope, _: Receive) -> Answer:
            query_string = scope["query_string"]
            latest = await self._latest()
            if latest is None:
                raise _not_yet()
            if kind is Kind.USER and (found := await self._kept.answer(query_string, latest)):
                answered, body = found
                start, end = answered.query.start, answered.query.start + answered.query.count
                self._note_walk(scope, kind, start, end, answered.stamp.total)
                return Answer(body, self.dialect.media_type)
            return await self._list(scope, (kind,), query.parameters(query_string))

        return answer

    def search(self, kinds: Sequence[Kind]) -> Answering:
        async def answer(scope: Scope, receive: Receive) -> Answer:
            await self._need_serving()
            return await self._list(scope, kinds, await search_request.parameters(scope, receive))

        return answer

    def one(self, kind: Kind) -> Answering:
        async def answer(scope: Scope, _: Receive) -> Answer:
            await self._need_serving()
            wanted = projection.parse(kind, query.parameters(scope["query_string"]))
            members = wanted is None or wanted.wants("members")
            row = await self._read(self._pages.one, kind, scope["path_params"]["id"], members)
            if row is None:
                raise ScimError(404, f"There is no {kind} with this id.")
            tag = etag(row.publication)
            if is_known(tag, scope["headers"]):
                return NoContent(304, etag=tag)
            body = self.dialect.resource(kind, row)
            if wanted:
                body = wanted.of(body)
            return Answer(body, self.dialect.media_type, headers={"etag": tag})

        return answer

    async def discovery(self, scope: Scope, _: Receive) -> Answer:
        if "filter" in query.parameters(scope["query_string"]):
            # RFC 7644 section 4: or a client would believe that it had been applied.
            raise ScimError(403, "Discovery documents cannot be filtered.")
        documents = self.dialect.discovery(await self._read(self._pages.schemas))
        path = scope["path"].removeprefix(f"{self.dialect.root}/")
        if path not in documents:
            raise ScimError(404, "There is no such discovery document.")
        return Answer(documents[path], self.dialect.media_type)

    def _note_walk(self, scope: Scope, kind: Kind, start: int, end: int, total: int) -> None:
        if start < end and end > total:
            self._usage.note_walk(scope["client_of_token"].token_id, kind, total)

    async def _list(self, scope: Scope, kinds: Sequence[Kind], given: Mapping[str, str]) -> Answer:
        filtered = "filter" in given
        custom = await self._read(self._pages.schemas) if filtered else {}
        parts: list[Part] = []
        total = 0
        for kind in kinds:
            asked = query.parse(kind, given, custom, anywhere=len(kinds) > 1)
            wanted = projection.parse(kind, given)
            start, end = asked.start, asked.start + asked.count
            if total or wanted:
                first = max(1, start - total)
                asked = replace(
                    asked,
                    start=first,
                    count=max(0, end - total - first),
                    members=wanted is None or wanted.wants("members"),
                )
            page = await self._page(asked)
            parts.append(Part(kind, page, wanted))
            total += page.total
        if len(kinds) == 1 and not filtered:
            self._note_walk(scope, kinds[0], start, end, total)
        return Answer(self.dialect.listing(start, parts), self.dialect.media_type)

    async def _page(self, asked: Query) -> Page:
        if self._pages.quick(asked):
            return await self._read(self._pages.page, asked)
        return await self._searcher.page(asked)

    async def _latest(self) -> Latest | None:
        """The last publication, looked up once for all requests that had come in by then."""
        if not self._inline:
            return await run_in_threadpool(self._pages.latest)
        if not self._looked:
            self._last, self._looked = self._pages.latest(), True
            # Whoever is answered before this is called had asked before it was looked up.
            asyncio.get_running_loop().call_soon(self._look_again)
        return self._last

    def _look_again(self) -> None:
        self._looked = False

    async def _need_serving(self) -> None:
        if not await self._read(self._pages.serving):
            raise _not_yet()

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the store: in place from a file, in a thread where a server may make us wait."""
        if self._inline:
            return read(*args, **kwargs)
        return await run_in_threadpool(read, *args, **kwargs)


def _not_yet() -> ScimError:
    return later(
        503, "Nothing is served yet: `bridge status` tells what it waits for.", _FIRST_LOAD_RETRY
    )
