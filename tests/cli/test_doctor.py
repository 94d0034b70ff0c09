"""`bridge doctor` as an admin sees it: words, JSON, the exit code, and nothing written."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.cli import doctor
from bridge.sources.doctor import Finding, State
from tests.cli.conftest import Cli
from tests.servers.fake_ldap import fake_ldap


def files(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_0_where_all_is_well_also_before_the_first_read_and_nothing_is_written(cli: Cli) -> None:
    before = files(cli.bridge.folder)
    ran = cli("doctor", "hr")
    assert ran.err == ""
    assert "ok      rows" in ran.out
    assert "5 rows, a read is COMPLETE" in ran.out
    assert "@" not in ran.out
    assert files(cli.bridge.folder) == before


def test_json_holds_every_finding_and_the_exit_code(cli: Cli) -> None:
    answer = cli("doctor", "hr", "--json").json
    assert (answer["source"], answer["exit_code"]) == ("hr", 0)
    assert answer["findings"][0]["step"] == "file"
    assert {each["state"] for each in answer["findings"]} <= {"ok", "warning", "skipped"}
    (cli.bridge.folder / "mappings/people.csv").unlink()
    answer = cli("doctor", "hr", "--json", code=7).json
    assert answer["exit_code"] == 7
    assert answer["findings"][0]["state"] == "failed"
    assert answer["findings"][0]["advice"]


def test_7_where_there_is_nothing_to_read(cli: Cli) -> None:
    (cli.bridge.folder / "mappings/people.csv").unlink()
    out = cli("doctor", "hr", code=7).out
    assert out.startswith("failed  file")
    assert "-> correct `path`" in out
    assert "skipped rows        there is no file" in out


def test_4_where_a_read_would_be_incomplete(cli: Cli) -> None:
    export = cli.bridge.folder / "mappings/people.csv"
    export.write_text(export.read_text().replace("mail", "e-mail", 1))
    out = cli("doctor", "hr", code=4).out
    assert "there is no column 'mail'" in out
    assert "did you mean 'e-mail'?" in out


def test_5_where_the_file_on_disk_is_faulty_although_the_live_one_is_good(cli: Cli) -> None:
    cli("sync")
    cli.bridge.file.write_text(cli.bridge.file.read_text().replace("first: first", "first: ["))
    assert str(cli.bridge.file.name) in cli("doctor", "hr", code=5).words


def test_without_a_source_all_are_examined_and_the_worst_tells_the_exit_code(cli: Cli) -> None:
    other = cli.bridge.file.with_name("other.yaml")
    text = cli.bridge.file.read_text()
    other.write_text(text.replace("name: hr", "name: other").replace("people.csv", "gone.csv"))
    out = cli("doctor", code=7).out
    assert out.index("hr.yaml\n") < out.index("a read is COMPLETE")
    assert out.index("a read is COMPLETE") < out.index("other.yaml\n")
    assert out.index("other.yaml\n") < out.index("failed  file")
    answer = cli("doctor", "--json", code=7).json
    assert answer["exit_code"] == 7
    assert [(each["source"], each["exit_code"]) for each in answer["sources"]] == [
        ("hr", 0),
        ("other", 7),
    ]


def test_without_a_source_a_faulty_file_is_told_and_the_others_are_examined(cli: Cli) -> None:
    other = cli.bridge.file.with_name("other.yaml")
    other.write_text("name: [")
    ran = cli("doctor", code=5)
    assert "other.yaml:2:1: not valid YAML" in ran.words
    assert "a read is COMPLETE" in ran.out
    for file in (other, cli.bridge.file):
        file.unlink()
    assert "there is no mapping file in" in cli("doctor", code=2).words


def test_2_for_a_source_that_there_is_not(cli: Cli) -> None:
    assert "there is no source 'nosuch': there are hr" in cli("doctor", "nosuch", code=2).words


def test_an_old_export_warns_and_ends_with_0(cli: Cli) -> None:
    old = time.time() - 8 * 86_400
    os.utime(cli.bridge.folder / "mappings/people.csv", (old, old))
    assert "8 days old" in cli("doctor", "hr").out


def test_findings_come_as_they_are_made(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def findings(mapping: object) -> object:
        yield Finding("first", State.OK, "one")
        yield Finding("second", State.OK, f"{len(shown)} shown before")

    monkeypatch.setattr(doctor, "findings", findings)
    monkeypatch.setattr(doctor, "say", lambda text, style: shown.append(text))
    cli("doctor", "hr")
    assert shown == ["ok      first       one", "ok      second      1 shown before"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_words_are_folded_to_the_width_of_the_terminal(cli: Cli, columns: int) -> None:
    cli.set("COLUMNS", str(columns))
    os.utime(cli.bridge.folder / "mappings/people.csv", (0, 0))
    lines = cli("doctor", "hr").out.splitlines()
    assert max(map(len, lines)) <= columns
    assert all(line[:1] != " " or line.startswith(" " * 20) for line in lines)


LDAP = """\
version: 1
name: people
source:
  type: ldap
  url: {url}
  base: dc=uni,dc=example
  bind_dn: cn=m4rk3r,dc=uni,dc=example
  password: ${{env:LDAP_PASSWORD}}
attributes: [entryUUID, mail]
timezone: UTC
key: entryUUID
active:
  otherwise: {{ then: true, reason: listed }}
user:
  userName: {{ expr: mail, required: true }}
  name:
    givenName: {{ expr: mail, required: true }}
    familyName: {{ expr: mail, required: true }}
  emails: [{{ value: mail, primary: true }}]
"""


def test_a_refused_password_is_tried_once_and_never_shown(cli: Cli) -> None:
    cli.set("LDAP_PASSWORD", "s3cr3t")
    with fake_ldap() as fake:
        fake.bind_code = 49
        (cli.bridge.folder / "mappings/ldap.yaml").write_text(LDAP.format(url=fake.url))
        ran = cli("doctor", "people", code=7)
        assert fake.binds == 1
    assert "failed  bind" in ran.out
    assert "skipped fill        nobody is logged in" in ran.out
    assert "s3cr3t" not in ran.out + ran.err
    assert "m4rk3r" not in ran.out + ran.err


def test_2_where_a_secret_is_missing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDAP_PASSWORD", raising=False)
    (cli.bridge.folder / "mappings/ldap.yaml").write_text(LDAP.format(url="ldap://localhost"))
    assert "set LDAP_PASSWORD in the environment" in cli("doctor", "people", code=2).words
