"""TLS to an LDAP server, always verified, and until when its certificate is good."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ldap3 import Connection, Tls

from bridge.errors import SourceUnavailable

Certificate = Mapping[str, Any]
"""As `ssl.SSLSocket.getpeercert` gives one."""


class VerifiedTls(Tls):  # type: ignore[misc]
    """TLS by Python's own rules: ldap3's check of the host name is another one on every Python."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self.context = context
        self.error: OSError | None = None

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:
        try:
            if connection.strategy.received:
                raise OSError("something was said in the clear after its start")
            connection.socket = self.context.wrap_socket(
                connection.socket, server_hostname=connection.server.host
            )
        except OSError as error:
            self.error = error
            raise


def context(ca_file: Path | None) -> ssl.SSLContext:
    """What verifies a server by the authorities in this file, or by the system's.

    Raises `SourceUnavailable`.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise SourceUnavailable(f"`ca_file` {ca_file} cannot be read: {reason}") from None


def end(shown: Certificate) -> datetime:
    """When a certificate ends by itself."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)


def expired(shown: Certificate) -> str:
    """Since when a certificate is no longer good, in words."""
    ended = end(shown)
    days = (datetime.now(UTC) - ended).days
    return f"its certificate expired on {ended:%Y-%m-%d}, {days} days ago: it has to be renewed"


def authority_end(shown: Certificate, authorities: Iterable[Certificate]) -> datetime | None:
    """When the authority's own certificate ends that signed this one; None where it is not known.

    Of several certificates of one authority the one that lasts longest counts.
    """
    return max((end(each) for each in authorities if each.get("subject") == shown["issuer"]),
               default=None)  # fmt: skip


def ends(connection: Connection) -> datetime | None:
    """When this server will no longer be trusted; None where it showed no certificate."""
    if not isinstance(connection.socket, ssl.SSLSocket):
        return None
    shown = connection.socket.getpeercert() or {}
    authority = authority_end(shown, connection.server.tls.context.get_ca_certs())
    return min(end(shown), authority) if authority else end(shown)
