"""What no real server can be made to do: every failure at the first, a middle and the last page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.model import GroupSearch, Verdict, Wanted
from bridge.sources import ldap
from bridge.sources.ldap_words import search_failure
from tests.servers.fake_ldap import PAGING, Attributes, FakeLdap, fake_ldap
from tests.sources.contract import COMPLETE, Reading

BASE = "ou=people,dc=x"


def someone(number: int) -> tuple[str, Attributes]:
    return f"uid=u{number},{BASE}", {
        "entryUUID": [b"uuid-%d" % number],
        "uid": [b"u%d" % number],
        "modifyTimestamp": [b"20260615120000Z"],
    }


@pytest.fixture
def fake() -> Iterator[FakeLdap]:
    """Three pages of four people each."""
    with fake_ldap() as server:
        server.pages = [[someone(4 * page + each) for each in range(4)] for page in range(3)]
        time = [b"20260615120000Z"]
        root = "", {"supportedControl": [PAGING], "currentTime": time}
        server.known = {b"supportedControl": root, b"currentTime": root}
        yield server


def source(server: FakeLdap, base: str = BASE) -> ldap.LdapSource:
    settings = ldap.Settings.model_validate(
        {"url": server.url, "base": base, "page_size": 4, "timeout": "5 seconds"}
    )
    return ldap.open(settings, Path("/"), Wanted(frozenset({"uid"})))


def test_three_pages_that_end_well_are_complete(fake: FakeLdap) -> None:
    reading = Reading(source(fake))
    assert (len(reading.read), reading.verdict, fake.searches) == (12, COMPLETE, 3 + 2)


PAGES = pytest.mark.parametrize("page", [0, 1, 2], ids=["first page", "middle page", "last page"])


@PAGES
@pytest.mark.parametrize(
    "code", [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 16, 18, 32, 34, 50, 51, 52, 53, 80, 113, 118]
)
def test_any_result_but_success_is_incomplete_and_keeps_what_came(
    fake: FakeLdap, page: int, code: int
) -> None:
    fake.faults = {page: [code]}
    reading = Reading(source(fake))
    assert len(reading.entries) == 4 * page + 2
    assert reading.verdict is not None
    assert (reading.verdict.complete, reading.verdict.whole) == (False, False)
    assert f"{BASE}, page {page + 1}: " in reading.verdict.reason
    assert search_failure(code) in reading.verdict.reason
    assert Reading(source(fake), reading.cookie).verdict == COMPLETE


@PAGES
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no control", "did not say whether there are more pages"),
        ("garbage", "no LDAP message begins here"),
        ("damaged entry", "cut or damaged"),
        ("other number", "an answer to something that was not asked"),
        (f"ldap://other.example/ou=inner,{BASE}??sub", "on another server"),
        ("ldap://other.example/dc=x??sub", "on another server"),
        ("ldap://other.example/", "on another server"),
        ("ldap://other.example/no%20dn", "on another server"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_incomplete(
    fake: FakeLdap, page: int, fault: str, words: str
) -> None:
    fake.faults = {page: [fault]}
    reading = Reading(source(fake))
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert words in reading.verdict.reason
    assert Reading(source(fake), reading.cookie).verdict == COMPLETE


@PAGES
@pytest.mark.parametrize("fault", ["drop", "half an entry", "goodbye"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_broken_connection_starts_over_at_most_twice(
    fake: FakeLdap, page: int, fault: str, times: int
) -> None:
    fake.faults = {page: [fault] * times}
    reading = Reading(source(fake))
    assert fake.binds == min(times, 2) + 1
    if times < 3:
        assert reading.verdict == COMPLETE
        assert [entry.attributes["uid"] for entry in reading.read[-12:]] == [
            f"u{number}" for number in range(12)
        ]
    else:
        assert len(reading.entries) == 4 * page
        assert reading.verdict is not None
        assert not reading.verdict.complete


@PAGES
def test_a_reference_to_outside_of_every_base_is_nothing_missed(fake: FakeLdap, page: int) -> None:
    fake.faults = {page: ["ldap://other.example/ou=Machines,DC=x??sub"]}
    reading = Reading(source(fake))
    assert (len(reading.entries), reading.verdict) == (12, COMPLETE)


def test_a_reference_into_the_base_of_groups_is_something_missed(fake: FakeLdap) -> None:
    groups = GroupSearch("ou=Groups,dc=x", "(cn=*)", frozenset({"cn"}))
    fake.faults = {0: ["ldap://other.example/ou=inner,ou=groups,dc=x??sub"]}
    reading = Reading(replace(source(fake), wanted=Wanted(frozenset({"uid"}), (groups,))))
    assert reading.verdict is not None
    assert "on another server" in reading.verdict.reason


def test_empty_pages_before_the_last_are_fine_and_those_without_end_are_not(
    fake: FakeLdap,
) -> None:
    fake.pages[1] = []
    assert Reading(source(fake)).verdict == COMPLETE
    fake.faults = {1: ["endless"] * 2000}
    reading = Reading(source(fake))
    assert len(reading.entries) == 4
    assert reading.verdict is not None
    assert "one empty page after the other" in reading.verdict.reason


def test_nobody_at_all_is_what_the_source_says(fake: FakeLdap) -> None:
    fake.pages = [[]]
    reading = Reading(source(fake))
    assert (reading.read, reading.verdict) == ([], COMPLETE)


def test_a_range_of_values_is_not_taken_for_all_of_them(fake: FakeLdap) -> None:
    dn, attributes = fake.pages[1][2]
    fake.pages[1][2] = dn, {**attributes, "uid;range=0-1499": [b"a"]}
    reading = Reading(source(fake))
    assert len(reading.entries) == 4
    assert reading.verdict is not None
    assert "only a range of the values of uid" in reading.verdict.reason


@pytest.mark.parametrize(
    ("change", "unnamed"),
    [({"entryUUID": []}, 1), ({"entryUUID": [b""]}, 1), ({"entryUUID": [b"a", b"b"]}, 1),
     ({"ENTRYUUID": [b"a"], "entryUUID": []}, 0)],
)  # fmt: skip
def test_an_entry_without_exactly_one_id_makes_the_read_incomplete(
    fake: FakeLdap, change: Attributes, unnamed: int
) -> None:
    dn, attributes = fake.pages[1][2]
    fake.pages[1][2] = dn, {**attributes, **change}
    reading = Reading(source(fake))
    assert len(reading.entries) == 12 - unnamed
    assert reading.verdict is not None
    assert reading.verdict.complete is not bool(unnamed)


@pytest.mark.parametrize(
    "stamp",
    [[], [b"2026"], [b"20261399999999Z"], [b"20260615140000+0200"], [b"20990101000000Z"]],
)
def test_an_entry_without_a_stamp_that_can_be_right_makes_the_next_read_whole(
    fake: FakeLdap, stamp: list[bytes]
) -> None:
    first = Reading(source(fake))
    assert Reading(source(fake), first.cookie).verdict == Verdict(complete=True)
    dn, attributes = fake.pages[1][2]
    fake.pages[1][2] = dn, {**attributes, "modifyTimestamp": stamp}
    undated = Reading(source(fake))
    assert undated.verdict == COMPLETE
    assert Reading(source(fake), undated.cookie).verdict == COMPLETE


def test_a_dn_that_is_none_leaves_its_entry_without_a_name_for_others(fake: FakeLdap) -> None:
    fake.pages = [[("no dn", someone(1)[1]), someone(2)]]
    reading = Reading(source(fake))
    assert reading.verdict == COMPLETE
    assert [entry.ref for entry in reading.read] == [None, f"uid=u2,{BASE}"]


def test_an_id_that_is_bytes_is_a_key_in_hex(fake: FakeLdap) -> None:
    fake.pages = [[("uid=a,dc=x", {**someone(1)[1], "objectGUID": [b"\x00\xff" * 8]})]]
    settings = source(fake).settings.model_copy(update={"id": "objectGUID"})
    reading = Reading(ldap.open(settings, Path("/")))
    assert list(reading.entries) == ["00ff" * 8]
