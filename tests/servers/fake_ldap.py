"""An LDAP server of a few lines, for what no real one can be made to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PAGING = b"1.2.840.113556.1.4.319"
DIRSYNC = b"1.2.840.113556.1.4.841"

Attributes = Mapping[str, Sequence[bytes]]


def ber(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def message(number: int, *parts: bytes) -> bytes:
    return ber(0x30, ber(0x02, bytes([number >> 8, number & 0xFF])), *parts)


def entry(dn: str, attributes: Attributes) -> bytes:
    """A SearchResultEntry (RFC 4511 section 4.5.2)."""
    listed = (
        ber(0x30, ber(0x04, name.encode()), ber(0x31, *(ber(0x04, value) for value in values)))
        for name, values in attributes.items()
    )
    return ber(0x64, ber(0x04, dn.encode()), ber(0x30, *listed))


def result(tag: int, code: int, said: bytes = b"") -> bytes:
    return ber(tag, ber(0x0A, bytes([code])), ber(0x04), ber(0x04, said))


def paging(cookie: bytes) -> bytes:
    value = ber(0x30, ber(0x02, b"\0"), ber(0x04, cookie))
    return ber(0xA0, ber(0x30, ber(0x04, PAGING), ber(0x04, value)))


def dirsync(more: bool, token: bytes) -> bytes:
    """The control of an answer ([MS-ADTS] 3.1.1.3.4.1.3)."""
    value = ber(0x30, ber(0x02, bytes([more])), ber(0x02, b"\0"), ber(0x04, token))
    return ber(0xA0, ber(0x30, ber(0x04, DIRSYNC), ber(0x04, value)))


Pages = list[list[tuple[str, Attributes]]]
Faults = dict[int, list[int | str]]


@dataclass
class FakeLdap:
    """Answers every bind with yes and every search with ``pages``, one after the other; one that
    holds the bytes of a key of ``known`` with that entry alone.

    ``faults`` says what goes wrong at a page, counted from 0, and how often: a result code after
    half of the entries, or one of the words in `_answer`.

    With ``dirsync`` it speaks that too: whoever asks for the first time is told nothing and given
    a token, and whoever goes on from it is told those pages, unless ``dirsync_faults`` says what
    goes wrong; the first time is number -1 there.
    """

    pages: Pages = field(default_factory=list)
    faults: Faults = field(default_factory=dict)
    dirsync: Pages | None = None
    dirsync_faults: Faults = field(default_factory=dict)
    known: dict[bytes, tuple[str, Attributes]] = field(default_factory=dict)
    after_drop: dict[bytes, tuple[str, Attributes]] = field(default_factory=dict)
    bind_code: int = 0
    bind_message: bytes = b""
    bind_control: bytes = b""
    start_tls_code: int = 2
    after_start_tls: bytes = b""
    binds: int = 0
    searches: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def talk(self, client: socket.socket) -> None:
        """Answer one client until it goes."""
        with suppress(OSError, IndexError), client, client.makefile("rb") as stream:
            while True:
                content = _element(stream)
                size = content[1]
                number = int.from_bytes(content[2 : 2 + size], "big")
                operation = content[2 + size]
                if operation == 0x60:
                    self.binds += 1
                    client.sendall(message(number, result(0x61, self.bind_code, self.bind_message),
                                           self.bind_control))  # fmt: skip
                elif operation == 0x77:
                    answer = message(number, result(0x78, self.start_tls_code))
                    client.sendall(answer + self.after_start_tls)
                elif operation == 0x63:
                    self.searches += 1
                    if not self._search(client, number, content):
                        return
                else:
                    return

    def _search(self, client: socket.socket, number: int, request: bytes) -> bool:
        for key, one in self.known.items():
            if key in request:
                client.sendall(message(number, entry(*one)) + message(number, result(0x65, 0)))
                return True
        _, found, rest = request.rpartition(DIRSYNC)
        if found:
            if self.dirsync is None:
                client.sendall(message(number, result(0x65, 12)))
                return True
            token = rest.rpartition(b"\x04\x84")[2][4:]
            told: Pages = [*self.dirsync, []] if token else [[]]
            page = int(token[1:] or b"0")
            faults = self.dirsync_faults.get(page if token else -1)
            after = b"t%d" % min(page + 1, len(told) - 1)
            return self._answer(client, number, told, page, faults, after)
        # Control value: OCTET STRING { SEQUENCE { size, cookie } }; the cookie is a page number.
        _, found, rest = request.rpartition(PAGING)
        cookie = rest.rpartition(b"\x04")[2] if found else b""
        page = int(cookie[1:] or b"0")
        return self._answer(client, number, self.pages, page, self.faults.get(page))

    def _answer(
        self,
        client: socket.socket,
        number: int,
        pages: Pages,
        page: int,
        faults: list[int | str] | None,
        token: bytes | None = None,
    ) -> bool:
        """Answer with a page; whether the connection goes on after it."""
        people = pages[page]
        last = page + 1 == len(pages)
        fault = faults.pop(0) if faults else 0
        sent = people if fault in (0, "no control", "endless") else people[: len(people) // 2]
        for dn, attributes in sent:
            client.sendall(message(number, entry(dn, attributes)))
        done = result(0x65, fault if isinstance(fault, int) else 0)
        if token is None:
            more = paging(b"" if last else str(page + 1).encode())
            same = paging(str(page).encode())
        else:
            more, same = dirsync(not last, token), dirsync(True, b"t%d" % page)
        match fault:
            case "drop":
                self.known |= self.after_drop
                return False
            case "half an entry":
                client.sendall(message(number, entry(*people[-1]))[:-3])
                return False
            case "silent":
                pass
            case "garbage":
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            case "damaged entry":
                before, name, after = message(number, entry(*people[-1])).partition(b"uid\x31")
                client.sendall(before + name.replace(b"\x31", b"\x32") + after)
            case "other number":
                client.sendall(message(number + 1, done, more))
            case "goodbye":
                notice = ber(0x8A, b"1.3.6.1.4.1.1466.20036")
                client.sendall(message(0, ber(0x78, ber(0x0A, b"\x34"), ber(4), ber(4), notice)))
            case "no control":
                client.sendall(message(number, done))
            case "endless":
                client.sendall(message(number, done, same))
            case str(url) if url.startswith("ldap://"):
                client.sendall(message(number, ber(0x73, ber(0x04, url.encode()))))
                for dn, attributes in people[len(sent) :]:
                    client.sendall(message(number, entry(dn, attributes)))
                client.sendall(message(number, done, more))
            case _:
                client.sendall(message(number, done, more))
        return True


def _element(stream: object) -> bytes:
    """The content of the next BER element."""
    read = stream.read  # type: ignore[attr-defined]
    size = read(2)[1]
    if size > 0x7F:
        size = int.from_bytes(read(size & 0x7F), "big")
    return bytes(read(size))


@contextmanager
def fake_ldap() -> Iterator[FakeLdap]:
    """A fake server on a port of its own, until the block ends."""
    server = FakeLdap()
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    clients: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients.append(client)
                threading.Thread(target=server.talk, args=(client,)).start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server
    finally:
        for each in (listener, *clients):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        thread.join(30)
