"""The whole way, from the export to what Okta imports."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.store import problems
from tests.sync.conftest import Company, person


def test_what_changed_in_the_export_is_what_the_next_import_changes(company: Company) -> None:
    company.people(1000)
    company.limits = ""  # the first load is held
    company.write_mapping()
    held = company.update()
    assert (held.exit_code, held.held) == (3, {"first_load": 1000})
    with company.client() as client:
        assert client.get("/scim/v2/Users").status_code == 503
    company.approve()
    first = company.okta_imports()
    assert (len(first.created), first.violations) == (1000, ())
    before = company.served()

    for number in range(100, 105):
        company.rows[f"P{number}"]["end"] = "2026-06-14"
    for number in range(200, 203):
        del company.rows[f"P{number}"]
    for number in range(300, 302):
        company.rows[f"P{number}"]["mail"] = f"new{number}@example.com"
    for number in range(2000, 2004):
        company.rows[f"P{number}"] = person(number)
    company.rows["P400"]["mail"] = ""
    report = company.update()

    assert (report.exit_code, report.problems) == (0, 1)
    second = company.okta_imports()
    assert len(second.removed) == 8
    assert len(second.created) == 4
    assert len(second.updated) == 2
    assert second.violations == ()
    after = company.served()
    assert after["P400"] == before["P400"]
    assert [row["id"] for row in after.values()][:1000] == [row["id"] for row in before.values()]
    with company.store.read() as connection:
        [(_, subject, problem)] = problems.all(connection)
    assert subject == "P400"
    assert "mail is required" in " ".join(problem.messages)


def test_an_unchanged_export_changes_nothing(company: Company) -> None:
    company.update()
    before = company.served()
    again = company.sync("full")
    assert (again.verdict, again.entries, again.changed, again.written) == ("COMPLETE", 10, 0, 0)
    assert again.publication is None
    assert company.served() == before


def test_a_department_with_another_name_keeps_its_group_and_renames_its_people(
    company: Company,
) -> None:
    company.update()
    before = company.groups()
    company.write_mapping(("Engineering", "Research"))
    assert company.sync().exit_code == 0
    after = company.groups()
    assert after["Department Research"]["id"] == before["Department Engineering"]["id"]
    assert after["Department Research"]["members"] == before["Department Engineering"]["members"]
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert company.served()["P2"][enterprise]["department"] == "Research"


def test_a_date_that_passes_is_acted_on_although_the_file_is_unchanged(company: Company) -> None:
    company.rows["P5"]["end"] = "2026-06-15"
    company.update()
    assert company.inactive() == set()
    company.now += timedelta(hours=11, minutes=59)
    assert company.sync().written == 0
    company.now += timedelta(minutes=1)
    assert company.sync().counts == {"disabled": 1}
    assert company.inactive() == {"P5"}


def test_a_manager_who_is_renamed_is_renamed_at_the_reports(company: Company) -> None:
    company.update()
    company.rows["P1"]["mail"] = "chief@example.com"
    report = company.update()
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert company.served()["P7"][enterprise]["manager"] == {"value": "chief@example.com"}
    assert (report.written, report.counts) == (10, {"renamed": 1})


def test_a_manager_who_comes_after_the_reports_is_linked_then(company: Company) -> None:
    company.rows.pop("P1")
    company.update()
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert "manager" not in company.served()["P7"].get(enterprise, {})
    company.rows["P1"] = person(1)
    company.update()
    assert company.served()["P7"][enterprise]["manager"] == {"value": "p1@example.com"}


def test_a_leaver_who_comes_back_keeps_id_and_place(company: Company) -> None:
    company.update()
    before = company.served()["P3"]
    row = company.rows.pop("P3")
    company.update()
    assert company.inactive() == {"P3"}
    company.rows["P3"] = row
    assert company.update().counts == {"reactivated": 1}
    after = company.served()
    assert after["P3"]["id"] == before["id"]
    assert list(after) == sorted(f"P{n}" for n in range(1, 11))  # a first load is in order of key


@pytest.mark.parametrize("count", [0, 1, 100])
def test_the_list_is_in_the_order_of_first_arrival(company: Company, count: int) -> None:
    company.update()
    for number in range(11, 11 + count):
        company.rows[f"P{number}"] = person(number)
        if count < 10:
            company.update()
    if count >= 10:
        assert company.update().exit_code == 3  # more newcomers than a run may bring
        company.approve()
    assert set(list(company.served())[10:]) == {f"P{n}" for n in range(11, 11 + count)}


def test_a_date_that_passed_only_for_a_clock_that_was_ahead_has_not_passed(
    company: Company,
) -> None:
    company.rows["P2"]["end"] = "2026-06-15"
    company.update()
    company.now += timedelta(days=1)
    company.sync("decide")
    assert company.inactive() == {"P2"}
    company.now -= timedelta(days=1)
    assert company.sync("decide").counts == {"reactivated": 1}
    assert company.inactive() == set()


def test_what_somebody_asked_while_the_clock_was_ahead_is_done_at_once(company: Company) -> None:
    company.update()
    company.now += timedelta(days=1)
    company.override("P2", False)
    company.now -= timedelta(days=1)
    company.sync("decide")
    assert company.inactive() == {"P2"}
