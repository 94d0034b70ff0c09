"""Reaching an LDAP server: verified TLS, the bind, and every failure in words."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ldap3 import ANONYMOUS, IP_V4_PREFERRED, NONE, SIMPLE, Connection, Server
from ldap3.core.exceptions import LDAPExceptionError, LDAPPackageUnavailableError

from bridge.errors import AccessRefused, SourceUnavailable
from bridge.sources import ldap_kerberos as kerberos
from bridge.sources.ldap_decode import Malformed
from bridge.sources.ldap_server import ConnectionSettings, Host
from bridge.sources.ldap_strategy import speed_up
from bridge.sources.ldap_tls import VerifiedTls, context, expired
from bridge.sources.ldap_words import bind_refusal, network_failure, policy_error

_PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # draft-behera-ldap-password-policy section 6
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python's `ssl` does not name


def connect_to_any(settings: ConnectionSettings, folder: Path) -> tuple[Host, Connection]:
    """The first of the hosts that answers, and a bound connection to it.

    Raises `SourceUnavailable` with every host's reason where none does, and `AccessRefused` at
    the first that refuses the credentials: the others are not asked, each try may count.
    """
    reasons = []
    for host in settings.hosts:
        try:
            return host, connect(settings, folder, host)
        except AccessRefused:
            raise
        except SourceUnavailable as error:
            reasons.append(str(error))
    raise SourceUnavailable("; ".join(reasons))


def connect(settings: ConnectionSettings, folder: Path, host: Host) -> Connection:
    """A bound connection to this host. Raises `SourceUnavailable` and `AccessRefused`."""
    connection = reach(settings, folder, host)
    try:
        log_in(connection, host)
    except BaseException:
        close(connection)
        raise
    return connection


def reach(settings: ConnectionSettings, folder: Path, host: Host) -> Connection:
    """A connection to this host over verified TLS, nobody logged in yet.

    Raises `SourceUnavailable`.
    """
    encrypted = host.tls or settings.start_tls
    # It takes 60 ms to load the system's authorities.
    verifying = context(_authorities(settings, folder)) if encrypted else None
    try:
        return _open(settings, folder, host, verifying)
    except _TlsFailed as failed:
        reason = _tls_words(failed.error, settings, folder, host)
        raise SourceUnavailable(f"{host.url}: {reason}") from None


def close(connection: Connection) -> None:
    """Say goodbye where somebody still listens."""
    try:
        connection.unbind()
    except (LDAPExceptionError, OSError):
        connection.strategy.close()  # ldap3 leaves the socket open


def certificate(settings: ConnectionSettings, folder: Path, host: Host) -> Mapping[str, Any]:
    """The server's certificate as `ssl.SSLSocket.getpeercert` gives it, also an expired one or
    one for another host; nothing but the handshake is said to the server.

    Raises `SourceUnavailable` where there is none or its authority is not trusted.
    """
    lenient = context(_authorities(settings, folder))
    lenient.check_hostname = False
    lenient.verify_flags |= _NO_CHECK_TIME
    try:
        connection = _open(settings, folder, host, lenient)
    except _TlsFailed as failed:
        raise SourceUnavailable(f"{host.url}: {failed.error}") from None
    try:
        return dict(connection.socket.getpeercert())
    finally:
        close(connection)


class _TlsFailed(Exception):
    def __init__(self, error: OSError) -> None:
        self.error = error


def _authorities(settings: ConnectionSettings, folder: Path) -> Path | None:
    return folder / settings.ca_file if settings.ca_file else None


def _open(
    settings: ConnectionSettings, folder: Path, host: Host, verifying: ssl.SSLContext | None
) -> Connection:
    """A connection with TLS on it, if any is wanted, and nobody logged in.

    Raises `SourceUnavailable`, and `_TlsFailed` where only TLS is at fault.
    """
    seconds = int(settings.timeout.total_seconds())
    limit = settings.connect_seconds
    tls = VerifiedTls(verifying) if verifying else None
    server = Server(
        host.name,
        host.port,
        use_ssl=host.tls,
        tls=tls,
        get_info=NONE,
        mode=IP_V4_PREFERRED,
        connect_timeout=limit,
        allowed_referral_hosts=[],
    )
    connection = Connection(
        server,
        **_login(settings, folder),
        auto_referrals=False,
        auto_range=False,
        auto_escape=False,
        check_names=False,
        read_only=True,
        receive_timeout=seconds,
        return_empty_attributes=False,
    )
    speed_up(connection)
    try:
        connection.open(read_server_info=False)
        if settings.start_tls:
            connection.start_tls(read_server_info=False)
    except (LDAPExceptionError, OSError, Malformed) as error:
        close(connection)
        if tls is not None and tls.error is not None:
            raise _TlsFailed(tls.error) from None
        if settings.start_tls and connection.result and (code := connection.result["result"]):
            reason = f"it does not start TLS (result {code}): is ldaps:// what it offers?"
        else:
            reason = network_failure(error, host.name, host.port, limit)
        raise SourceUnavailable(f"{host.url}: {reason}") from None
    return connection


def _login(settings: ConnectionSettings, folder: Path) -> dict[str, Any]:
    if settings.principal:
        return kerberos.login(settings.principal, settings.keytab and folder / settings.keytab)
    if settings.bind_dn:
        password = settings.password.get_secret_value()
        return {"user": settings.bind_dn, "password": password, "authentication": SIMPLE}
    return {"authentication": ANONYMOUS}


def log_in(connection: Connection, host: Host) -> None:
    """Bind, once. Raises `SourceUnavailable`, and `AccessRefused` where a person has to act."""
    try:
        connection.bind(read_server_info=False, controls=[(_PASSWORD_POLICY, False, None)])
    except LDAPPackageUnavailableError:
        raise SourceUnavailable(f"{host.url}: {kerberos.NEEDED}") from None
    except kerberos.errors() as error:
        words, for_good = kerberos.refusal(error)
        raise (AccessRefused if for_good else SourceUnavailable)(f"{host.url}: {words}") from None
    except (LDAPExceptionError, OSError, Malformed) as error:
        reason = f"it broke off at the bind: {error}"
        raise SourceUnavailable(f"{host.url}: {reason}") from None
    control = (connection.result.get("controls") or {}).get(_PASSWORD_POLICY)
    words, for_good = bind_refusal(
        connection.result["result"],
        policy_error(control["value"]) if control else None,
        connection.result.get("message") or "",
    )
    if words:
        raise (AccessRefused if for_good else SourceUnavailable)(f"{host.url}: {words}")


def _tls_words(error: OSError, settings: ConnectionSettings, folder: Path, host: Host) -> str:
    """Why TLS failed; the codes are OpenSSL's X509_V_ERR ones."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        if isinstance(error, ssl.SSLError) and "WRONG_VERSION" in str(error):
            hint = "ldap:// with `start_tls: true`" if host.tls else "ldaps://"
            return f"it does not speak TLS on port {host.port}: is {hint} what it offers?"
        return f"TLS failed: {error.strerror or error}"
    if error.verify_code in (18, 19, 20, 21):
        return (
            "its certificate is not signed by an authority that is trusted here: "
            "name the authority's PEM file as `ca_file`"
        )
    with suppress(SourceUnavailable):
        shown = certificate(settings, folder, host)
        if error.verify_code == 10:
            return expired(shown)
        if error.verify_code in (62, 64):
            names = ", ".join(name for _, name in shown.get("subjectAltName", ()))
            return f"its certificate is for {names or 'no host'}, not for {host.name}"
    return f"its certificate is not accepted: {error.verify_message}"
