"""What every request passes: the token, the answer to errors, the access log."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from time import perf_counter
from traceback import walk_tb

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.errors import StorageError
from bridge.scim.access import Access
from bridge.scim.answer import Answer
from bridge.scim.dialect import Dialect
from bridge.scim.errors import ScimError, later

_log = structlog.get_logger("bridge.scim")

_MAX_URL = 16_384
"""Bytes of path and query; a filter has a tighter bound of its own."""
_STORE_RETRY = 30


Observe = Callable[[str, int, float], None]
"""Told of every request: its route, empty where there is none, the status, and the seconds."""


class Gate:
    """ASGI middleware, the one place where an error becomes an answer.

    Everything under ``/scim`` needs a token, unknown paths included, and so does whatever
    ``needs_token`` says. The log names the route and never what came in the URL: a filter or a
    path may hold a person's name.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        dialect: Dialect,
        needs_token: Callable[[Scope], bool],
        observe: Observe,
    ) -> None:
        self._app = app
        self._access = access
        self._dialect = dialect
        self._needs_token = needs_token
        self._observe = observe
        # Bound once: to do so for every request would cost as much as the line itself.
        self._log = _log.bind()
        self._answered: list[tuple[object, str, int, float, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0
        client = ""

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            path: str = scope["path"]
            if len(path) + len(scope["query_string"]) > _MAX_URL:
                raise ScimError(414, f"The URL is longer than {_MAX_URL} bytes.")
            while "//" in path:  # a base URL that ends with a slash gives two
                path = path.replace("//", "/")
            under_scim = path == "/scim" or path.startswith("/scim/")
            if under_scim:
                scope["path"] = path.rstrip("/")
            if under_scim or self._needs_token(scope):
                admitted = scope["client_of_token"] = await self._access.admit(scope)
                client = admitted.name
            await self._app(scope, receive, observed)
        except Exception as error:
            if status:  # too late to say anything else; the server cuts the connection
                raise
            await self._answer(_told(error), scope, receive, observed)
        finally:
            if not self._answered:
                asyncio.get_running_loop().call_soon(self._tell)
            endpoint = scope.get("endpoint")
            self._answered.append(
                (endpoint, scope["method"], status, perf_counter() - started, client)
            )

    def _tell(self) -> None:
        """Count and log what was answered; together, as that costs half of one by one."""
        answered, self._answered = self._answered, []
        for endpoint, method, status, seconds, client in answered:
            route = getattr(endpoint, "route", "")
            self._observe(route, status, seconds)
            # Those who ask every few seconds whether all is well are not worth a line each.
            log = self._log.debug if getattr(endpoint, "quiet", False) else self._log.info
            log(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                client=client,
            )

    async def _answer(self, error: ScimError, scope: Scope, receive: Receive, send: Send) -> None:
        dialect = self._dialect
        answer = Answer(dialect.error(error), dialect.media_type, error.status, error.headers)
        await answer(scope, receive, send)


def _told(error: Exception) -> ScimError:
    """What a client is told of an error; what it is not told goes to the log."""
    match error:
        case ScimError():
            return error
        case HTTPException():
            detail = f"{HTTPStatus(error.status_code).phrase}."
            told = ScimError(error.status_code, detail)
            told.headers.update(error.headers or {})
            return told
        case StorageError():
            _log.error("the store cannot be read", reason=str(error))
            return later(503, "The store cannot be read just now.", _STORE_RETRY)
    reference = uuid.uuid4().hex[:12]
    # The message of an unforeseen error may hold a person's values: where it happened is enough.
    places = [
        f"{Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    _log.error(
        "unforeseen error", reference=reference, error=type(error).__name__, places=places[-12:]
    )
    return ScimError(500, f"Something went wrong here; the log knows it as {reference}.")
