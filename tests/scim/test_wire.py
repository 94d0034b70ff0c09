"""A running bridge, asked byte for byte: what HTTP itself brings along."""

from __future__ import annotations

import socket
from io import BufferedReader
from typing import NamedTuple

import orjson

from tests.processes import PATIENCE, Bridge

SEARCH = b'{"count": 1}'
REQUESTS: list[tuple[bytes, int]] = [
    (b"GET /scim/v2/Users HTTP/1.1", 200),
    (b"HEAD /scim/v2/Users HTTP/1.1", 200),
    (b"HEAD /scim/v2/Users/nobody HTTP/1.1", 404),
    (b"OPTIONS /scim/v2/Users HTTP/1.1", 204),
    (b"OPTIONS * HTTP/1.1", 404),
    (b"GET http://other.example/scim/v2/Users HTTP/1.1", 200),
    (b"GET /scim/v2/%55sers HTTP/1.1", 200),
    (b"GET /scim/v2//Users/ HTTP/1.1", 200),
    (b"GET /scim/v2/Users/%ff%00 HTTP/1.1", 404),
    (b"GET /scim/v2/Users/..%2f..%2fmetrics HTTP/1.1", 404),
    (b"GET /scim/v2/Users?filter=%ff HTTP/1.1", 400),
    (b"GET /scim/v2/Users?filter=%00 HTTP/1.1", 400),
    (b"GET /scim/v2/Users?" + b"a" * 17_000 + b" HTTP/1.1", 414),
    (b"BREW /scim/v2/Users HTTP/1.1", 400),
    (b"TRACE /scim/v2/Users HTTP/1.1", 405),
    (b"PROPFIND /scim/v2/Users HTTP/1.1", 405),
    (b"GET /scim/v2/Users HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket", 200),
    (b"GET /scim/v2/Users HTTP/1.1\r\nIf-None-Match: *\r\nRange: bytes=0-1", 200),
    (b"POST /scim/v2/Users HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 501),
    (b"POST /scim/v2/.search HTTP/1.1\r\nContent-Length: 12\r\n\r\n" + SEARCH, 200),
    (
        b"POST /scim/v2/.search HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\n" + SEARCH[:5] + b"\r\n7\r\n" + SEARCH[5:] + b"\r\n0\r\n\r\n",
        200,
    ),
    (b"POST /scim/v2/.search HTTP/1.1\r\nContent-Length: 0", 400),
    (b"POST /scim/v2/.search HTTP/1.1\r\nContent-Length: 99999999", 413),
]


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def asked(address: tuple[str, int], request: bytes, token: str) -> list[Reply]:
    """The answers to a request and, where the connection stays, to one more after it."""
    line, _, rest = request.partition(b"\r\n")
    head = line + b"\r\nHost: bridge.example\r\nAuthorization: Bearer " + token.encode()
    ends = b"" if b"\r\n\r\n" in rest else b"\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: bridge.example\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address, timeout=PATIENCE) as client:
        client.sendall(head + b"\r\n" + rest + ends if rest else head + ends)
        stream = client.makefile("rb")
        first = read(stream, head=line.startswith(b"HEAD"))
        if first.headers.get("connection") == "close":
            assert stream.read() == b""
            return [first]
        client.sendall(last)
        return [first, read(stream, head=False)]


def read(stream: BufferedReader, head: bool) -> Reply:
    status = int(stream.readline().split()[1])
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    length = 0 if head else int(headers.get("content-length", 0))
    return Reply(status, headers, stream.read(length))


def test_every_request_is_answered_in_scim_and_the_connection_goes_on(bridge: Bridge) -> None:
    host, _, port = bridge.settings["BRIDGE_LISTEN"].partition(":")
    with bridge.start("serve", "--new-token", "wire") as running:
        token = running.wait_for("Token").split()[1]
        running.wait_for("curl")
        for request, status in REQUESTS:
            reply, *after = asked((host, int(port)), request, token)
            assert (request, reply.status) == (request, status)
            assert status in (400, 413) or [each.status for each in after] == [200]
            if reply.body:
                assert reply.headers["content-type"] == "application/scim+json"
                assert orjson.loads(reply.body)["schemas"]
            else:
                assert request.startswith(b"HEAD") or status == 204
        assert running.end() == 0
    assert "Traceback" not in "".join(running.err)
