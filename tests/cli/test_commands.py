"""What the commands print, for people and as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.core import TyperGroup

from bridge import __version__
from bridge.cli import app
from bridge.cli.words import sums
from tests.cli.conftest import Cli
from tests.processes import person


def commands(group: TyperGroup, *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield (*before, name)
            yield from commands(command, *before, name)
        else:
            yield (*before, name)


def every_command() -> list[tuple[str, ...]]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return [(), *commands(group)]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_help_says_what_a_command_does_and_fits(
    cli: Cli, command: tuple[str, ...], width: int
) -> None:
    cli.set("COLUMNS", str(width))
    text = cli(*command, "--help").out
    assert f"Usage: {' '.join(('bridge', *command))} " in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "--supervised" not in text


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out == f"bridge {__version__}\n"


# -- sync --------------------------------------------------------------------------------------


def test_sync_prints_one_json_object_and_a_json_line_a_step(cli: Cli) -> None:
    ran = cli("sync", "--json")
    assert ran.json["verdict"] == "COMPLETE"
    assert ran.json["counts"] == {"first_load": 5}
    assert ran.json["held"] == {}
    assert ran.json["exit_code"] == 0
    assert ran.json["faults"] == []
    [source] = ran.json["sources"]
    assert source["source"] == "hr"
    assert source["entries"] == source["written"] == 5
    steps = [json.loads(line)["step"] for line in ran.err.splitlines()]
    assert steps == ["read", "decide", "publishing", "in transaction", "publish", "published"]


def test_sync_gives_the_worst_verdict_of_all_sources(cli: Cli) -> None:
    text = cli.bridge.file.read_text().replace("name: hr", "name: partners")
    (cli.bridge.file.parent / "partners.yaml").write_text(text.replace("people.csv", "none.csv"))
    ran = cli("sync", "--json", code=7)
    assert ran.json["verdict"] == "FAILED"
    assert [each["verdict"] for each in ran.json["sources"]] == ["COMPLETE", "FAILED"]
    assert ran.json["counts"] == {"first_load": 5}
    assert cli("sync", "hr", "--json").json["verdict"] == "COMPLETE"


# -- plans -------------------------------------------------------------------------------------


@pytest.fixture
def first_load(cli: Cli) -> str:
    """A first load that is held, with odd people in it; the hash of its plan."""
    cli.bridge.edit("limits: { first_load: publish }", "")
    cli.bridge.rows |= {
        "P6": person(6, end="2020-01-31 00:00:00"),
        "P7": person(7, mail="seven"),
        "P8": person(8, mail="P1@example.com"),
        "P9": person(9, first=""),
    }
    cli.bridge.write()
    cli("sync", code=3)
    return cli.plan()


def test_a_first_load_is_shown_with_its_sums_and_whoever_is_odd(cli: Cli, first_load: str) -> None:
    text = cli("plan", "show", first_load[:8]).out
    assert "nobody of this source is served before you approve it" in text
    assert "8 people: 7 active, 1 inactive" in text
    assert "7  active: employed" in text
    assert "1  inactive: last day has passed" in text
    assert "1 person whose userName is no e-mail address" in text
    assert ": seven" in text
    assert "somebody else's as well" in text
    assert f"bridge plan approve {first_load[:12]}" in text
    found = cli("plan", "show", first_load, "--limit", "2", "--json").json
    assert found["people"] == 8
    assert found["outcomes"] == {"active: employed": 7, "inactive: last day has passed": 1}
    assert len(found["odd"]) == 2
    assert [change["subject"] for change in found["changes"]] == ["P1", "P2"]


def test_the_rest_of_a_long_plan_is_counted(cli: Cli, first_load: str) -> None:
    assert (
        "... and 6 more: --limit shows them" in cli("plan", "show", first_load, "--limit", "2").out
    )


def test_plans_are_listed_as_json(cli: Cli, first_load: str) -> None:
    [plan] = cli("plan", "list", "--json").json
    assert plan["hash"] == first_load
    assert plan["source"] == "hr"
    assert plan["state"] == "held"
    assert plan["purpose"] == "first_load"
    assert plan["counts"] == {"first_load": 8}
    assert plan["decided_by"] is None


def test_an_approved_plan_goes_live_at_once(cli: Cli, first_load: str) -> None:
    text = cli("plan", "approve", first_load[:6]).out
    assert f"Plan {first_load[:12]} is published." in text
    assert "Published 6 people" in text  # two want the same name and wait
    assert "Nothing waits for your word." in cli("plan", "list").out
    [plan] = cli("plan", "list", "--all", "--json").json
    assert plan["state"] == "published"


def test_a_plan_that_is_decided_cannot_be_decided_again(cli: Cli, first_load: str) -> None:
    cli("plan", "approve", first_load)
    ran = cli("plan", "reject", first_load, code=2)
    assert "the plan is published, not held" in ran.words


def test_held_changes_wait_while_others_go_live(cli: Cli) -> None:
    cli("sync")
    for key in ("P1", "P2", "P3", "P4"):
        cli.bridge.rows[key]["end"] = "2020-01-31 00:00:00"
    cli.bridge.rows["P6"] = person(6)
    cli.bridge.write()
    ran = cli("sync", code=3)
    assert "Published 1 person: 1 new" in ran.out
    assert "Held: 4 disabled by the source" in ran.out
    assert "waits for your word" in cli("status").out
    assert "4 disabled by the source" in cli("plan", "list").out
    assert "Waiting (disabled by the source, held)" in cli("why", "P1").out
    ran = cli("plan", "approve", cli.plan(), "--json")
    assert ran.json["state"] == "published"
    assert ran.json["sync"]["counts"] == {"disabled": 4}


def test_the_sums_of_a_plan_count_renames_together_and_say_how_many_are_left_out(cli: Cli) -> None:
    cli("sync")
    for row in cli.bridge.rows.values():
        row["mail"] = f"new.{row['mail']}"
    cli.bridge.write()
    cli("sync", code=3)
    text = cli("plan", "show", cli.plan()).out
    assert "5 people: 5 renamed\n          5  another userName\n\n" in text
    assert "new.p1@example.com" in text


def test_a_long_list_of_sums_tells_how_many_others_there_are() -> None:
    counts = Counter({f"inactive: reason {number}": 99 - number for number in range(18)})
    lines = list(sums(counts))
    assert len(lines) == 16
    assert lines[0] == "         99  inactive: reason 0"
    assert lines[-1] == "             and 3 others"


def test_a_held_edit_shows_the_new_names_and_where_every_value_is_shown(cli: Cli) -> None:
    cli("sync")
    cli.bridge.edit("expr: mail | lower, required", "expr: \"f'x.{mail}' | lower\", required")
    cli("sync", code=3)
    text = " ".join(cli("plan", "show", cli.plan()).out.split())
    assert "p1@example.com changed by an edited file active: employed; called x.p1@exam" in text
    assert "keeps it away until the file is edited again" in text
    assert "bridge preview hr shows every value that it would change" in text


# -- people ------------------------------------------------------------------------------------


def test_a_part_of_a_plan_is_decided_by_person_or_kind(cli: Cli) -> None:
    cli("sync")
    for key in ("P1", "P2", "P3", "P4"):
        cli.bridge.rows[key]["end"] = "2020-01-31 00:00:00"
    cli.bridge.write()
    cli("sync", code=3)
    [plan] = cli("plan", "list", "--json").json
    shown = cli("plan", "show", plan["hash"]).out
    assert "--person or --kind for a part of it; its kinds are disabled." in shown
    mail = cli.bridge.rows["P2"]["mail"]
    ran = cli("plan", "approve", plan["hash"], "--person", mail)
    assert "Published 1 person" in ran.out
    [rest] = cli("plan", "list", "--json").json
    assert (rest["state"], rest["counts"]) == ("held", {"disabled": 3})
    ran = cli("plan", "approve", rest["hash"], "--kind", "renamed", code=2)
    assert "nothing of that is in the plan" in ran.words
    both = ("--kind", "disabled", "--kind", "disabled by the source")
    ran = cli("plan", "approve", rest["hash"], *both, code=2)
    assert "--kind 'disabled by the source'; its kinds are disabled: " in ran.words
    ran = cli("plan", "approve", rest["hash"], "--person", "nobody", code=2)
    assert "nobody is called 'nobody'" in ran.words
    assert cli("plan", "reject", rest["hash"], "--kind", "disabled", "--json").json["state"] == (
        "rejected"
    )


def test_people_are_listed_in_the_order_of_the_list(cli: Cli) -> None:
    cli("sync")
    found = cli("people", "--json").json
    assert [row["position"] for row in found] == [1, 2, 3, 4, 5]
    assert found[0].keys() == {"id", "key", "position", "userName", "active", "reason", "source"}
    assert cli("people").out.splitlines()[1].split() == [
        "1", "p1@example.com", "yes", "hr", "employed",
    ]  # fmt: skip


def test_people_can_be_narrowed_down(cli: Cli) -> None:
    cli.bridge.rows["P3"]["end"] = "2020-01-31 00:00:00"
    cli.bridge.write()
    cli("sync")
    assert [row["key"] for row in cli("people", "--inactive", "--json").json] == ["P3"]
    assert len(cli("people", "--active", "--json").json) == 4
    assert [row["key"] for row in cli("people", "P2@", "--json").json] == ["P2"]
    assert [row["key"] for row in cli("people", "last day", "--json").json] == ["P3"]
    assert "Nobody is served who fits." in cli("people", "nobody").out
    assert len(cli("people", "--source", "hr", "--json").json) == 5
    ran = cli("people", "--limit", "2", "--json")
    assert len(ran.json) == 2
    assert "These are the first 2: --limit shows more." in ran.words


@pytest.mark.parametrize("text", ["P3", "p3@example.com", "P3@EXAMPLE.COM", "id"])
def test_a_person_goes_by_every_name(cli: Cli, text: str) -> None:
    cli("sync")
    if text == "id":
        [text] = [row["id"] for row in cli("people", "P3", "--json").json]
    assert cli("why", text, "--json").json["person"]["key"] == "P3"


# -- why ---------------------------------------------------------------------------------------


def test_why_is_told_in_sentences(cli: Cli) -> None:
    end = datetime.now(UTC) + timedelta(days=3)
    cli.bridge.rows["P3"]["end"] = f"{end:%Y-%m-%d %H:%M:%S}"
    cli.bridge.write()
    cli("sync")
    text = cli("why", "P3").out
    assert text.startswith("p3@example.com is active: employed.\n")
    assert "The mapping says active: employed (no rule holds)." in text
    assert f"This may change on {end:%Y-%m-%d at %H:%M} UTC, when a date passes." in text
    assert "user.userName            mail   p3@example.com\n" in text
    assert "vars.ends" not in text
    everything = cli("why", "P3", "--all").out
    assert "active.rules[1]: no\n    = ends <= now    (line 17)\n" in everything
    assert f"      end: {end:%Y-%m-%d %H:%M:%S}\n" in everything


def test_why_tells_of_somebody_who_cannot_be_mapped(cli: Cli) -> None:
    cli("sync")
    cli.bridge.rows["P3"]["first"] = ""
    cli.bridge.write()
    cli("sync")
    text = cli("why", "P3").out
    assert "p3@example.com is active" in text
    assert "Not served as the source has it" in text
    assert "user.name.givenName is required" in text
    assert "user.name.givenName" in cli("status").out
    [problem] = cli("status", "--json").json["problems"]
    assert problem["person"] == "P3"


def test_why_tells_of_a_leaver_without_a_record(cli: Cli) -> None:
    cli("sync")
    del cli.bridge.rows["P3"]
    cli.bridge.write()
    cli("sync")
    text = cli("why", "P3").out
    assert "p3@example.com is inactive: no longer in the source." in text
    assert "The source has no record of this person any more." in text
    assert "deactivated by" in text
    found = cli("why", "P3", "--json").json
    assert found["records"] == []
    assert found["values"] == []
    assert found["history"][0]["action"] == "deactivated"


# -- overrides ---------------------------------------------------------------------------------


def test_an_override_wins_stands_in_the_list_and_ends(cli: Cli) -> None:
    cli("sync")
    ran = cli("deactivate", "p3@example.com", "--reason", "laptop stolen", "--until", "2100-01-31")
    assert "p3@example.com is inactive: override by" in ran.out
    assert "laptop stolen" in cli("override", "list").out
    [row] = cli("override", "list", "--json").json
    assert row["person_key"] == "P3"
    assert row["active"] is False
    assert row["until"].startswith("2100-01-31")
    why = cli("why", "P3").out
    assert "keeps this person inactive until 2100-01-31 00:00 UTC: laptop stolen." in why
    [person] = cli("people", "P3", "--json").json
    assert f"  bridge override end {person['id']}   lets the source speak again." in why
    assert cli("override", "end", "P3", "--json").json["active"] is True
    assert "No override stands" in cli("override", "list").out


# -- tokens ------------------------------------------------------------------------------------


def test_a_token_is_printed_once_and_alone_on_stdout(cli: Cli) -> None:
    ran = cli("token", "create", "okta")
    assert ran.out.startswith("brg_")
    assert len(ran.out.split()) == 1
    assert "shown once" in ran.words
    assert ran.out.strip() not in cli("token", "list").out
    [row] = cli("token", "list", "--json").json
    assert (row["name"], row["state"], row["last_used_at"]) == ("okta", "good", None)


def test_a_token_is_rotated_and_revoked(cli: Cli) -> None:
    first = cli("token", "create", "okta", "--days", "365", "--json").json
    assert first.keys() == {"name", "token", "expires_at"}
    second = cli("token", "rotate", "okta", "--overlap-hours", "48", "--json").json
    assert second["token"] != first["token"]
    assert cli("token", "revoke", "okta", "--json").json == {"name": "okta", "revoked": 2}
    assert {row["state"] for row in cli("token", "list", "--json").json} == {"revoked"}


def test_it_is_told_when_a_token_ends(cli: Cli) -> None:
    cli("token", "create", "okta")
    ran = cli("token", "rotate", "okta", "--overlap-hours", "48")
    told = re.search(r"The old one stays good until (\S+ \S+) UTC at most\.", ran.words)
    assert told is not None
    heading, old, new = cli("token", "list").out.splitlines()
    assert "Ends (UTC)" in heading
    assert f"  {told[1]}  " in old
    assert "  never  " in new
    ended = cli("token", "rotate", "okta", "--overlap-hours", "0").words
    assert "The old one is good no longer." in ended


# -- files -------------------------------------------------------------------------------------


def test_check_prints_faults_as_json(cli: Cli) -> None:
    assert cli("check", "--json").json == []
    cli.bridge.edit("key: id", "kee: id")
    faults = cli("check", "mappings/hr.yaml", "--json", code=5).json
    assert faults[0].keys() == {"file", "line", "column", "message", "hint"}
    assert ("mappings/hr.yaml", 13) in {(fault["file"], fault["line"]) for fault in faults}


def test_test_prints_results_as_json(cli: Cli) -> None:
    with cli.bridge.file.open("a") as file:
        file.write(TEST)
    found = cli("test", "--json").json
    assert (found["passed"], found["failed"]) == (1, 0)
    assert found["tests"][0]["name"] == "Ann is Ann"
    assert found["tests"][0]["problems"] == []


TEST = """\
tests:
  - name: Ann is Ann
    record: { id: P1, first: Ann, last: Lee, mail: Ann@example.com }
    expect: { userName: ann@example.com }
"""


# -- status ------------------------------------------------------------------------------------


def test_status_tells_how_everything_is(cli: Cli) -> None:
    text = cli("status").out
    assert "Nobody is served: no first load is approved yet." in text
    assert "No source was read yet: bridge sync reads them now." in text
    cli("sync")
    text = cli("status").out
    assert "People are served." in text
    assert "Nobody syncs: bridge serve starts the daemon; where it runs, its log says why." in text
    found = cli("status", "--json").json
    assert found.keys() == {
        "serving", "daemon", "sources", "held", "problems", "rehires", "faults", "unwell",
    }  # fmt: skip
    assert found["unwell"] == [
        "no daemon syncs: start bridge serve, or bridge syncd; where one runs, its log says why"
    ]
    assert found["serving"] is True
    assert found["daemon"] is None
    [source] = found["sources"]
    assert (source["people"], source["active"], source["paused"]) == (5, 5, None)
    assert source["last_run"]["verdict"] == "COMPLETE"
