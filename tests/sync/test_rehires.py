"""Somebody who comes back under a new key is pointed out, and merged by no name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.sync.rehires import possible
from bridge.sync.why import why
from tests.sync.conftest import Company, person

MAPPING = ("enterprise:\n", "enterprise:\n  employeeNumber: title\n")


def told(company: Company) -> list[tuple[str, str, tuple[str, ...]]]:
    with company.store.read() as connection:
        found = possible(connection, company.now)
    return [(each.new.key, each.old.key, each.by) for each in found]


@pytest.fixture
def left(company: Company) -> Company:
    """P2 is gone; the titles are employee numbers."""
    company.write_mapping(MAPPING)
    for number in range(1, 11):
        company.rows[f"P{number}"]["title"] = f"N{number}"
    company.update()
    del company.rows["P2"]
    company.update()
    return company


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ({"mail": "P2@example.com", "title": "N11"}, ("email", "userName")),
        ({"title": "n2"}, ("employeeNumber",)),
        ({"mail": "p2@example.com", "title": "N2"}, ("email", "employeeNumber", "userName")),
        ({"title": "N11"}, None),
        ({"mail": "p3@example.com", "title": "N11"}, None),
    ],
)
def test_whoever_comes_with_a_name_of_somebody_who_left_is_pointed_out(
    left: Company, changes: dict[str, str], by: tuple[str, ...] | None
) -> None:
    left.rows["P11"] = person(11, **changes)
    left.update()
    assert told(left) == ([("P11", "P2", by)] if by else [])
    if "P11" in left.served():
        assert left.served()["P11"]["id"] != left.served()["P2"]["id"]


def test_who_leaves_and_comes_back_in_one_export_is_pointed_out(company: Company) -> None:
    company.update()
    del company.rows["P2"]
    company.rows["P11"] = person(11, mail="p2@example.com")
    company.update()
    assert told(company) == [("P11", "P2", ("email", "userName"))]


def test_the_newcomer_and_the_leaver_are_explained_with_the_command(left: Company) -> None:
    left.rows["P11"] = person(11, mail="p2@example.com", title="N11")
    left.update()
    ids = {key: str(row["id"]) for key, row in left.served().items()}
    for key in ("P2", "P11"):
        [rehire] = why(left.store, ids[key], left.now).rehires
        assert rehire.advice == f"bridge relink {ids['P2']} {ids['P11']}"
    assert why(left.store, ids["P3"], left.now).rehires == ()


def test_a_leaver_whose_record_is_there_is_told_of_without_a_command(company: Company) -> None:
    company.leave(2)
    company.update()
    company.rows["P11"] = person(11, mail="p2@example.com")
    company.update()
    with company.store.read() as connection:
        [rehire] = possible(connection, company.now)
    assert "`key`" in rehire.advice


def test_it_is_told_for_thirty_days_and_while_one_is_active_and_the_other_is_not(
    left: Company,
) -> None:
    left.rows["P11"] = person(11, mail="p2@example.com", title="N11")
    left.update()
    left.override("P11", active=False, until=left.now + timedelta(days=1))
    left.sync("decide")
    assert told(left) == []
    left.now += timedelta(days=2)
    left.sync("decide")
    assert len(told(left)) == 1
    left.now += timedelta(days=29)
    assert told(left) == []


def test_nobody_of_a_first_load_is_pointed_out(company: Company) -> None:
    company.rows["P3"] |= {"mail": "other@example.com", "end": "2026-06-01"}
    company.rows["P11"] = person(11, id="P11")
    company.update()
    assert told(company) == []


def test_somebody_of_another_source_is_pointed_out_too(left: Company) -> None:
    text = (left.mappings / "hr.yaml").read_text()
    other = text.replace("name: hr", "name: guests").replace("people.csv", "guests.csv")
    (left.mappings / "guests.yaml").write_text(other)
    first = "id,first,last,mail,dept,boss,end,title\nG1,A,B,g1@example.com,1,,,M1\n"
    guests = left.mappings / "guests.csv"
    guests.write_text(first)
    left.name = "guests"
    left.sync()
    guests.write_text(f"{first}G2,A,B,p2@example.com,1,,,M2\n")
    left.sync("full")
    assert told(left) == [("G2", "P2", ("email", "userName"))]
    with left.store.read() as connection:
        assert "another source" in possible(connection, left.now)[0].advice
