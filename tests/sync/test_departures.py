"""Whoever leaves because one of their records is gone is absent: the source did not say it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.sync.conftest import Company, person

GONE = "the record that kept them active is no longer in the source; "
LEFT = GONE + "what is left says: last day has passed"


@pytest.fixture(params=["today's row first", "today's row last"])
def rehired(company: Company, request: pytest.FixtureRequest) -> Company:
    """P5 to P8 were there before: each has a row of a contract that ended, and one of today."""
    company.write_mapping(("key: id\n", "key: id\nprefer: [end | empty, end]\n"))
    old = {f"old {n}": person(n, end="2026-05-31", title="Trainee") for n in range(5, 9)}
    first = request.param == "today's row first"
    company.rows = {**company.rows, **old} if first else {**old, **company.rows}
    company.update()
    assert company.inactive() == set()
    return company


def today_is_gone(company: Company, *numbers: int) -> None:
    """Of these people the next export has the old rows alone."""
    for number in numbers:
        del company.rows[f"P{number}"]
    company.now += timedelta(minutes=1)


def cause(company: Company, key: str) -> tuple[str, str]:
    detail = json.loads(company.audit(key)[0].detail)
    return detail["cause"], detail["reason"]


def test_one_who_leaves_for_a_record_that_is_gone_is_told_as_absent(rehired: Company) -> None:
    today_is_gone(rehired, 5)
    report = rehired.update()
    assert (report.counts, report.held) == ({"absent": 1}, {})
    assert rehired.inactive() == {"P5"}
    assert cause(rehired, "P5") == ("absent", LEFT)


def test_many_of_them_wait_while_a_disable_is_served(rehired: Company) -> None:
    today_is_gone(rehired, 5, 6)
    rehired.leave(2)
    report = rehired.update()
    assert (report.counts, report.held) == ({"disabled": 1}, {"absent": 2})
    assert rehired.inactive() == {"P2"}
    assert {(each.subject, each.after) for each in rehired.changes()} == {
        ("P5", f"inactive: {LEFT}"),
        ("P6", f"inactive: {LEFT}"),
    }
    assert (rehired.sync("full").held, rehired.inactive()) == ({}, {"P2"}), "they wait already"
    assert rehired.approve().counts == {"absent": 2}
    assert rehired.inactive() == {"P2", "P5", "P6"}


def test_when_the_record_is_back_nothing_waits_any_more(rehired: Company) -> None:
    rows = dict(rehired.rows)
    today_is_gone(rehired, 5, 6)
    rehired.update()
    rehired.rows = rows
    assert rehired.update().plans == []
    assert rehired.inactive() == set()


def test_what_is_left_disables_as_soon_as_it_says_so_itself(rehired: Company) -> None:
    today_is_gone(rehired, 5, 6)
    rehired.update()
    rehired.rows["old 5"]["end"] = "2026-06-01"
    report = rehired.update()
    assert (report.counts, report.held) == ({"disabled": 1}, {})
    assert rehired.inactive() == {"P5"}
    assert cause(rehired, "P5") == ("disabled", "last day has passed")


def test_a_record_that_takes_the_place_of_another_disables(rehired: Company) -> None:
    today_is_gone(rehired, 5, 6)
    for key in ("old 5", "old 6"):
        rehired.rows[key]["end"] = "2026-06-14"
    report = rehired.update()
    assert (report.counts, report.held) == ({"disabled": 2}, {})


def test_a_date_that_passes_disables_whatever_is_gone_since_long(rehired: Company) -> None:
    for key in ("old 5", "old 6"):
        rehired.rows[key]["end"] = "2026-06-16"
    rehired.update()
    today_is_gone(rehired, 5, 6)
    assert rehired.update().counts == {}
    rehired.now = rehired.now.replace(day=17)
    report = rehired.sync("decide")
    assert (report.counts, report.held) == ({"disabled": 2}, {})
    assert rehired.inactive() == {"P5", "P6"}


def test_an_edited_file_is_not_what_made_them_absent(rehired: Company) -> None:
    today_is_gone(rehired, 5, 6)
    rehired.update()
    text = (rehired.mappings / "hr.yaml").read_text()
    (rehired.mappings / "hr.yaml").write_text(text.replace("reason: employed", "reason: works"))
    report = rehired.sync()
    assert (report.held, len(report.plans)) == ({}, 1)
    assert rehired.inactive() == set()
    assert {each.kind for each in rehired.changes()} == {"absent"}


def test_of_records_that_nothing_decides_between_the_one_that_is_left_is_no_disable(
    company: Company,
) -> None:
    company.update()
    company.rows["old"] = person(5, end="2026-05-31")
    company.update()
    assert set(company.problems()) == {"P5"}
    assert company.inactive() == set()
    today_is_gone(company, 5)
    assert company.update().counts == {"absent": 1}
    assert company.inactive() == {"P5"}


def test_a_date_that_was_waited_for_meanwhile_is_what_disables(company: Company) -> None:
    """The second contract stands beside the first, which goes before the second one begins."""
    company.limits = "limits: { first_load: publish, reactivated: 5 }"
    begins = '  rules:\n    - { when: "start_of(begins) > now", then: false, reason: not begun }\n'
    company.write_mapping(
        ("key: id\n", "key: id\nprefer: [end]\n"),
        ("  ends: end | date('%Y-%m-%d')", "  ends: end | date('%Y-%m-%d')\n  begins: dept | date"),
        ("  rules:\n", begins),
        ("dept | lookup('departments', 'Unknown')\n  manager", "dept\n  manager"),
    )
    for number in (5, 6):
        company.rows[f"P{number}"] |= {"end": "2026-12-31", "dept": "2020-01-01"}
        company.rows[f"new {number}"] = person(number, end="2026-09-30", dept="2026-07-01")
    company.update()
    today_is_gone(company, 5)
    assert company.update().counts == {"absent": 1}
    company.now = company.now.replace(month=7, day=2)
    assert company.sync("full").counts == {"reactivated": 1}
    company.now = company.now.replace(month=10, day=1)
    assert company.sync("full").counts == {"disabled": 1}


def test_half_a_read_in_another_order_takes_no_row_for_another(rehired: Company) -> None:
    whole = rehired.export.read_text().splitlines()
    old = [line for line in whole if "2026-05-31" in line]
    rehired.now += timedelta(hours=1)
    rehired.write_export("\n".join([whole[0], *old, "P4,First4"]))
    report = rehired.sync()
    assert (report.verdict, report.counts) == ("INCOMPLETE", {})
    assert rehired.inactive() == set()
    rehired.leave(6)
    assert rehired.update().counts == {"disabled": 1}


@pytest.mark.parametrize("rehired", ["today's row last"], indirect=True)
def test_another_column_of_the_file_is_no_news_of_anybody(rehired: Company) -> None:
    today_is_gone(rehired, 5, 6)
    rehired.update()
    rehired.write_mapping(
        ("key: id\n", "key: id\nprefer: [end | empty, end]\n"),
        ("title: title}", "title: title, note: title}"),
    )
    rehired.now += timedelta(days=1)
    assert rehired.sync().counts == {}
    assert rehired.inactive() == set()
    assert {each.kind for each in rehired.changes()} == {"absent"}


def test_an_old_row_that_is_back_before_the_one_of_today_says_nothing_new(rehired: Company) -> None:
    old = [rehired.rows.pop(f"old {number}") for number in (5, 6)]
    today_is_gone(rehired, 5, 6)
    assert rehired.update().held == {"absent": 2}
    rehired.rows |= {row["id"]: row for row in old}
    rehired.now += timedelta(days=1)
    assert rehired.update().counts == {}
    assert rehired.inactive() == set()
