"""The drill: the store is lost, and an older backup becomes what Okta is served.

Of 5,000 people, or with BRIDGE_FULL in the environment of 100,000.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.processes import Bridge, person, wait_until

FULL = "BRIDGE_FULL" in os.environ
PEOPLE = 100_000 if FULL else 5_000
FIRED = "P7"
HIRED = f"P{PEOPLE + 1}"
YESTERDAY = "2020-01-01 00:00:00"


@contextmanager
def served(bridge: Bridge) -> Iterator[None]:
    """The web role, while it answers."""
    with bridge.start("web") as running:
        wait_until(lambda: bridge.run("alive").returncode == 0, "the web role")
        yield
        assert running.end() == 0


def everybody(bridge: Bridge, token: str) -> list[Mapping[str, Any]]:
    """The whole list, page after page, in its order."""
    rows: list[Mapping[str, Any]] = []
    total = 1
    while len(rows) < total:
        page = bridge.users(token, f"?startIndex={len(rows) + 1}&count=1000").json()
        rows += page["Resources"]
        total = page["totalResults"]
    return rows


class Watcher(threading.Thread):
    """Asks for one person again and again, and keeps every answer until there is a list."""

    def __init__(self, bridge: Bridge, token: str, key: str) -> None:
        super().__init__(daemon=True)
        self.url = f"{bridge.base}/Users"
        self.query = {"filter": f'externalId eq "{key}"'}
        self.token = token
        self.answers: list[httpx.Response] = []
        self.done = threading.Event()

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            while not self.done.wait(0.01):
                self.answers.append(client.get(self.url, params=self.query))
                if self.answers[-1].status_code == 200:
                    return


def test_a_lost_store_comes_back_from_an_older_backup_with_nobody_let_in_again(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FULL:
        monkeypatch.setattr("tests.processes.PATIENCE", 900.0)
    bridge.rows = {f"P{number}": person(number) for number in range(1, PEOPLE + 1)}
    bridge.write()
    assert bridge.run("sync").returncode == 0
    token = bridge.json("token", "create", "okta")["token"]

    # Somebody is fired, somebody hired and others change; the backup is made meanwhile.
    bridge.rows[FIRED]["end"] = YESTERDAY
    bridge.rows[HIRED] = person(PEOPLE + 1)
    for number in range(10, PEOPLE, 100):
        bridge.rows[f"P{number}"]["dept"] = "Moved"
    bridge.write()
    file = bridge.folder / "backup.db"
    with bridge.start("sync", "--full") as sync:
        sync.wait_for('"step"')
        sync.send(signal.SIGSTOP)
        with bridge.start("backup", str(file)) as backup:
            backup.wait_for('"step": "copy')
            sync.send(signal.SIGCONT)
            backup.wait_for(f"holds {PEOPLE:,} people and is sound")
            assert backup.wait() == 0
        assert sync.wait() == 0
    with served(bridge):
        before = everybody(bridge, token)
    assert [row["externalId"] for row in before if not row["active"]] == [FIRED]

    # The store is lost. What the backup has is served to nobody yet.
    bridge.settings["BRIDGE_DATABASE"] = "sqlite:///restored/bridge.db"
    assert bridge.run("restore", str(file)).returncode == 0
    [fired] = bridge.json("people", bridge.rows[FIRED]["mail"])
    assert fired["active"]
    assert bridge.json("people", bridge.rows[HIRED]["mail"]) == []
    with served(bridge), Watcher(bridge, token, FIRED) as watcher:
        export = bridge.export.read_bytes()
        bridge.export.write_bytes(export[: export.rindex(b",", 0, len(export) // 2)])
        assert bridge.run("sync", "--full").returncode == 4
        refused = bridge.users(token)
        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        bridge.write()
        assert bridge.run("sync", "--full").returncode == 0
        watcher.join(600)
        after = everybody(bridge, token)

    *waiting, first = watcher.answers
    assert {answer.status_code for answer in waiting} == {503}
    assert [row["active"] for row in first.json()["Resources"]] == [False]
    assert [(row["id"], row["active"]) for row in after] == [
        (row["id"], row["active"]) for row in before
    ]
