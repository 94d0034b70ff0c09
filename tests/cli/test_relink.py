"""`bridge relink`, as an operator runs it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.processes import person


@pytest.fixture
def rehired(cli: Cli) -> Cli:
    """P2 has left, and is back as P9 under another address."""
    cli("sync")
    del cli.bridge.rows["P2"]
    cli.bridge.write()
    cli("sync", "--full")
    cli.bridge.rows["P9"] = person(9)
    cli.bridge.write()
    cli("sync")
    return cli


def test_an_override_of_the_new_record_has_to_end_first(rehired: Cli) -> None:
    rehired("deactivate", "P9", "--reason", "laptop stolen")
    assert "bridge override end" in rehired("relink", "P2", "P9", code=2).err
    assert not people(rehired)["P2"]["active"]


def people(cli: Cli) -> dict[str, dict[str, object]]:
    return {row["key"]: row for row in cli("people", "--json").json}


def test_a_rehire_goes_on_with_the_id_and_place_of_before(rehired: Cli) -> None:
    before = people(rehired)["P2"]
    assert "goes on as number 2 in the list, active" in rehired("relink", "P2", "P9").out
    after = people(rehired)
    assert (after["P2"]["id"], after["P2"]["position"]) == (before["id"], 2)
    assert (after["P2"]["userName"], after["P2"]["active"]) == ("p9@example.com", True)
    assert not after["P9"]["active"]
    rehired.bridge.rows["P9"]["last"] = "Married"
    rehired.bridge.write()
    rehired("sync", "--full")
    assert people(rehired)["P2"]["active"]
    assert rehired("audit", "P2", "--action", "relinked", "--json").json[0]["new"] == "P9"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("P3", "P9", "is still in the source 'hr'"),
        ("P2", "P2", "one person already"),
        ("P2", "nobody", "nobody is called 'nobody'"),
    ],
)
def test_what_cannot_be_one_person_is_told(rehired: Cli, old: str, new: str, words: str) -> None:
    assert words in rehired("relink", old, new, code=2).err


def test_somebody_without_a_record_cannot_go_on_for_another(rehired: Cli) -> None:
    del rehired.bridge.rows["P3"]
    rehired.bridge.write()
    rehired("sync", "--full")
    assert "has no record in the source" in rehired("relink", "P2", "P3", code=2).err


def test_somebody_who_may_be_a_rehire_stands_in_status_and_why_until_relinked(cli: Cli) -> None:
    cli("sync")
    del cli.bridge.rows["P2"]
    cli.bridge.write()
    cli("sync", "--full")
    cli.bridge.rows["P9"] = person(9, mail="p2@example.com")
    cli.bridge.write()
    cli("sync")
    ids = {key: row["id"] for key, row in people(cli).items()}
    command = f"bridge relink {ids['P2']} {ids['P9']}"
    [told] = cli("status", "--json").json["rehires"]
    assert told == {
        "source": "hr", "new": ids["P9"], "old": ids["P2"], "by": ["email", "userName"],
        "next": command,
    }  # fmt: skip
    assert f"  If it is one person: {command}\n" in cli("status").out
    assert command in cli("why", ids["P9"]).out
    assert cli("why", ids["P2"], "--json").json["rehires"] == [
        {"new": ids["P9"], "old": ids["P2"], "by": told["by"], "next": command}
    ]
    cli(*command.split()[1:])
    assert cli("status", "--json").json["rehires"] == []
