"""Refused credentials are tried once, then rarely; other ones at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from bridge import sources
from bridge.errors import AccessRefused, SourceUnavailable
from bridge.model import Batch, Verdict
from bridge.sources import SourceSettings, csv
from bridge.store import Store, refusals
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import CHANGES, Sync
from tests.servers.slapd import READER, READER_PASSWORD, Slapd, ldif
from tests.sync.conftest import Company


class Server:
    """A source that takes one password, and counts who tries which."""

    def __init__(self) -> None:
        self.password = "right"
        self.given = "wrong"
        self.tries: list[str] = []
        self.down = False

    def open(self, settings: SourceSettings, folder: Path, wanted: Any = None) -> Any:
        return SimpleNamespace(read=lambda cookie: self.read())

    def read(self) -> Iterator[Batch]:
        if self.down:
            raise SourceUnavailable("nothing answers")
        self.tries.append(self.given)
        if self.given != self.password:
            raise AccessRefused("the password is wrong")
        yield Batch(verdict=Verdict(complete=True))


@pytest.fixture
def server(company: Company, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The company's export was read, and from now on there is a server in its place."""
    company.update()
    server = Server()
    kind = SimpleNamespace(Settings=csv.Settings, open=server.open)
    monkeypatch.setattr(sources, "kinds", lambda: {"csv": kind})

    class Secret(SourceSettings):
        password: SecretStr

    settings = property(lambda _: lambda: Secret(password=SecretStr(server.given)))
    monkeypatch.setattr("bridge.mapping.Mapping.source_settings", settings)
    return server


def run(company: Company, actor: str = "schedule", **later: float) -> Report:
    company.now += timedelta(**later)
    with leadership(company.store) as epoch:
        sync = Sync(company.store, company.mappings, epoch, lambda: company.now)
        return sync.run("hr", CHANGES, actor)


def test_one_try_then_a_quarter_of_an_hour_doubling_to_four_hours(
    company: Company, server: Server
) -> None:
    run(company)
    for tries, minutes in enumerate((15, 30, 60, 120, 240, 240), start=1):
        report = run(company, minutes=minutes - 1)
        assert report.exit_code == 7
        assert report.reason.startswith("the password is wrong (tried again after 2026-06-1")
        assert len(server.tries) == tries
        run(company, minutes=1)
        assert len(server.tries) == tries + 1
    assert company.inactive() == set()


def test_another_secret_is_tried_at_once_and_ends_the_waiting(
    company: Company, server: Server
) -> None:
    run(company)
    server.given = "right"
    assert run(company, minutes=1).verdict == "COMPLETE"
    server.password = "newer"
    assert run(company, minutes=1).verdict == "FAILED"
    assert server.tries == ["wrong", "right", "right"]
    run(company, minutes=1)
    assert len(server.tries) == 3


def test_two_wrong_secrets_in_turn_are_each_waited_for(company: Company, server: Server) -> None:
    for _ in range(5):
        for server.given in ("wrong", "worse"):
            run(company, minutes=1)
    assert server.tries == ["wrong", "worse"]


def test_whoever_asks_for_it_tries_at_once(company: Company, server: Server) -> None:
    run(company)
    run(company, actor="ann", minutes=1)
    assert len(server.tries) == 2
    run(company, minutes=16)  # that was the second refusal, so 30 minutes
    assert len(server.tries) == 2
    server.password = "wrong"
    assert run(company, actor="ann").verdict == "COMPLETE"
    assert run(company).verdict == "COMPLETE"


def test_a_server_that_is_down_is_no_refusal(company: Company, server: Server) -> None:
    server.down = True
    for _ in range(3):
        assert run(company, minutes=1).reason == "nothing answers"
    server.down, server.given = False, "right"
    assert run(company, minutes=1).verdict == "COMPLETE"


def test_a_restart_does_not_try_again_and_a_clock_set_back_does_not_wait_for_ever(
    company: Company, server: Server
) -> None:
    run(company)
    again = Store.open(f"sqlite:///{company.folder}/bridge.db")
    company.store.close()
    company.store = again
    run(company, minutes=1)
    assert len(server.tries) == 1
    run(company, days=-400)
    assert len(server.tries) == 2


def test_the_secret_cannot_be_read_in_the_store(company: Company, server: Server) -> None:
    run(company)
    with company.store.read() as connection:
        [refusal] = refusals.of(connection, company.source_id)
    assert "wrong" not in refusal.reason.replace("password is wrong", "")
    assert b"wrong" not in refusal.digest + refusal.salt
    assert len(refusal.digest) == 64


# -- a real directory ------------------------------------------------------------------------------

DIRECTORY = """\
version: 1
name: hr
source:
  type: ldap
  url: {slapd.url}
  base: {branch}
  bind_dn: {READER}
  password: ${{file:{secret}}}
attributes: [entryUUID, uid, sn, mail]
key: entryUUID
external_id: uid
active:
  otherwise: {{ then: true, reason: employed }}
user:
  userName: {{ expr: mail, required: true }}
  name:
    givenName: {{ expr: uid, required: true }}
    familyName: {{ expr: sn, required: true }}
  emails:
    - {{ value: mail, primary: true }}
limits: {{ first_load: publish }}
"""


@pytest.fixture
def secret(company: Company, slapd: Slapd, branch: str) -> Path:
    """The file with the password of a directory, of which three people were read."""
    secret = company.folder / "secret"
    secret.write_text(READER_PASSWORD)
    text = DIRECTORY.format(slapd=slapd, branch=branch, READER=READER, secret=secret)
    company.write_mapping().write_text(text)
    for uid in ("ann", "bob", "eve"):
        slapd.modify(ldif(f"uid={uid},{branch}", objectClass="inetOrgPerson", uid=uid, cn=uid,
                          sn=uid, mail=f"{uid}@example.com"))  # fmt: skip
    assert run(company).verdict == "COMPLETE"
    return secret


def test_a_directory_sees_one_wrong_try_until_its_time_or_another_secret_comes(
    company: Company, slapd: Slapd, secret: Path
) -> None:
    secret.write_text("wrong")
    for minutes in (0, 1, 13):
        report = run(company, minutes=minutes)
        assert (report.verdict, report.exit_code) == ("FAILED", 7)
        assert "`bind_dn` or `password` is wrong (invalidCredentials)" in report.reason
        assert "tried again after 2026-06-15 12:15 UTC, or at once when" in report.reason
        assert slapd.wrong_tries() == 1
    assert company.inactive() == set()
    run(company, minutes=1)
    assert slapd.wrong_tries() == 2
    secret.write_text("wrong as well")
    run(company)
    assert slapd.wrong_tries() == 3
    secret.write_text(READER_PASSWORD)
    assert run(company).verdict == "COMPLETE"
    assert slapd.wrong_tries() == 0
    assert set(company.served()) == {"ann", "bob", "eve"}
    assert company.inactive() == set()
