"""Whom the names mean by which entries refer to one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bridge.model import Entry, Link
from bridge.store import Store, records, refs
from tests.store.company import Company, entry


def called(ref: str, key: str) -> Entry:
    return replace(entry(key, dn=ref), ref=ref)


def gone(company: Company, *keys: str) -> None:
    with company.store.write() as c:
        records.save(c, company.source, 2, [], keys, None, company.now)


def meant(company: Company, *names: str) -> dict[str, str]:
    with company.store.read() as c:
        return refs.people(c, company.source, names)


def test_a_ref_means_the_person_whose_record_is_called_so(company):
    company.save(called("cn=a", "A"), called("cn=b", "B"))
    assert meant(company, "cn=a", "cn=b", "cn=c") == {"cn=a": "A", "cn=b": "B"}


def test_a_former_ref_means_the_same_person_until_another_record_is_called_so(company):
    company.save(called("cn=a", "A"))
    company.save(called("cn=x", "A"))
    company.save(called("cn=y", "A"))
    assert meant(company, "cn=a", "cn=x", "cn=y") == {"cn=a": "A", "cn=x": "A", "cn=y": "A"}
    company.save(called("cn=a", "B"))
    assert meant(company, "cn=a", "cn=x") == {"cn=a": "B", "cn=x": "A"}


def test_a_record_that_is_gone_is_meant_until_another_one_takes_its_name(company):
    company.save(called("cn=a", "A"))
    gone(company, "A")
    assert meant(company, "cn=a") == {"cn=a": "A"}
    company.save(called("cn=a", "B"))
    assert meant(company, "cn=a") == {"cn=a": "B"}
    gone(company, "B")
    assert meant(company, "cn=a") == {"cn=a": "B"}
    company.save(called("cn=a", "A"))
    assert meant(company, "cn=a") == {"cn=a": "A"}


def test_a_person_has_every_name_that_the_records_have_and_had(company):
    company.save(called("cn=a", "A"), called("cn=b", "B"))
    company.save(called("cn=x", "A"))
    with company.store.read() as c:
        assert refs.names(c, company.source, ["A"]) == {("dn", "cn=a"), ("dn", "cn=x")}


@pytest.mark.parametrize(
    ("first", "then", "due"),
    [
        ([], called("cn=boss", "B"), {"B", "F"}),
        ([called("cn=boss", "B")], called("cn=x", "B"), {"B", "F"}),
        ([called("cn=x", "B")], called("cn=boss", "B"), {"B", "F"}),
        ([called("cn=x", "B")], called("cn=y", "B"), {"B"}),
    ],
    ids=["a new record", "it loses the name", "it gets the name", "other names"],
)
def test_whoever_refers_to_a_name_is_due_when_it_changes_hands(company, first, then, due):
    company.save(called("cn=f", "F"), *first)
    company.publish(company.write("F", links=[Link(("manager",), "dn", "cn=boss")]))
    with company.publication() as p, company.store.read() as c:
        p.set_due(company.source, dict.fromkeys(company.due()), records.news(c, company.source))
    assert company.due() == []
    company.save(then)
    assert set(company.due()) == due


LOOKS: dict[str, Callable[[Connection], object]] = {
    "who is meant": lambda c: refs.people(c, 1, ["cn=a", "cn=b"]),
    "what people are called": lambda c: refs.names(c, 1, ["A", "B"]),
    "who refers to a name": lambda c: refs.followers(c, 1, ["cn=a", "cn=b"]),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_names_are_found_by_an_index(tmp_path: Path, look: Callable[[Connection], object]) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'bridge.db'}")
    asked: list[tuple[str, Any]] = []
    with store.write() as c:

        @event.listens_for(c, "before_cursor_execute")
        def _note(c: Connection, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            asked.append((statement, values))

        look(c)
        steps = [
            step[3]
            for statement, values in tuple(asked)
            for step in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    store.close()
    assert any(step.startswith("SEARCH") for step in steps)
    assert not any(step.startswith("SCAN") for step in steps), steps
