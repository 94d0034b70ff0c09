"""Three daemons on one store: never two publish, whatever freezes and whatever a clock says.

They are real processes on SQLite and on PostgreSQL. One is stopped (SIGSTOP) in the middle of a run
for longer than its lease is good, or has a clock that jumps by a day.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import Connection

from bridge.store import Store, audit, lease
from bridge.sync.leadership import utc_now
from tests.processes import Bridge, Running, person, wait_until
from tests.servers.postgres import postgres, postgres_server, postgres_template

__all__ = ["postgres", "postgres_server", "postgres_template"]

DAEMON = """\
import contextlib, os, pathlib, signal, threading, time
from datetime import datetime, timedelta, timezone

import time_machine

from bridge import app, settings
from bridge.cli import log
from bridge.store import Store
from bridge.sync.run import Sync

me = str(os.getpid())
run = Sync.run
write = Store.write
writing = threading.RLock()

@contextlib.contextmanager
def alone(self):
    with writing, write(self) as connection:
        yield connection

def freezing(self, name, mode, actor, progress=lambda step, done: None, *rest):
    def stopping(step, done):
        asked = pathlib.Path("freeze-" + me)
        if asked.exists() and asked.read_text() == step:
            asked.rename("frozen-" + me)
            with writing:  # not while the lease is being renewed
                # This very thread: by os.kill another one would be stopped first.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        progress(step, done)
    return run(self, name, mode, actor, stopping, *rest)

def jumping():
    asked = pathlib.Path("jump-" + me)
    while not asked.exists():
        time.sleep(0.1)
    there = datetime.now(timezone.utc) + timedelta(hours=float(asked.read_text()))
    time_machine.travel(there).start()
    asked.rename("jumped-" + me)

Sync.run = freezing
Store.write = alone
threading.Thread(target=jumping, daemon=True).start()
loaded = settings.load()
log.configure(loaded)
app.run_syncd(loaded, lease_ttl=timedelta(seconds=4))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def company(bridge: Bridge, request: pytest.FixtureRequest) -> Bridge:
    """Five people and a store of either kind; nothing runs yet."""
    if request.param == "postgresql":
        bridge.settings["BRIDGE_DATABASE"] = request.getfixturevalue("postgres")
    return bridge


@contextmanager
def three(company: Bridge) -> Iterator[tuple[Running, list[Running]]]:
    """Three daemons: the one that leads, and those that stand by."""
    with ExitStack() as stack:
        first = stack.enter_context(company.start(code=DAEMON))
        first.wait_for('"synced"')
        others = [stack.enter_context(company.start(code=DAEMON)) for _ in range(2)]
        for each in others:
            each.wait_for("standing by")
        yield first, others
        for each in (first, *others):
            assert "Traceback" not in "".join(each.err)


def tell(company: Bridge, running: Running, what: str, text: str) -> None:
    """Have a daemon freeze at a step of its next run, or its clock jump."""
    file = company.folder / f"{what}-{running.process.pid}"
    file.with_suffix(".part").write_text(text)
    file.with_suffix(".part").rename(file)


def has_happened(company: Bridge, running: Running, what: str) -> None:
    file = company.folder / f"{what}-{running.process.pid}"
    wait_until(file.exists, file.name)


@contextmanager
def looking(company: Bridge) -> Iterator[Connection]:
    url = company.settings.get("BRIDGE_DATABASE", f"sqlite:///{company.database}")
    store = Store.open(url)
    try:
        with store.read() as connection:
            yield connection
    finally:
        store.close()


def happened(company: Bridge) -> list[tuple[str, str]]:
    """Everything that happened to people, in order."""
    with looking(company) as connection:
        rows = list(audit.find(connection, audit.Search(), newest_first=False))
    return [(row.subject, row.action) for row in rows if row.subject.startswith("P")]


def is_led(company: Bridge) -> bool:
    """Whether the lease of anybody is good."""
    with looking(company) as connection:
        return lease.current(connection, utc_now()) is not None


def is_served(company: Bridge, *keys: str) -> None:
    wait_until(lambda: set(keys) <= company.people().keys(), f"{keys}")


def test_one_that_was_frozen_before_it_published_is_fenced_when_it_wakes_up(
    company: Bridge,
) -> None:
    with three(company) as (first, others):
        tell(company, first, "freeze", "publishing")
        company.rows["P6"] = person(6)
        company.write()
        has_happened(company, first, "frozen")
        wait_until(lambda: any(each.logged("leading") for each in others), "another leader")
        company.rows["P6"]["end"] = "2020-01-01 00:00:00"
        company.rows["P7"] = person(7)
        company.write()
        is_served(company, "P6", "P7")
        before = company.people()
        assert not before["P6"]["active"]
        first.send(signal.SIGCONT)
        first.wait_for("standing by")
        assert company.people() == before
        assert len([each for each in others if each.logged("leading")]) == 1
    # The other leader may have read P6 before the last day came.
    told = [each for each in happened(company) if each != ("P6", "deactivated")]
    assert told == [("P6", "created"), ("P7", "created")]


def test_one_that_was_frozen_within_its_transaction_keeps_everybody_from_publishing(
    company: Bridge,
) -> None:
    with three(company) as (first, others):
        before = company.people()
        tell(company, first, "freeze", "in transaction")
        company.rows["P6"] = person(6)
        company.write()
        has_happened(company, first, "frozen")
        company.rows["P7"] = person(7)
        company.write()
        wait_until(lambda: not is_led(company), "the end of the lease")
        assert company.people() == before
        assert not any(each.logged("leading") for each in others)
        first.send(signal.SIGCONT)
        is_served(company, "P6", "P7")
    assert happened(company) == [("P6", "created"), ("P7", "created")]


@pytest.mark.parametrize("hours", ["24", "-24"])
def test_a_clock_that_jumps_by_a_day_harms_nothing(bridge: Bridge, hours: str) -> None:
    company = bridge
    with three(company) as (first, others):
        tell(company, first, "jump", hours)
        has_happened(company, first, "jumped")
        company.rows["P6"] = person(6)
        company.write()
        is_served(company, "P6")
        first.send(signal.SIGKILL)
        first.wait()
        wait_until(lambda: any(each.logged("leading") for each in others), "another leader")
        company.rows["P7"] = person(7)
        company.write()
        is_served(company, "P7")
        assert all(row["active"] for row in company.people().values())
    assert happened(company) == [("P6", "created"), ("P7", "created")]
