"""Migrations bring what an older bridge wrote to what this one reads."""

from __future__ import annotations

from pathlib import Path

import orjson
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, insert

from bridge.filter import Attribute, Compare, Op
from bridge.model import ENTERPRISE_URN, Kind, Query
from bridge.store import Store, migrate
from bridge.store.database import parse
from bridge.store.pages import Pages
from bridge.store.tables import UserRow, table


def upgraded(c: Connection, revision: str) -> None:
    """Make the tables that an older bridge had."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["connection"] = c
    command.upgrade(config, revision)


def user(position: int, **document: object) -> dict[str, object]:
    """A row of users as it was before there were lookups."""
    named = dict.fromkeys(("id", "key", "user_name", "name_fold"), f"p{position}")
    state = {"source_id": 1, "active": True, "ever_active": True, "reason": "", "publication": 1}
    body = orjson.dumps({"userName": f"p{position}", **document})
    return {"position": position, **named, **state, "document": body}


def test_people_who_were_served_before_there_were_lookups_are_found_by_them(
    fresh_url: str,
) -> None:
    if fresh_url.startswith("sqlite"):
        Path(str(parse(fresh_url).database)).parent.mkdir()
    emails = [{"value": "Main@example.com", "primary": True}, {"value": "Other@example.com"}]
    last = user(1500, emails=emails, **{ENTERPRISE_URN: {"employeeNumber": "A7"}})
    engine = create_engine(parse(fresh_url))
    with engine.begin() as c:
        upgraded(c, "0004")
        c.execute(insert(table(UserRow)), [*(user(n) for n in range(1, 1500)), last])
    engine.dispose()
    store = Store.open(fresh_url)
    pages = Pages(store)
    for attribute, value in (
        (Attribute(("emails",), "value", many=True), "other@example.com"),
        (Attribute((ENTERPRISE_URN, "employeeNumber")), "a7"),
    ):
        query = Query(Kind.USER, count=0, filter=Compare(attribute, Op.EQ, value))
        assert pages.page(query).total == 1
    store.close()
