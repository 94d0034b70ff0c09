"""What is too old is taken out, portion by portion, and what is served never is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bridge.store import audit, plans, records, requests, retention, runs
from bridge.store.audit import Happened
from bridge.store.plans import PlanChange
from bridge.store.retention import Keep
from bridge.store.tables import (
    AuditRow,
    DirectoryGroupRow,
    FormerRefRow,
    MemberRow,
    PlanChangeRow,
    PlanRow,
    RecordRow,
    RunRow,
    UserRow,
    table,
)
from bridge.sync.upkeep import forget
from tests.store.company import NOON, Company, entry

DAY = timedelta(days=1)
KEEP = Keep(runs=10 * DAY, audit=20 * DAY, leavers=30 * DAY)


def count(company: Company, of: type) -> int:
    with company.store.read() as c:
        return c.execute(select(func.count()).select_from(table(of))).scalar_one()


def run(company: Company, began: datetime, mode: str = "changes", **end: object) -> int:
    with company.store.write() as c:
        id = runs.start(c, company.source, mode, "schedule", began)
        runs.finish(c, id, began, **end)  # type: ignore[arg-type]
    return id


def kept(company: Company) -> list[int | None]:
    with company.store.read() as c:
        return list(c.execute(select(table(RunRow).c.id).order_by(table(RunRow).c.id)).scalars())


def test_old_runs_go_and_quiet_ones_sooner_but_never_the_last_read(company: Company) -> None:
    run(company, NOON - 11 * DAY, verdict="INCOMPLETE", reason="cut off")
    recent = run(company, NOON - 9 * DAY, verdict="INCOMPLETE", reason="cut off")
    published = run(company, NOON - 9 * DAY, verdict="COMPLETE", publication=1)
    held = run(company, NOON - 9 * DAY, verdict="COMPLETE", held={"absent": 3})
    run(company, NOON - 3 * DAY, verdict="COMPLETE")
    last = run(company, NOON - 3 * DAY, verdict="COMPLETE")
    run(company, NOON - 3 * DAY, mode="decide")
    quiet = run(company, NOON - DAY, mode="decide")
    assert forget(company.store, KEEP, NOON) == {"runs": 3}
    assert kept(company) == [recent, published, held, last, quiet]
    assert forget(company.store, KEEP, NOON + 99 * DAY) == {"runs": 4}
    assert kept(company) == [last]


def test_totals_go_on_counting_when_runs_are_forgotten(company: Company) -> None:
    run(company, NOON - 11 * DAY, verdict="COMPLETE")
    run(company, NOON - 11 * DAY, verdict="COMPLETE")
    forget(company.store, KEEP, NOON)
    with company.store.read() as c:
        [total] = runs.totals(c)
    assert (total.verdict, total.runs) == ("COMPLETE", 2)


def test_finished_plans_go_with_their_changes_and_open_ones_stay(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    changes = [PlanChange(f"p{n}", "absent", "inactive", "fact") for n in range(5)]
    with company.store.write() as c:
        for _ in range(2):
            plan = plans.create(c, company.source, "changes", changes, 1, NOON - 11 * DAY)
            plans.overtake(c, plan)
        plans.create(c, company.source, "changes", changes, 1, NOON - 11 * DAY)
    assert forget(company.store, KEEP, NOON) == {"plan_changes": 10, "plans": 2}
    assert (count(company, PlanRow), count(company, PlanChangeRow)) == (1, 5)


def test_answered_requests_and_old_audit_go(company: Company) -> None:
    with company.store.write() as c:
        answered = requests.ask(c, company.source, "full", "eve", NOON - 11 * DAY)
        waiting = requests.ask(c, company.source, "full", "eve", NOON - 11 * DAY)
        requests.answer(c, answered, None, 0, "{}", NOON - 11 * DAY)
        for age in (19, 21):
            audit.add(c, [Happened(NOON - age * DAY, "eve", "created")])
    assert forget(company.store, KEEP, NOON) == {"requests": 1, "audit": 1}
    with company.store.read() as c:
        assert [request.id for request in requests.pending(c)] == [waiting]
        assert [row.at for row in audit.find(c, audit.Search())] == [NOON - 19 * DAY]


def test_a_leavers_record_goes_and_the_served_person_keeps_the_place(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 1)
    company.save(*(entry(f"p{n}") for n in range(4)))
    company.publish(*(company.write(f"p{n}") for n in range(4)))
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["p1", "p2"], None, NOON - 31 * DAY)
        records.save(c, company.source, 2, [], ["p3"], None, NOON - 29 * DAY)
        for name, record in (("cn=p1", 2), ("cn=p4", 4)):
            values = {"source_id": company.source, "ref": name, "record_id": record}
            c.execute(table(FormerRefRow).insert(), values)
        for record in (2, 4):
            of_record = {"source_id": company.source, "record_id": record}
            group = {"section": 0, "key": f"g{record}"}
            c.execute(table(DirectoryGroupRow).insert(), {**of_record, **group})
            member = {"by": "dn", "ref": "cn=p0"}
            c.execute(table(MemberRow).insert(), {**of_record, **member})
    assert forget(company.store, KEEP, NOON) == {"leavers": 2}
    assert [count(company, row) for row in (FormerRefRow, DirectoryGroupRow, MemberRow)] == [1] * 3
    assert (count(company, RecordRow), count(company, UserRow)) == (2, 4)
    person = company.served("p1")
    assert person is not None
    assert person.position == 2


def test_it_ends_between_two_transactions(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 1)
    with company.store.write() as c:
        audit.add(c, [Happened(NOON - 21 * DAY, "eve", "created")] * 9)
    looks = iter(range(8))

    def between() -> None:
        if next(looks) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forget(company.store, KEEP, NOON, between)
    assert count(company, AuditRow) == 9 - 3  # four looks find nothing else to do
