"""Logging in by Kerberos, to a real domain; and what is said where the extra is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AccessRefused, SourceUnavailable
from bridge.model import Wanted
from bridge.sources.active_directory import AdSource, Settings
from tests.servers.fake_ldap import fake_ldap
from tests.servers.samba import DOMAIN, READER, Samba, samba_server
from tests.sources.contract import Reading

__all__ = ["samba_server"]

REALM = "CORP.EXAMPLE.TEST"
PRINCIPAL = f"svc-read@{REALM}"
_KRB5 = """
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{realm} = {{
  kdc = {kdc}
}}
"""


def opened(folder: Path, url: str, **more: Any) -> AdSource:
    settings = {"url": url, "base": DOMAIN, "principal": PRINCIPAL, **more}
    return AdSource(Settings.model_validate(settings), folder, Wanted(frozenset({"cn"})))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"bind_dn": READER, "password": "x"}, "take one"),
        ({"principal": "", "keytab": "bridge.keytab"}, "needs the `principal`"),
        ({"url": "ldap://dc1.corp.example"}, "in the clear"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path: Path, more: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        opened(tmp_path, **{"url": "ldaps://dc1.corp.example", **more})


def test_where_the_extra_is_missing_the_way_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setitem(sys.modules, "winkerberos", None)
    monkeypatch.delitem(sys.modules, "ldap3.protocol.sasl.kerberos", raising=False)
    with fake_ldap() as server, pytest.raises(SourceUnavailable, match=r"okta-bridge\[gssapi\]"):
        Reading(opened(tmp_path, server.url))


@pytest.fixture
def realm(samba_server: Samba, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Samba:
    """The realm of a domain, this process in it, and the key of an account in a file."""
    pytest.importorskip("gssapi", reason="pip install 'okta-bridge[gssapi]'")
    conf = tmp_path / "krb5.conf"
    conf.write_text(_KRB5.format(realm=REALM, kdc=samba_server.address))
    monkeypatch.setenv("KRB5_CONFIG", str(conf))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    samba_server.export_key("svc-read", tmp_path / "bridge.keytab")
    return samba_server


def test_an_account_logs_in_with_its_key(realm: Samba, tmp_path: Path) -> None:
    reading = Reading(opened(tmp_path, realm.url, keytab="bridge.keytab"))
    assert reading.verdict is not None
    assert reading.verdict.complete
    assert "svc-read" in {entry.attributes["cn"] for entry in reading.read}


def test_without_a_ticket_or_with_a_wrong_key_a_person_is_asked(
    realm: Samba, tmp_path: Path
) -> None:
    with pytest.raises(AccessRefused, match="Kerberos: "):
        Reading(opened(tmp_path, realm.url))
    with pytest.raises(AccessRefused, match="Kerberos: "):
        Reading(opened(tmp_path, realm.url, principal=f"nobody@{REALM}", keytab="bridge.keytab"))


def test_where_no_kdc_answers_it_is_tried_again(realm: Samba, tmp_path: Path) -> None:
    (tmp_path / "krb5.conf").write_text(_KRB5.format(realm=REALM, kdc="127.0.0.1:1"))
    realm.export_key("svc-count", tmp_path / "other.keytab")
    with pytest.raises(SourceUnavailable, match="Kerberos: ") as caught:
        Reading(opened(tmp_path, realm.url, principal=f"svc-count@{REALM}", keytab="other.keytab"))
    assert not isinstance(caught.value, AccessRefused)
