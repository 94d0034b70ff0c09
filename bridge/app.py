"""The processes of the bridge, assembled: the web role, the sync role, and their supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import structlog

from bridge.errors import UsageError
from bridge.settings import Settings
from bridge.store import Store, lease
from bridge.sync import catalog

_END_SECONDS = 9.0
"""How long a role may take to end before it is killed."""
_SHORT_SECONDS = 5.0
"""A role that fails sooner than this after the first start will not do better the next time."""
_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0)


def listen(settings: Settings) -> socket.socket:
    """The socket that SCIM is served on; raises `UsageError` where it cannot be had."""
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UsageError(
            f"SCIM cannot be served on {settings.listen} ({os.strerror(error.errno or 0)}): "
            "end the program that has this address, or set BRIDGE_LISTEN to another"
        ) from None


def run_web(settings: Settings, listener: socket.socket, supervised: bool = False) -> None:
    """Serve SCIM until told to end; requests under way get five seconds."""
    import uvicorn

    from bridge.scim import application

    store = Store.open(settings.database)
    config = uvicorn.Config(
        application(store, settings),
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=5,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    server = uvicorn.Server(config)

    def end() -> None:
        server.should_exit = True

    on_end(end, supervised)
    try:
        config.load()
        server.run(sockets=[listener])
    except OSError as error:
        raise UsageError(
            f"BRIDGE_TLS_CERT or BRIDGE_TLS_KEY cannot be used ({error.strerror}): "
            "each names a PEM file, and the key is the certificate's"
        ) from None
    finally:
        store.close()


def run_syncd(
    settings: Settings, supervised: bool = False, lease_ttl: timedelta = lease.TTL
) -> None:
    """Sync until told to end; what is under way then is dropped and found again."""
    from bridge.sync import daemon

    stop = threading.Event()

    def end() -> None:
        stop.set()
        # A run that waits for a file to be still cannot be woken; it may be cut off anywhere.
        timer = threading.Timer(_END_SECONDS - 2, os._exit, (0,))
        timer.daemon = True
        timer.start()

    on_end(end, supervised)
    if not supervised:
        catalog.load(settings.mappings)  # a folder that is not there is told at once
    store = Store.open(settings.database)
    try:
        daemon.serve(store, settings.mappings, stop, lease_ttl)
    finally:
        store.close()


def on_end(act: Callable[[], None], supervised: bool = False) -> None:
    """Call ``act`` when this process is told to end, or its supervisor is no more.

    The supervisor holds the other end of a supervised process's standard input, and never writes:
    however it dies, that input ends.
    """

    def handle(signum: int, frame: FrameType | None) -> None:
        act()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, handle)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        act()

    if supervised:
        threading.Thread(target=watch, name="supervisor", daemon=True).start()


def supervise(listener: socket.socket, ready: Callable[[], None]) -> int:
    """Run both roles as processes of their own until told to end; returns the exit code.

    A role that dies is started again, after a growing pause. One that cannot start at all ends
    everything, with its own exit code. ``ready`` is called in a thread once both were started.
    """
    stop = threading.Event()
    on_end(stop.set)
    handle = listener.fileno()
    roles = [_Role("web", ["--socket", str(handle)], (handle,)), _Role("syncd")]
    try:
        for role in roles:
            role.start()
        threading.Thread(target=ready, name="ready", daemon=True).start()
        while not stop.wait(0.1):
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
