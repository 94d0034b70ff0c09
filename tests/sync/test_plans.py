"""What is held, what a person's word lets through, and what it does not cover."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.model import Kind, resource_id
from bridge.store import overrides, plans, resources
from bridge.sync import decide, run
from tests.sync.conftest import Company, person

DAY = timedelta(hours=24)


def status(company: Company) -> int:
    with company.client() as client:
        return client.get("/scim/v2/Users").status_code


# -- a mass change, and a single one beside it -------------------------------------------------


def test_half_the_company_waits_while_one_more_leaver_goes_live(company: Company) -> None:
    company.people(40)
    company.update()
    company.leave(*range(1, 21))
    report = company.update()
    assert (report.exit_code, report.held, report.counts) == (3, {"disabled": 20}, {})
    assert company.inactive() == set()
    assert company.shown() == {(f"P{n}", "disabled", "inactive") for n in range(1, 21)}
    assert company.plan().counts == '{"disabled": 20}'

    company.leave(30)
    report = company.update()
    assert (report.exit_code, report.held, report.counts) == (3, {}, {"disabled": 1})
    assert company.inactive() == {"P30"}

    report = company.approve()
    assert (report.exit_code, report.counts) == (0, {"disabled": 20})
    assert company.inactive() == {f"P{n}" for n in (*range(1, 21), 30)}
    assert [plan.state for plan in company.plans()] == ["published"]
    [event] = company.audit("P7")
    assert (event.actor, event.action, event.approved) == ("ann", "deactivated", True)


def test_a_part_of_a_plan_goes_live_and_the_rest_waits(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    whole = company.plan()
    with company.store.write() as connection:
        part = plans.split(connection, whole, {"P2", "P3"}, ())
    company.approve(part)
    assert company.inactive() == {"P2", "P3"}
    assert company.shown() == {(f"P{n}", "disabled", "inactive") for n in (1, 4)}
    for mode in ("full", "changes", "decide"):
        company.sync(mode)
        assert company.inactive() == {"P2", "P3"}
    company.approve()
    assert company.inactive() == {"P1", "P2", "P3", "P4"}


def test_a_part_that_is_rejected_stays_away_when_the_rest_is_approved(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    with company.store.write() as connection:
        part = plans.split(connection, company.plan(), {"P4"}, ())
    company.reject(part)
    company.approve()
    company.sync("full")
    assert company.inactive() == {"P1", "P2", "P3"}


def test_what_is_held_stays_held_however_often_it_is_read(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    before = company.plan()
    for mode in ("full", "changes", "decide"):
        report = company.sync(mode)
        assert (report.exit_code, report.written) == (3, 0)
    assert company.plan() == before


def test_other_changes_of_somebody_who_is_held_go_live(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    company.rows["P2"]["title"] = "Chief"
    assert company.update().written == 1
    assert (company.served()["P2"]["title"], company.inactive()) == ("Chief", set())
    assert len(company.shown()) == 4


def test_a_held_change_that_is_taken_back_leaves_the_plan(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    company.rows["P2"]["end"] = ""
    assert company.update().exit_code == 3
    assert {subject for subject, _, _ in company.shown()} == {"P1", "P3", "P4"}
    for number in (1, 3, 4):
        company.rows[f"P{number}"]["end"] = ""
    assert company.update().exit_code == 0
    assert [plan.state for plan in company.plans()] == ["lapsed"]


# -- rejected, lapsed, overtaken ---------------------------------------------------------------


def test_a_rejection_stands_until_the_persons_record_changes(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    assert company.reject().exit_code == 0
    assert company.sync("full").exit_code == 0
    assert company.inactive() == set()
    company.rows["P2"]["end"] = "2026-06-13"  # left a day earlier: another fact, judged anew
    assert company.update().counts == {"disabled": 1}
    assert company.inactive() == {"P2"}


def test_an_approval_lapses_after_24_hours_unused_and_is_held_anew(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    with company.store.write() as connection:
        plans.approve(connection, company.plan().hash, "ann", company.now)
    company.now += DAY
    report = company.sync("decide")
    assert (report.exit_code, report.held) == (3, {"disabled": 4})
    assert company.inactive() == set()
    assert [plan.state for plan in company.plans()] == ["lapsed", "held"]
    company.approve()
    assert len(company.inactive()) == 4


def test_an_approval_is_good_up_to_24_hours(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    with company.store.write() as connection:
        plans.approve(connection, company.plan().hash, "ann", company.now)
    company.now += DAY - timedelta(seconds=1)
    assert company.sync("decide").counts == {"disabled": 4}


def test_an_approval_covers_only_the_target_that_it_showed(company: Company) -> None:
    company.people(8)
    company.update()
    for number in range(1, 9):
        company.rows[f"P{number}"]["mail"] = f"new{number}@example.com"
    company.update()
    assert ("P3", "renamed", "new3@example.com") in company.shown()
    with company.store.write() as connection:
        plans.approve(connection, company.plan().hash, "ann", company.now)
    for number in range(3, 8):
        company.rows[f"P{number}"]["mail"] = f"newer{number}@example.com"
    report = company.update()
    assert (report.held, report.counts) == ({"renamed": 5}, {"renamed": 3})
    names = {row["userName"] for row in company.served().values()}
    assert names == {f"new{n}@example.com" for n in (1, 2, 8)} | {
        f"p{n}@example.com" for n in range(3, 8)
    }
    assert ("P3", "renamed", "newer3@example.com") in company.shown()


def test_what_is_held_with_another_target_is_judged_anew(company: Company) -> None:
    company.people(8)
    company.update()
    for number in range(1, 9):
        company.rows[f"P{number}"]["mail"] = f"new{number}@example.com"
    company.update()
    company.rows["P3"]["mail"] = "right@example.com"
    assert company.update().counts == {"renamed": 1}
    assert company.served()["P3"]["userName"] == "right@example.com"
    assert len(company.shown()) == 7


def test_later_additions_have_a_plan_of_their_own_and_do_not_void_the_first(
    company: Company,
) -> None:
    company.people(20)
    company.limits = "limits: { first_load: publish, per_day: 100% }"
    company.write_mapping()
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    first = company.plan()
    company.leave(5, 6, 7, 8)
    assert company.update().held == {"disabled": 4}
    [same, second] = company.plans(plans.HELD)
    assert same.hash == first.hash != second.hash
    assert company.approve(first).counts == {"disabled": 4}
    assert company.inactive() == {"P1", "P2", "P3", "P4"}
    assert company.plan().hash == second.hash
    assert company.reject(second).exit_code == 0
    assert company.inactive() == {"P1", "P2", "P3", "P4"}


def test_the_same_changes_have_the_same_hash(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3, 4)
    company.update()
    first = company.plan().hash
    with company.store.write() as connection:
        plans.approve(connection, first, "ann", company.now)
    company.now += DAY
    company.sync("decide")
    assert company.plan().hash == first


# -- the kinds ---------------------------------------------------------------------------------


def test_one_kind_of_a_person_waits_while_the_others_go_live(company: Company) -> None:
    company.people(10)
    company.update()
    for number in range(1, 6):
        company.rows[f"P{number}"] |= {"mail": f"new{number}@example.com", "title": "Chief"}
    company.leave(3)
    report = company.update()
    assert (report.held, report.counts) == ({"renamed": 5}, {"disabled": 1})
    assert {kind for _, kind, _ in company.shown()} == {"renamed"}
    served = company.served()
    for number in range(1, 6):
        row = served[f"P{number}"]
        assert (row["userName"], row["title"]) == (f"p{number}@example.com", "Chief")
    assert company.inactive() == {"P3"}
    company.approve()
    assert company.served()["P3"]["userName"] == "new3@example.com"


def test_a_plan_tells_what_becomes_of_each_person(company: Company) -> None:
    company.limits = (
        "limits: { first_load: publish, disabled: 0, renamed: 0, memberships: 0, new: 0 }"
    )
    company.write_mapping()
    company.update()
    company.leave(2)
    company.rows["P3"]["mail"] = "new3@example.com"
    company.rows["P4"]["dept"], company.rows["P5"]["dept"] = "2", "1"
    company.rows["P11"] = person(11)
    company.rows["P12"] = person(12, end="2026-06-14")
    company.update()
    changes = company.changes()
    assert [(each.subject, each.kind, each.before, each.after) for each in changes] == [
        ("P11", "new", "p11@example.com", "active: employed"),
        ("P12", "new", "p12@example.com", "inactive: last day has passed"),
        ("P2", "disabled", "p2@example.com", "inactive: last day has passed"),
        ("P3", "renamed", "p3@example.com", "new3@example.com"),
        ("P4", "memberships", "p4@example.com", "no longer in Department Engineering"),
        ("P5", "memberships", "p5@example.com", "no longer in Department Sales"),
    ]


def test_an_attribute_emptied_for_many_waits_alone(company: Company) -> None:
    company.update()
    for number in range(1, 5):
        company.rows[f"P{number}"] |= {"title": "", "first": "Zoe"}
    company.rows["P5"]["boss"] = ""
    report = company.update()
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert report.held == {"emptied:title": 4}
    assert report.counts == {f"emptied:{enterprise}/manager": 1}
    served = company.served()
    assert [served[f"P{n}"]["title"] for n in range(1, 5)] == ["Clerk"] * 4
    assert [served[f"P{n}"]["name"]["givenName"] for n in range(1, 5)] == ["Zoe"] * 4
    assert "manager" not in served["P5"][enterprise]
    company.approve()
    assert "title" not in company.served()["P1"]


def test_memberships_removed_for_many_wait_and_joining_goes_on(company: Company) -> None:
    company.people(60)
    company.update()
    for number in range(1, 61, 2):
        company.rows[f"P{number}"]["dept"] = "3"
    report = company.update()
    assert report.held == {"memberships": 30}
    groups = company.groups()
    assert len(groups["Department Sales"]["members"]) == 30
    assert len(groups["Department Unknown"]["members"]) == 30
    company.approve()
    assert list(company.groups()) == ["Department Engineering", "Department Unknown"]


def test_people_who_left_the_scope_and_wait_stay_in_their_groups(company: Company) -> None:
    company.update()
    before = company.groups()
    for number in (1, 2, 3):
        company.rows[f"P{number}"]["title"] = "Test"
    assert company.update().held == {"absent": 3}
    after = company.groups()
    assert {name: row["members"] for name, row in after.items()} == {
        name: row["members"] for name, row in before.items()
    }
    company.approve()
    assert company.inactive() == {"P1", "P2", "P3"}
    assert sum(len(row["members"]) for row in company.groups().values()) == 7


def test_many_who_come_back_wait_and_newcomers_do_not(company: Company) -> None:
    company.update()
    company.leave(1, 2, 3)
    company.update()
    for number in (1, 2, 3):
        company.rows[f"P{number}"]["end"] = ""
    company.rows["P11"] = person(11)
    report = company.update()
    assert (report.held, report.counts) == ({"reactivated": 3}, {"new": 1})
    assert company.inactive() == {"P1", "P2", "P3"}
    company.approve()
    assert company.inactive() == set()


def test_many_newcomers_wait_unserved(company: Company) -> None:
    company.update()
    for number in range(11, 32):
        company.rows[f"P{number}"] = person(number)
    assert company.update().held == {"new": 21}
    assert len(company.served()) == 10
    company.rows["P32"] = person(32)
    assert company.update().counts == {"new": 1}
    company.approve()
    assert len(company.served()) == 32


def test_newcomers_who_vanish_while_they_wait_are_never_served(company: Company) -> None:
    company.update()
    for number in range(11, 32):
        company.rows[f"P{number}"] = person(number)
    company.update()
    del company.rows["P15"]
    company.update()
    company.approve()
    assert "P15" not in company.served()
    assert len(company.served()) == 30


def test_absent_people_wait_above_two_percent(company: Company) -> None:
    company.people(100)
    company.update()
    for number in (50, 51, 52):
        del company.rows[f"P{number}"]
    assert company.update().held == {"absent": 3}
    del company.rows["P53"], company.rows["P54"]
    assert company.update().counts == {"absent": 2}
    assert company.inactive() == {"P53", "P54"}
    company.rows["P50"] = person(50)
    company.update()
    assert company.approve().counts == {"absent": 2}
    assert company.inactive() == {"P51", "P52", "P53", "P54"}


@pytest.mark.parametrize(("gone", "held"), [(500, {}), (501, {"absent": 501})])
def test_never_more_than_500_absent_people_go_at_once(
    company: Company, gone: int, held: dict[str, int]
) -> None:
    company.people(5000)
    company.limits = "limits: { first_load: publish, absent: 'min(500, max(1, 50%))' }"
    company.write_mapping()
    company.update()
    for number in range(1, gone + 1):
        del company.rows[f"P{number}"]
    assert company.update().held == held


# -- a day -------------------------------------------------------------------------------------


def test_the_days_limit_holds_what_small_runs_would_add_up_to(company: Company) -> None:
    company.people(20)
    company.update()
    company.leave(1, 2)
    assert company.update().counts == {"disabled": 2}
    company.now += timedelta(hours=1)
    company.leave(3)
    assert company.update().counts == {"disabled": 1}
    company.now += timedelta(hours=1)
    company.leave(4)
    assert company.update().held == {"disabled": 1}
    assert company.inactive() == {"P1", "P2", "P3"}
    company.now += timedelta(hours=22)  # a day after the first two
    company.leave(5, 6)
    assert company.update().counts == {"disabled": 2}
    assert company.inactive() == {"P1", "P2", "P3", "P5", "P6"}
    assert company.approve().counts == {"disabled": 1}


def test_what_was_approved_takes_nothing_of_the_days_limit(company: Company) -> None:
    company.people(20)
    company.update()
    company.leave(1, 2, 3, 4, 5)
    company.update()
    company.approve()
    company.leave(6, 7, 8)
    assert company.update().counts == {"disabled": 3}


def test_an_override_takes_nothing_of_the_days_limit(company: Company) -> None:
    company.people(20)
    company.update()
    for number in range(1, 6):
        company.override(f"P{number}", active=False)
    assert company.sync("decide").exit_code == 0
    assert len(company.inactive()) == 5
    company.leave(6, 7, 8)
    assert company.update().counts == {"disabled": 3}
    [event] = company.audit("P1")
    assert (event.approved, '"cause": "override"' in event.detail) == (True, True)


def test_a_protected_person_waits_for_a_word(company: Company) -> None:
    company.write_mapping(("key: id\n", "key: id\nprotect: [P1@EXAMPLE.com]\n"))
    company.update()
    company.leave(1)
    assert company.update().held == {"protected": 1}
    assert company.approve().counts == {"protected": 1}
    assert company.inactive() == {"P1"}


# -- names -------------------------------------------------------------------------------------


def test_a_newcomer_with_an_active_persons_name_waits_until_it_is_free(company: Company) -> None:
    company.update()
    company.rows["P11"] = person(11, mail="p2@example.com")
    report = company.update()
    assert (report.exit_code, report.problems, report.counts) == (0, 1, {})
    assert "P11" not in company.served()
    assert "userName" in company.problems()["P11"]
    company.rows["P2"]["mail"] = "other@example.com"
    report = company.update()
    assert (report.problems, report.counts) == (0, {"renamed": 1, "new": 1})
    assert company.served()["P11"]["userName"] == "p2@example.com"


def test_somebody_inactive_yields_the_name_and_the_reports_follow(company: Company) -> None:
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    company.rows["P3"]["boss"] = "P2"
    company.update()
    company.leave(2)
    company.update()
    company.rows["P11"] = person(11, mail="P2@example.com")
    company.update()
    served = company.served()
    assert served["P11"]["userName"] == "p2@example.com"
    own = f"{served['P2']['id']}@left.invalid"
    assert served["P2"]["userName"] == own
    assert served["P3"][enterprise]["manager"] == {"value": own}


def test_a_leaver_who_comes_back_to_a_name_that_is_taken_waits_inactive(company: Company) -> None:
    company.update()
    company.leave(2)
    company.update()
    company.rows["P11"] = person(11, mail="p2@example.com")
    company.update()
    company.rows["P2"]["end"] = ""
    report = company.update()
    assert (report.problems, report.counts) == (1, {})
    assert company.inactive() == {"P2"}
    company.rows["P2"]["mail"] = "again@example.com"
    assert company.update().counts == {"reactivated": 1}
    assert company.served()["P2"]["userName"] == "again@example.com"


def test_two_people_swap_their_names(company: Company) -> None:
    company.update()
    mails = company.rows["P2"]["mail"], company.rows["P3"]["mail"]
    company.rows["P3"]["mail"], company.rows["P2"]["mail"] = mails
    assert company.update().counts == {"renamed": 2}
    assert company.served()["P2"]["userName"] == "p3@example.com"


# -- the first load ----------------------------------------------------------------------------


@pytest.fixture
def held(company: Company) -> Company:
    """A company of ten whose first load waits."""
    company.limits = ""
    company.write_mapping()
    assert company.update().held == {"first_load": 10}
    return company


def test_a_held_first_load_follows_what_is_read(held: Company) -> None:
    first = held.plan()
    held.leave(2)
    held.rows["P11"] = person(11)
    del held.rows["P3"]
    assert held.update().exit_code == 3
    after = held.plan()
    assert (after.id, after.hash == first.hash) == (first.id, False)
    assert after.counts == '{"first_load": 10}'
    assert ("P2", "first_load", "inactive") in held.shown()
    assert status(held) == 503
    report = held.approve()
    assert (report.exit_code, report.counts) == (0, {"first_load": 10})
    assert held.served().keys() == held.rows.keys()
    assert held.inactive() == {"P2"}
    assert [plan.state for plan in held.plans()] == ["published"]


def test_a_held_first_load_that_does_not_change_keeps_its_hash(held: Company) -> None:
    before = held.plan()
    held.rows["P2"]["title"] = "Chief"
    held.update()
    held.sync("full")
    assert held.plan() == before
    held.approve()
    assert held.served()["P2"]["title"] == "Chief"


@pytest.mark.parametrize("approved", [True, False])
def test_a_word_that_comes_while_a_first_load_is_decided_on_counts(
    held: Company, monkeypatch: pytest.MonkeyPatch, approved: bool
) -> None:
    say = plans.approve if approved else plans.reject

    def meanwhile(deciding: Any, spool: Any) -> Any:
        decision = decide.decide(deciding, spool)
        if held.plans(plans.HELD):
            with held.store.write() as connection:
                say(connection, held.plan().hash, "ann", held.now)
        return decision

    monkeypatch.setattr(run, "decide", meanwhile)
    held.rows["P11"] = person(11)
    report = held.update()
    if approved:
        assert report.counts == {"first_load": 10, "new": 1}
        assert held.served().keys() == held.rows.keys()
    else:
        assert report.held == {"first_load": 1}
        assert [plan.state for plan in held.plans()] == ["held"], "P11 is news, so it is asked anew"
        assert status(held) == 503


def test_a_held_first_load_of_whom_everybody_changes_is_still_the_same_plan(held: Company) -> None:
    first = held.plan()
    held.leave(*range(1, 11))
    assert held.update().exit_code == 3
    assert held.plan().id == first.id
    assert held.shown() == {(f"P{n}", "first_load", "inactive") for n in range(1, 11)}


def approve_without_a_sync(company: Company) -> None:
    with company.store.write() as connection:
        plans.approve(connection, company.plan().hash, "ann", company.now)


def test_who_comes_after_the_approval_of_a_first_load_is_a_newcomer(held: Company) -> None:
    approve_without_a_sync(held)
    held.rows["P11"] = person(11)
    assert held.update().counts == {"first_load": 10, "new": 1}
    assert len(held.served()) == 11


def test_many_who_come_after_the_approval_of_a_first_load_wait(held: Company) -> None:
    approve_without_a_sync(held)
    for number in range(11, 32):
        held.rows[f"P{number}"] = person(number)
    report = held.update()
    assert (report.counts, report.held) == ({"first_load": 10}, {"new": 21})
    assert len(held.served()) == 10
    assert held.plan().purpose == "changes"
    assert held.approve().counts == {"new": 21}
    assert len(held.served()) == 31


def test_a_rejected_first_load_serves_nobody_until_something_changes(held: Company) -> None:
    assert held.reject().exit_code == 0
    for mode in ("full", "decide", "changes"):
        assert held.sync(mode).exit_code == 0
    assert [plan.state for plan in held.plans()] == ["rejected"]
    assert status(held) == 503
    held.leave(2)
    assert held.update().exit_code == 3
    assert len(held.shown()) == 10
    assert held.approve().counts == {"first_load": 10}
    assert held.inactive() == {"P2"}
    assert held.served().keys() == held.rows.keys()


def test_a_file_edited_while_the_first_load_waits_makes_another_plan(held: Company) -> None:
    first = held.plan()
    held.write_mapping(("then: true", "then: false"))
    report = held.sync()
    assert (report.exit_code, report.faults) == (3, [])
    second = held.plan()
    assert second.id != first.id
    assert {target for _, _, target in held.shown()} == {"inactive"}
    held.write_mapping()
    held.sync()
    assert held.plan().hash == first.hash
    held.approve()
    assert held.inactive() == set()


def test_a_key_edited_while_the_first_load_waits_gives_everybody_another_id(
    held: Company,
) -> None:
    held.write_mapping(("key: id\n", "key: mail\n"))
    held.sync("decide")
    held.approve()
    assert held.served()["P2"]["id"] == resource_id(Kind.USER, "hr", "p2@example.com")
    held.rows["P2"]["title"] = "Chief"
    assert held.update().counts == {}
    assert len(held.served()) == 10


def test_a_text_whose_export_cannot_be_read_makes_no_plan(held: Company) -> None:
    held.export.unlink()
    held.write_mapping(("key: id\n", "key: mail\n"))
    report = held.sync()
    assert (report.exit_code, report.plans) == (7, [])
    held.update()
    assert held.approve().exit_code == 0
    assert len(held.served()) == 10


def test_columns_edited_while_the_first_load_waits_are_read_anew(held: Company) -> None:
    held.write_mapping(("first: first, last: last", "first: last, last: first"))
    held.sync()
    held.approve()
    assert held.served()["P2"]["name"] == {"givenName": "Last2", "familyName": "First2"}


def test_an_approved_first_load_that_lapses_is_held_anew(held: Company) -> None:
    first = held.plan()
    approve_without_a_sync(held)
    held.now += DAY
    assert held.sync("decide").exit_code == 3
    assert status(held) == 503
    assert held.plan().hash == first.hash
    held.approve()
    assert len(held.served()) == 10


@pytest.mark.parametrize("limits", ["", "limits: { first_load: publish }"])
def test_an_empty_list_is_never_served_without_approval(company: Company, limits: str) -> None:
    company.limits = limits
    company.rows = {}
    company.write_mapping()
    for _ in range(2):
        assert company.update().exit_code == 3
        assert status(company) == 503
    assert company.plan().counts == "{}"
    assert company.approve().exit_code == 0
    assert company.served() == {}
    assert [plan.state for plan in company.plans()] == ["published"]


def test_people_who_come_while_an_empty_first_load_waits_are_its_people(company: Company) -> None:
    company.rows = {}
    company.update()
    company.people(3)
    assert company.update().exit_code == 0
    assert len(company.served()) == 3
    assert [plan.state for plan in company.plans()] == ["lapsed"]


def test_an_incomplete_first_read_publishes_nothing(company: Company) -> None:
    company.write_export("id,first,last,mail,dept,boss,end,title\nP1,A,B,a@x.y,1,,,C\nP2,A\n")
    report = company.sync()
    assert (report.exit_code, report.verdict, report.entries) == (4, "INCOMPLETE", 1)
    assert company.sync("decide").written == 0
    assert status(company) == 503
    assert company.plans() == []
    company.update()
    assert len(company.served()) == 10


def test_people_of_a_first_load_who_cannot_be_mapped_are_told_and_come_later(
    held: Company,
) -> None:
    held.rows["P2"]["mail"] = ""
    assert held.update().problems == 1
    held.approve()
    assert "P2" not in held.served()
    held.rows["P2"]["mail"] = "p2@example.com"
    assert held.update().counts == {"new": 1}


def reason(company: Company, key: str) -> str:
    with company.store.read() as connection:
        return resources.served(connection, company.source_id, [key])[key].reason


def test_a_reason_is_that_of_the_word_that_stands(company: Company) -> None:
    company.update()
    for said in ("laptop stolen", "fired"):
        with company.store.write() as connection:
            overrides.set(
                connection, company.source_id, "P3", False, said, "ann", company.now, None
            )
        company.sync("decide")
        assert reason(company, "P3") == f"override by ann: {said}"
    del company.rows["P3"]
    company.update("full")
    assert reason(company, "P3") == "override by ann: fired"
    with company.store.write() as connection:
        overrides.end(connection, company.source_id, "P3", company.now)
    company.sync("decide")
    assert reason(company, "P3") == "no longer in the source"


def test_a_rejection_stands_when_the_file_asks_for_another_column(company: Company) -> None:
    company.update()
    company.leave(4, 5, 6, 7)
    assert company.update().held == {"disabled": 4}
    company.reject()
    company.write_mapping(("title: title}", "title: title, note: title}"))
    assert company.sync().counts == {}
    assert (company.sync("full").counts, company.inactive()) == ({}, set())
    company.rows["P5"]["end"] = "2026-06-13"
    assert company.update().counts == {"disabled": 1}
