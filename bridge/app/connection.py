"""A client's connection: uvicorn's, given up where a client is too slow or sends too much."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bridge.scim.errors import ScimError
from bridge.scim.v2_0 import Version2


class Connection(HttpToolsProtocol):
    """Reads requests as uvicorn does, each of which has to arrive in time.

    uvicorn itself waits for ever, for a request and for its answer to be taken, and for headers
    of any length.
    """

    request_seconds = 30.0
    """From the first byte of a request to its last, and from the connection to the first."""
    answer_seconds = 60.0
    """For which an answer may wait to be taken; Okta does not wait longer either."""
    max_head = 65_536
    """Bytes of the request line and headers, counted by what arrives at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving = True
        self._in_head = True
        self._head = 0
        self._until_request: asyncio.TimerHandle | None = None
        self._until_taken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._until_request = self.loop.call_later(self.request_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._until_request, self._until_taken):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._arriving = True
        self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > self.max_head and not self.transport.is_closing():
            self._refuse(ScimError(431, f"The headers are longer than {self.max_head} bytes."))
        # Most requests arrive at once, and cost no timer.
        if not self._arriving and self._until_request is not None:
            self._until_request.cancel()
            self._until_request = None
        elif self._arriving and self._until_request is None:
            self._until_request = self.loop.call_later(self.request_seconds, self.transport.abort)

    def on_message_begin(self) -> None:
        self._arriving = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._arriving = False
        self._head = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._until_taken = self.loop.call_later(self.answer_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._until_taken is not None:
            self._until_taken.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(ScimError(400, "The request is not one of HTTP."))

    def _refuse(self, error: ScimError) -> None:
        body = Version2.error(error)
        head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (
            Version2.media_type.encode(),
            len(body),
        )
        self.transport.write(STATUS_LINE[error.status] + head + body)
        self.transport.close()
