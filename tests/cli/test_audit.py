"""What `bridge audit` tells of what happened."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cli


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
        (["nobody@example.com"], "nobody is called 'nobody@example.com'"),
    ],
)
def test_what_makes_no_sense_is_told(told: Cli, options: list[str], words: str) -> None:
    assert words in told("audit", *options, code=2).err


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
