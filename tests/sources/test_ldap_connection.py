"""Connecting to a real slapd and to worse, and what is said where that fails."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AccessRefused, SourceUnavailable
from bridge.sources import ldap_words
from bridge.sources.ldap_connection import certificate, close, connect, connect_to_any
from bridge.sources.ldap_server import ConnectionSettings
from tests.servers.fake_ldap import FakeLdap, ber, fake_ldap, message, result
from tests.servers.ports import free_port
from tests.servers.proxy import proxy
from tests.servers.slapd import EXPIRED, LOCKED, READER, READER_PASSWORD, RESET, Slapd

HERE = Path("/")


def settings(url: str, **more: Any) -> ConnectionSettings:
    login = {"bind_dn": READER, "password": READER_PASSWORD}
    return ConnectionSettings.model_validate({"url": url, **login, **more})


def try_to_connect(wanted: ConnectionSettings) -> str:
    """Connect and say who the server thinks we are."""
    _, connection = connect_to_any(wanted, HERE)
    try:
        return connection.extend.standard.who_am_i() or "anonymous"
    finally:
        close(connection)


def refusal(wanted: ConnectionSettings) -> str:
    with pytest.raises(SourceUnavailable) as raised:
        try_to_connect(wanted)
    assert READER_PASSWORD not in str(raised.value)
    return str(raised.value)


# -- ways that work --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["ldap", "ldaps", "start_tls"])
def test_it_logs_in_over_verified_tls_or_on_this_machine(slapd: Slapd, scheme: str) -> None:
    url = {
        "ldap": slapd.url,
        "ldaps": f"ldaps://localhost:{slapd.tls_port}",
        "start_tls": f"ldap://localhost:{slapd.port}",
    }[scheme]
    wanted = settings(url, ca_file=slapd.ca_file, start_tls=scheme == "start_tls")
    assert try_to_connect(wanted) == f"dn:{READER}"
    _, connection = connect_to_any(wanted, HERE)
    assert isinstance(connection.socket, ssl.SSLSocket) is (scheme != "ldap")
    close(connection)


def test_without_bind_dn_it_is_anonymous(slapd: Slapd) -> None:
    wanted = ConnectionSettings.model_validate({"url": slapd.url})
    assert try_to_connect(wanted) == "anonymous"


def test_a_relative_ca_file_is_taken_from_the_folder_of_the_mapping(slapd: Slapd) -> None:
    wanted = settings(f"ldaps://localhost:{slapd.tls_port}", ca_file="ca.pem")
    close(connect(wanted, slapd.ca_file.parent, wanted.hosts[0]))


def test_the_first_of_several_hosts_that_answers_is_taken(slapd: Slapd) -> None:
    wanted = settings(f"ldap://localhost:{free_port()}, {slapd.url}, ldap://127.0.0.2")
    host, connection = connect_to_any(wanted, HERE)
    close(connection)
    assert host.url == slapd.url


def test_a_connection_that_broke_leaves_no_socket_behind(slapd: Slapd) -> None:
    _, connection = connect_to_any(settings(slapd.url), HERE)
    broken = connection.socket
    broken.shutdown(socket.SHUT_RDWR)
    close(connection)
    assert broken.fileno() == -1


# -- nobody answers --------------------------------------------------------------------------------


def test_where_no_host_answers_every_reason_is_told() -> None:
    port = free_port()
    said = refusal(settings(f"ldap://127.0.0.1:{port},ldaps://nowhere.invalid"))
    assert f"ldap://127.0.0.1:{port}: nothing listens on port {port}" in said
    assert "ldaps://nowhere.invalid: no address is known for nowhere.invalid" in said


def test_a_server_that_says_nothing_is_given_up(slapd: Slapd) -> None:
    with proxy(slapd.port) as between:
        between.stall_after = 0
        said = refusal(settings(between.url, timeout="1 second"))
    assert "broke off at the bind" in said
    assert "timed out" in said


def test_a_server_that_hangs_up_is_unavailable(slapd: Slapd) -> None:
    with proxy(slapd.port) as between:
        between.cut_after = [0]
        assert "broke off at the bind" in refusal(settings(between.url))


# -- TLS that cannot be trusted --------------------------------------------------------------------

DAYS = (datetime.now(UTC) - datetime(2024, 1, 1, tzinfo=UTC)).days


@pytest.mark.parametrize("start_tls", [False, True])
@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("expired", f"its certificate expired on 2024-01-01, {DAYS} days ago: it has to be"),
        ("elsewhere", "its certificate is for other.example, not for localhost"),
        ("unknown", "not signed by an authority that is trusted here: .* `ca_file`"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_is_refused_in_words(
    slapd: Slapd,
    shown: str,
    words: str,
    start_tls: bool,
) -> None:
    slapd.stop()
    slapd.start(shown)
    scheme, port = ("ldap", slapd.port) if start_tls else ("ldaps", slapd.tls_port)
    wanted = settings(f"{scheme}://localhost:{port}", ca_file=slapd.ca_file, start_tls=start_tls)
    assert re.search(words, refusal(wanted))
    slapd.stop()


def test_the_certificate_is_shown_also_where_it_expired(slapd: Slapd) -> None:
    wanted = settings(f"ldaps://localhost:{slapd.tls_port}", ca_file=slapd.ca_file)
    shown = certificate(wanted, HERE, wanted.hosts[0])
    assert shown["notAfter"] == "Jan  1 00:00:00 2040 GMT"
    slapd.stop()
    slapd.start("expired")
    shown = certificate(wanted, HERE, wanted.hosts[0])
    assert shown["notAfter"] == "Jan  1 00:00:00 2024 GMT"
    slapd.stop()


def test_without_ca_file_the_authorities_of_the_system_decide(slapd: Slapd) -> None:
    said = refusal(settings(f"ldaps://localhost:{slapd.tls_port}"))
    assert "not signed by an authority that is trusted here" in said


def test_tls_on_a_port_without_tls_says_so(slapd: Slapd, fake: FakeLdap) -> None:
    said = refusal(settings(f"ldaps://localhost:{slapd.port}", timeout="2 seconds"))
    assert "TLS" in said
    said = refusal(settings(fake.url, start_tls=True))
    assert "it does not start TLS (result 2): is ldaps:// what it offers?" in said


def test_what_was_said_before_tls_is_never_taken_for_said_within(fake: FakeLdap) -> None:
    fake.start_tls_code = 0
    fake.after_start_tls = message(2, result(0x61, 0))
    said = refusal(settings(fake.url, start_tls=True))
    assert "TLS failed: something was said in the clear after its start" in said
    assert fake.binds == 0


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_of_no_use_is_named(slapd: Slapd, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    said = refusal(settings(f"ldaps://localhost:{slapd.tls_port}", ca_file=file))
    assert f"`ca_file` {file} cannot be read" in said


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "password", "words"),
    [
        (READER, "wrong", "`bind_dn` or `password` is wrong (invalidCredentials)"),
        ("cn=nobody,dc=uni,dc=example", "x", "`bind_dn` or `password` is wrong"),
        (LOCKED, READER_PASSWORD, "is locked: unlock it"),
        (EXPIRED, READER_PASSWORD, "the password of `bind_dn` has expired"),
        (RESET, READER_PASSWORD, "must be changed before anything else"),
        ("nonsense", READER_PASSWORD, "no name that it accepts (invalidDNSyntax)"),
    ],
)
def test_refused_credentials_are_told_apart(
    slapd: Slapd,
    who: str,
    password: str,
    words: str,
) -> None:
    with pytest.raises(AccessRefused) as raised:
        try_to_connect(settings(slapd.url, bind_dn=who, password=password))
    assert words in str(raised.value)
    assert who not in str(raised.value)


@pytest.fixture
def fake() -> Iterator[FakeLdap]:
    with fake_ldap() as server:
        yield server


@pytest.mark.parametrize("code", [7, 8, 13, 19, 32, 34, 48, 49, 50, 53, 123])
def test_credentials_that_are_refused_are_not_tried_on_the_next_host(
    fake: FakeLdap, code: int
) -> None:
    fake.bind_code = code
    with pytest.raises(AccessRefused):
        try_to_connect(settings(f"{fake.url},{fake.url}"))
    assert fake.binds == 1


@pytest.mark.parametrize("code", [51, 52, 80])
def test_a_server_that_is_busy_is_left_for_the_next_one(fake: FakeLdap, code: int) -> None:
    fake.bind_code = code
    with pytest.raises(SourceUnavailable) as raised:
        try_to_connect(settings(f"{fake.url},{fake.url}"))
    assert not isinstance(raised.value, AccessRefused)
    assert fake.binds == 2


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (ber(0x30, ber(0x81, b"\1")), 1),
        (ber(0x30, ber(0xA0, ber(0x80, b"\x01\x00")), ber(0x81, b"\0")), 0),
        (ber(0x30, ber(0xA0, ber(0x80, b"\x05"))), None),
        (ber(0x30), None),
        (b"", None),
        (None, None),
        (b"\x30", None),
        (b"\x30\x03\xa0\xff", None),
    ],
)
def test_a_password_policy_answer_is_understood(value: bytes | None, error: int | None) -> None:
    assert ldap_words.policy_error(value) == error


def test_a_password_that_will_expire_is_no_refusal(fake: FakeLdap) -> None:
    warning = ber(0x30, ber(0xA0, ber(0x80, b"\x05")))
    control = ber(0x30, ber(0x04, b"1.3.6.1.4.1.42.2.27.8.5.1"), ber(0x04, warning))
    fake.bind_control = ber(0xA0, control)
    close(connect_to_any(settings(fake.url), HERE)[1])
