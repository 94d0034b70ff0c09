"""An answer ready to send: status, headers and bytes."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send


class Answer:
    """A response whose body is bytes already; it does what Starlette's does, and no more."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: bytes,
        media_type: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        if headers:
            self.headers += [(name.lower().encode(), v.encode()) for name, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})


class NoContent(Answer):
    """An answer that has no body and no length: 204 and 304 (RFC 9110 section 8.6)."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status = status
        self.body = b""
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]
