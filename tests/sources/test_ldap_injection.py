"""Nothing that somebody else may write becomes a part of what a server is asked, or another one."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import FileFaults
from bridge.model import GroupSearch, Wanted
from bridge.sources.ldap_search import is_filter
from bridge.sync import catalog
from tests.servers.fake_ldap import PAGING, FakeLdap, fake_ldap
from tests.servers.slapd import PLAIN, SUFFIX, Slapd, ldif, new_branch
from tests.sources.contract import Reading
from tests.sources.slapd_world import Directory, person, uids
from tests.sources.test_ldap_search import BASE, someone, source

MARK = "1nject"
HOSTILE = [
    f"*)(objectClass=*{MARK}",
    f"a)(|(uid={MARK}*",
    f"{MARK})(&))(|(uid=*",
    f"\\2a{MARK}",
    f"{MARK}*",
    f"({MARK})",
    f"a\\{MARK}",
    f"a\x00{MARK}",
    f"<GUID={MARK}>",
]
MAPPING = """\
version: 1
name: uni
extends: openldap
source:
  url: ldaps://ldap.uni.example
  base: ou=people,dc=uni,dc=example
  filter: {filter}
  bind_dn: cn=reader,dc=uni,dc=example
  password: ${{file:/run/secrets/ldap}}
"""


class Listening(FakeLdap):
    """One that keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def _search(self, client: socket.socket, number: int, request: bytes) -> bool:
        self.asked.append(request)
        return super()._search(client, number, request)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setattr("tests.servers.fake_ldap.FakeLdap", Listening)
    with fake_ldap() as server:
        assert isinstance(server, Listening)
        root = "", {"supportedControl": [PAGING], "currentTime": [b"20260615120000Z"]}
        server.known = {b"supportedControl": root, b"currentTime": root}
        yield server


@pytest.mark.parametrize("name", ["dn", "uid", "modifyTimestamp", "entryUUID"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_of_an_entry_is_ever_in_what_a_server_is_asked(
    listening: Listening, name: str, value: str
) -> None:
    dn, attributes = someone(1)
    if name == "dn":
        hostile = f"uid={value},{BASE}", attributes
    else:
        hostile = dn, {**attributes, name: [value.encode()]}
    listening.pages = [[someone(0), hostile], [someone(2)]]
    first = Reading(source(listening))
    Reading(source(listening), first.cookie)
    assert len(listening.asked) >= 4
    assert not [request for request in listening.asked if MARK.encode() in request]


@pytest.mark.parametrize("suffix", [SUFFIX, PLAIN], ids=["syncrepl", "modifyTimestamp"])
def test_people_called_like_filters_are_read_as_they_are_and_nobody_else(
    slapd: Slapd, suffix: str
) -> None:
    world = Directory(slapd, new_branch(slapd, suffix))
    names = ["*", "(uid=*)", "*)(uid=*", "a\\2ab", "a)(|(uid=*))", "\\", "&", "a\x00b"]
    members = []
    for number, name in enumerate(names):
        text = person(world.base, {"id": f"u{number}", "name": name, "mail": ""})
        slapd.modify(text)
        members.append(f"uid=u{number},{world.base}")
    slapd.modify(ldif(f"cn=all,{world.base}", objectClass="groupOfNames", cn="all", member=members))
    groups = GroupSearch(world.base, "(objectClass=groupOfNames)", frozenset({"member"}))
    opened = world.open(Wanted(frozenset({"uid", "displayName"}), (groups,)))
    first = Reading(opened)
    people = [entry for entry in first.read if "displayName" in entry.attributes]
    assert sorted(entry.attributes["displayName"] for entry in people) == sorted(names)
    slapd.modify(world.modification({"id": "u2", "name": "*)(objectClass=*", "mail": ""}))
    changed = Reading(opened, first.cookie)
    assert changed.verdict is not None
    assert changed.verdict.complete
    assert "*)(objectClass=*" in [entry.attributes.get("displayName") for entry in changed.read]


NO_FILTERS = [
    "(uid=a)(uid=*)", "(uid=a))(|(uid=*)", "uid=a)(uid=*", "(uid=a", "(uid=a)x", "(&(a=b)))",
    "(&(a=b)(c=d)))(|(a=b)", "(uid=a)(", "(!(a=b)(c=d))", "((uid=a))",
]  # fmt: skip


@pytest.mark.parametrize("filter", NO_FILTERS)
def test_a_setting_that_is_more_or_less_than_one_filter_is_a_fault(filter: str) -> None:
    with pytest.raises(FileFaults) as raised:
        catalog.compile(MAPPING.format(filter=f"'{filter}'"), "uni.yaml")
    (fault,) = raised.value.faults
    assert (fault.line, fault.column) == (7, 11)
    assert "filter" in fault.message


@given(
    st.lists(
        st.sampled_from([*"()&|!=*\\a:<>~ \x00\n", "(a=b)", "(&", "(|", "(!", "\\28"]), max_size=12
    ).map("".join)
)
def test_what_is_taken_for_a_filter_is_one_whose_brackets_close_at_its_end(text: str) -> None:
    if not is_filter(text):
        return
    depth, ends = 0, []
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        assert depth >= 0
        if letter == ")" and not depth:
            ends.append(at)
    assert depth == 0
    assert ends == [len(text.rstrip()) - 1]


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Where a referral leads: nobody ever comes there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def came(listener: socket.socket) -> bool:
    with suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


@pytest.mark.parametrize("suffix", [SUFFIX, PLAIN], ids=["syncrepl", "modifyTimestamp"])
@pytest.mark.parametrize("way", ["everything", "changes", "the base itself", "below it"])
def test_the_host_of_a_referral_is_never_asked(
    slapd: Slapd, elsewhere: socket.socket, suffix: str, way: str
) -> None:
    world = Directory(slapd, new_branch(slapd, suffix))
    slapd.modify(person(world.base, {"id": "a", "name": "", "mail": ""}))
    opened = world.open()
    cookie = Reading(opened).cookie if way == "changes" else None
    there = f"ou=there,{world.base}"
    port = elsewhere.getsockname()[1]
    slapd.modify(
        ldif(there, objectClass=("referral", "extensibleObject"), ou="there",
             ref=f"ldap://127.0.0.1:{port}/{there}")
    )  # fmt: skip
    if way == "the base itself":
        world.base = there
    elif way == "below it":
        world.base = f"ou=people,{there}"
    reading = Reading(world.open(), cookie)
    slapd.delete(there)  # others search above this branch
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert re.search("another server", reading.verdict.reason), reading.verdict.reason
    # Changes by their stamps have an overlap.
    found = {"everything": [["a"]], "changes": [[], ["a"]]}.get(way, [[]])
    assert uids(reading) in found
    assert not came(elsewhere)


def test_somebody_who_goes_where_a_referral_leads_would_be_seen(elsewhere: socket.socket) -> None:
    assert not came(elsewhere)
    with socket.create_connection(elsewhere.getsockname()):
        assert came(elsewhere)
