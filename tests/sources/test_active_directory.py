"""Reading a domain: what no controller can be made to do, from a fake one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bridge.errors import AccessRefused
from bridge.model import GroupSearch, Verdict, Wanted
from bridge.sources import active_directory, active_directory_doctor
from bridge.sources.active_directory import AdSource
from bridge.sources.doctor import worst
from tests.servers.fake_ldap import FakeLdap, fake_ldap
from tests.servers.samba import ADMIN, DOMAIN, PASSWORD, Samba, domain, samba_server
from tests.servers.slapd import ldif
from tests.sources.contract import Reading

__all__ = ["domain", "samba_server"]

GROUP = UUID("6b29fc40-ca47-1067-b31d-00dd010662da")
ANN = UUID("00000000-0000-4000-8000-00000000000a")
GROUPS = Wanted(
    frozenset({"cn"}), (GroupSearch(DOMAIN, "(objectClass=group)", frozenset({"cn", "member"})),)
)


def opened(url: str, wanted: Wanted = GROUPS, **more: Any) -> AdSource:
    settings = {"url": url, "base": DOMAIN, "bind_dn": ADMIN, "password": PASSWORD, **more}
    return active_directory.open(
        active_directory.Settings.model_validate(settings), Path("/"), wanted
    )


def root(usn: int = 100, service: bytes = b"CN=NTDS Settings") -> tuple[str, Mapping[str, Any]]:
    return "", {
        "dsServiceName": [service],
        "highestCommittedUSN": [str(usn).encode()],
        "defaultNamingContext": [DOMAIN.encode()],
    }


def invocation(id: bytes = b"i" * 16) -> tuple[str, Mapping[str, Any]]:
    return "CN=NTDS Settings", {"invocationId": [id]}


def dn_of(number: int) -> bytes:
    return b"<GUID=%s>;<SID=S-1-5-21-%d>;CN=u%d,%s" % (
        str(UUID(int=number)).encode(), number, number, DOMAIN.encode()
    )  # fmt: skip


@pytest.fixture
def fake() -> Iterator[FakeLdap]:
    with fake_ldap() as server:
        server.known = {b"highestCommittedUSN": root(), b"invocationId": invocation()}
        server.pages = [[]]
        yield server


def a_group(members: str, values: range) -> tuple[str, Mapping[str, Any]]:
    return f"<GUID={GROUP}>;CN=g,{DOMAIN}", {
        "objectGUID": [GROUP.bytes_le],
        "cn": [b"g"],
        members: [dn_of(number) for number in values],
    }


def only_group(source: AdSource) -> Any:
    reading = Reading(source)
    assert reading.verdict == Verdict(complete=True, whole=True)
    return next(
        each for each in reading.read if each.section == 0 and each.record_key[:5] == "group"
    )


def test_a_range_of_members_is_followed_to_its_end(fake):
    fake.pages = [[a_group("member;range=0-1499", range(1500))]]
    fake.known |= {
        b"member;range=1500-*": a_group("member;range=1500-2999", range(1500, 3000)),
        b"member;range=3000-*": a_group("member;range=3000-*", range(3000, 3100)),
    }
    first = only_group(opened(fake.url))
    assert first.attributes["member"] == [f"CN=u{number},{DOMAIN}" for number in range(3100)]
    assert len(first.names) == 3101, "and the group's own"
    fake.known[b"member;range=3000-*"] = a_group("member;range=3000-*", range(3000, 3099))
    assert only_group(opened(fake.url)).fingerprint != first.fingerprint


def test_members_that_are_not_sent_make_a_read_incomplete(fake):
    fake.pages = [[a_group("member;range=0-1499", range(1500))]]
    fake.known[b"member;range=1500-*"] = f"CN=g,{DOMAIN}", {"cn": [b"g"]}
    reading = Reading(opened(fake.url))
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert "the values of member from the 1,500th on were not sent" in reading.verdict.reason


def test_values_that_name_others_are_plain_and_mean_their_guids(fake):
    manager = f"<GUID={ANN}>;<SID=S-1-5-21-1>;CN=Ann,{DOMAIN}".encode()
    fake.pages = [
        [(f"<GUID={GROUP}>;CN=Bob,{DOMAIN}",
          {"objectGUID": [GROUP.bytes_le], "cn": [b"Bob"], "manager": [manager]})]
    ]  # fmt: skip
    (bob,) = Reading(opened(fake.url, Wanted(frozenset({"cn", "manager"})))).read
    assert bob.attributes["manager"] == f"CN=Ann,{DOMAIN}"
    assert bob.attributes["dn"] == f"CN=Bob,{DOMAIN}"
    assert bob.ref == f"guid={GROUP}"
    assert bob.names[f"cn=ann,{DOMAIN}".lower()] == f"guid={ANN}"


@pytest.mark.parametrize(
    ("of_root", "of_service"),
    [
        (root(service=b"CN=NTDS Settings,CN=DC2"), invocation()),
        (root(), invocation(b"j" * 16)),
        (root(usn=99), invocation()),
        (root(usn=200), ("CN=NTDS Settings", {"cn": [b"hidden"]})),
    ],
    ids=["another controller", "restored", "back in time", "says no more who it is"],
)
def test_only_the_same_controller_in_the_same_state_tells_changes(fake, of_root, of_service):
    cookie = Reading(opened(fake.url)).cookie
    assert Reading(opened(fake.url), cookie).verdict == Verdict(complete=True, whole=False)
    fake.known |= {b"highestCommittedUSN": of_root, b"invocationId": of_service}
    assert Reading(opened(fake.url), cookie).verdict == Verdict(complete=True, whole=True)


def test_a_controller_that_does_not_say_which_it_is_is_read_whole_each_time(fake):
    fake.known[b"invocationId"] = "CN=NTDS Settings", {"cn": [b"hidden"]}
    cookie = Reading(opened(fake.url)).cookie
    assert Reading(opened(fake.url), cookie).verdict == Verdict(complete=True, whole=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"52e", "`bind_dn` or `password` is wrong"),
        (b"532", "has expired: set a new one"),
        (b"533", "is disabled"),
        (b"701", "the account of `bind_dn` has expired"),
        (b"773", "must be changed"),
        (b"775", "is locked: unlock it"),
    ],
)
def test_a_refused_bind_says_why_in_words(fake, data, words):
    fake.bind_code = 49
    fake.bind_message = b"80090308: LdapErr: DSID-0C090447, AcceptSecurityContext error, data %s, v"
    fake.bind_message = fake.bind_message % data
    with pytest.raises(AccessRefused, match=f"{words}.*data {data.decode()}"):
        Reading(opened(fake.url))
    assert fake.binds == 1


def test_a_whole_domain_is_read_past_its_other_partitions(samba_server: Samba, domain: str):
    samba_server.modify(ldif(f"CN=ann,{domain}", objectClass="user", sAMAccountName="whole"))
    source = opened(samba_server.url, Wanted(frozenset({"cn"})))
    reading = Reading(source)
    assert reading.verdict == Verdict(complete=True, whole=True)
    assert {"Administrator", "krbtgt", "ann"} <= {each.attributes["cn"] for each in reading.read}


def test_the_doctor_says_how_changes_are_read(samba_server: Samba, domain: str):
    samba_server.modify(ldif(f"CN=bob,{domain}", objectClass="user", sAMAccountName="examined"))
    source = opened(samba_server.url, Wanted(frozenset({"cn", "mailnickname"})), base=domain)
    found = list(active_directory_doctor.examine(source.settings, Path("/"), source.wanted))
    assert worst(found) == 0
    said = {each.step: each.found for each in found}
    assert said["people"].startswith(f"1 entries under {domain}")
    assert said["id"] == "each entry shows exactly one objectGUID"
    assert said["changes"] == "by uSNChanged, deletions among them"
    assert said["attributes"] == "the server has no 'mailnickname'"
    assert "clock is 0 s" in said["clock"] or "clock is 1 s" in said["clock"]


def test_a_wrong_password_is_told_as_such_by_a_real_controller(samba_server: Samba):
    with pytest.raises(AccessRefused, match="data 52e"):
        Reading(opened(samba_server.url, password="wrong"))
