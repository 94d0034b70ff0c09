"""The web role's certificate: when it ends, and a new one while connections go on."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.app.tls import Certificate, ends
from bridge.errors import UsageError
from tests.processes import Bridge, wait_until


def make(folder: Path, days: int, key: str = "rsa:2048") -> tuple[Path, Path]:
    """A certificate for this machine that is good for so many days, in place of the one before."""
    cert, secret = folder / "cert.pem", folder / "key.pem"
    kind = ["-newkey", key] if key.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", key]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, "-nodes", "-subj", "/CN=localhost", "-days", str(days),
         "-keyout", str(secret) + ".new", "-out", str(cert) + ".new"],
        check=True, capture_output=True,
    )  # fmt: skip
    for file in (cert, secret):
        Path(f"{file}.new").replace(file)
    return cert, secret


@pytest.mark.parametrize("key", ["rsa:2048", "ec_paramgen_curve:prime256v1"])
@pytest.mark.parametrize("days", [3, 365 * 40])  # UTCTime ends in 2049
def test_the_end_of_a_certificate_is_what_openssl_says(tmp_path: Path, days: int, key: str) -> None:
    cert, _ = make(tmp_path, days, key)
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-in", str(cert)], check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    seconds = ssl.cert_time_to_seconds(said.strip().partition("=")[2])
    assert ends(cert.read_bytes()) == datetime.fromtimestamp(seconds, UTC)


def test_a_file_that_cannot_be_used_leaves_the_certificate_as_it_was(tmp_path: Path) -> None:
    cert, key = make(tmp_path, 3)
    certificate = Certificate(cert, key)
    before = certificate.ends
    good = cert.read_text()
    for text in ("this is no certificate", good[:200]):
        cert.write_text(text)
        with pytest.raises(UsageError, match="BRIDGE_TLS_CERT"):
            certificate.renew()
    assert certificate.ends == before
    make(tmp_path, 30)
    certificate.renew()
    assert certificate.ends - before > timedelta(days=20)


def shown(port: int) -> datetime:
    """When the certificate ends that a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 30) as connection,
        context.wrap_socket(connection) as wrapped,
    ):
        der = wrapped.getpeercert(True)
    assert der is not None
    return ends(ssl.DER_cert_to_PEM_cert(der).encode())


@pytest.mark.parametrize("command", ["web", "serve"])
def test_sighup_takes_a_new_certificate_and_a_faulty_one_changes_nothing(
    bridge: Bridge, command: str
) -> None:
    cert, key = make(bridge.folder, 3)
    bridge.settings |= {"BRIDGE_TLS_CERT": str(cert), "BRIDGE_TLS_KEY": str(key)}
    port = int(bridge.settings["BRIDGE_LISTEN"].rpartition(":")[2])
    with bridge.start(command) as running:
        running.wait_for("a certificate ends soon")
        wait_until(lambda: bridge.run("alive").returncode == 0, "an answer")
        before = shown(port)
        make(bridge.folder, 90, "ec_paramgen_curve:prime256v1")
        running.send(signal.SIGHUP)
        running.wait_for("the certificate was read again")
        assert shown(port) - before > timedelta(days=80)
        cert.write_text("this is no certificate")
        running.send(signal.SIGHUP)
        running.wait_for("the certificate in use goes on")
        assert shown(port) - before > timedelta(days=80)
        assert running.end() == 0
