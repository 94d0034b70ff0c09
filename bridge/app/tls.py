"""The web role's own certificate: taken from its files, and again while connections go on."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path

from bridge.errors import UsageError

_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----(?:.+?)-----END CERTIFICATE-----", re.S)
_SEQUENCE, _INTEGER, _UTC_TIME, _VERSION = 0x30, 0x02, 0x17, 0xA0


class Certificate:
    """A certificate with its key. ``ends`` is when the one in use stops being good."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert, self._key = cert, key
        self._context = self._loaded()
        self.ends = ends(cert.read_bytes())

    def renew(self) -> None:
        """Use what is in the files now for every connection from now on.

        Raises `UsageError` where they cannot be used; the one in use goes on then.
        """
        self._context = self._loaded()
        self.ends = ends(self._cert.read_bytes())

    def give_to(self, context: ssl.SSLContext) -> None:
        """Let each new connection of a server take the certificate that is in use then."""

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = self._context

        context.sni_callback = choose

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self._cert, self._key)
        except OSError as error:
            raise UsageError(
                f"BRIDGE_TLS_CERT or BRIDGE_TLS_KEY cannot be used ({error.strerror}): "
                "each names a PEM file, and the key is the certificate's"
            ) from None
        return context


def ends(pem: bytes) -> datetime:
    """When the first certificate of a PEM file stops being good (RFC 5280 section 4.1)."""
    found = _FIRST.search(pem)
    if found is None:
        raise UsageError("BRIDGE_TLS_CERT holds no certificate")
    der = ssl.PEM_cert_to_DER_cert(found[0].decode("ascii"))
    certificate = _value(der, 0)[1]
    signed = _value(certificate, 0)[1]
    at = 0
    if signed[0] == _VERSION:
        at = _value(signed, 0)[2]
    for _ in ("serial number", "algorithm", "issuer"):
        at = _value(signed, at)[2]
    validity = _value(signed, at)[1]
    tag, end, _ = _value(validity, _value(validity, 0)[2])
    text = end.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: 50 to 99 are of the last century
        text = ("19" if text >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _value(der: bytes, at: int) -> tuple[int, bytes, int]:
    """The tag and the content of the DER value that begins at a place, and where the next does."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start])
    return tag, der[start : start + length], start + length
