"""Opening a store, its transactions, and what its errors say."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from bridge.errors import StorageError, UsageError
from bridge.store import Store, lease, migrate, records, sources
from tests.store.company import NOON, Company, entry


def test_a_fresh_store_is_made_and_opens_again(fresh_url: str) -> None:
    first = Store.open(fresh_url)
    with first.write() as c:
        sources.register(c, "hr", "hr.yaml")
    first.close()
    second = Store.open(fresh_url)
    with second.read() as c:
        assert [source.name for source in sources.all(c)] == ["hr"]
    second.close()


def test_the_migrations_make_the_tables_that_the_code_describes(fresh_url: str) -> None:
    store = Store.open(fresh_url)
    with store.read() as c:
        context = MigrationContext.configure(c, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    store.close()


def test_the_code_knows_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_heads() == [migrate.REVISION]


def test_a_store_of_a_newer_bridge_is_refused(fresh_url: str) -> None:
    store = Store.open(fresh_url)
    with store.write() as c:
        c.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    store.close()
    with pytest.raises(StorageError, match="upgrade the bridge"):
        Store.open(fresh_url)


def test_opening_a_store_that_is_up_to_date_does_not_load_alembic(fresh_url: str) -> None:
    Store.open(fresh_url).close()
    script = (
        "import sys; from bridge.store import Store; Store.open(sys.argv[1]).close();"
        " assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, fresh_url], check=True)


def test_several_processes_may_open_a_fresh_store_at_once(fresh_url: str) -> None:
    script = "import sys; from bridge.store import Store; input(); Store.open(sys.argv[1]).close()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, fresh_url], stdin=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0


@pytest.mark.parametrize(
    "url",
    ["", "bridge.db", "sqlite://", "sqlite:///:memory:", "mysql://root@host/x", "oracle:///x"],
)
def test_other_urls_are_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///PATH"):
        Store.open(url)


def test_a_url_that_is_refused_is_not_repeated_with_its_password() -> None:
    with pytest.raises(UsageError) as refused:
        Store.open("mysql://root:geheim@host/x")
    assert "geheim" not in str(refused.value)


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store.open(f"sqlite:///{tmp_path}/var/bridge.db")
        with store.write() as c:
            sources.register(c, "hr", "hr.yaml")
            files = list((tmp_path / "var").iterdir())
            assert {file.name for file in files} == {"bridge.db", "bridge.db-wal", "bridge.db-shm"}
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        store.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_a_transaction_that_an_error_leaves_keeps_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as c:
            sources.register(c, "hr", "hr.yaml")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as c:
        assert sources.all(c) == []


def test_a_reading_connection_cannot_write(store: Store) -> None:
    with pytest.raises(StorageError), store.read() as c:
        sources.register(c, "hr", "hr.yaml")


def test_a_reading_connection_sees_one_moment(store: Store) -> None:
    with store.read() as c:
        assert sources.all(c) == []
        with store.write() as other:
            sources.register(other, "hr", "hr.yaml")
        assert sources.all(c) == []
    with store.read() as c:
        assert len(sources.all(c)) == 1


def test_readers_go_on_during_a_big_write(company: Company) -> None:
    company.save(entry("r1"))
    with company.store.write() as c:
        many = [(entry(f"x{number}"), f"x{number}") for number in range(5000)]
        records.save(c, company.source, 2, many, [], b"cookie", company.now)
        with company.store.read() as reader:
            assert records.count(reader, company.source) == 1
    with company.store.read() as reader:
        assert records.count(reader, company.source) == 5001


def test_two_writers_take_turns_and_lose_nothing(company: Company) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(25):
                company.save(entry(f"{name}{number}"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with company.store.read() as c:
        assert records.count(c, company.source) == 50
        # Every save is news of its own.
        assert records.news(c, company.source) == 50


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"person_id;name\n" * 1000)
    with pytest.raises(StorageError, match="no store of the bridge"):
        Store.open(f"sqlite:///{tmp_path}/bridge.db")


def test_a_folder_in_the_place_of_the_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name another file in BRIDGE_DATABASE"):
        Store.open(f"sqlite:///{tmp_path}")


def test_a_server_that_is_not_there_is_an_error_that_says_so() -> None:
    with pytest.raises(StorageError, match="does not answer"):
        Store.open("postgresql://postgres@127.0.0.1:1/bridge")


def test_a_database_that_is_not_there_is_an_error_that_says_so(postgres: str) -> None:
    with pytest.raises(StorageError, match="database server"):
        Store.open(re.sub("/test_[0-9]+$", "/nowhere", postgres))


def test_a_store_locked_by_others_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    monkeypatch.setattr("bridge.store.database.BUSY_SECONDS", 0)
    hasty = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    with store.write(), pytest.raises(StorageError, match="locked"), hasty.write():
        pass
    hasty.close()
    store.close()


def test_errors_hold_no_values(company: Company) -> None:
    insert = text("INSERT INTO scim_schema VALUES (1, 'urn:secret-value', :b)")
    with company.store.write() as c:
        c.execute(insert, {"b": b"x"})
    with pytest.raises(StorageError) as refused, company.store.write() as c:
        c.execute(insert, {"b": b"x"})
    assert "secret-value" not in str(refused.value)
    assert refused.value.__suppress_context__


_FILL = """
import resource, signal, sys
from bridge.errors import StorageError
from bridge.store import Store
from tests.store.company import Company, entry

company = Company(Store.open(sys.argv[1]))
company.save(entry("first"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with company.publication() as p:
        p.put_users(company.source, [company.write(f"x{n}", title="t" * 1000) for n in range(5000)])
except StorageError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bridge.db"
    done = subprocess.run(
        [sys.executable, "-c", _FILL, url], check=True, capture_output=True, text=True
    )
    assert "disk" in done.stdout
    assert "free space" in done.stdout
    store = Store.open(url)
    with store.read() as c:
        assert c.execute(text("SELECT count(*) FROM users")).scalar() == 0
        assert c.execute(text("SELECT count(*) FROM record")).scalar() == 1
    store.close()


def test_a_commit_is_on_the_disk_before_it_is_answered(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    with store.write() as c:
        assert c.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert c.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()


def test_a_damaged_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    store = Store.open(f"sqlite:///{path}")
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StorageError, match="damaged"):
        Store.open(f"sqlite:///{path}")


def test_a_frozen_writer_keeps_others_out_of_postgresql_for_a_while_only(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.database.IDLE_SECONDS", 1)
    store = Store.open(postgres)

    def freeze() -> None:
        with store.write() as connection:
            lease.acquire(connection, "frozen", NOON)
            with store.write() as other:  # waits until the server has given the first one up
                lease.acquire(other, "other", NOON)

    with pytest.raises(StorageError):
        freeze()
    with store.read() as connection:
        held = lease.current(connection, NOON)
    assert held is not None
    assert "other" in held
    store.close()
