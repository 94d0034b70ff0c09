"""What a few people cost does not grow with the company: SQLite searches the right index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bridge.filter import All, Attribute, Compare, Element, Filter, Op
from bridge.model import ENTERPRISE_URN, Kind, Query
from bridge.store import Store, due, entries, records, resources
from bridge.store.pages import _STAMP, Pages
from tests.store.company import NOON

KEYS = [f"P{number}" for number in range(500)]
Look = Callable[[Connection], object]

LOOKS: dict[str, tuple[Look, str]] = {
    "the records of people": (
        lambda c: records.of_people(c, 1, KEYS),
        "record USING INDEX record_by_person (source_id=? AND person_key=?)",
    ),
    "records that departed from others of a person": (
        lambda c: entries.departed(c, 1, KEYS),
        "record_2 USING INDEX record_by_person (source_id=? AND person_key=?)",
    ),
    "records whose person is unknown": (
        lambda c: records.unidentified(c, 1),
        "record USING INDEX record_by_person (source_id=? AND person_key=?)",
    ),
    "records that are said to be gone": (
        lambda c: records.save(c, 1, 1, [], KEYS, None, NOON),
        "record USING INDEX record_by_key (source_id=? AND record_key=?)",
    ),
    "who is due": (
        lambda c: due.due(c, 1, NOON),
        "due USING COVERING INDEX due_by_time (source_id=? AND at<?)",
    ),
    "links by key": (
        lambda c: resources.resolve(c, 1, "key", KEYS),
        "users USING INDEX users_by_key (source_id=? AND key=?)",
    ),
    "links by external id": (
        lambda c: resources.resolve(c, 1, "externalId", KEYS),
        "users USING INDEX users_by_external_id (external_id=?)",
    ),
    "links by userName": (
        lambda c: resources.resolve(c, 1, "userName", KEYS),
        "users USING INDEX users_by_name (name_fold=?)",
    ),
}


@pytest.mark.parametrize(("look", "index"), LOOKS.values(), ids=LOOKS)
def test_a_few_people_are_found_by_the_index_that_is_meant(
    tmp_path: Path, look: Look, index: str
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'bridge.db'}")
    asked: list[tuple[str, Any]] = []
    with store.write() as c:

        @event.listens_for(c, "before_cursor_execute")
        def _note(c: Connection, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.append((statement, values))

        look(c)
        searched = [
            step[3]
            for statement, values in tuple(asked)
            for step in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    store.close()
    assert [step for step in searched if step.startswith("SEARCH")][-1] == f"SEARCH {index}"


def _compare(path: tuple[str, ...], op: Op, value: Any, sub: str = "", **how: Any) -> Compare:
    return Compare(Attribute(path, sub, **how), op, value)


_EMAIL = _compare((), Op.EQ, "x", "value")
SEARCHES: dict[str, tuple[Kind, Filter, str]] = {
    "id": (Kind.USER, _compare(("id",), Op.EQ, "x"), "sqlite_autoindex_users_1 (id=?)"),
    "userName": (Kind.USER, _compare(("userName",), Op.EQ, "x"), "users_by_name (name_fold=?)"),
    "the start of userName": (
        Kind.USER, _compare(("userName",), Op.SW, "x"),
        "users_by_name (name_fold>? AND name_fold<?)",
    ),
    "externalId": (
        Kind.USER, _compare(("externalId",), Op.EQ, "x", exact=True),
        "users_by_external_id (external_id=?)",
    ),
    "an e-mail": (
        Kind.USER, _compare(("emails",), Op.EQ, "x", "value", many=True),
        "lookup USING PRIMARY KEY (name=? AND value=?)",
    ),
    "the work e-mail": (
        Kind.USER, Element(Attribute(("emails",), many=True), _EMAIL),
        "users_by_email (email_fold=?)",
    ),
    "employeeNumber": (
        Kind.USER, _compare((ENTERPRISE_URN, "employeeNumber"), Op.EQ, "x"),
        "lookup USING PRIMARY KEY (name=? AND value=?)",
    ),
    "active": (
        Kind.USER, _compare(("active",), Op.EQ, False, type="boolean"),
        "users_by_active (active=?)",
    ),
    "lastModified": (
        Kind.USER, _compare(("meta",), Op.GT, NOON, "lastModified", type="dateTime"),
        "users_by_publication (publication>?)",
    ),
    "lastModified of the active ones": (
        Kind.USER,
        All((
            _compare(("active",), Op.EQ, True, type="boolean"),
            _compare(("meta",), Op.GT, NOON, "lastModified", type="dateTime"),
        )),
        "users_by_publication (publication>?)",
    ),
    "userName of the active ones": (
        Kind.USER,
        All((
            _compare(("active",), Op.EQ, True, type="boolean"),
            _compare(("userName",), Op.EQ, "x"),
        )),
        "users_by_name (name_fold=?)",
    ),
    "displayName": (
        Kind.GROUP, _compare(("displayName",), Op.EQ, "x"), "groups_by_name (name_fold=?)",
    ),
    "a member": (
        Kind.GROUP, _compare(("members",), Op.EQ, "x", "value", many=True, exact=True),
        "membership_by_user (user_position=?)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "filter", "index"), SEARCHES.values(), ids=SEARCHES)
def test_what_is_looked_up_often_is_found_by_an_index(
    tmp_path: Path, kind: Kind, filter: Filter, index: str
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'bridge.db'}")
    pages = Pages(store)
    asked: list[tuple[str, Any]] = []
    rows = pages._readers.rows
    pages._readers.rows = lambda sql, values=(): asked.append((sql, values)) or rows(sql, values)  # type: ignore[func-returns-value,method-assign]
    pages.page(Query(kind, filter=filter, members=False))
    ((sql, values),) = asked
    steps = [step[3] for step in rows(f"EXPLAIN QUERY PLAN {sql}", values)]
    store.close()
    assert any(index in step for step in steps)
    scanned = {step for step in steps if step.startswith("SCAN") and " e " not in step}
    assert scanned <= {"SCAN CONSTANT ROW", "SCAN found"}


def test_whether_a_page_changed_is_told_without_reading_it(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'bridge.db'}")
    steps = [
        step[3]
        for step in Pages(store)._readers.rows(f"EXPLAIN QUERY PLAN {_STAMP}", (1, 100))
        if "position" in step[3]
    ]
    store.close()
    assert steps == ["SEARCH users USING COVERING INDEX users_by_place (position>? AND position<?)"]
