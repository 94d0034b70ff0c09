"""Every exit code, with words that say where, what, and what to do."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.cli import status
from bridge.cli.words import sentences
from bridge.store import Store, lease
from bridge.sync.leadership import COMMAND, DAEMON, holder, utc_now
from bridge.sync.report import Report
from tests.cli.conftest import Cli
from tests.processes import Bridge

USAGE = [
    ("frob", "No such command"),
    ("sync --frob", "No such option"),
    ("sync nosuch", "there is no source 'nosuch': there are hr"),
    ("people --source nosuch", "there is no source 'nosuch'"),
    ("people --limit 0", "limit"),
    ("people --limit 99999999999999999999", "Invalid value for '--limit'"),
    ("why nobody@example.com", "give a userName, e-mail, external id, key or SCIM id"),
    ("deactivate P1", "--reason"),
    ("deactivate nobody --reason x", "give a userName"),
    ("deactivate P1 --reason x --until tomorrow", "is not a date such as 2027-01-31"),
    ("deactivate P1 --reason x --until 2020-01-31", "has passed already"),
    ("activate P1 --reason= ", "say why, it stands in the audit"),
    ("override end P1", "no override stands"),
    ("plan show abc", "bridge plan list shows them"),
    ("plan approve abc", "bridge plan list"),
    ("plan reject abc", "bridge plan list"),
    ("token rotate okta", "create one"),
    ("token revoke okta", "bridge token list shows them"),
    ("token create okta --days 0", "days"),
]


@pytest.mark.parametrize(("line", "words"), USAGE)
def test_2_says_what_to_write_instead(cli: Cli, line: str, words: str) -> None:
    cli("sync")
    ran = cli(*line.split(), code=2)
    assert words in ran.words
    assert ran.out == ""


SETTINGS = [
    ("BRIDGE_LISTEN", "8080", "BRIDGE_LISTEN: is ADDRESS:PORT, such as 127.0.0.1:8080"),
    ("BRIDGE_LOG", "loud", "BRIDGE_LOG:"),
    ("BRIDGE_PUBLIC_URL", "bridge.example.com", "BRIDGE_PUBLIC_URL: starts with https://"),
    ("BRIDGE_TLS_CERT", "cert.pem", "BRIDGE_TLS_CERT and BRIDGE_TLS_KEY are set together"),
    ("BRIDGE_DATABASE", "mysql://u:m4rk3r@h/x", "BRIDGE_DATABASE is sqlite:///PATH"),
    ("BRIDGE_MAPPINGS", "elsewhere", "elsewhere is not a folder"),
]


@pytest.mark.parametrize(("name", "value", "words"), SETTINGS)
def test_2_names_the_setting_that_is_wrong(cli: Cli, name: str, value: str, words: str) -> None:
    cli.set(name, value)
    ran = cli("status", code=2)
    assert words in ran.words
    assert "m4rk3r" not in ran.err


def test_2_where_there_is_no_mapping_file(cli: Cli) -> None:
    cli.bridge.file.unlink()
    assert "no mapping file in mappings: put one there" in cli("sync", code=2).words
    assert "no mapping file" in cli("check", code=2).words


def test_0_and_the_words_for_an_export_that_is_as_it_was(cli: Cli) -> None:
    assert "hr: 5 records read, 5 new or changed (COMPLETE)" in cli("sync").out
    ran = cli("sync")
    assert "hr: nothing new in the source since the last read (COMPLETE)" in ran.out
    assert "Nobody is served differently." in ran.out


def test_0_and_how_many_records_are_other_and_how_many_are_gone(cli: Cli) -> None:
    cli("sync")
    del cli.bridge.rows["P5"]
    cli.bridge.write()
    assert "hr: 4 records read, 1 gone (COMPLETE)" in cli("sync").out
    del cli.bridge.rows["P4"]
    cli.bridge.rows["P1"]["last"] = "Married"
    cli.bridge.write()
    assert "hr: 3 records read, 1 new or changed, 1 gone (COMPLETE)" in cli("sync").out


def test_a_read_of_changes_that_finds_but_one_who_is_gone_has_something_new() -> None:
    report = Report("hr", 1, "changes", verdict="COMPLETE", gone=1)
    assert next(sentences(report)) == "hr: 0 records read, 1 gone (COMPLETE)"


def test_1_for_a_fault_of_ours_with_its_place_and_without_its_message(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("m4rk3r@example.com")

    monkeypatch.setattr(status.catalog, "load", fail)
    ran = cli("status", code=1)
    assert "a fault of the bridge: RuntimeError in fail" in ran.err
    assert "please report it" in ran.err
    assert "m4rk3r" not in ran.err


def test_1_shows_more_where_the_log_is_set_to_debug(bridge: Bridge) -> None:
    code = "import sys; from bridge import cli; cli.app = 1; cli.main()"
    with bridge.start(code=code) as running:
        assert running.wait() == 1
    assert "Traceback" not in "".join(running.err)
    bridge.settings["BRIDGE_LOG"] = "debug"
    with bridge.start(code=code) as running:
        assert running.wait() == 1
    assert "Traceback" in "".join(running.err)


def test_3_for_what_is_held(cli: Cli) -> None:
    cli.bridge.edit("limits: { first_load: publish }", "")
    ran = cli("sync", code=3)
    assert f"bridge plan show {cli.plan()[:12]}" in ran.out
    assert cli("sync", "--json", code=3).json["exit_code"] == 3


def test_4_for_an_incomplete_read_that_changes_nobody(cli: Cli) -> None:
    cli("sync")
    cli.bridge.export.write_text("id,first,last,mail,dept,end\nP1,Ann,Lee\n")
    ran = cli("sync", code=4)
    assert "INCOMPLETE: people.csv:2: 3 cells instead of 6" in ran.out
    assert "Nobody is called absent because of this read" in ran.out
    found = cli("sync", "--json", code=4).json
    assert (found["verdict"], found["exit_code"]) == ("INCOMPLETE", 4)


def test_5_for_a_faulty_file_with_the_line_and_a_caret(cli: Cli) -> None:
    cli.bridge.edit("mail | lower, required", "mail | louder, required")
    for command in ("sync", "check", "test"):
        ran = cli(command, code=5)
        fault, line, caret = ran.words.splitlines()[:3]
        assert fault.startswith("mappings/hr.yaml:20:28: unknown function")
        assert line.strip().startswith("userName:")
        assert line[caret.index("^") :].startswith("louder")


def test_5_although_another_file_is_good(cli: Cli) -> None:
    (cli.bridge.file.parent / "other.yaml").write_text("version: 1\nnmae: other\n")
    ran = cli("sync", code=5)
    assert "other.yaml" in ran.words
    assert "Published 5 people" in ran.out
    assert cli("sync", "hr").out


def test_5_for_a_test_of_a_file_that_fails(cli: Cli) -> None:
    with cli.bridge.file.open("a") as file:
        file.write(TEST)
    ran = cli("test", code=5)
    assert "0 passed, 1 failed" in ran.out
    assert "hr.yaml:30: failed: Ann is somebody else" in ran.words


TEST = """\
tests:
  - name: Ann is somebody else
    record: { id: P1, first: Ann, last: Lee, mail: ann@example.com }
    expect: { userName: bob@example.com }
"""


def test_6_while_another_command_syncs(cli: Cli) -> None:
    cli("sync")
    store = Store.open("sqlite:///var/bridge.db")
    with store.write() as connection:
        epoch = lease.acquire(connection, holder(COMMAND), utc_now())
    assert "a command (process" in cli("sync", code=6).words
    ran = cli("deactivate", "P1", "--reason", "gone", code=6)
    assert "noted, and done by the next sync" in ran.words
    with store.write() as connection:
        lease.release(connection, epoch)
    store.close()
    cli("sync")
    assert not cli("people", "P1", "--json").json[0]["active"]


def test_6_where_the_daemon_ends_without_an_answer(cli: Cli) -> None:
    cli("sync")
    store = Store.open("sqlite:///var/bridge.db")
    with store.write() as connection:
        lease.acquire(connection, holder(DAEMON), utc_now(), timedelta(seconds=1))
    store.close()
    ran = cli("sync", code=6)
    assert "the daemon ended before it answered: run the command again" in ran.words


def test_7_where_there_is_no_export(cli: Cli) -> None:
    cli("sync")
    cli.bridge.export.unlink()
    ran = cli("sync", code=7)
    assert "FAILED: no file matches people.csv in mappings" in ran.out
    assert cli("sync", "--json", code=7).json["verdict"] == "FAILED"
    assert len(cli("people", "--active", "--json").json) == 5


def test_8_where_the_store_cannot_be_made(cli: Cli) -> None:
    Path("var").write_text("a file where the folder should be")
    ran = cli("sync", code=8)
    assert "var/bridge.db cannot be opened for writing" in ran.words
    assert "BRIDGE_DATABASE" in ran.words


def test_8_where_a_newer_bridge_wrote_the_store(cli: Cli) -> None:
    cli("sync")
    with sqlite3.connect("var/bridge.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in ("status", "sync", "people"):
        assert "written by a newer bridge: upgrade the bridge" in cli(command, code=8).words


def test_8_where_the_store_is_another_file(cli: Cli) -> None:
    Path("var").mkdir()
    Path("var/bridge.db").write_text("no database at all " * 100)
    assert "is damaged or is no store of the bridge" in cli("status", code=8).words
