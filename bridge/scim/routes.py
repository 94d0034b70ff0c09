"""The routes of the SCIM service, and the application they make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn, ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bridge.model import Kind
from bridge.scim import query
from bridge.scim.access import Access
from bridge.scim.answer import Answer, NotModified
from bridge.scim.dialect import Dialect, etag
from bridge.scim.errors import ScimError, later
from bridge.scim.gate import Gate, Observe
from bridge.scim.usage import Usage
from bridge.scim.v2_0 import Version2
from bridge.settings import Settings
from bridge.store import Store
from bridge.store.database import is_sqlite
from bridge.store.pages import Pages

P = ParamSpec("P")
T = TypeVar("T")

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_FIRST_LOAD_RETRY = 60


def application(
    store: Store,
    settings: Settings,
    routes: Sequence[BaseRoute] = (),
    needs_token: Callable[[Scope], bool] = lambda scope: False,
    observe: Observe = lambda route, status, seconds: None,
) -> Starlette:
    """The web role's ASGI application: SCIM 2.0 under ``/scim/v2``.

    It reads ``store`` and writes nothing but when tokens were used and lists read to their end.
    ``routes`` are further ones, anywhere but under ``/scim``, which ask for a token where
    ``needs_token`` says so. ``observe`` is told of every request.
    """
    dialect = Version2(settings.base_url)
    usage = Usage(store.url)
    pages = Pages(store)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with usage.written():
            yield
        pages.close()

    app = Starlette(
        routes=[*_routes(Reader(pages, dialect, usage, inline=is_sqlite(store.url))), *routes],
        middleware=[
            Middleware(
                Gate,
                access=Access(store, usage),
                dialect=dialect,
                needs_token=needs_token,
                observe=observe,
            )
        ],
        exception_handlers={HTTPException: _pass_on},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # the gate has taken them off
    return app


async def _pass_on(_: Request, error: Exception) -> NoReturn:
    """Leave Starlette's own errors to the gate, which speaks SCIM."""
    raise error


class Endpoint:
    """One route's ASGI application; its ``route`` stands in the access log."""

    def __init__(self, route: str, answer: Callable[[Scope], Awaitable[Answer]]) -> None:
        self.route = route
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope)
        await answer(scope, receive, send)


class Reader:
    """Answers requests from the store's pages, in one dialect."""

    def __init__(self, pages: Pages, dialect: Dialect, usage: Usage, inline: bool) -> None:
        self.dialect = dialect
        self._pages = pages
        self._usage = usage
        self._inline = inline

    def listing(self, kind: Kind) -> Callable[[Scope], Awaitable[Answer]]:
        async def answer(scope: Scope) -> Answer:
            await self._need_serving()
            asked = query.parse(kind, scope["query_string"])
            page = await self._read(self._pages.page, asked)
            if asked.match is None and asked.count and asked.start + asked.count > page.total:
                self._usage.note_walk(scope["client_of_token"].token_id, kind, page.total)
            return Answer(self.dialect.listing(asked, page), self.dialect.media_type)

        return answer

    def one(self, kind: Kind) -> Callable[[Scope], Awaitable[Answer]]:
        async def answer(scope: Scope) -> Answer:
            await self._need_serving()
            row = await self._read(self._pages.one, kind, scope["path_params"]["id"])
            if row is None:
                raise ScimError(404, f"There is no {kind} with this id.")
            tag = etag(row.publication)
            known = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
            if tag.removeprefix("W/") in known:  # weak comparison, RFC 9110 section 8.8.3.2
                return NotModified(tag)
            body = self.dialect.resource(kind, row)
            return Answer(body, self.dialect.media_type, headers={"etag": tag})

        return answer

    async def refuse_write(self, scope: Scope) -> Answer:
        await self._need_serving()
        raise ScimError(501, "This service is read-only: people are changed at their source.")

    async def discovery(self, scope: Scope) -> Answer:
        if "filter" in query.parameters(scope["query_string"]):
            # RFC 7644 section 4: or a client would believe that it had been applied.
            raise ScimError(403, "Discovery documents cannot be filtered.")
        documents = self.dialect.discovery(await self._read(self._pages.schemas))
        path = scope["path"].removeprefix(f"{self.dialect.root}/")
        if path not in documents:
            raise ScimError(404, "There is no such discovery document.")
        return Answer(documents[path], self.dialect.media_type)

    async def _need_serving(self) -> None:
        if not await self._read(self._pages.serving):
            raise later(503, "The first load has not been approved yet.", _FIRST_LOAD_RETRY)

    async def _read(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read the store: in place from a file, in a thread where a server may make us wait."""
        if self._inline:
            return read(*args, **kwargs)
        return await run_in_threadpool(read, *args, **kwargs)


def _routes(reader: Reader) -> list[Route]:
    root = reader.dialect.root
    routes = []

    def add(path: str, answer: Callable[[Scope], Awaitable[Answer]], *methods: str) -> None:
        routes.append(Route(path, Endpoint(path, answer), methods=methods))

    for kind, name in reader.dialect.endpoints.items():
        add(f"{root}/{name}", reader.listing(kind), "GET")
        add(f"{root}/{name}/{{id}}", reader.one(kind), "GET")
        add(f"{root}/{name}", reader.refuse_write, *_WRITES)
        add(f"{root}/{name}/{{id}}", reader.refuse_write, *_WRITES)
    for name in reader.dialect.discovery_endpoints:
        add(f"{root}/{name}", reader.discovery, "GET")
        add(f"{root}/{name}/{{id}}", reader.discovery, "GET")
    return routes
