"""The routes of the SCIM service, and the application they make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.scim.access import Access
from bridge.scim.endpoint import Answering, Endpoint
from bridge.scim.gate import Gate, Observe
from bridge.scim.reader import Reader
from bridge.scim.shelf import Shelf
from bridge.scim.usage import Usage
from bridge.scim.v2_0 import Version2
from bridge.settings import Settings
from bridge.store import Store
from bridge.store.database import is_sqlite
from bridge.store.pages import Pages

_DISK = Path("/var/tmp")
"""Where answers are laid aside without a store's folder to lie in; /tmp may be memory."""


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
    pages = Pages(store, settings.filter_seconds)
    in_file = is_sqlite(store.url)
    shelf = Shelf(Path(str(store.url.database)).parent if in_file else _DISK)
    store.at_close.callback(shelf.close)
    reader = Reader(pages, dialect, usage, shelf, inline=in_file)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with usage.written():
            yield
        pages.close()
        shelf.close()

    scim = _routes(reader)
    app = Starlette(routes=[*scim, *routes], lifespan=lifespan)
    # The one layer before the routes: Starlette's own would turn errors into other answers.
    access = Access(store, usage)
    app.middleware_stack = Gate(_straight(app.router, scim), access, dialect, needs_token, observe)
    app.router.redirect_slashes = False  # the gate has taken them off
    return app


def _straight(router: ASGIApp, routes: Iterable[Route]) -> ASGIApp:
    """Takes a path without parameters straight to its endpoint, any other to the router.

    To look for it among patterns would cost a tenth of the answer to a page.
    """
    endpoints: dict[str, ASGIApp] = {
        route.path: route.endpoint for route in routes if not route.param_convertors
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = endpoints.get(scope["path"])
        if endpoint is None:
            await router(scope, receive, send)
        else:
            scope["endpoint"] = endpoint
            await endpoint(scope, receive, send)

    return app


def _routes(reader: Reader) -> list[Route]:
    dialect = reader.dialect
    routes = []

    def add(path: str, answers: Mapping[str, Answering], *unsupported: str) -> None:
        path = f"{dialect.root}/{path}"
        routes.append(Route(path, Endpoint(path, answers, unsupported)))

    for kind, name in dialect.endpoints.items():
        add(name, {"GET": reader.listing(kind)}, "POST")
        add(f"{name}/.search", {"POST": reader.search((kind,))})
        add(f"{name}/{{id}}", {"GET": reader.one(kind)}, "PUT", "PATCH", "DELETE")
    add(".search", {"POST": reader.search(tuple(dialect.endpoints))})
    for name in dialect.discovery_endpoints:
        add(name, {"GET": reader.discovery})
        add(f"{name}/{{id}}", {"GET": reader.discovery})
    return routes
