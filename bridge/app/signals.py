"""What tells a process of the bridge to end, or to read its secrets again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType


def on_end(act: Callable[[], None], supervised: bool = False) -> None:
    """Call ``act`` when this process is told to end, or its supervisor is no more.

    The supervisor holds the other end of a supervised process's standard input, and never writes:
    however it dies, that input ends.
    """
    _handle(act, signal.SIGTERM, signal.SIGINT)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        act()

    if supervised:
        threading.Thread(target=watch, name="supervisor", daemon=True).start()


def on_renew(act: Callable[[], None]) -> None:
    """Call ``act`` on SIGHUP: secrets and certificates may have changed.

    On a terminal the signal keeps its first meaning: the terminal was closed, and all ends.
    """
    if not _on_terminal():
        _handle(act, signal.SIGHUP)


def _on_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:  # nothing is open as standard input
        return False


def _handle(act: Callable[[], None], *signums: int) -> None:
    def handle(signum: int, frame: FrameType | None) -> None:
        act()

    for signum in signums:
        signal.signal(signum, handle)
