"""`kill -9` of `bridge sync` at any moment leaves the state before, or the state after."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx

from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, tokens
from bridge.sync.leadership import leadership, utc_now
from bridge.sync.run import CHANGES, Sync
from tests import asgi
from tests.processes import Bridge, person

PEOPLE = 400
INSIDE = 20
"""Kills that must have hit the publishing transaction."""
TRIES = 200
ELSEWHERE = 8
"""Tries at any moment at all, before those that aim at the transaction."""


@contextmanager
def client(store: Store) -> Iterator[httpx.Client]:
    with store.write() as connection:
        secret = tokens.create(connection, "okta", None, utc_now())[1]
    with asgi.client(application(store, Settings()), secret) as made:
        yield made


def served(client: httpx.Client) -> bytes:
    answer = client.get("/scim/v2/Users?count=1000")
    return answer.content + client.get("/scim/v2/Groups?count=1000").content


def complete(bridge: Bridge, store: Store) -> None:
    """The next sync, when the lease of the one that was killed has run out."""
    with leadership(store, lambda: utc_now() + timedelta(minutes=2)) as epoch:
        report = Sync(store, bridge.folder / "mappings", epoch).run("hr", CHANGES, "test")
    assert report.exit_code == 0, report


WAITING = (
    "import sys; from bridge.cli import main; from bridge.sync import run; "
    "sys.argv[1:] = ['sync']; sys.stdin.readline(); main()"
)


def waiting_sync(bridge: Bridge) -> subprocess.Popen[str]:
    """`bridge sync` as a process that waits for a line, so that what it imports takes no time."""
    return subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=bridge.folder,
        env=bridge.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_and_kill(process: subprocess.Popen[str], pause: float, in_transaction: bool) -> bool:
    """Let it sync and kill it ``pause`` seconds later, or after its transaction began.

    Returns whether it was killed after that, and before it had told that it was done.
    """
    assert process.stdin is not None
    assert process.stderr is not None
    with process, process.stderr:
        process.stdin.write("\n")
        process.stdin.flush()
        if in_transaction:
            for line in process.stderr:
                if "in transaction" in line:
                    break
        time.sleep(pause)
        process.kill()
        rest = process.stderr.read()
    return in_transaction and '"published"' not in rest


def test_a_sync_killed_at_any_moment_leaves_one_whole_state(bridge: Bridge) -> None:
    bridge.edit("limits: { first_load: publish }", GROUPS)
    bridge.rows = {f"P{n}": person(n) for n in range(1, PEOPLE + 1)}
    bridge.write()
    chance = random.Random(7)
    inside = done = attempt = 0
    process = waiting_sync(bridge)
    with bridge.store() as store:
        complete(bridge, store)
        with client(store) as okta:
            before = served(okta)
            while inside < INSIDE and attempt < TRIES:
                # Everybody moves to another department, and somebody joins.
                bridge.rows[f"N{attempt}"] = person(PEOPLE + attempt + 1, id=f"N{attempt}")
                for row in bridge.rows.values():
                    row["dept"] = f"Department {attempt}"
                bridge.write()
                aimed = attempt >= ELSEWHERE
                pause = chance.uniform(0, 0.1) if aimed else chance.uniform(0, 1.0)
                hit = run_and_kill(process, pause, aimed)
                process = waiting_sync(bridge)
                found = served(okta)
                complete(bridge, store)
                now = served(okta)
                assert now.count(b'"department":"Department %d"' % attempt) == len(bridge.rows)
                assert found in (before, now), f"half a sync is served after try {attempt}"
                inside += hit and found == before
                done += found == now
                before = now
                attempt += 1
        process.kill()
        process.communicate()
        with store.read() as connection:
            check = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    print(f"{attempt} kills: {inside} inside the transaction, {done} after it")
    assert inside == INSIDE
    assert check == "ok"


GROUPS = """\
groups:
  - key: f"department-{dept}"
    displayName: dept
limits: { first_load: publish, new: 100, memberships: 100000, emptied: 100% }
"""
