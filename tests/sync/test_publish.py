"""What a publication writes of a decision, beside what Okta reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from bridge.model import Served
from bridge.store import directory_groups, erasures, problems, resources
from bridge.store.tables import AuditRow, GroupRow, table
from tests.sync.conftest import Company, person
from tests.sync.university import University, uni

__all__ = ["uni"]


def served(company: Company, key: str) -> Served:
    with company.store.read() as connection:
        return resources.served(connection, company.source_id, [key])[key]


def told(event: AuditRow) -> tuple[Any, ...]:
    """What happened, on whose word, why, and by which plan."""
    detail = json.loads(event.detail)
    return (
        event.action, event.actor, event.approved, detail["cause"], detail["reason"],
        detail["plan"],
    )  # fmt: skip


def test_every_flip_is_in_the_audit_with_its_cause_and_whoever_allowed_it(
    company: Company,
) -> None:
    company.update()
    assert company.audit("P2") == [], "a first load is approved as a whole"
    company.leave(2)
    del company.rows["P3"]
    company.rows["P4"]["title"] = "Chief"
    company.rows["P11"] = person(11)
    report = company.update()
    [left] = company.audit("P2")
    assert told(left) == (
        "deactivated", "test", False, "disabled", "last day has passed", None,
    )  # fmt: skip
    assert (left.at, left.run_id, left.publication) == (
        company.now, report.run, report.publication,
    )  # fmt: skip
    detail = json.loads(left.detail)
    assert "end_of(ends) <= now" in detail["rule"]
    assert (len(detail["fact"]), detail["mapping"]) == (16, 1)
    [absent] = company.audit("P3")
    assert told(absent)[:4] == ("deactivated", "test", False, "absent")
    assert company.audit("P4") == []
    [created] = company.audit("P11")
    assert told(created) == ("created", "test", False, "new", "employed", None)

    company.rows["P2"]["end"] = ""
    company.override("P5", active=False)
    company.update()
    assert told(company.audit("P2")[0])[:5] == (
        "reactivated", "test", False, "reactivated", "employed",
    )  # fmt: skip
    assert told(company.audit("P5")[0]) == (
        "deactivated", "test", True, "override", "override by ann: asked", None,
    )  # fmt: skip

    company.leave(6, 7, 8, 9)
    company.update()
    plan = company.plan()
    company.approve()
    assert told(company.audit("P6")[0]) == (
        "deactivated", "ann", True, "disabled", "last day has passed", plan.hash,
    )  # fmt: skip


def test_whoever_waits_to_become_inactive_has_the_reason_of_being_active(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.rows["P2"]["title"] = "Chief"
    assert company.update().held == {"disabled": 4}
    assert (served(company, "P2").reason, served(company, "P2").active) == ("employed", True)
    company.approve()
    assert (served(company, "P2").reason, served(company, "P2").active) == (
        "last day has passed", False,
    )  # fmt: skip


def test_the_name_that_somebody_waits_for_is_noted_with_the_problem(company: Company) -> None:
    company.update()
    company.rows["P11"] = person(11, mail="P2@Example.com")
    company.rows["P4"]["mail"] = ""
    company.rows["P12"] = person(12, mail="")
    company.update()
    with company.store.read() as connection:
        noted = {subject: problem for _, subject, problem in problems.all(connection)}
    assert noted["P11"].waits_for == "p2@example.com"
    assert noted["P4"].waits_for is noted["P12"].waits_for is None
    assert {problem.since for problem in noted.values()} == {company.now}


def test_a_record_whose_person_is_unknown_is_listed_until_it_is_known(company: Company) -> None:
    company.write_mapping(("key: id\n", "key: last\n"))
    company.rows["P3"]["last"] = company.rows["P4"]["last"] = ""
    assert company.update().problems == 2
    unknown = "key (of last) is absent"
    assert company.problems() == {"record:P3": unknown, "record:P4": unknown}
    company.rows["P3"]["last"] = "Last3"
    report = company.update()
    assert (report.problems, report.counts) == (1, {"new": 1})
    assert company.problems() == {"record:P4": unknown}
    assert "P3" in company.served()


@pytest.mark.parametrize(
    ("edit", "written", "publication"),
    [
        (("\n  title: title\n", "\n  title: title | upper\n"), 11, 3),
        (("first_load: publish", "first_load: publish, renamed: 5"), 1, 2),
    ],
)
def test_a_run_with_an_edit_tells_what_both_decisions_came_to(
    company: Company, edit: tuple[str, str], written: int, publication: int
) -> None:
    assert company.update().publication == 1
    company.leave(2)
    company.write_mapping(edit)
    report = company.update()
    assert (report.counts, report.written, report.publication) == (
        {"disabled": 1}, written, publication,
    )  # fmt: skip


def test_a_run_whose_both_decisions_hold_something_tells_of_both(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.write_mapping(("\n  title: title\n", "\n"))
    report = company.update()
    assert report.held == {"disabled": 4, "emptied:title": 10}
    assert len(report.plans) == 2


def test_of_somebody_erased_not_even_the_reason_is_kept(company: Company) -> None:
    company.update()
    company.override("P3", active=False)
    company.sync("decide")
    assert served(company, "P3").reason == "override by ann: asked"
    del company.rows["P3"]
    company.update("full")
    with company.store.write() as connection:
        erasures.ask(connection, company.source_id, "P3", "ann", company.now)
    company.sync("decide")
    assert served(company, "P3").reason == "erased"


def test_okta_finds_people_by_what_was_published(company: Company) -> None:
    company.write_mapping(
        ("  emails:\n", "  emails:\n    - { value: \"f'{id}@home.example'\", type: home }\n")
    )
    company.update()
    company.rows["P2"]["mail"] = "new2@example.com"
    company.update()

    def found(filter: str) -> list[str]:
        with company.client() as client:
            answer = client.get("/scim/v2/Users", params={"filter": filter})
        return [row["externalId"] for row in answer.json()["Resources"]]

    assert found('emails.value eq "NEW2@example.com"') == ["P2"]
    assert found('emails.value eq "p2@home.example"') == ["P2"]
    assert found('emails.value eq "p2@example.com"') == []
    assert found('userName eq "new2@example.com"') == ["P2"]
    assert found('externalId eq "P2"') == ["P2"]


def test_a_group_that_people_name_differently_is_called_as_the_first_one_says(
    company: Company,
) -> None:
    named = "displayName: f\"Department {dept | lookup('departments', 'Unknown')}\""
    company.write_mapping((named, 'displayName: f"Department of {last}"'))
    company.update()
    assert set(company.groups()) == {"Department of Last1", "Department of Last10"}


def test_the_groups_of_a_held_first_load_are_served_with_its_people(uni: University) -> None:
    uni.write_mapping(("first_load: publish", "first_load: hold"))
    uni.group("one", "alice")
    uni.company.sync("full")
    with uni.company.store.read() as connection:
        assert connection.execute(select(table(GroupRow))).all() == []
    uni.company.approve()
    assert uni.members() == {"one": {"alice"}}


def test_groups_that_were_decided_on_are_no_news_to_the_next_decision(uni: University) -> None:
    uni.group("one", "alice")
    uni.company.sync("full")
    with uni.company.store.read() as connection:
        assert list(directory_groups.news(connection, uni.company.source_id)) == []


def test_a_new_group_goes_live_while_something_else_waits(uni: University) -> None:
    uni.company.sync("full")
    for uid in ("boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    uni.group("one", "alice")
    assert uni.company.sync("full").held == {"absent": 2}
    assert uni.members() == {"one": {"alice"}}
