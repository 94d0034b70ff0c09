"""The way to an LDAP server, step by step: its name, its port, its certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path

from ldap3 import Connection

from bridge.errors import SourceUnavailable
from bridge.sources.doctor import Finding, State, skipped, unavailable
from bridge.sources.ldap_connection import reach
from bridge.sources.ldap_server import ConnectionSettings, Host
from bridge.sources.ldap_tls import Certificate, authority_end, end
from bridge.sources.ldap_words import network_failure

_WARN_DAYS = ((7, "within days"), (14, "within two weeks"), (30, "this month"))


def reached(
    settings: ConnectionSettings, folder: Path, host: Host, needed: bool
) -> Generator[Finding, None, Connection | None]:
    """A connection to a host, nobody logged in, or None.

    That it cannot be reached is a failure where it is ``needed``, and otherwise a warning:
    another host is there.
    """
    try:
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        words = f"no address is known for {host.name}"
        yield _fault("name", words, "correct `url`, or the name server", needed)
        yield from skipped(("tcp", "tls"), words)
        return None
    addresses = ", ".join(sorted({str(each[4][0]) for each in found}))
    yield Finding("name", State.OK, f"{host.name} is {addresses}")
    seconds = settings.connect_seconds
    try:
        socket.create_connection((host.name, host.port), seconds).close()
    except OSError as error:
        words = f"{host.url}: {network_failure(error, host.name, host.port, seconds)}"
        advice = "start the server, correct `url`, or have the firewall let this machine in"
        yield _fault("tcp", words, advice, needed)
        yield from skipped(["tls"], "the port does not answer")
        return None
    yield Finding("tcp", State.OK, f"port {host.port} answers")
    try:
        connection = reach(settings, folder, host)
    except SourceUnavailable as error:
        advice = "nothing is said to a server before it is known to be the right one"
        yield _fault("tls", str(error), advice, needed)
        return None
    if isinstance(connection.socket, ssl.SSLSocket):
        authorities = connection.server.tls.context.get_ca_certs()
        shown = connection.socket.getpeercert() or {}
        yield certificate_finding(shown, authorities, datetime.now(UTC))
    elif host.is_this_machine:
        yield Finding("tls", State.OK, "none, which is no risk within this machine")
    else:
        yield Finding("tls", State.WARNING, "none: `unencrypted` allows it",
                      "ldaps:// or `start_tls: true`, if the server offers it")  # fmt: skip
    return connection


def certificate_finding(
    shown: Certificate, authorities: Iterable[Certificate], now: datetime
) -> Finding:
    """How long a verified certificate is still good, and the authority's that signed it."""
    until, what = end(shown), "it"
    authority = authority_end(shown, authorities)
    if authority and authority < until:
        until, what = authority, "the authority's own certificate in `ca_file`"
    issuer = dict(pair for part in shown["issuer"] for pair in part)
    signer = issuer.get("commonName") or issuer.get("organizationName") or "an authority"
    days = (until - now).days
    words = f"verified, signed by {signer}; good for {days:,} days, until {until:%Y-%m-%d}"
    for limit, when in _WARN_DAYS:
        if days < limit:
            advice = f"renew {what} {when}: once it is over nothing is read any more"
            return Finding("tls", State.WARNING, words, advice)
    return Finding("tls", State.OK, words)


def _fault(step: str, found: str, advice: str, needed: bool) -> Finding:
    if needed:
        return unavailable(step, found, advice)
    return Finding(step, State.WARNING, found, advice)
