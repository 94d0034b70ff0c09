"""What `bridge audit` tells of what happened."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import audit
from bridge.store import Store
from bridge.store import audit as rows
from bridge.store.retention import Keep
from bridge.sync import upkeep
from bridge.sync.leadership import utc_now
from tests.cli.conftest import Cli
from tests.processes import ROOT, person


@pytest.fixture
def told(cli: Cli) -> Cli:
    """A company of which one has left by the source's word and one by ann's."""
    cli("sync")
    cli.bridge.rows["P2"]["end"] = "2020-01-31 00:00:00"
    cli.bridge.write()
    cli("sync")
    cli("deactivate", "P3", "--reason", "laptop stolen")
    return cli


def test_every_flip_has_its_cause_rule_run_and_actor(told: Cli) -> None:
    by_override, override, by_source = told("audit", "--json").json[:3]
    assert by_source["action"] == by_override["action"] == "deactivated"
    assert by_source["reason"] == "last day has passed"
    assert by_source["rule"]
    assert by_source["fact"]
    assert by_source["mapping"] == 1
    assert by_source["run"]
    assert (override["action"], override["reason"]) == ("override inactive", "laptop stolen")
    assert by_override["approved"]
    assert not by_source["approved"]


def test_the_table_names_people_as_they_are_called(told: Cli) -> None:
    text = told("audit", "--action", "deactivated").out
    assert text.splitlines()[0].split() == ["When", "(UTC)", "What", "Whom", "By", "Run", "Why"]
    assert "p2@example.com" in text
    assert "last day has passed; rule" in text


@pytest.mark.parametrize(
    ("options", "people"),
    [
        (["P2"], ["P2"]),
        (["--action", "deactivated"], ["P3", "P2"]),
        (["--action", "deactivated", "--limit", "1"], ["P3"]),
        (["--source", "hr", "--action", "override inactive"], ["P3"]),
        (["--actor", "nobody"], []),
        (["--until", "2020-01-01"], []),
        (["--since", "2020-01-01", "--action", "deactivated"], ["P3", "P2"]),
    ],
)
def test_what_is_asked_for_is_told(told: Cli, options: list[str], people: list[str]) -> None:
    assert [row["person"] for row in told("audit", *options, "--json").json] == people


def test_an_export_is_a_line_each_with_the_oldest_first(told: Cli) -> None:
    lines = told("audit", "--export").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows == told("audit", "--json").json[::-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "yesterday"], "--since 'yesterday' is not a date such as 2027-01-31"),
        (["--source", "xx"], "there is no source 'xx': there are hr"),
        (["--action", "deactivate"], "no action 'deactivate': there are created, deactivated, "),
        (["--since", "2027-01-31", "--until", "2027-01-30"], "is not before --until 2027-01-30"),
        (["--since", "2027-01-31", "--until", "2027-01-31"], "is not before --until 2027-01-31"),
        (["--limit", "99999999999999999999"], "Invalid value for '--limit'"),
        (["nobody@example.com"], "nobody is called 'nobody@example.com'"),
    ],
)
def test_what_makes_no_sense_is_told(told: Cli, options: list[str], words: str) -> None:
    assert words in told("audit", *options, code=2).err


def test_an_action_that_exists_may_have_happened_to_nobody(told: Cli) -> None:
    assert "Nothing happened that fits." in told("audit", "--action", "erased").out


def test_an_action_that_a_newer_bridge_noted_is_found(told: Cli) -> None:
    with told.bridge.store() as store, store.write() as connection:
        rows.add(connection, [rows.Happened(utc_now(), "test", "praised")])
    assert len(told("audit", "--action", "praised", "--json").json) == 1


def test_the_readme_names_every_action() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.search(r"`action` \((`created`.*?)\)", readme, re.DOTALL)
    assert named is not None
    assert tuple(re.findall("`([^`]+)`", named[1])) == audit.ACTIONS


def test_what_is_done_to_tokens_is_told_and_never_a_token(told: Cli) -> None:
    secret = told("token", "create", "okta", "--json").json["token"]
    told("token", "rotate", "okta")
    told("token", "revoke", "okta")
    told("token", "revoke", "okta", code=2)
    text = told("audit", "--export").out
    rows = [json.loads(line) for line in text.splitlines()][-3:]
    assert [(row["action"], row["token"]) for row in rows] == [
        ("token created", "okta"), ("token rotated", "okta"), ("token revoked", "okta")
    ]  # fmt: skip
    assert secret not in text


def kept(file: Path) -> list[tuple[Any, ...]]:
    """The audit as it stands in the store, in order of happening."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT * FROM audit ORDER BY id").fetchall()


def guard(file: Path, *acts: str) -> None:
    """Let the store refuse these acts on the audit, whoever tries."""
    with closing(sqlite3.connect(file)) as connection:
        for act in acts:
            connection.execute(
                f"CREATE TRIGGER no_{act} BEFORE {act} ON audit "
                "BEGIN SELECT raise(ABORT, 'the audit is only added to'); END"
            )


def test_no_command_and_no_run_changes_or_takes_out_what_happened(cli: Cli) -> None:
    cli("sync")
    store = cli.bridge.database
    guard(store, "UPDATE", "DELETE")
    steps = 0

    def step(*arguments: str, code: int = 0) -> None:
        nonlocal steps
        before = kept(store)
        cli(*arguments, code=code)
        assert kept(store)[: len(before)] == before, arguments
        steps += len(kept(store)) > len(before)

    def rows(**changes: dict[str, str] | None) -> None:
        for key, row in changes.items():
            if row is None:
                del cli.bridge.rows[key]
            else:
                cli.bridge.rows[key] = row
        cli.bridge.write()

    def approve() -> None:
        for plan in cli("plan", "list", "--json").json:
            if plan["state"] == "held":
                step("plan", "approve", plan["hash"])

    step("token", "create", "okta")
    step("token", "rotate", "okta")
    step("token", "revoke", "okta")
    rows(P2=person(2) | {"end": "2020-01-31 00:00:00"})
    step("sync")
    step("deactivate", "P3", "--reason", "laptop stolen")
    step("override", "end", "P3")
    rows(P4=None)
    step("sync", "--full")
    rows(P9=person(9))
    step("sync")
    step("relink", "P4", "P9")
    rows(P3=None, P5=None)
    step("sync", "--full", code=3)
    step("plan", "reject", cli.plan())
    rows(P1=None, P9=None)
    step("sync", "--full", code=3)
    approve()
    step("erase", "P1")
    cli.bridge.file.unlink()
    step("source", "remove", "hr", code=3)
    approve()
    assert steps >= 12


def test_erasing_keeps_what_happened_and_nothing_of_whom(cli: Cli) -> None:
    personal = ("First2", "Last2", "p2@example.com")
    cli("sync")
    store = cli.bridge.database
    cli("deactivate", "p2@example.com", "--reason", "laptop stolen")
    del cli.bridge.rows["P2"]
    cli.bridge.write()
    cli("sync", "--full")
    before = kept(store)
    cli("erase", "p2@example.com")
    assert kept(store)[: len(before)] == before
    told = cli("audit", "P2", "--json").json
    assert [row["action"] for row in told] == ["erased", "deactivated", "override inactive"]
    assert not [value for value in personal if value in str(kept(store)) + json.dumps(told)]


def test_only_age_takes_anything_out_of_the_audit(told: Cli) -> None:
    store = told.bridge.database
    guard(store, "UPDATE")
    before = kept(store)
    day = timedelta(days=1)
    with closing(Store.open(f"sqlite:///{store}")) as opened:
        for later, left in ((29, before), (31, [])):
            now = utc_now() + later * day
            upkeep.forget(opened, Keep(9999 * day, 30 * day, 9999 * day), now, lambda: None)
            assert kept(store) == left
