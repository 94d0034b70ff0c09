"""Who is due: paging, future moments, and news that arrives while a decision thinks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.store import due, records
from tests.store.company import Company, entry


@pytest.fixture(params=["few", "many"])
def _any_number(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "many":
        monkeypatch.setattr(due, "_FEW", 0)


@pytest.mark.usefixtures("_any_number")
def test_due_people_are_paged_in_order_and_future_ones_left_out(company: Company) -> None:
    company.save(*(entry(key) for key in ("b", "a", "é", "Z", "c")))
    with company.publication() as p:
        p.set_due(company.source, {"c": company.now + timedelta(seconds=1)}, as_of=1)
    with company.store.read() as c:
        first = records.due(c, company.source, company.now, limit=2)
        rest = records.due(c, company.source, company.now, after=first[-1])
    assert (first, rest) == (["Z", "a"], ["b", "é"])
    company.pass_time(seconds=1)
    assert company.due() == ["Z", "a", "b", "c", "é"]


def test_people_are_those_with_a_record_and_those_served(company: Company) -> None:
    company.save(entry("r1"), entry("r2"), person="both")
    company.save(entry("r3"), person="record")
    company.publish(company.write("both"), company.write("served"))
    with company.store.read() as c:
        assert records.people(c, company.source) == ["both", "record", "served"]
        assert records.people(c, company.source, limit=2) == ["both", "record"]
        assert records.people(c, company.source, after="record") == ["served"]


def test_news_during_a_decision_is_not_decided_away(company: Company) -> None:
    company.save(entry("r1"), entry("r2"))
    with company.store.read() as c:
        as_of = records.news(c, company.source)
    company.save(entry("r1", changed=True))
    with company.publication() as p:
        p.set_due(company.source, {"r1": None, "r2": None}, as_of)
    assert company.due() == ["r1"]
    with company.publication() as p:
        later = company.now + timedelta(days=1)
        p.set_due(company.source, {"r1": later}, as_of)
    assert company.due() == ["r1"]


def test_news_of_somebody_not_due_is_not_decided_away_either(company: Company) -> None:
    with company.store.write() as c:
        as_of = records.news(c, company.source)
        records.make_due(c, company.source, ["p1"])
    with company.publication() as p:
        p.set_due(company.source, {"p1": company.now + timedelta(days=1)}, as_of)
    assert company.due() == ["p1"]


def test_a_decision_moves_the_next_moment_both_ways(company: Company) -> None:
    company.save(entry("r1"))
    for days, expected in ((3, []), (1, []), (-1, ["r1"])):
        with company.publication() as p:
            p.set_due(company.source, {"r1": company.now + timedelta(days=days)}, as_of=1)
        assert company.due() == expected
    with company.publication() as p:
        p.set_due(company.source, {"r1": company.now + timedelta(days=2)}, as_of=1)
    company.pass_time(days=2)
    assert company.due() == ["r1"]


def test_news_is_not_delayed_by_a_clock_that_is_set_back(company: Company) -> None:
    with company.publication() as p:
        p.set_due(company.source, {"p1": company.now + timedelta(days=1)}, as_of=0)
    with company.store.write() as c:
        records.make_due(c, company.source, ["p1"])
    company.now -= timedelta(days=30)
    assert company.due() == ["p1"]
