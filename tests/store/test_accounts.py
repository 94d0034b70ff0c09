"""Runs, requests, overrides, audit and problems: how things came about."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bridge.store import audit, overrides, problems, requests, runs
from bridge.store.audit import Happened
from bridge.store.problems import Problem
from tests.store.company import NOON, Company

DAY = timedelta(days=1)


def test_a_run_is_accounted_for(company: Company) -> None:
    with company.store.write() as c:
        assert runs.latest(c, company.source) is None
        first = runs.start(c, company.source, "full", "schedule", NOON)
        second = runs.start(c, company.source, "decide", "eve", NOON)
        runs.finish(
            c, first, NOON + DAY, verdict="INCOMPLETE", reason="cut off",
            counts={"entries": 7}, held={"absent": 2}, publication=3,
        )  # fmt: skip
        run, latest = runs.get(c, first), runs.latest(c, company.source)
        assert runs.get(c, 99) is None
    assert run is not None
    assert latest is not None
    assert (run.verdict, run.reason, run.ended_at, run.publication) == (
        "INCOMPLETE", "cut off", NOON + DAY, 3,
    )  # fmt: skip
    assert (json.loads(run.counts), json.loads(run.held)) == ({"entries": 7}, {"absent": 2})
    assert (latest.id, latest.ended_at, latest.verdict) == (second, None, "")


def test_a_run_is_found_by_its_publication(company: Company) -> None:
    with company.store.write() as c:
        run_id = runs.start(c, company.source, "full", "schedule", NOON)
    with company.publication(run_id) as p:
        p.put_users(company.source, [company.write("p1")])
    with company.store.read() as c:
        run = runs.of_publication(c, 1)
        assert runs.of_publication(c, 2) is None
    assert run is not None
    assert run.id == run_id


def test_deactivations_that_nobody_approved_are_counted_by_person(company: Company) -> None:
    def happened(subject: str, **other: object) -> Happened:
        values = {"at": NOON, "action": "deactivated", "source_id": company.source, **other}
        return Happened(actor="schedule", subject=subject, **values)  # type: ignore[arg-type]

    with company.store.write() as c:
        audit.add(
            c,
            [
                happened("counted"),
                happened("counted", at=NOON + timedelta(hours=1)),
                happened("also"),
                happened("approved", approved=True),
                happened("back", action="reactivated"),
                happened("elsewhere", source_id=company.source + 1),
                happened("long ago", at=NOON - DAY),
            ],
        )
        assert runs.deactivations(c, company.source, NOON - DAY) == 2
        assert runs.deactivations(c, company.source, NOON - 2 * DAY) == 3


def test_the_audit_is_read_from_the_newest_on(company: Company) -> None:
    with company.store.write() as c:
        for action in ("created", "deactivated"):
            for subject in ("ann", "ben"):
                audit.add(
                    c,
                    [
                        Happened(NOON, "eve", action, company.source, subject, run_id=1,
                                 publication=2, detail={"reason": "Grüße"}),
                    ],
                )  # fmt: skip
        rows = list(audit.find(c, audit.Search(company.source, "ann")))
        assert [row.action for row in rows] == ["deactivated", "created"]
        assert (rows[0].run_id, rows[0].publication, json.loads(rows[0].detail)) == (
            1, 2, {"reason": "Grüße"},
        )  # fmt: skip
        assert [row.subject for row in audit.find(c, audit.Search(), 2)] == ["ben", "ann"]
        assert [row.subject for row in audit.find(c, audit.Search(), 1, False)] == ["ann"]
        assert list(audit.find(c, audit.Search(until=NOON))) == []
        assert len(list(audit.find(c, audit.Search(action="created", since=NOON)))) == 2


def test_a_request_is_asked_and_answered(company: Company) -> None:
    with company.store.write() as c:
        first = requests.ask(c, company.source, "full", "eve", NOON)
        second = requests.ask(c, company.source, "changes", "eve", NOON)
        assert [request.id for request in requests.pending(c)] == [first, second]
        requests.answer(c, first, 7, 3, "something is held", NOON + DAY)
        assert [request.id for request in requests.pending(c)] == [second]
        answered = requests.get(c, first)
        assert requests.get(c, 99) is None
    assert answered is not None
    assert (answered.run_id, answered.exit_code, answered.message, answered.ended_at) == (
        7, 3, "something is held", NOON + DAY,
    )  # fmt: skip


def test_the_last_override_of_a_person_stands_until_its_end(company: Company) -> None:
    with company.store.write() as c:
        overrides.set(c, company.source, "ann", False, "fired", "eve", NOON)
        overrides.set(c, company.source, "ann", True, "mistake", "eve", NOON, NOON + DAY)
        overrides.set(c, company.source, "ben", False, "fired", "eve", NOON)
        standing = overrides.of(c, company.source, ["ann", "zoe"], NOON)
        assert {key: (row.active, row.reason) for key, row in standing.items()} == {
            "ann": (True, "mistake")
        }
        assert overrides.of(c, company.source, ["ann"], NOON + DAY) == {}
        assert overrides.of(c, company.source + 1, ["ann"], NOON) == {}
        assert [row.person_key for row in overrides.all(c, NOON)] == ["ann", "ben"]
        assert [row.person_key for row in overrides.all(c, NOON + DAY, company.source)] == ["ben"]
        assert overrides.end(c, company.source, "ben", NOON)
        assert not overrides.end(c, company.source, "ben", NOON)
        assert overrides.of(c, company.source, ["ben"], NOON) == {}


@pytest.mark.parametrize("change", ["set", "end"])
def test_an_override_makes_its_person_due_even_while_a_decision_thinks(
    company: Company, change: str
) -> None:
    with company.store.write() as c:
        overrides.set(c, company.source, "ann", True, "stays", "eve", NOON)
    with company.publication() as p:
        p.set_due(company.source, {"ann": None}, as_of=1)
    assert company.due() == []
    with company.store.write() as c:
        if change == "set":
            overrides.set(c, company.source, "ann", False, "fired", "eve", NOON)
        else:
            overrides.end(c, company.source, "ann", NOON)
    with company.publication() as p:
        p.set_due(company.source, {"ann": None}, as_of=1)
    assert company.due() == ["ann"]


def test_problems_are_noted_until_they_are_solved(company: Company) -> None:
    waiting = Problem(("the name is taken",), NOON, waits_for="ann@x.y")
    with company.publication() as p:
        p.set_problems(
            company.source, {"ann": waiting, "record:7": Problem(("no key",), NOON), "ben": None}
        )
    with company.publication() as p:
        p.set_problems(
            company.source,
            {"ann": Problem(("still taken", "and more"), NOON + DAY), "record:7": None},
        )
    with company.store.read() as c:
        assert problems.of(c, company.source, "ann") == Problem(("still taken", "and more"), NOON)
        assert problems.of(c, company.source, "record:7") is None
        assert problems.all(c) == [
            (company.source, "ann", Problem(("still taken", "and more"), NOON))
        ]
        assert problems.all(c, company.source + 1) == []
        assert (problems.count(c), problems.count(c, company.source + 1)) == (1, 0)
