"""The web role as a process."""

from __future__ import annotations

import os
import socket
import threading
from datetime import UTC, datetime

import structlog

from bridge.app.signals import on_end, on_renew
from bridge.app.tls import Certificate
from bridge.errors import UsageError
from bridge.settings import Settings
from bridge.store import Store
from bridge.sync.endings import Endings

_LOOK_SECONDS = 3600.0
"""How often the days are counted that the certificate has left."""
_log = structlog.get_logger()


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
    # Here, because commands that serve nothing would pay for them.
    import uvicorn

    from bridge import scim
    from bridge.app.connection import Connection
    from bridge.health.routes import Health

    certificate = None
    if settings.tls_cert and settings.tls_key:
        certificate = Certificate(settings.tls_cert, settings.tls_key)
    store = Store.open(settings.database)
    health = Health(store, settings, lambda: certificate.ends if certificate else None)
    config = uvicorn.Config(
        scim.application(
            store,
            settings,
            routes=health.routes(),
            needs_token=health.needs_token,
            observe=health.observe,
        ),
        http=Connection,
        ws="none",
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        # Longer than proxies keep theirs (nginx 60), so that none asks on one that just ends.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    server = uvicorn.Server(config)
    renew = threading.Event()

    def end() -> None:
        server.should_exit = True

    on_end(end, supervised)
    on_renew(renew.set)
    try:
        config.load()
        if certificate is not None and config.ssl is not None:
            certificate.give_to(config.ssl)
            args = (certificate, renew)
            threading.Thread(target=_watch, args=args, name="certificate", daemon=True).start()
        server.run(sockets=[listener])
    finally:
        store.close()


def _watch(certificate: Certificate, renew: threading.Event) -> None:
    """Warn before the certificate ends, and take a new one when told to; in a thread."""
    certificates = Endings()
    while True:
        certificates.look("web", certificate.ends, datetime.now(UTC))
        if not renew.wait(_LOOK_SECONDS):
            continue
        renew.clear()
        try:
            certificate.renew()
        except UsageError as error:
            _log.error("the certificate in use goes on", reason=str(error))
        else:
            ends = f"{certificate.ends:%Y-%m-%d %H:%M} UTC"
            _log.info("the certificate was read again", ends=ends)
