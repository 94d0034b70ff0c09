"""`bridge preview`: what a file on disk would change."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.processes import person


@pytest.fixture
def edited(cli: Cli) -> Cli:
    """Five people who are served, and an edit of the file that is not live yet."""
    cli("sync")
    cli.bridge.edit("department: dept", "department: dept | upper")
    return cli


def test_the_changes_of_an_edit_are_told_person_by_person(edited: Cli) -> None:
    out = edited("preview", "hr").out
    assert "hr: mappings/hr.yaml is not what is live." in out
    assert "5 people looked at: 5 people would be served differently." in out
    assert "          5  enterprise.department\n" in out
    department = edited.bridge.rows["P1"]["dept"]
    assert f"p1@example.com  enterprise.department  {department}" in out
    assert f"  {department.upper()}\n" in out


def test_it_writes_nothing_and_says_the_same_again(edited: Cli) -> None:
    first = edited("preview", "hr", "--json").json
    assert edited("preview", "hr", "--json").json == first
    assert edited("plan", "list", "--all", "--json").json == []
    assert first["purpose"] == "edit"


def test_one_person_is_told_whole(edited: Cli) -> None:
    out = edited("preview", "hr", "--person", "p2@example.com").out
    assert "p2@example.com: 1 person would be served differently." in out
    values = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "  " in line}
    assert values["userName"] == ["p2@example.com", "p2@example.com"]
    assert values["enterprise.department"] == ["Sales", "SALES"]
    assert values["active"] == ["active", "active:", "employed"]
    [found] = edited("preview", "hr", "--person", "P2", "--json").json["people"]
    assert found["values"]["userName"] == "p2@example.com"
    assert [each["name"] for each in found["differences"]] == ["enterprise.department"]


def test_somebody_new_has_no_value_now(cli: Cli) -> None:
    cli.bridge.edit("limits: { first_load: publish }", "limits: { first_load: hold }")
    cli("sync", code=3)
    out = cli("preview", "hr", "--person", "P2").out
    values = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "  " in line}
    assert values["userName"] == ["p2@example.com"]
    assert values["active"] == ["not", "served", "active:", "employed"]


def test_who_would_become_inactive_is_told_with_the_reason(cli: Cli) -> None:
    cli("sync")
    cli.bridge.edit("{ when: ends <= now,", "{ when: id == 'P2',")
    out = cli("preview", "hr").out
    assert "          1  would become inactive: last day has passed\n" in out
    assert "p2@example.com  active  active  inactive: last day has passed\n" in out
    assert "held" not in out


def test_what_the_limits_would_hold_is_told(cli: Cli) -> None:
    cli("sync")
    cli.bridge.edit("then: true, reason: employed", "then: false, reason: nobody is")
    out = cli("preview", "hr").out
    assert "The file would be held, whole, with its changes: above the limits (5 changed by" in out
    found = cli("preview", "hr", "--json").json
    assert (found["held"], found["kinds"]) == (["edited"], {"edited": 5})


def test_who_cannot_be_mapped_is_told(cli: Cli) -> None:
    cli("sync")
    cli.bridge.edit("familyName: { expr: last,", "familyName: { expr: end,")
    out = cli("preview", "hr").out
    assert "nobody would be served differently" in out
    assert "cannot be mapped, and would stay as they are: user.name.familyName is required" in out


def test_a_first_load_is_told_before_it_is_approved(cli: Cli) -> None:
    cli.bridge.edit("limits: { first_load: publish }", "limits: { first_load: hold }")
    cli("sync", code=3)
    out = cli("preview", "hr").out
    assert "was never served: this would be its first load" in out
    assert "It would be held until you approve it" in out
    assert "          5  for the first time\n" in out
    assert ["p1@example.com", "active", "not", "served", "active:", "employed"] in (
        [line.split() for line in out.splitlines()]
    )


def test_as_many_people_as_asked_for_are_shown(cli: Cli) -> None:
    for number in range(6, 60):
        cli.bridge.rows[f"P{number}"] = person(number)
    cli.bridge.write()
    cli("sync")
    cli.bridge.edit("department: dept", "department: dept | upper")
    assert "... and 9 more: --limit shows them" in cli("preview", "hr").out
    assert "... and 57 more: --limit shows them" in cli("preview", "hr", "--limit", "2").out
    assert len(cli("preview", "hr", "--limit", "3", "--json").json["people"]) == 3


def test_without_an_edit_it_says_so(cli: Cli) -> None:
    cli("sync")
    out = cli("preview", "hr").out
    assert "mappings/hr.yaml is what is live." in out
    assert "nobody would be served differently" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["preview", "sap"], 2, "there is no source 'sap'"),
        (["preview", "hr", "--person", "zoe"], 2, "nobody is called 'zoe'"),
        (["preview", "hr", "--limit", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told(cli: Cli, arguments: list[str], code: int, words: str) -> None:
    cli("sync")
    assert words in cli(*arguments, code=code).err


def test_a_faulty_file_is_told_with_its_place(cli: Cli) -> None:
    cli("sync")
    cli.bridge.edit("mail | lower, required", "mail | louder, required")
    assert "mappings/hr.yaml:20:28: unknown function 'louder'" in cli("preview", "hr", code=5).err


def test_nothing_to_preview_is_told_with_what_to_do(cli: Cli) -> None:
    assert "bridge sync hr reads it" in cli("preview", "hr", code=2).err


def test_an_edit_can_be_looked_at_in_a_copy_of_the_folder(cli: Cli) -> None:
    cli("sync")
    draft = cli.bridge.folder / "draft"
    draft.mkdir()
    text = cli.bridge.file.read_text().replace("department: dept", "department: dept | upper")
    (draft / "hr.yaml").write_text(text)
    cli.set("BRIDGE_MAPPINGS", "draft")
    found = cli("preview", "hr", "--json").json
    assert (found["file"], found["changed"]) == ("draft/hr.yaml", 5)


def test_a_group_that_would_be_called_otherwise_is_told(cli: Cli) -> None:
    group = 'groups: [ { key: dept, displayName: "dept" } ]\n'
    cli.bridge.file.write_text(cli.bridge.file.read_text() + group)
    cli("sync")
    cli.bridge.edit('displayName: "dept"', "displayName: dept + ' all'")
    out = cli("preview", "hr").out
    assert "nobody would be served differently" in out
    assert "  the group Sales would be called Sales all\n" in out
    assert cli("preview", "hr", "--json").json["renamed"] == [
        {"key": "Sales", "before": "Sales", "after": "Sales all"}
    ]
