"""An ordinary `httpx.Client` whose requests are answered by an application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from starlette.applications import Starlette


class _Transport(httpx.BaseTransport):
    def __init__(self, app: Starlette, loop: asyncio.AbstractEventLoop, address: str) -> None:
        self._asgi = httpx.ASGITransport(app, client=(address, 50000))
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=await answer.aread()
        )


@contextmanager
def client(app: Starlette, token: str, address: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """A client of ``app`` at an address, which lives as long as the block."""
    loop = asyncio.new_event_loop()
    lifespan = app.router.lifespan_context(app)
    loop.run_until_complete(lifespan.__aenter__())
    try:
        with httpx.Client(
            transport=_Transport(app, loop, address),
            base_url="https://bridge.example.com",
            headers={"Authorization": f"Bearer {token}"},
        ) as made:
            yield made
    finally:
        loop.run_until_complete(lifespan.__aexit__(None, None, None))
        loop.close()
