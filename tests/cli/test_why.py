"""`bridge why`: what comes next of somebody, what is not shown, and where each value stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def leaver(cli: Cli) -> tuple[Cli, datetime]:
    """Somebody whose last day is known, and when it is over."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    cli.bridge.rows["P3"]["end"] = f"{end:%Y-%m-%d %H:%M:%S}"
    cli.bridge.write()
    cli("sync")
    return cli, end


def test_the_next_moment_of_change_is_told_with_what_comes_then(
    leaver: tuple[Cli, datetime],
) -> None:
    cli, end = leaver
    text = cli("why", "P3").out
    assert f"  This may change on {end:%Y-%m-%d at %H:%M} UTC, when a date passes.\n" in text
    assert "  Then: inactive, last day has passed.\n" in text


def test_what_comes_next_is_had_as_json(leaver: tuple[Cli, datetime]) -> None:
    cli, end = leaver
    found = cli("why", "P3", "--json").json
    assert datetime.fromisoformat(found["until"]) == end
    assert found["then"] == {"active": False, "reason": "last day has passed", "skipped": None}


def test_of_somebody_without_dates_nothing_comes_next(cli: Cli) -> None:
    cli("sync")
    assert "This may change" not in cli("why", "P2").out
    found = cli("why", "P2", "--json").json
    assert (found["until"], found["then"]) == (None, None)


def test_what_is_sensitive_is_shown_nowhere(cli: Cli) -> None:
    cli.bridge.edit("department: dept", "department: { expr: dept, sensitive: true }")
    cli("sync")
    department = cli.bridge.rows["P2"]["dept"]
    for arguments in (["why", "P2"], ["why", "P2", "--all"], ["why", "P2", "--json"]):
        ran = cli(*arguments)
        assert department not in ran.out
        assert "(sensitive)" in ran.out


def test_a_value_of_a_preset_says_so(cli: Cli) -> None:
    cli.bridge.file.write_text(
        "version: 1\nname: hr\nextends: hr-csv\n"
        "source:\n  path: people.csv\n  settle: 0 seconds\n"
        "  columns: { person_id: id, first_name: first, last_name: last, work_email: mail,\n"
        "    job_title: dept, department: dept, manager_id: end, start_date: end, last_day: end }\n"
        "limits: { first_load: publish }\n"
    )
    cli("sync")
    text = cli("why", "P2", "--all").out
    assert "    = work_email | lower    (line 46 of the preset hr-csv)\n" in text
    values = cli("why", "P2", "--json").json["values"]
    [key] = [value for value in values if value["target"] == "key"]
    assert (key["line"], key["preset"]) == (28, "hr-csv")
