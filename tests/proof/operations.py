"""Every operation on a database, a file or a socket, seen before it is done."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine, event

Look = Callable[[int, bool], None]
"""Called with the number of an operation, counted from 1, and whether the process is inside a
write transaction; what it raises, the operation fails with."""

_FILES: tuple[tuple[Any, str], ...] = (
    (os, "open"),
    (os, "stat"),
    (os, "fstat"),
    (os, "scandir"),
    (os, "listdir"),
    (io, "open"),
)
_SOCKETS: tuple[tuple[Any, str], ...] = (
    (socket.socket, "connect"),
    (socket.socket, "sendall"),
    (socket.socket, "recv"),
)


@contextmanager
def operations(look: Look, *kinds: str) -> Iterator[None]:
    """Call ``look`` before each operation of these kinds: ``database``, ``file`` or ``socket``."""
    count = 0
    writing: set[int] = set()

    def happens() -> None:
        nonlocal count
        count += 1
        look(count, bool(writing))

    def statement(connection: Connection, _: Any, text: str, *rest: Any) -> None:
        happens()
        if text == "BEGIN IMMEDIATE":
            writing.add(id(connection.connection.dbapi_connection))

    def commit(connection: Connection) -> None:
        happens()
        ended(connection)

    def ended(connection: Connection) -> None:
        writing.discard(id(connection.connection.dbapi_connection))

    def seen(place: Any, name: str) -> Any:
        real = getattr(place, name)

        def instead(*arguments: Any, **named: Any) -> Any:
            happens()
            return real(*arguments, **named)

        return patch.object(place, name, instead)

    with ExitStack() as stack:
        listeners = (
            ("before_cursor_execute", statement),
            ("commit", commit),
            ("rollback", ended),
        )
        for name, listener in listeners if "database" in kinds else ():
            event.listen(Engine, name, listener)
            stack.callback(event.remove, Engine, name, listener)
        for place, name in _FILES if "file" in kinds else ():
            stack.enter_context(seen(place, name))
        for place, name in _SOCKETS if "socket" in kinds else ():
            stack.enter_context(seen(place, name))
        yield
