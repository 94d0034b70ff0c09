"""Who is looked at, what is judged, and what a decision must not overlook."""

from __future__ import annotations

import pytest

from bridge.model import ENTERPRISE_URN
from bridge.store import plans, records
from bridge.sync.decision import Progress
from bridge.sync.leadership import leadership
from bridge.sync.run import CHANGES, Sync
from tests.sync.conftest import Company, person


def sync(company: Company, name: str = "hr", progress: Progress = lambda step, done: None) -> None:
    """Sync a source by its name, and be told how far it is."""
    with leadership(company.store) as epoch:
        run = Sync(company.store, company.mappings, epoch, lambda: company.now).run
        run(name, CHANGES, "test", progress)


def test_only_whoever_has_news_is_looked_at(company: Company) -> None:
    company.update()
    with company.store.read() as connection:
        assert records.due(connection, company.source_id, company.now) == []
    company.rows["P2"]["title"] = company.rows["P3"]["title"] = "Chief"
    company.write_export()
    told: list[tuple[str, int]] = []
    sync(company, progress=lambda step, done: told.append((step, done)))
    assert {step: done for step, done in told if step in ("decide", "publish")} == {
        "decide": 2, "publish": 2,
    }  # fmt: skip


def test_what_is_asked_while_a_decision_is_made_is_done_by_the_next_one(company: Company) -> None:
    company.update()
    company.rows["P2"]["title"] = "Chief"
    company.write_export()

    def ask(step: str, done: int) -> None:
        if step == "decide":
            company.override("P2", active=False)

    sync(company, progress=ask)
    assert company.served()["P2"]["title"] == "Chief"
    assert company.inactive() == set()
    company.sync("decide")
    assert company.inactive() == {"P2"}


@pytest.mark.parametrize(("more", "held"), [(5, {}), (6, {"new": 6})])
def test_after_an_approved_first_load_newcomers_are_judged_by_the_size_of_it(
    company: Company, more: int, held: dict[str, int]
) -> None:
    company.limits = "limits: { new: 50% }"
    company.write_mapping()
    company.update()
    with company.store.write() as connection:
        plans.approve(connection, company.plan().hash, "ann", company.now)
    for number in range(11, 11 + more):
        company.rows[f"P{number}"] = person(number)
    assert company.update().held == held
    assert len(company.served()) == (10 if held else 15)


def test_a_link_never_means_somebody_of_another_source_who_yields_a_name(company: Company) -> None:
    company.update()
    (company.mappings / "labs.csv").write_text(
        "id,first,last,mail,dept,boss,end,title\nP5,A,B,x@example.com,1,,2026-06-14,Clerk\n"
    )
    text = (company.mappings / "hr.yaml").read_text()
    text = text.replace("name: hr", "name: labs").replace("people.csv", "labs.csv")
    (company.mappings / "labs.yaml").write_text(text)
    sync(company, "labs")
    company.rows["P11"] = person(11, mail="x@example.com", boss="P5")
    assert company.update().counts == {"new": 1}
    newcomer = company.served()["P11"]
    assert newcomer["userName"] == "x@example.com"
    assert newcomer[ENTERPRISE_URN] == {
        "department": "Sales", "manager": {"value": "p5@example.com"},
    }  # fmt: skip
