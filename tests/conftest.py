"""What holds for every test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from sqlalchemy import Connection

from bridge.store import Store, migrate
from tests.processes import Bridge

# Slow machines are no fault of the code: no example has a deadline.
settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")

pytest.register_assert_rewrite("tests.sources.contract")


@pytest.fixture(scope="session", autouse=True)
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Migrate one SQLite store, and make the others in this process by its statements.

    To migrate an empty one takes longer than most tests do.
    """
    migrated = migrate.upgrade

    @cache
    def statements() -> tuple[str, ...]:
        file = tmp_path_factory.mktemp("tables") / "bridge.db"
        with patch.object(migrate, "upgrade", migrated):
            Store.open(f"sqlite:///{file}").close()
        with closing(sqlite3.connect(file)) as store:
            return tuple(store.iterdump())[1:-1]  # without BEGIN and COMMIT

    def upgrade(c: Connection) -> None:
        if c.dialect.name != "sqlite" or migrate.current(c) is not None:
            migrated(c)
            return
        for statement in statements():
            c.exec_driver_sql(statement)

    with patch.object(migrate, "upgrade", upgrade):
        yield


@pytest.fixture
def bridge(tmp_path: Path) -> Bridge:
    """Five people in an export and a mapping, in an empty folder; nothing runs yet."""
    return Bridge(tmp_path)
