"""A disk that is full and a store that is locked, through whole syncs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import StorageError
from bridge.store import database
from tests.proof.later import sync_later
from tests.sync.conftest import Company, company, founded, person

__all__ = ["company"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk but for so many bytes."""
    file = folder / "something else"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    file.write_bytes(bytes(max(0, free - leave)))
    return file


def test_on_a_full_disk_the_state_before_is_served_until_there_is_space(small_disk: Path) -> None:
    with founded(small_disk) as company:
        company.limits = "limits: { first_load: publish, new: 1000 }"
        company.write_mapping()
        company.update()
        refused = []
        for number, leave in enumerate(range(0, 500_000, 50_000)):
            for each in range(50):
                key = f"N{number}-{each}"
                company.rows[key] = person(1000 + number * 50 + each, id=key)
            company.rows["P2"]["title"] = f"Chief {number}"
            company.write_export()
            before = company.served()
            filling = fill(small_disk, leave)
            try:
                sync_later(company)
            except StorageError as error:
                refused.append(str(error))
                assert company.served() == before, leave
            filling.unlink()
            assert sync_later(company).exit_code == 0, leave
            assert company.served().keys() == company.rows.keys()
            assert company.served()["P2"]["title"] == f"Chief {number}"
        assert len(refused) > 2
        assert all("the disk that holds the store is full" in each for each in refused)
        assert company.inactive() == set()


@pytest.mark.parametrize("step", ["read", "decide", "publishing"])
def test_a_store_that_others_lock_is_served_as_it_was_until_they_let_go(
    company: Company, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    company.update()
    company.store.close()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    company.store = database.Store.open(str(company.store.url))
    other = sqlite3.connect(company.folder / "bridge.db", isolation_level=None)
    company.leave(2)
    company.rows["P11"] = person(11)
    company.write_export()
    before = company.served()

    def lock(reached: str, done: int) -> None:
        if reached == step and not other.in_transaction:
            other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageError, match="others have kept the store locked"):
        sync_later(company, lock)
    assert company.served() == before
    other.execute("ROLLBACK")
    other.close()
    assert sync_later(company).exit_code == 0
    assert company.inactive() == {"P2"}
    assert "P11" in company.served()
