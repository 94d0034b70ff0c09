"""Every failure at the first, a middle and the last page of a read, from a fake controller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.model import Verdict, Wanted
from tests.servers.fake_ldap import FakeLdap, fake_ldap
from tests.sources.ad_world import WAYS, cookie_of, invocation, opened, root, someone
from tests.sources.contract import COMPLETE, Reading

CODES = [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 16, 18, 32, 34, 50, 51, 52, 53, 80, 113, 118]
PAGES = pytest.mark.parametrize("page", [0, 1, 2], ids=["first page", "middle page", "last page"])
FOUR = Wanted(frozenset({"cn"}))
CHANGES = Verdict(complete=True)


@pytest.fixture(params=WAYS)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeLdap]:
    """Three pages of four people each, and all of them told as changed in three parts."""
    with fake_ldap() as server:
        server.known = {b"highestCommittedUSN": root(), b"invocationId": invocation()}
        server.pages = [[someone(4 * page + each) for each in range(4)] for page in range(3)]
        server.dirsync = server.pages if request.param == "DirSync" else None
        yield server


def whole(fake: FakeLdap) -> Reading:
    return Reading(opened(fake.url, FOUR, page_size=4))


def since(fake: FakeLdap, cookie: bytes | None) -> Reading:
    return Reading(opened(fake.url, FOUR, page_size=4), cookie)


def test_three_pages_that_end_well_are_complete_and_so_is_what_changed_then(fake):
    reading = whole(fake)
    assert (len(reading.read), reading.verdict) == (12, COMPLETE)
    assert bool(cookie_of(reading)["dirsync"]) is (fake.dirsync is not None)
    changed = since(fake, reading.cookie)
    assert (len(changed.read), changed.gone, changed.verdict) == (12, set(), CHANGES)


@PAGES
@pytest.mark.parametrize("code", CODES)
def test_any_result_but_success_is_incomplete_and_the_next_read_is_whole(fake, page, code):
    fake.faults = {page: [code]}
    reading = whole(fake)
    assert len(reading.entries) == 4 * page + 2
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert f"page {page + 1}: " in reading.verdict.reason
    assert f"({code})" in reading.verdict.reason or f" {code}" in reading.verdict.reason
    assert since(fake, reading.cookie).verdict == COMPLETE


@PAGES
@pytest.mark.parametrize("code", CODES)
def test_a_read_of_changes_that_fails_proves_nothing_and_loses_nothing(fake, page, code):
    cookie = whole(fake).cookie
    fake.faults = {page: [code]}
    broken = since(fake, cookie)
    assert broken.verdict is not None
    assert not broken.verdict.complete
    assert (broken.gone, broken.cookie) == (set(), cookie)
    again = since(fake, broken.cookie)
    assert (len(again.read), again.verdict) == (12, CHANGES)


@PAGES
@pytest.mark.parametrize("fault", ["drop", "half an entry", "goodbye"])
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("verdict", [COMPLETE, CHANGES], ids=["everything", "changes"])
def test_a_broken_connection_starts_over_at_most_twice(fake, page, fault, times, verdict):
    cookie = whole(fake).cookie if verdict is CHANGES else None
    fake.binds = 0
    fake.faults = {page: [fault] * times}
    reading = since(fake, cookie)
    assert fake.binds == min(times, 2) + 1
    assert reading.gone == set()
    if times < 3:
        assert (len(reading.entries), reading.verdict) == (12, verdict)
    else:
        assert reading.verdict is not None
        assert not reading.verdict.complete


@pytest.mark.parametrize("verdict", [COMPLETE, CHANGES], ids=["everything", "changes"])
def test_a_controller_that_falls_silent_three_times_ends_the_read(fake, verdict):
    cookie = whole(fake).cookie if verdict is CHANGES else None
    fake.faults = {1: ["silent"] * 3}
    reading = Reading(opened(fake.url, FOUR, page_size=4, timeout="1 second"), cookie)
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert "fell silent" in reading.verdict.reason
    assert reading.gone == set()


@PAGES
@pytest.mark.parametrize("fault", ["no control", "garbage", "other number"])
@pytest.mark.parametrize("verdict", [COMPLETE, CHANGES], ids=["everything", "changes"])
def test_an_answer_that_cannot_be_trusted_is_incomplete(fake, page, fault, verdict):
    cookie = whole(fake).cookie if verdict is CHANGES else None
    fake.faults = {page: [fault]}
    reading = since(fake, cookie)
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert since(fake, reading.cookie).verdict == verdict


@PAGES
@pytest.mark.parametrize("fault", [*CODES, "no control", "endless"])
@pytest.mark.parametrize("fake", ["DirSync"], indirect=True)
def test_where_dirsync_fails_everything_is_read_or_the_same_is_asked_again(fake, page, fault):
    cookie = whole(fake).cookie
    fake.dirsync_faults = {page: [fault]}
    reading = since(fake, cookie)
    if fault in (51, 52):
        assert reading.verdict is not None
        assert (reading.verdict.complete, reading.gone) == (False, set())
        assert reading.cookie == cookie
        assert since(fake, cookie).verdict == CHANGES
    else:
        assert (len(reading.read), reading.verdict) == (12, COMPLETE)
        assert cookie_of(reading)["dirsync"] == "", "the next read of changes goes by numbers"
        assert since(fake, reading.cookie).verdict == CHANGES


@PAGES
@pytest.mark.parametrize("fault", ["drop", "half an entry", "goodbye", "garbage"])
@pytest.mark.parametrize("fake", ["DirSync"], indirect=True)
def test_a_connection_lost_while_dirsync_tells_loses_no_change(fake, page, fault):
    cookie = whole(fake).cookie
    fake.dirsync_faults = {page: [fault]}
    reading = since(fake, cookie)
    if fault == "garbage":
        assert reading.verdict is not None
        assert not reading.verdict.complete
        reading = since(fake, reading.cookie)
    assert (len(reading.entries), reading.verdict) == (12, CHANGES)


@pytest.mark.parametrize("fault", [*CODES, "no control", "drop", "goodbye"])
@pytest.mark.parametrize("fake", ["DirSync"], indirect=True)
def test_where_dirsync_is_refused_from_the_start_changes_are_told_by_numbers(fake, fault):
    fake.dirsync_faults = {-1: [fault]}
    reading = whole(fake)
    assert (len(reading.read), reading.verdict) == (12, COMPLETE)
    assert cookie_of(reading)["dirsync"] == ""
    assert since(fake, reading.cookie).verdict == CHANGES
