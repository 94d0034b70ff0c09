"""Which servers and logins a file may name, and which it may not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.sources.ldap_server import ConnectionSettings
from tests.servers.slapd import READER, READER_PASSWORD


def settings(url: str, **more: Any) -> ConnectionSettings:
    login = {"bind_dn": READER, "password": READER_PASSWORD}
    return ConnectionSettings.model_validate({"url": url, **login, **more})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "ldap.example"}, "is not ldaps://HOST"),
        ({"url": "https://ldap.example"}, "is not ldaps://HOST"),
        ({"url": "ldaps://"}, "is not ldaps://HOST"),
        ({"url": "ldaps://a.example,"}, "is not ldaps://HOST"),
        ({"url": "ldaps://a.example:99999"}, "no port that exists"),
        ({"url": "ldaps://a.example/dc=x"}, "more than a host and a port"),
        ({"url": "ldaps://me:secret@a.example"}, "a name before the host"),
        ({"url": "ldap://a.example"}, "in the clear"),
        ({"url": "ldaps://a.example,ldap://b.example"}, "ldap://b.example would send"),
        ({"url": "ldaps://a.example", "start_tls": True}, "ldaps:// is TLS already"),
        ({"password": ""}, "needs a `password` that is not empty"),
        ({"timeout": "0 seconds"}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**{"url": "ldaps://a.example", **change})


@pytest.mark.parametrize(
    "url",
    ["ldaps://a.example", "LDAPS://a.example:636/", "ldap://localhost", "ldap://127.0.0.9:3890",
     "ldap://[::1]"],
)  # fmt: skip
def test_urls_that_are_safe_are_taken(url: str) -> None:
    assert settings(url).hosts[0].url == url


def test_a_trusted_network_has_to_be_claimed_in_words() -> None:
    assert settings("ldap://a.example", unencrypted=True).hosts[0].port == 389


def test_a_password_is_never_shown() -> None:
    assert READER_PASSWORD not in repr(settings("ldaps://a.example"))
