"""A TCP proxy on this machine that cuts, stalls and slices what a server sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes connections on to ``target``; what is set counts for connections made afterwards."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.connections = 0
        self.cut_after: list[int] = []
        """Of the next connections: after how many bytes from the server each is cut."""
        self.at_cut: Callable[[], None] = lambda: None
        """Called when a connection has come to its cut, before the client can know of it."""
        self.stall_after: int | None = None
        """After how many bytes the server falls silent, its connections still open."""
        self.slice = 1 << 16
        """How many bytes are passed on at a time."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self._closing = threading.Event()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._open += [client, server]
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cut = self.cut_after.pop(0) if self.cut_after else None
            threading.Thread(target=self._pass, args=(client, server, None, None)).start()
            threading.Thread(
                target=self._pass, args=(server, client, cut, self.stall_after)
            ).start()

    def _pass(
        self, come: socket.socket, go: socket.socket, cut: int | None, stall: int | None
    ) -> None:
        passed = 0
        with suppress(OSError):
            while data := come.recv(self.slice):
                if cut is not None and passed + len(data) > cut:
                    go.sendall(data[: cut - passed])
                    self.at_cut()
                    break
                if stall is not None and passed + len(data) > stall:
                    go.sendall(data[: stall - passed])
                    self._closing.wait()
                    break
                go.sendall(data)
                passed += len(data)
        for each in (come, go):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing.set()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy before the server on this port, until the block ends."""
    made = Proxy(target)
    thread = threading.Thread(target=made.serve)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join(30)
