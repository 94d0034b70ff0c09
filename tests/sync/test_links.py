"""Links between people: asked for, offered by the run's people, looked up in the store."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bridge.model import Link, Served
from bridge.sync.links import Answers
from tests.sync.conftest import Company, person

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATH = (ENTERPRISE, "manager", "value")


def link(by: str, ref: str, want: str = "id", path: tuple[str, ...] = PATH) -> Link:
    return Link(path, by, ref, want)


def attributes(name: str, **more: Any) -> dict[str, Any]:
    return {"userName": name, "active": True, **more}


def before(key: str, **found: Any) -> Served:
    return Served(1, f"id-{key}", key, found["userName"], True, True, orjson.dumps(found))


def value(answers: Answers, asked: Link) -> Any:
    return answers.fill({}, [asked]).get(ENTERPRISE, {}).get("manager", {}).get("value")


BOSS = attributes("Boss@x.y", externalId="7", displayName="The Boss")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (link("key", "boss"), "id-boss"),
        (link("externalId", "7"), "id-boss"),
        (link("userName", "boss@X.Y"), "id-boss"),
        (link("key", "boss", "userName"), "Boss@x.y"),
        (link("externalId", "7", "displayName"), "The Boss"),
        (link("key", "boss", "title"), None),
        (link("key", "Boss"), None),
        (link("externalId", "boss"), None),
        (link("key", "nobody"), None),
    ],
)
def test_a_person_of_the_run_answers_by_every_name(asked: Link, answer: str | None) -> None:
    answers = Answers()
    answers.ask([asked])
    answers.offer("id-boss", "boss", None, BOSS)
    assert value(answers, asked) == answer


def test_somebody_who_is_not_served_yet_answers_nothing() -> None:
    answers = Answers()
    answers.ask([link("key", "boss")])
    answers.offer("id-boss", "boss", None, None)
    assert value(answers, link("key", "boss")) is None


def test_two_people_who_swap_their_names_answer_each_by_the_new_one() -> None:
    answers = Answers()
    answers.ask([link("userName", "a@x.y"), link("userName", "b@x.y")])
    answers.offer("id-a", "a", before("a", **attributes("a@x.y")), attributes("b@x.y"))
    answers.offer("id-b", "b", before("b", **attributes("b@x.y")), attributes("a@x.y"))
    assert value(answers, link("userName", "a@x.y")) == "id-b"
    assert value(answers, link("userName", "b@x.y")) == "id-a"


@pytest.mark.parametrize(
    ("path", "found", "filled"),
    [
        (PATH, {}, {ENTERPRISE: {"manager": {"value": "id-boss"}}}),
        (
            PATH,
            {ENTERPRISE: {"department": "Sales", "manager": {"value": "old"}}},
            {ENTERPRISE: {"department": "Sales", "manager": {"value": "id-boss"}}},
        ),
        (("title",), {"userName": "a"}, {"userName": "a", "title": "id-boss"}),
    ],
)
def test_an_answer_is_put_in_its_place_and_nothing_else_changes(
    path: tuple[str, ...], found: dict[str, Any], filled: dict[str, Any]
) -> None:
    asked = link("key", "boss", path=path)
    answers = Answers()
    answers.ask([asked])
    answers.offer("id-boss", "boss", None, BOSS)
    was = repr(found)
    assert answers.fill(found, [asked]) == filled
    assert repr(found) == was


@pytest.mark.parametrize(
    ("found", "filled"),
    [
        ({ENTERPRISE: {"manager": {"value": "old"}}, "active": True}, {"active": True}),
        (
            {ENTERPRISE: {"department": "Sales", "manager": {"value": "old"}}},
            {ENTERPRISE: {"department": "Sales"}},
        ),
        ({}, {}),
    ],
)
def test_where_nobody_answers_the_old_answer_goes_and_leaves_nothing_empty(
    found: dict[str, Any], filled: dict[str, Any]
) -> None:
    assert Answers().fill(found, [link("key", "nobody")]) == filled


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (link("key", "P2"), "P2"),
        (link("externalId", "P3"), "P3"),
        (link("userName", "P2@Example.com"), "P2"),
        (link("key", "P99"), None),
    ],
)
def test_whoever_the_run_does_not_touch_is_looked_up(
    company: Company, asked: Link, key: str | None
) -> None:
    company.update()
    answers = Answers()
    answers.ask([asked])
    with company.store.read() as connection:
        answers.look_up(connection, company.source_id)
    assert value(answers, asked) == (company.served()[key]["id"] if key else None)


def test_a_name_that_its_holder_gives_up_in_the_run_is_nobodys(company: Company) -> None:
    company.update()
    asked = link("userName", "p2@example.com")
    answers = Answers()
    answers.ask([asked])
    was = attributes("p2@example.com")
    answers.offer("id", "P2", before("P2", **was), attributes("new@example.com"))
    with company.store.read() as connection:
        answers.look_up(connection, company.source_id)
    assert value(answers, asked) is None


def manager(company: Company, key: str) -> object:
    return company.served()[key][ENTERPRISE].get("manager", {}).get("value")


def test_an_inactive_manager_stays_linked(company: Company) -> None:
    company.rows["P3"]["boss"] = "P2"
    company.update()
    company.leave(2)
    company.update()
    assert (company.inactive(), manager(company, "P3")) == ({"P2"}, "p2@example.com")
    del company.rows["P2"]
    company.update()
    assert manager(company, "P3") == "p2@example.com"


def test_a_manager_whose_new_name_is_held_keeps_the_old_one_at_the_reports(
    company: Company,
) -> None:
    company.rows["P7"]["boss"] = "P2"
    company.update()
    for number in range(1, 6):
        company.rows[f"P{number}"]["mail"] = f"new{number}@example.com"
    assert company.update().held == {"renamed": 5}
    assert manager(company, "P7") == "p2@example.com"
    company.approve()
    assert manager(company, "P7") == "new2@example.com"


def test_a_manager_who_cannot_be_served_yet_is_linked_when_that_changes(company: Company) -> None:
    company.update()
    company.rows["P11"] = person(11, mail="p2@example.com")
    company.rows["P3"]["boss"] = "P11"
    company.update()
    assert manager(company, "P3") is None
    company.rows["P2"]["mail"] = "other@example.com"
    company.update()
    assert manager(company, "P3") == "p2@example.com"


def test_people_who_manage_each_other_are_linked_both_ways(company: Company) -> None:
    company.rows["P2"]["boss"], company.rows["P3"]["boss"] = "P3", "P2"
    company.update()
    assert (manager(company, "P2"), manager(company, "P3")) == ("p3@example.com", "p2@example.com")
    company.rows["P2"]["mail"] = "new@example.com"
    company.update()
    assert manager(company, "P3") == "new@example.com"
