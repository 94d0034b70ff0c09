"""`bridge backup` and `bridge restore`, as an operator runs them."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.store import lease
from bridge.sync.leadership import DAEMON, holder, utc_now
from tests.cli.conftest import Cli


def test_a_backup_is_made_and_put_back(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    cli("sync")
    made = cli("backup", str(file)).out
    assert f"{file} holds 5 people and is sound" in made
    assert "keep it as safe as the store" in made
    assert "--replace puts the backup in their place" in cli("restore", str(file), code=2).err
    restored = cli("restore", str(file), "--replace").out
    assert "The store holds 5 people" in restored
    assert "bridge sync --full" in restored
    assert "after a restore every source is read whole" in " ".join(cli("status").out.split())
    cli("sync", "--full")
    assert "People are served." in cli("status").out
    assert len(cli("people", "--json").json) == 5


def test_a_restore_while_the_daemon_runs_says_to_stop_it(cli: Cli, tmp_path: Path) -> None:
    cli("sync")
    cli("backup", str(tmp_path / "backup.db"))
    with cli.bridge.store() as store, store.write() as connection:
        lease.acquire(connection, holder(DAEMON), utc_now())
    ran = cli("restore", str(tmp_path / "backup.db"), "--replace", code=6)
    assert re.search(r"the daemon \(process .*\) works on the store: stop it first", ran.words)


def test_both_tell_a_program_what_they_did(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    cli("sync")
    made = cli("backup", str(file), "--json").json
    assert made == {"file": str(file), "people": 5, "bytes": file.stat().st_size}
    put_back = cli("restore", str(file), "--replace", "--json").json
    assert put_back == {"file": str(file), "people": 5}


def test_a_backup_that_is_there_or_cannot_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "backup.db").touch()
    assert "is there already" in cli("backup", str(tmp_path / "backup.db"), code=2).err
    assert "there is no folder" in cli("backup", str(tmp_path / "no/backup.db"), code=2).err
    assert "no backup" in cli("restore", str(tmp_path / "backup.db"), code=2).err
    assert "cannot be read" in cli("restore", str(tmp_path / "none.db"), code=2).err
