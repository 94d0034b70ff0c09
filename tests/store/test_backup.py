"""A backup holds one whole moment of the store; a restored one is held back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bridge.errors import UsageError
from bridge.store import Store, backup, resources
from bridge.store import sources as source_rows
from bridge.store.pages import Pages
from bridge.store.tables import PublicationRow, UserRow, table
from tests.store.company import Company


def silent(step: str, done: int) -> None:
    pass


def publish(company: Company, *keys: str) -> None:
    with company.publication() as publication:
        publication.put_users(company.source, [company.write(key) for key in keys])
        publication.open_serving()


def people(company: Company) -> dict[str, bytes]:
    with company.store.read() as c:
        return {person.key: person.document for person in resources.listing(c)}


def counted(store: Store, row: type) -> int:
    with store.read() as c:
        return c.execute(select(func.count()).select_from(table(row))).scalar_one()


@pytest.fixture
def served(company: Company) -> Company:
    publish(company, "ann", "ben", "cleo")
    return company


@pytest.fixture
def other(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of the other kind."""
    if url.startswith("sqlite"):
        url = str(request.getfixturevalue("postgres"))
    else:
        url = f"sqlite:///{tmp_path}/other/bridge.db"
    store = Store.open(url)
    yield store
    store.close()


def is_answered(store: Store) -> bool:
    """Whether the web role would answer from this store."""
    pages = Pages(store)
    try:
        return pages.serving()
    finally:
        pages.close()


def test_what_is_backed_up_comes_back_and_is_not_served_at_once(
    served: Company, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    assert backup.save(served.store, file, silent) == 3
    before = people(served)
    assert is_answered(served.store)
    publish(served, "dan")
    with pytest.raises(UsageError, match="--replace"):
        backup.load(served.store, file, served.now, silent, replace=False)
    assert backup.load(served.store, file, served.now, silent, replace=True) == 3
    assert people(served) == before
    assert not is_answered(served.store)
    with served.store.read() as c:
        (source,) = source_rows.all(c)
    assert (source.words, source.cookie) == ("", None)


def test_a_publication_s_number_never_comes_twice(served: Company, tmp_path: Path) -> None:
    backup.save(served.store, tmp_path / "copy.db", silent)
    publish(served, "dan")
    publish(served, "eve")
    with served.store.read() as c:
        newest = c.execute(select(func.max(table(PublicationRow).c.number))).scalar_one()
    backup.load(served.store, tmp_path / "copy.db", served.now, silent, replace=True)
    publish(served, "fay")
    with served.store.read() as c:
        after = c.execute(select(func.max(table(PublicationRow).c.number))).scalar_one()
    assert after > newest


def test_a_backup_goes_into_another_kind_of_store(
    served: Company, tmp_path: Path, other: Store
) -> None:
    backup.save(served.store, tmp_path / "copy.db", silent)
    assert backup.load(other, tmp_path / "copy.db", served.now, silent, replace=False) == 3
    assert counted(other, UserRow) == 3
    assert not is_answered(other)
    with other.write() as c:
        assert source_rows.register(c, "another", "another.yaml").id != served.source


def test_a_backup_is_a_file_of_its_own_that_nobody_else_can_read(
    served: Company, tmp_path: Path
) -> None:
    file = tmp_path / "copy.db"
    backup.save(served.store, file, silent)
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy.db"]
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="is there already"):
        backup.save(served.store, file, silent)


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_backup_changes_nothing(
    served: Company, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "other.db"
    if content is None:
        sqlite3.connect(file).execute("CREATE TABLE x (y)").connection.close()
    else:
        file.write_bytes(content)
    with pytest.raises(UsageError, match="no backup of the bridge"):
        backup.load(served.store, file, served.now, silent, replace=True)
    assert counted(served.store, UserRow) == 3


def test_a_damaged_backup_changes_nothing(served: Company, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    backup.save(served.store, file, silent)
    damaged = bytearray(file.read_bytes())
    damaged[8192:16384] = b"\xff" * 8192
    file.write_bytes(damaged)
    with pytest.raises(UsageError, match="damaged"):
        backup.load(served.store, file, served.now, silent, replace=True)
    assert counted(served.store, UserRow) == 3
