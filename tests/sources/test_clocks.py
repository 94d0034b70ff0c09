"""How far a directory's clock is from this machine's, as a read tells it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from bridge.model import Wanted
from bridge.sources import Source, ldap
from tests.servers.fake_ldap import FakeLdap, fake_ldap
from tests.servers.slapd import Slapd
from tests.sources.ad_world import invocation, opened, root, someone
from tests.sources.contract import PEOPLE, Reading
from tests.sources.slapd_world import Directory, settings

CN = Wanted(frozenset({"cn"}))


def told(source: Source, cookie: bytes | None = None) -> tuple[int | None, bytes | None]:
    """By how many minutes the source's clock is ahead, and how to go on."""
    reading = Reading(source, cookie)
    assert reading.verdict is not None
    assert reading.verdict.complete
    skew = reading.batches[-1].skew
    return None if skew is None else round(skew.total_seconds() / 60), reading.cookie


def test_a_directory_with_a_monitor_tells_its_time_with_every_read(
    slapd: Slapd, branch: str
) -> None:
    world = Directory(slapd, branch)
    world.hold(PEOPLE)
    source = world.open()
    minutes, cookie = told(source)
    assert minutes == 0
    for ahead in (-90, 90):
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=ahead)):
            assert told(source)[0] == -ahead
            assert told(source, cookie)[0] == -ahead


@pytest.fixture
def fake() -> Iterator[FakeLdap]:
    with fake_ldap() as server:
        server.known[b"invocationId"] = invocation()
        server.dirsync = []
        server.pages = [[someone(1)]]
        yield server


def test_a_domain_controller_tells_its_time_with_every_read(fake: FakeLdap) -> None:
    then = datetime.now(UTC) - timedelta(minutes=10)
    fake.known[b"currentTime"] = root(time=then.strftime("%Y%m%d%H%M%S.0Z").encode())
    source = opened(fake.url, CN)
    minutes, cookie = told(source)
    assert minutes == -10
    assert told(source, cookie)[0] == -10


def test_of_a_server_that_tells_no_time_nothing_is_known(fake: FakeLdap) -> None:
    fake.pages = [[("cn=a,dc=x", {"entryUUID": [b"a"]})]]
    source = ldap.open(settings("dc=x", fake.url, page_size=1), Path("/"), CN)
    assert told(source)[0] is None
