"""``/healthz``, ``/healthz/fresh`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bridge.health import freshness
from bridge.health.metrics import Metrics
from bridge.settings import Settings
from bridge.store import Store

_METRICS = "/metrics"
_FORWARDED = {b"x-forwarded-for", b"forwarded"}


class Health:
    """The routes that tell how the bridge is; ``certificate_ends`` is of the web role's own."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        certificate_ends: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._store = store
        self._networks = settings.metrics_networks
        self._metrics = Metrics(store, certificate_ends)
        self.observe = self._metrics.observe

    def routes(self) -> list[Route]:
        answers = {"/healthz": _alive, "/healthz/fresh": self._fresh, _METRICS: self._figures}
        return [
            Route(path, _Endpoint(path, answer), methods=["GET"])
            for path, answer in answers.items()
        ]

    def needs_token(self, scope: Scope) -> bool:
        """Whether a request asks for what is not for everybody.

        The metrics are for this machine, for ``metrics_from``, and for who has a token. What a
        proxy hands on never counts as this machine's.
        """
        if scope["path"] != _METRICS:
            return False
        if any(name in _FORWARDED for name, _ in scope["headers"]) or not scope.get("client"):
            return True
        try:
            address = ip_address(scope["client"][0])
        except ValueError:
            return True
        if isinstance(address, IPv6Address):  # how a socket of IPv6 shows a client of IPv4
            address = address.ipv4_mapped or address
        return not (address.is_loopback or any(address in each for each in self._networks))

    async def _fresh(self) -> Response:
        found = await run_in_threadpool(self._reasons)
        body = {"fresh": not found, "reasons": found}
        return JSONResponse(body, status_code=503 if found else 200)

    async def _figures(self) -> Response:
        text = await run_in_threadpool(self._metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    def _reasons(self) -> list[str]:
        with self._store.read() as connection:
            return freshness.reasons(connection, datetime.now(UTC))


async def _alive() -> Response:
    return JSONResponse({"alive": True})


class _Endpoint:
    """One route's ASGI application; being ``quiet``, it is not worth a line of the log."""

    quiet = True

    def __init__(self, route: str, answer: Callable[[], Awaitable[Response]]) -> None:
        self.route = route
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer()
        await response(scope, receive, send)
