"""Both roles as processes of one, which brings them back when they die."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import structlog

from bridge.app.signals import on_end, on_renew
from bridge.errors import UsageError

_END_SECONDS = 9.0
"""How long a role may take to end before it is killed."""
_SHORT_SECONDS = 5.0
"""A role that fails sooner than this after the first start will not do better the next time."""
_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)


def supervise(listener: socket.socket, ready: Callable[[], None]) -> int:
    """Run both roles as processes of their own until told to end; returns the exit code.

    A role that dies is started again, after a growing pause. One that cannot start at all ends
    everything, with its own exit code. SIGHUP is handed on to both. ``ready`` is called in a
    thread once both were started.
    """
    stop, renew = threading.Event(), threading.Event()
    on_end(stop.set)
    on_renew(renew.set)
    handle = listener.fileno()
    roles = [_Role("web", ["--socket", str(handle)], (handle,)), _Role("syncd")]
    try:
        for role in roles:
            role.start()
        threading.Thread(target=ready, name="ready", daemon=True).start()
        while not stop.wait(0.1):
            if renew.is_set():
                renew.clear()
                for role in roles:
                    role.renew()
            for role in roles:
                if (code := role.look()) is not None:
                    return code
        return 0
    finally:
        end = time.monotonic() + _END_SECONDS
        for role in roles:
            role.end()
        for role in roles:
            role.wait(end)


class _Role:
    """One role of the bridge as a process that comes back when it dies."""

    def __init__(
        self, name: str, arguments: list[str] | None = None, handles: tuple[int, ...] = ()
    ) -> None:
        self.name = name
        self.command = [sys.executable, "-P", "-m", "bridge", name, "--supervised"]
        self.command += arguments or []
        self.handles = handles
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.started = 0.0
        self.again_at: float | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, pass_fds=self.handles)
        self.starts += 1
        self.started = time.monotonic()
        self.again_at = None

    def look(self) -> int | None:
        """Start the process again where it died; the exit code where that makes no sense."""
        assert self.process is not None
        now = time.monotonic()
        if self.again_at is not None:
            if now >= self.again_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        lived = now - self.started
        wrong = code == UsageError.exit_code or (code > 0 and lived < _SHORT_SECONDS)
        if self.starts == 1 and wrong:
            return code
        if lived > _BACK_OFF[-1]:
            self.starts = 1
        pause = _BACK_OFF[min(self.starts, len(_BACK_OFF)) - 1]
        structlog.get_logger().error("a role died", role=self.name, code=code, again_in=pause)
        self.again_at = now + pause
        return None

    def renew(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
