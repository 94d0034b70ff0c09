"""Connections of clients that are slow, send too much or do not speak HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from bridge.app.connection import Connection
from tests.processes import PATIENCE, wait_until

WHOLE = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
BODY = b"x" * 50_000_000
"""More than the buffers between two sockets take."""


class Hasty(Connection):
    request_seconds = 0.3
    answer_seconds = 0.3


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    body = BODY if scope["path"] == "/much" else b"ok"
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(protocol: type[Connection]) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(answer, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started, "the server")
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


@pytest.fixture(scope="module")
def hasty() -> Iterator[tuple[str, int]]:
    with serving(Hasty) as address:
        yield address


@pytest.fixture(scope="module")
def patient() -> Iterator[tuple[str, int]]:
    with serving(Connection) as address:
        yield address


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=PATIENCE) as client:
        yield client


def rest(client: socket.socket) -> bytes:
    """What still comes until the server closes; a reset is an end too."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while chunk := client.recv(65_536):
            received += chunk
    return bytes(received)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /x HT",
        b"GET /x HTTP/1.1\r\nHost: h\r\n",
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf",
        WHOLE + b"GET /y",
    ],
)
def test_a_request_that_does_not_arrive_is_not_waited_for(
    begun: bytes, hasty: tuple[str, int]
) -> None:
    with connected(hasty) as client:
        client.sendall(begun)
        rest(client)


def test_a_client_that_drips_is_cut(hasty: tuple[str, int]) -> None:
    with connected(hasty) as client:
        client.sendall(b"GET /x HTTP/1.1\r\n")
        wait_until(lambda: is_cut(client, b"a: b\r\n"), "the end")


def test_a_client_that_takes_no_answer_is_cut(hasty: tuple[str, int]) -> None:
    with connected(hasty) as client:
        client.sendall(b"GET /much HTTP/1.1\r\nHost: h\r\n\r\n")
        wait_until(lambda: client.recv(1) and is_cut(client), "the end")


def is_cut(client: socket.socket, piece: bytes = b"\r\n") -> bool:
    """Whether the server has reset the connection, by writing to it."""
    try:
        client.send(piece)
    except OSError:
        return True
    return False


def test_who_takes_an_answer_gets_it_whole(patient: tuple[str, int]) -> None:
    with connected(patient) as client:
        client.sendall(b"GET /much HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert rest(client).endswith(BODY)


def test_requests_one_after_another_are_not_cut(patient: tuple[str, int]) -> None:
    with connected(patient) as client:
        for piece in (WHOLE, WHOLE[:9], WHOLE[9:], WHOLE + WHOLE[:5], WHOLE[5:]):
            client.sendall(piece)
        last = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        client.sendall(last)
        assert rest(client).count(b"HTTP/1.1 200 OK") == 5


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /x HTTP/9.9\r\n\r\n", 400),
        (b"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_in_scim(
    sent: bytes, status: int, patient: tuple[str, int]
) -> None:
    with connected(patient) as client:
        client.sendall(sent)
        assert_refused(rest(client), status)


@pytest.mark.parametrize("piece", [b"x-long: " + b"a" * 8000 + b"\r\n", b"a" * 8000])
def test_endless_headers_are_refused(piece: bytes, patient: tuple[str, int]) -> None:
    with connected(patient) as client:
        client.sendall(b"GET /x HTTP/1.1\r\n")
        for _ in range(9):
            client.sendall(piece)
        assert_refused(rest(client), 431)


def test_a_websocket_is_not_opened(patient: tuple[str, int]) -> None:
    with connected(patient) as client:
        client.sendall(
            b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 OK")


def assert_refused(received: bytes, status: int) -> None:
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/scim+json" in head
    assert orjson.loads(body)["status"] == str(status)
