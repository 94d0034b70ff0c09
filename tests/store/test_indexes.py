"""What a few people cost does not grow with the company: SQLite searches the right index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bridge.store import Store, due, records, resources
from tests.store.company import NOON

KEYS = [f"P{number}" for number in range(500)]
Look = Callable[[Connection], object]

LOOKS: dict[str, tuple[Look, str]] = {
    "the records of people": (
        lambda c: records.of_people(c, 1, KEYS),
        "record USING INDEX record_by_person (source_id=? AND person_key=?)",
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
