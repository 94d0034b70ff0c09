"""`bridge serve` on a directory: whatever is killed comes back, and certificates are watched."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import ExitStack

import httpx
import pytest

from bridge.store import watch
from bridge.store.tables import RunRow, table
from tests.acceptance.conftest import LOCKED, University, founded, uids
from tests.processes import PATIENCE, Bridge, Running, role, wait_until
from tests.servers.slapd import READER_PASSWORD, Slapd

LEAVERS = {"p0000010", "p0000020"}


@pytest.fixture
def small(slapd: Slapd, bridge: Bridge, request: pytest.FixtureRequest) -> University:
    """A hundred people whom Okta has imported, and a mapping that reads all the time."""
    made = founded(slapd, bridge, re.sub(r"\W", "", request.node.name), size=100)
    made.edit("changes: 1 minute", "changes: 1 second")
    made.edit("full: every 6 hours", "full: 5 seconds")
    made.first_load()
    assert uids(made.linked) > LEAVERS
    return made


def kill(part: str, small: University, running: Running) -> None:
    """Kill a part as a power cut would; slapd comes back when its absence was noticed."""
    match part:
        case "slapd":
            small.slapd.stop()
            running.wait_for("nothing listens on port")
            small.slapd.start()
        case "serve":
            running.end(signal.SIGKILL)
        case _:
            os.kill(role(running, part), signal.SIGKILL)


@pytest.mark.parametrize("part", ["web", "syncd", "serve", "slapd"])
def test_whatever_is_killed_an_import_afterwards_equals_the_directory(
    small: University, part: str
) -> None:
    linked = small.linked
    expected = uids(linked) - LEAVERS | {"joiner"}

    def settled() -> bool:
        with httpx.Client(timeout=PATIENCE) as okta:
            outcome = small.okta_imports(okta, small.bridge.base)
        assert uids(linked, outcome.removed) <= LEAVERS
        return uids(small.linked) == expected

    with ExitStack() as stack:
        running = stack.enter_context(small.bridge.start("serve"))
        running.wait_for('"synced"')
        locked, deleted = sorted(LEAVERS)
        small.give(locked, "pwdAccountLockedTime", LOCKED)
        small.change(deleted, "changetype: delete")
        small.join("joiner")
        kill(part, small, running)
        if part == "serve":
            running = stack.enter_context(small.bridge.start("serve"))
        wait_until(settled, "an import that equals the directory")
        assert running.end() == 0


def test_a_wrong_password_is_tried_once_and_the_right_one_as_soon_as_it_is_there(
    small: University,
) -> None:
    def failed_runs() -> int:
        with small.bridge.store() as store, store.read() as connection:
            found = connection.execute(table(RunRow).select())
            return sum(row.verdict == "FAILED" for row in found)

    small.secret.write_text("wrong")
    with small.bridge.start("serve") as running:
        wait_until(lambda: failed_runs() > 2, "three runs")
        assert small.slapd.wrong_tries() == 1
        assert len(running.logged("synced")) == 1  # news is told once
        small.secret.write_text(READER_PASSWORD)
        wait_until(lambda: running.logged("synced")[-1]["verdict"] == "COMPLETE", "a good read")
        assert small.slapd.wrong_tries() == 0
        assert running.end() == 0
    assert small.imported().unchanged == small.linked.keys()


def test_a_certificate_that_ends_soon_is_told_until_another_one_is_shown(
    small: University,
) -> None:
    def days() -> float:
        url = f"{small.bridge.base.removesuffix('/scim/v2')}/metrics"
        text = httpx.get(url, timeout=PATIENCE).text
        found = re.search(r'^bridge_certificate_days{of="uni-ldap"} (.+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    small.slapd.stop()
    small.slapd.start("soon")
    with small.bridge.start("serve") as running:
        told = json.loads(running.wait_for("a certificate ends soon"))
        assert (told["level"], told["of"], told["days"]) == ("warning", "uni-ldap", 6)
        assert 6 < wait_until(days, "the figure") < 6.5
        with small.bridge.store() as store, store.read() as connection:
            [noted] = watch.all(connection).values()
        assert noted.certificate_ends is not None
        assert f"{noted.certificate_ends:%Y-%m-%d %H:%M} UTC" == told["ends"]
        small.slapd.stop()
        small.slapd.start()
        wait_until(lambda: days() > 1000, "the days of the new one")
        assert running.end() == 0
    assert len(running.logged("a certificate ends soon")) == 1
