"""Stdout, whose own faults are told apart from those of every other file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.errors import OutputFailed


class NobodyReads(SystemExit):
    """Whoever reads the output has enough of it: the command ends, and nothing is wrong."""


class Stdout(io.TextIOWrapper):
    """The process's stdout; what its encoding lacks is written as ``\\xe9``.

    Raises `OutputFailed` where it cannot be written, and `NobodyReads`.
    """

    @classmethod
    def of_process(cls) -> Stdout:
        """Stdout as the process was given it, also where it was closed."""
        now = sys.stdout
        if isinstance(now, io.TextIOWrapper):
            return cls(
                now.buffer,
                now.encoding,
                "backslashreplace",
                line_buffering=now.line_buffering,
                write_through=now.write_through,
            )
        # Python has none where the process was given none: every write says so, once there is one.
        closed = open(os.open(os.devnull, os.O_RDONLY), "wb")  # noqa: SIM115 # lives as long as it
        return cls(closed, "utf-8", "backslashreplace")

    def write(self, text: str) -> int:
        with _told():
            return super().write(text)

    def flush(self) -> None:
        with _told():
            super().flush()

    def drop(self) -> None:
        """Let what is still to be written go nowhere: Python would complain when it ends."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise NobodyReads from None
    except OSError as error:
        raise OutputFailed(f"the output cannot be written: {error.strerror}") from None
