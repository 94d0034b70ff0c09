"""Mapping files that are edited, damaged, taken away and brought back while people are served."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.errors import FileFaults, LeaseHeld, UsageError
from bridge.store import lease
from bridge.store import sources as source_rows
from bridge.store.tables import SourceRow
from bridge.sync.leadership import leadership
from bridge.sync.run import CHANGES, Report, Sync
from tests.sync.conftest import Company, person

NOBODY = ("then: true, reason: employed", "then: false, reason: nobody is")
BY_ID = ("userName: { expr: mail | lower", "userName: { expr: \"f'{id}@example.com' | lower\"")
UPPER = ("\n  title: title\n", "\n  title: title | upper\n")
CLERKS = ("when: title == 'Test'", "when: title == 'Clerk'")


def source(company: Company, name: str = "hr") -> SourceRow:
    with company.store.read() as connection:
        found = source_rows.get(connection, name)
    assert found is not None
    return found


def sync(company: Company, name: str, mode: str = CHANGES) -> Report:
    """Sync a source by its name."""
    with leadership(company.store) as epoch:
        run = Sync(company.store, company.mappings, epoch, lambda: company.now).run
        return run(name, mode, "test")


def status(company: Company) -> int:
    with company.client() as client:
        return client.get("/scim/v2/Users").status_code


def titles(company: Company) -> set[object]:
    return {row.get("title") for row in company.served().values()}


# -- within the limits, and above --------------------------------------------------------------


def test_an_edit_within_the_limits_goes_live_whole(company: Company) -> None:
    company.update()
    company.write_mapping(UPPER)
    report = company.sync()
    assert (report.exit_code, report.written) == (0, 10)
    assert titles(company) == {"CLERK"}
    assert source(company).mapping_version == 2
    assert company.sync().written == 0


def test_an_edit_that_deactivates_one_person_goes_live(company: Company) -> None:
    company.update()
    company.rows["P2"]["title"] = "Chief"
    company.update()
    company.write_mapping(("when: title == 'Test'", "when: title == 'Chief'"))
    assert company.sync().counts == {"edited": 1}
    assert company.inactive() == {"P2"}
    [event] = company.audit("P2")
    assert '"cause": "edited"' in event.detail
    assert '"mapping": 2' in event.detail


@pytest.mark.parametrize(
    ("edit", "held", "shown"),
    [
        (NOBODY, {"edited": 10}, ("P2", "edited", "inactive")),
        (CLERKS, {"edited": 10}, ("P2", "edited", "inactive")),
        (BY_ID, {}, None),
        (("  title: title\n", ""), {"emptied:title": 10}, ("P2", "emptied:title", "")),
    ],
)
def test_an_edit_above_the_limits_is_held_whole_with_its_diff(
    company: Company,
    edit: tuple[str, str],
    held: dict[str, int],
    shown: tuple[str, str, str] | None,
) -> None:
    company.update()
    before = company.served()
    company.write_mapping(edit, ("Engineering", "Research"))
    report = company.sync()
    assert report.held == held
    if shown is None:
        assert report.exit_code == 0, "it renames nobody, so nothing keeps it"
        return
    assert report.exit_code == 3
    assert company.plan().purpose == "edit"
    assert shown in company.shown()
    assert company.served() == before
    assert company.sync().exit_code == 3
    assert company.approve().exit_code == 0
    assert company.served() != before
    assert company.groups().keys() >= ({"Department Research"} if edit != CLERKS else set())
    assert [plan.state for plan in company.plans()] == ["published"]
    assert company.sync().written == 0


def test_a_held_edit_shows_what_is_within_its_limit_too(company: Company) -> None:
    company.rows["P2"]["title"] = "Chief"
    company.update()
    company.write_mapping(("  title: title\n", ""), ("title == 'Test'", "title == 'Chief'"))
    assert company.sync().held == {"emptied:title": 9}
    assert ("P2", "edited", "inactive") in company.shown()
    company.approve()
    assert company.inactive() == {"P2"}
    [event] = company.audit("P2")
    assert (event.actor, event.approved) == ("ann", True)


def test_source_changes_go_on_under_the_old_text_while_an_edit_is_held(company: Company) -> None:
    company.update()
    company.write_mapping(NOBODY)
    company.sync()
    company.leave(2)
    company.rows["P3"]["title"] = "Chief"
    company.rows["P11"] = person(11)
    report = company.update()
    assert (report.exit_code, report.counts) == (3, {"disabled": 1, "new": 1})
    assert company.inactive() == {"P2"}
    assert company.served()["P3"]["title"] == "Chief"


def test_an_approved_edit_covers_whom_it_showed_and_few_more(company: Company) -> None:
    company.update()
    company.write_mapping(NOBODY)
    company.sync()
    company.rows["P11"] = person(11)
    company.update()
    assert company.approve().exit_code == 0
    assert len(company.inactive()) == 11
    assert [event.actor for event in company.audit("P5")] == ["ann"]
    assert [event.actor for event in company.audit("P11")] == ["test", "test"]


def test_what_an_approved_edit_does_to_many_others_needs_an_approval_too(
    company: Company,
) -> None:
    company.update()
    company.write_mapping(NOBODY)
    company.sync()
    for number in range(11, 21):
        company.rows[f"P{number}"] = person(number)
    company.update()
    first = company.plan()
    report = company.approve()
    assert (report.exit_code, report.held) == (3, {"edited": 10})
    assert company.sync("full").held == {}, "what waits is held once"
    assert company.inactive() == set()
    assert {subject for subject, _, _ in company.shown()} == {f"P{n}" for n in range(11, 21)}
    assert company.plan().hash != first.hash
    assert company.approve().exit_code == 0
    assert len(company.inactive()) == 20
    assert {plan.state for plan in company.plans()} == {"published"}


def test_a_rejected_edit_stays_away_until_it_is_another_one(company: Company) -> None:
    company.update()
    company.write_mapping(NOBODY)
    company.sync()
    assert company.reject().exit_code == 0
    for mode in ("full", "decide", "changes"):
        assert company.sync(mode).exit_code == 0
    assert company.inactive() == set()
    company.rows["P2"]["title"] = "Chief"
    assert company.update().written == 1
    company.write_mapping(NOBODY, UPPER)
    assert company.sync().exit_code == 3


def test_a_second_edit_replaces_the_one_that_is_held(company: Company) -> None:
    company.update()
    company.write_mapping(NOBODY)
    company.sync()
    company.write_mapping(("  title: title\n", ""))
    report = company.sync()
    assert report.held == {"emptied:title": 10}
    assert [plan.state for plan in company.plans()] == ["lapsed", "held"]
    company.write_mapping(UPPER)
    assert company.sync().exit_code == 0
    assert titles(company) == {"CLERK"}
    assert [plan.state for plan in company.plans()] == ["lapsed", "lapsed"]


def test_going_back_to_the_live_text_ends_what_is_held(company: Company) -> None:
    company.update()
    before = company.served()
    company.write_mapping(NOBODY)
    company.sync()
    company.write_mapping()
    assert company.sync().exit_code == 0
    assert [plan.state for plan in company.plans()] == ["lapsed"]
    assert company.served() == before


def test_an_edit_cannot_loosen_the_limits_that_guard_it(company: Company) -> None:
    company.update()
    company.limits = "limits: { edited: 100%, per_day: 100%, first_load: publish }"
    company.write_mapping(NOBODY)
    assert company.sync().held == {"edited": 10}


def test_loosened_limits_guard_the_next_edit(company: Company) -> None:
    company.update()
    company.limits = "limits: { edited: 100%, per_day: 100%, first_load: publish }"
    company.write_mapping()
    assert company.sync().exit_code == 0
    company.write_mapping(NOBODY)
    assert company.sync().counts == {"edited": 10}


def test_an_edit_lets_nothing_through_that_a_plan_holds(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    company.write_mapping(UPPER)
    report = company.sync()
    assert (report.exit_code, report.held) == (3, {})
    assert (titles(company), company.inactive()) == ({"CLERK"}, set())
    assert company.plan().purpose == "changes"
    assert company.approve().counts == {"disabled": 4}


def test_a_held_edit_and_held_changes_are_approved_each_by_itself(company: Company) -> None:
    company.update()
    company.write_mapping(("  title: title\n", ""))
    company.sync()
    company.leave(1, 2, 3, 4)
    for number in range(1, 5):
        company.rows[f"P{number}"]["title"] = ""
    assert company.update().held == {"disabled": 4, "emptied:title": 4}
    edit, changes = company.plans("held")
    assert (edit.purpose, changes.purpose) == ("edit", "changes")
    assert company.approve(changes).counts == {"disabled": 4, "emptied:title": 4}
    assert company.inactive() == {"P1", "P2", "P3", "P4"}
    assert company.served()["P5"]["title"] == "Clerk"
    assert company.approve(edit).exit_code == 0
    assert titles(company) == {None}


def test_an_edit_and_a_read_that_hold_the_same_changes_are_approved_one_after_the_other(
    company: Company,
) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.write_export()
    company.write_mapping(("settle: 0 seconds", "settle: 0 seconds\n  encoding: utf-8"))
    assert company.sync().exit_code == 3
    edit, changes = company.plans("held")
    assert edit.hash == changes.hash
    assert company.approve(changes).counts == {"disabled": 4}
    assert company.approve(edit).exit_code == 0
    assert not company.plans("held")


# -- what cannot be edited, and faults ---------------------------------------------------------


def test_an_edited_key_is_refused_with_its_position_and_the_live_text_goes_on(
    company: Company,
) -> None:
    company.update()
    before = company.served()
    company.write_mapping(("key: id\n", "key: mail\n"))
    company.leave(2)
    report = company.update()
    line = 1 + (company.mappings / "hr.yaml").read_text().splitlines().index("key: mail")
    assert report.exit_code == 5
    assert f"hr.yaml:{line}:1: the key of a live source cannot be edited" in report.faults[0]
    assert company.inactive() == {"P2"}
    assert [row["id"] for row in company.served().values()] == [
        row["id"] for row in before.values()
    ]


def test_an_edited_name_is_refused_with_its_position_and_the_live_text_goes_on(
    company: Company,
) -> None:
    company.update()
    company.write_mapping(("name: hr\n", "name: people\n"))
    company.leave(2)
    report = company.update()
    assert (report.exit_code, report.counts) == (5, {"disabled": 1})
    assert "hr.yaml:2:1: the name of the live source 'hr' cannot be edited" in report.faults[0]
    with pytest.raises(FileFaults, match="cannot be edited"):
        sync(company, "people")


def test_a_faulty_edit_is_told_with_its_position_and_the_live_text_goes_on(
    company: Company,
) -> None:
    company.update()
    path = company.write_mapping(("title: title", "title: titel"))
    company.leave(2)
    report = company.update()
    line = 1 + path.read_text().splitlines().index("  title: titel")
    assert report.exit_code == 5
    assert f"hr.yaml:{line}:" in report.faults[0]
    assert (report.verdict, report.counts) == ("COMPLETE", {"disabled": 1})
    assert titles(company) == {"Clerk"}
    assert source(company).paused == ""
    company.write_mapping()
    assert company.sync().exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"version: 1\n", b"- a\n- b\n", b"a: {"])
def test_a_file_that_is_no_mapping_changes_nothing(company: Company, content: bytes) -> None:
    company.update()
    before = company.served()
    (company.mappings / "hr.yaml").write_bytes(content)
    assert company.sync().exit_code == 5
    assert company.served() == before


def test_a_deleted_file_pauses_its_source_and_its_people_stay(company: Company) -> None:
    company.update()
    before = company.served()
    (company.mappings / "hr.yaml").unlink()
    company.leave(2)
    report = company.update()
    assert (report.exit_code, report.verdict) == (5, "")
    assert "is gone" in report.faults[0]
    assert "is gone" in source(company).paused
    assert company.served() == before
    company.write_mapping()
    assert company.sync().counts == {"disabled": 1}
    assert source(company).paused == ""


def test_a_renamed_file_is_the_same_source(company: Company) -> None:
    company.update()
    before = company.served()
    path = company.mappings / "hr.yaml"
    path.rename(company.mappings / "people.yml")
    assert company.sync().exit_code == 0
    assert company.served() == before


# -- how the source is read --------------------------------------------------------------------


def test_an_edited_path_is_read_at_once(company: Company) -> None:
    company.update()
    company.leave(2)
    company.write_export()
    company.export.rename(company.mappings / "other.csv")
    company.write_mapping(("path: people.csv", "path: other.csv"))
    report = company.sync()
    assert (report.exit_code, report.verdict, report.counts) == (0, "COMPLETE", {"disabled": 1})
    assert company.inactive() == {"P2"}
    company.write_mapping(
        ("path: people.csv", "path: other.csv"), ("\n  title: title", "\n  title: id")
    )
    assert company.sync().written == 10


def test_a_path_at_which_there_is_nothing_changes_nobody(company: Company) -> None:
    company.update()
    before = company.served()
    company.write_mapping(("path: people.csv", "path: typo.csv"))
    company.leave(2)
    report = company.update()
    assert (report.exit_code, report.verdict) == (7, "FAILED")
    assert company.inactive() == {"P2"}, "the live text goes on"
    assert source(company).mapping_version == 1
    company.rows["P2"]["end"] = ""
    company.write_mapping()
    company.update()
    assert company.served().keys() == before.keys()


def test_a_path_at_which_half_the_company_is_missing_is_held(company: Company) -> None:
    company.update()
    shutil.copy(company.export, company.mappings / "other.csv")
    lines = company.export.read_text().splitlines(keepends=True)
    (company.mappings / "other.csv").write_text("".join(lines[:6]))
    company.write_mapping(("path: people.csv", "path: other.csv"))
    report = company.sync()
    assert (report.exit_code, report.held) == (3, {"absent": 5})
    assert company.inactive() == set()
    company.leave(9)
    assert company.update().counts == {"disabled": 1}
    assert company.inactive() == {"P9"}


def test_edited_columns_are_read_at_once(company: Company) -> None:
    company.update()
    company.write_mapping(
        ("first: first, last: last", "given: first, family: last"),
        ("{ expr: first,", "{ expr: given,"),
        ("{ expr: last,", "{ expr: family | upper,"),
    )
    report = company.sync()
    assert (report.exit_code, report.counts, report.written) == (0, {}, 10)
    assert company.served()["P2"]["name"] == {"givenName": "First2", "familyName": "LAST2"}
    assert company.sync().written == 0


def test_edited_columns_that_are_held_leave_the_live_text_its_words(company: Company) -> None:
    company.rows["P4"]["end"] = "2026-06-14"
    company.update()
    company.write_mapping(
        ("end: end, title: title", "until: end, job: title"),
        ("ends: end |", "ends: until |"),
        ("when: title == 'Test'", "when: job == 'Clerk'"),
        ("\n  title: title", "\n  title: job"),
    )
    assert company.sync().exit_code == 3
    assert (company.inactive(), titles(company)) == ({"P4"}, {"Clerk"})
    company.leave(5)
    assert company.update().counts == {"disabled": 1}
    assert company.sync("decide").written == 0
    assert company.inactive() == {"P4", "P5"}
    report = company.approve()
    company.sync()
    assert len(company.inactive()) == 10, report


def test_a_lookup_that_is_renamed_holds_nothing(company: Company) -> None:
    company.people(200)
    company.update()
    company.write_mapping(("Engineering", "Research"), ("Sales", "Trade"))
    report = company.sync()
    assert (report.exit_code, report.counts) == (0, {})
    assert set(company.groups()) == {"Department Research", "Department Trade"}
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert {row[enterprise]["department"] for row in company.served().values()} == {
        "Research",
        "Trade",
    }


# -- several files -----------------------------------------------------------------------------


def second_file(company: Company, text: str | None = None) -> Path:
    """Another source of three people, ``labs``."""
    rows = "".join(f"L{n},F{n},N{n},l{n}@example.com,1,,,Clerk\n" for n in range(1, 4))
    (company.mappings / "labs.csv").write_text(f"id,first,last,mail,dept,boss,end,title\n{rows}")
    path = company.mappings / "labs.yaml"
    if text is None:
        company.write_mapping()
        text = (company.mappings / "hr.yaml").read_text()
        text = text.replace("name: hr", "name: labs").replace("people.csv", "labs.csv")
    path.write_text(text)
    return path


def test_nobody_is_served_before_everybody_is_loaded(company: Company) -> None:
    path = second_file(company, "version: 1\nname: labs\nsource: {}\n")
    company.update()
    assert status(company) == 503
    assert company.sync().exit_code == 0
    assert status(company) == 503
    second_file(company)
    company.sync()
    assert status(company) == 503
    sync(company, "labs")
    assert len(company.served()) == 13
    path.unlink()


def test_a_faulty_file_that_is_taken_away_keeps_nobody_waiting(company: Company) -> None:
    path = second_file(company, "version: 1\nname: labs\nsource: {}\n")
    company.update()
    path.unlink()
    assert company.sync().exit_code == 0
    assert len(company.served()) == 10


def test_a_file_that_is_added_later_never_causes_503(company: Company) -> None:
    company.update()
    second_file(company, "version: 1\nname: labs\nsource: {}\n")
    company.sync()
    assert status(company) == 200
    company.limits = ""
    second_file(company)
    company.limits = "limits: { first_load: publish }"
    company.write_mapping()
    assert sync(company, "labs").held == {"first_load": 3}
    assert len(company.served()) == 10
    company.approve()
    sync(company, "labs")
    assert len(company.served()) == 13


def test_two_files_with_one_name_are_both_named_and_the_first_one_goes_on(
    company: Company,
) -> None:
    company.update()
    shutil.copy(company.mappings / "hr.yaml", company.mappings / "x.yaml")
    company.leave(2)
    report = company.update()
    assert report.counts == {"disabled": 1}
    with pytest.raises(FileFaults, match="is that of"):
        sync(company, "another")


def test_a_name_that_nobody_has_is_told_with_those_there_are(company: Company) -> None:
    company.update()
    with pytest.raises(UsageError, match=r"no source 'x'.*there are: hr"):
        sync(company, "x")


def test_people_of_two_files_with_one_user_name_do_not_share_it(company: Company) -> None:
    company.update()
    second_file(company)
    (company.mappings / "labs.csv").write_text(
        "id,first,last,mail,dept,boss,end,title\nL1,F,N,p2@example.com,1,,,Clerk\n"
    )
    assert sync(company, "labs").problems == 1
    assert "L1" not in company.served()
    company.leave(2)
    company.update()
    assert sync(company, "labs", "decide").exit_code == 0
    served = company.served()
    assert served["L1"]["userName"] == "p2@example.com"
    assert served["P2"]["userName"] == f"{served['P2']['id']}@left.invalid"


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_between_two_texts_columns_lets_nobody_be_decided_on_the_wrong_ones(
    company: Company,
) -> None:
    company.rows["P5"]["end"] = "2026-06-01"
    company.update()
    assert company.inactive() == {"P5"}

    # The edit reads its last days from another column, so under the live text nobody has left.
    company.write_mapping(("end: end,", "left: end,"), ("ends: end |", "ends: left |"))
    company.write_export()

    def killed(step: str, done: int) -> None:
        if step == "decide":
            raise Killed

    with pytest.raises(Killed), leadership(company.store) as epoch:
        Sync(company.store, company.mappings, epoch, lambda: company.now).run(
            "hr", CHANGES, "test", killed
        )
    company.write_mapping()  # back to the live text, whose columns the records are not in
    decided = company.sync("decide")
    assert (decided.written, decided.counts) == (0, {})
    assert company.inactive() == {"P5"}
    assert company.sync().verdict == "COMPLETE"
    assert company.inactive() == {"P5"}


def test_a_part_of_another_texts_columns_is_not_decided_on(company: Company) -> None:
    company.rows["P5"]["end"] = "2026-06-01"
    company.update()
    company.write_mapping(("end: end,", "left: end,"), ("ends: end |", "ends: left |"))
    company.write_export("id,first,last,mail,dept,boss,end,title\n" + "P5,F,L,p5@example.com\n")
    report = company.sync()
    assert (report.verdict, report.written) == ("INCOMPLETE", 0)
    assert company.inactive() == {"P5"}
    assert company.update().verdict == "COMPLETE"
    assert company.inactive() == {"P5"}


def test_a_process_that_was_taken_over_stores_nothing_more_that_it_reads(
    company: Company,
) -> None:
    company.update()
    company.rows["P2"]["title"] = "Chief"
    company.write_export()
    with leadership(company.store) as epoch:
        with company.store.write() as connection:
            lease.release(connection, epoch)
            lease.acquire(connection, "another:1", datetime.now(UTC), timedelta())
        fenced = Sync(company.store, company.mappings, epoch, lambda: company.now)
        with pytest.raises(LeaseHeld):
            fenced.run("hr", CHANGES, "test")
    assert company.update().changed == 1


TESTS = """
tests:
  - name: somebody like most
    record: {{ id: P1, first: Ann, last: Lee, mail: ann@example.com, dept: "1" }}
    expect: {{ title: {} }}
"""


def test_an_edit_in_which_a_test_fails_does_not_go_live(company: Company) -> None:
    company.update()
    path = company.write_mapping(("  title: title\n", "  title: {const: Clerk}\n"))
    path.write_text(path.read_text() + TESTS.format("Chief"))
    report = company.sync()
    assert (report.exit_code, report.counts) == (5, {})
    assert "the test 'somebody like most' fails (bridge test tells how" in report.faults[0]
    path.write_text(path.read_text().replace("title: Chief", "title: Clerk"))
    assert company.sync().exit_code == 0


def test_an_edit_that_leaves_many_unmapped_is_held_whole(company: Company) -> None:
    """They would stay as they are, leavers among them."""
    company.update()
    company.write_mapping(("  title: title\n", "  title: { expr: title | left('3') }\n"))
    report = company.sync()
    assert (report.exit_code, report.held) == (3, {"edited": 10})
    assert {change.after for change in company.changes()} == {
        "cannot be mapped, so the last values stay"
    }
    assert company.problems() == {}
    company.leave(3)
    assert company.update().counts == {"disabled": 1}
    company.approve(company.plans("held")[0])
    assert len(company.problems()) == 10


def test_an_edit_that_leaves_one_unmapped_goes_live(company: Company) -> None:
    company.rows["P2"]["title"] = ""
    company.update()
    company.write_mapping(("  title: title\n", "  title: { expr: title, required: true }\n"))
    assert company.sync().exit_code == 0
    assert set(company.problems()) == {"P2"}
