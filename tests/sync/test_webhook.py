"""The webhook: signed as the standard says, to whom it says, and to nobody within by accident."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bridge.errors import WebhookFailed
from bridge.sync.webhook import Message, Webhook
from tests.servers.ports import free_port
from tests.servers.receiver import Receiver, receiving

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEY = b"0123456789abcdef01234567"
MESSAGE = Message("plan_1_abc", "plan.held", NOW, {"plan": "abc", "changes": {"deactivate": 7}})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_the_signature_is_the_one_of_the_standards_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = Webhook("https://example.com", key)._signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_what_it_gets(receiver: Receiver) -> None:
    Webhook(receiver.url, KEY, private=True).send(MESSAGE, NOW)
    ((headers, body),) = receiver.got
    assert headers[":path"] == "/hook?of=bridge"
    assert headers["host"] == f"localhost:{receiver.port}"
    assert json.loads(body) == {
        "type": "plan.held",
        "timestamp": "2026-06-15T12:00:00Z",
        "data": {"plan": "abc", "changes": {"deactivate": 7}},
    }
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 500, 503])
def test_any_other_answer_than_success_is_a_failure_and_followed_nowhere(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status
    with pytest.raises(WebhookFailed, match=f"localhost answered {status}"):
        Webhook(receiver.url, KEY, private=True).send(MESSAGE, NOW)
    assert len(receiver.got) == 1


PRIVATE = [
    "localhost", "127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254",
    "100.64.0.1", "[fe80::1]", "[fd00::1]", "[::ffff:10.1.2.3]", "0.0.0.0", "224.0.0.1",
    "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::10.1.2.3]", "[fec0::1]",
    "[64:ff9b::10.1.2.3]", "[64:ff9b::7f00:1]", "[64:ff9b:1::10.1.2.3]", "[2002:a01:203::1]",
    "[::ffff:0:10.1.2.3]", "[::]", "[ff02::1]", "255.255.255.255", "localhost.",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_before_anything_is_sent(host: str) -> None:
    with pytest.raises(WebhookFailed, match=r"private network|has no address"):
        Webhook(f"https://{host}/hook", KEY).send(MESSAGE, NOW)


PUBLIC = [
    "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::93.184.216.34",
    "::ffff:93.184.216.34", "2002:5db8:d822::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_asked_in_whichever_form_it_comes(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    found = [(2, 1, 6, "", (address, 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    webhook = Webhook("https://hooks.example.com/hook", KEY)
    assert webhook._address(httpx.URL(webhook.url)) == address


@pytest.mark.parametrize("address", ["10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0"])
def test_a_name_that_means_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    found = [(2, 1, 6, "", (address, 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(WebhookFailed, match="private network"):
        Webhook("https://hooks.example.com/hook", KEY).send(MESSAGE, NOW)


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means another address the second time (DNS rebinding) leads nowhere else."""
    asked: list[str] = []

    def looked_up(host: str, port: int | None, *_: object, **__: object) -> object:
        asked.append(host)
        address = host if host == "127.0.0.1" else f"127.0.0.{asked.count(host)}"
        return [(2, 1, 6, "", (address, port))]

    url = receiver.url.replace("localhost", "hooks.example.com")
    monkeypatch.setattr("socket.getaddrinfo", looked_up)
    Webhook(url, KEY, private=True).send(MESSAGE, NOW)
    assert asked == ["hooks.example.com", "127.0.0.1"]
    assert receiver.got[0][0]["host"] == f"hooks.example.com:{receiver.port}"


def test_a_redirect_to_what_only_this_machine_reaches_is_not_followed(receiver: Receiver) -> None:
    with receiving() as within:
        receiver.status, receiver.location = 307, within.url
        with pytest.raises(WebhookFailed, match="localhost answered 307"):
            Webhook(receiver.url, KEY, private=True).send(MESSAGE, NOW)
        assert (len(receiver.got), within.got) == (1, [])


def test_a_name_that_means_a_public_and_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = [(2, 1, 6, "", (address, 0)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: addresses)
    with pytest.raises(WebhookFailed, match="private network"):
        Webhook("https://both.example.com/hook", KEY).send(MESSAGE, NOW)


def test_a_receiver_that_is_not_there_is_told_in_words() -> None:
    with pytest.raises(WebhookFailed, match="localhost did not take it"):
        Webhook(f"http://localhost:{free_port()}/", KEY, private=True).send(MESSAGE, NOW)


def test_a_certificate_is_verified_with_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    with receiving((cert, key)) as receiver:
        by_name = Webhook(receiver.url, KEY, private=True)
        by_address = replace(by_name, url=receiver.url.replace("localhost", "127.0.0.1"))
        with pytest.raises(WebhookFailed, match="self-signed"):
            by_name.send(MESSAGE, NOW)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        with pytest.raises(WebhookFailed, match="IP address mismatch"):
            by_address.send(MESSAGE, NOW)
        assert receiver.got == []
        by_name.send(MESSAGE, NOW)
        assert len(receiver.got) == 1


def test_the_key_is_in_no_representation() -> None:
    assert "0123" not in repr(Webhook("https://example.com", KEY))
