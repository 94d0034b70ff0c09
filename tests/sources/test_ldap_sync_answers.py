"""What a server may answer to a read of changes, right or wrong (RFC 4533)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import IncompleteRead
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_search import Search
from bridge.sources.ldap_sync import Followed, Refused, beginning, follow
from tests.servers.fake_ldap import ber

STATE, DONE, INFO = (f"1.3.6.1.4.1.4203.1.9.1.{number}" for number in (2, 3, 4))
ANN, BOB, CLEO = (UUID(int=number).bytes for number in (1, 2, 3))
TRUE, FALSE = ber(0x01, b"\xff"), ber(0x01, b"\x00")
BASE = "ou=people,dc=x"

Answer = dict[str, Any]


def entry(id: bytes, state: int = 1) -> Answer:
    value = ber(0x30, ber(0x0A, bytes([state])), ber(0x04, id))
    return {
        "type": "searchResEntry", "raw_dn": b"uid=x," + BASE.encode(),
        "raw_attributes": {"uid": [b"x"]},
        "controls": {STATE: {"value": value}},
    }  # fmt: skip


def info(value: bytes, name: str = INFO) -> Answer:
    return {"type": "intermediateResponse", "responseName": name, "responseValue": value}


def ids(*ids: bytes, deletes: bytes = b"", cookie: bytes = b"") -> Answer:
    """A syncIdSet."""
    return info(ber(0xA3, cookie, deletes, ber(0x31, *(ber(0x04, id) for id in ids))))


def done(*parts: bytes, code: int = 0) -> Answer:
    controls = {DONE: {"value": ber(0x30, *parts)}}
    return {"type": "searchResDone", "result": code, "controls": controls}


NEXT = ber(0x04, b"next")
NOTHING = done(TRUE)


class Saying:
    """A connection to a server that answers one search after the other so."""

    def __init__(self, *said: tuple[list[Answer], Answer]) -> None:
        self.said = list(said)
        self.asked: list[dict[str, Any]] = []
        self.strategy = SimpleNamespace(decoder=None)

    def search(self, base: str, filter: str, **how: Any) -> None:
        self.asked.append(how)
        self.response, self.result = self.said.pop(0)


def search() -> Search:
    reader = EntryReader(("uid",), "entryUUID")
    return Search(BASE, "(uid=*)", reader.asked, reader.decoder)


def told(answers: list[Answer], result: Answer) -> Followed:
    return follow(Saying((answers, result)), search(), [BASE], b"before")


def names(followed: Followed) -> dict[str, Any]:
    """Who is told what of, by first letters."""
    letters = {str(UUID(bytes=id)): letter for id, letter in ((ANN, "a"), (BOB, "b"), (CLEO, "c"))}

    def of(ids: Any) -> str:
        return "".join(sorted(letters[id] for id in ids))

    return {
        "changed": of(followed.changed), "gone": of(followed.gone),
        "present": of(followed.present_ids()), "cookie": followed.cookie,
    }  # fmt: skip


RIGHT: dict[str, tuple[list[Answer], Answer, tuple[str, str, str, bytes]]] = {
    "nothing": ([], NOTHING, ("", "", "", b"before")),
    "a new cookie": ([], done(NEXT, TRUE), ("", "", "", b"next")),
    "somebody new": ([entry(ANN)], done(NEXT, TRUE), ("a", "", "", b"next")),
    "somebody changed": ([entry(ANN, 2)], done(NEXT, TRUE), ("a", "", "", b"next")),
    "somebody gone": ([entry(ANN, 3)], done(NEXT, TRUE), ("", "a", "", b"next")),
    "several gone": (
        [ids(ANN, BOB, deletes=TRUE, cookie=NEXT)], done(NEXT, TRUE), ("", "ab", "", b"next"),
    ),
    "gone and back": (
        [ids(ANN, deletes=TRUE), entry(ANN)], done(NEXT, TRUE), ("a", "a", "", b"next"),
    ),
    "present ones": ([ids(ANN, BOB)], done(NEXT), ("", "", "ab", b"next")),
    "present ones, said so": ([ids(ANN, deletes=FALSE)], done(NEXT, FALSE), ("", "", "a", b"next")),
    "one present, by itself": ([entry(ANN, 0)], done(NEXT), ("", "", "a", b"next")),
    "present and changed": ([ids(ANN, BOB), entry(BOB)], done(NEXT), ("b", "", "a", b"next")),
    "present ones, but deletions are named": (
        [ids(ANN, BOB), ids(CLEO, deletes=TRUE)], done(NEXT, TRUE), ("", "c", "", b"next"),
    ),
    "the end of a phase": (
        [info(ber(0xA2, FALSE)), info(ber(0xA1)), info(ber(0x80, b"later"))], done(NEXT, TRUE),
        ("", "", "", b"next"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_a_server_tells_is_understood(name: str) -> None:
    answers, result, expected = RIGHT[name]
    assert tuple(names(told(answers, result)).values()) == expected


WRONG: dict[str, tuple[list[Answer], Answer]] = {
    "nobody present and nobody gone": ([], done(NEXT)),
    "everything again": ([entry(ANN), entry(BOB)], done(NEXT)),
    "deletions, and not that it told them": ([ids(ANN, deletes=TRUE)], done(NEXT)),
    "deletions beside present ones": ([ids(ANN), ids(BOB, deletes=TRUE)], done(NEXT)),
    "an empty cookie": ([entry(ANN)], done(ber(0x04), TRUE)),
    "a cookie of OpenLDAP without CSN": ([entry(ANN)], done(ber(0x04, b"rid=000"), TRUE)),
    "no control at the end": ([], {"type": "searchResDone", "result": 0}),
    "an entry without control": ([{**entry(ANN), "controls": {}}], NOTHING),
    "an entry without controls": ([{"type": "searchResEntry"}], NOTHING),
    "an unknown state": ([entry(ANN, 4)], NOTHING),
    "a short id": ([entry(ANN[:15])], NOTHING),
    "a short id among others": ([ids(ANN, BOB[:9], deletes=TRUE)], NOTHING),
    "a set without ids": ([info(ber(0xA3, TRUE))], NOTHING),
    "a cut set": ([info(ber(0xA3, ber(0x31, ber(0x04, ANN)))[:-1])], NOTHING),
    "an unknown message": ([info(ber(0xA4))], NOTHING),
    "no message": ([info(b"")], NOTHING),
    "a message of another kind": ([info(ber(0x80, b"x"), "1.2.3")], NOTHING),
    "a message without value": ([{"type": "intermediateResponse", "responseName": INFO}], NOTHING),
    "an answer to something else": ([], {"type": "extendedResp", "result": 0}),
    "bytes after the control": (
        [], {"type": "searchResDone", "result": 0,
             "controls": {DONE: {"value": ber(0x30, TRUE) + b"\0"}}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_believed_is_refused_and_everything_is_read(name: str) -> None:
    with pytest.raises(Refused):
        told(*WRONG[name])


@pytest.mark.parametrize(
    "code", [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 16, 18, 32, 34, 50, 51, 52, 53, 80, 113, 118, 4096]
)
@pytest.mark.parametrize("before", [[], [entry(ANN)], [ids(ANN, BOB)]], ids=["", "entry", "ids"])
def test_any_result_but_success_is_refused_whatever_came_before(
    code: int, before: list[Answer]
) -> None:
    with pytest.raises(Refused):
        told(before, done(NEXT, TRUE, code=code))


@pytest.mark.parametrize(
    ("where", "missed"),
    [(f"ou=inner,{BASE}", True), ("dc=x", True), ("ou=machines,dc=x", False)],
)
def test_a_reference_into_the_base_is_something_missed(where: str, missed: bool) -> None:
    answers = [{"type": "searchResRef", "uri": [f"ldap://other.example/{where}??sub"]}]
    if missed:
        with pytest.raises(IncompleteRead, match=f"{BASE}, changes: .*on another server"):
            told(answers, NOTHING)
    else:
        assert told(answers, NOTHING).cookie == b"before"


@given(st.binary(max_size=60))
def test_whatever_bytes_come_they_are_understood_or_refused(value: bytes) -> None:
    for answers, result in (
        ([info(value)], NOTHING),
        ([{**entry(ANN), "controls": {STATE: {"value": value}}}], NOTHING),
        ([], {"type": "searchResDone", "result": 0, "controls": {DONE: {"value": value}}}),
    ):
        try:
            told(answers, result)
        except Refused:
            continue


def test_a_beginning_is_asked_of_the_base_and_tried_on_all_below() -> None:
    first, second = ([entry(ANN)], done(NEXT)), ([], done(ber(0x04, b"then"), TRUE))
    saying = Saying(first, second)
    assert beginning(saying, search(), [BASE]) == b"then"
    assert [how["search_scope"] for how in saying.asked] == ["BASE", "SUBTREE"]
    with pytest.raises(Refused):
        beginning(Saying(([], NOTHING)), search(), [BASE])
    with pytest.raises(Refused):
        beginning(Saying(first, ([], done(code=4096))), search(), [BASE])


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 300, 70_000])
def test_a_cookie_of_any_size_is_sent_as_it_came(size: int) -> None:
    saying = Saying(([], NOTHING))
    follow(saying, search(), [BASE], b"c" * size)
    ((name, critical, value),) = saying.asked[0]["controls"]
    assert (name, critical) == ("1.3.6.1.4.1.4203.1.9.1.1", True)
    assert value == ber(0x30, ber(0x0A, b"\x01"), ber(0x04, b"c" * size))
