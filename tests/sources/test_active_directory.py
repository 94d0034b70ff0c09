"""Reading a domain: what no controller can be made to do, from a fake one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bridge.errors import AccessRefused
from bridge.model import GroupSearch, Verdict, Wanted
from bridge.sources import active_directory_doctor
from bridge.sources.active_directory import AdSource
from bridge.sources.active_directory_changes import followed
from bridge.sources.doctor import worst
from tests.servers.fake_ldap import FakeLdap, fake_ldap
from tests.servers.samba import ADMIN, COUNTER, DOMAIN, READER, Samba, domain, samba_server
from tests.servers.slapd import ldif
from tests.sources.ad_world import WAYS, cookie_of, invocation, opened, root, someone
from tests.sources.contract import COMPLETE, Reading

__all__ = ["domain", "samba_server"]

GROUP = UUID("6b29fc40-ca47-1067-b31d-00dd010662da")
ANN = UUID("00000000-0000-4000-8000-00000000000a")
GROUPS = Wanted(
    frozenset({"cn"}), (GroupSearch(DOMAIN, "(objectClass=group)", frozenset({"cn", "member"})),)
)


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
    first = only_group(opened(fake.url, GROUPS))
    assert first.attributes["member"] == [f"CN=u{number},{DOMAIN}" for number in range(3100)]
    assert len(first.names) == 3101, "and the group's own"
    fake.known[b"member;range=3000-*"] = a_group("member;range=3000-*", range(3000, 3099))
    assert only_group(opened(fake.url, GROUPS)).fingerprint != first.fingerprint


def test_members_that_are_not_sent_make_a_read_incomplete(fake):
    fake.pages = [[a_group("member;range=0-1499", range(1500))]]
    fake.known[b"member;range=1500-*"] = f"CN=g,{DOMAIN}", {"cn": [b"g"]}
    reading = Reading(opened(fake.url, GROUPS))
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


@pytest.fixture(params=WAYS)
def told(fake: FakeLdap, request: pytest.FixtureRequest) -> FakeLdap:
    """A fake controller that tells changes in one way or the other."""
    fake.pages = [[someone(1)]]
    fake.dirsync = [[someone(1)]] if request.param == "DirSync" else None
    return fake


@pytest.mark.parametrize(
    ("of_root", "of_service"),
    [
        (root(service=b"CN=NTDS Settings,CN=DC2"), invocation()),
        (root(), invocation(b"j" * 16)),
        (root(usn=99), invocation()),
        (root(usn=200), ("CN=NTDS Settings", {"cn": [b"hidden"]})),
        (root(time=b"20260716120000.0Z"), invocation()),
        (root(time=b"20250615120000.0Z"), invocation()),
        (root(time=b"now"), invocation()),
    ],
    ids=["another controller", "restored", "back in time", "says no more who it is",
         "a month later", "a year earlier", "without a clock"],
)  # fmt: skip
def test_only_the_same_controller_in_the_same_state_tells_changes(told, of_root, of_service):
    cookie = Reading(opened(told.url, GROUPS)).cookie
    changes = Verdict(complete=True, whole=False)
    assert Reading(opened(told.url, GROUPS), cookie).verdict == changes
    told.known |= {b"highestCommittedUSN": of_root, b"invocationId": of_service}
    assert Reading(opened(told.url, GROUPS), cookie).verdict == COMPLETE


def test_a_cookie_that_is_damaged_anywhere_leads_to_a_whole_read(told):
    cookie = Reading(opened(told.url, GROUPS)).cookie
    assert cookie is not None
    for place in range(0, len(cookie), 3):
        damaged = cookie[:place] + bytes([cookie[place] ^ 1]) + cookie[place + 1 :]
        assert Reading(opened(told.url, GROUPS), damaged).verdict == COMPLETE, damaged


@pytest.mark.parametrize(
    ("wanted", "more"),
    [
        (Wanted(frozenset({"cn", "mail"}), GROUPS.groups), {}),
        (Wanted(frozenset({"cn"})), {}),
        (GROUPS, {"base": f"OU=Staff,{DOMAIN}"}),
        (GROUPS, {"filter": "(&(objectClass=user)(mail=*))"}),
        (GROUPS, {"require": ["mail"]}),
    ],
    ids=["attributes", "groups", "base", "filter", "require"],
)
def test_a_cookie_of_other_settings_leads_to_a_whole_read(told, wanted, more):
    cookie = Reading(opened(told.url, GROUPS)).cookie
    assert Reading(opened(told.url, wanted, **more), cookie).verdict == COMPLETE


def test_another_host_that_answers_instead_is_read_whole(told):
    cookie = Reading(opened(told.url, GROUPS)).cookie
    with fake_ldap() as other:
        other.pages, other.dirsync = told.pages, told.dirsync
        other.known = {**told.known, b"invocationId": invocation(b"j" * 16)}
        either = f"ldap://127.0.0.1:1, {other.url}"
        moved = Reading(opened(either, GROUPS), cookie)
        assert moved.verdict == COMPLETE
        assert Reading(opened(either, GROUPS), moved.cookie).verdict == Verdict(complete=True)


def test_another_controller_behind_the_same_address_starts_anew_in_mid_read(told):
    cookie = Reading(opened(told.url, GROUPS)).cookie
    told.faults = {0: ["drop"]}
    told.after_drop = {b"invocationId": invocation(b"j" * 16)}
    moved = Reading(opened(told.url, GROUPS), cookie)
    assert moved.verdict == COMPLETE
    assert Reading(opened(told.url, GROUPS), moved.cookie).verdict == Verdict(complete=True)


@pytest.mark.parametrize(
    ("wanted", "filter", "more"),
    [
        ({"mail"}, "(objectClass=user)", {"mail"}),
        ({"dn", "memberOf"}, "(objectClass=user)", set()),
        ({"MAIL", "cn;lang-de"}, "(mail=x)", {"MAIL", "cn"}),
        (set(), "(&(!(department=a\\28b=c\\29))(userAccountControl:1.2.840.113556.1.4.803:=2)"
                "( title >= x)(|(l~=y)(c;lang-de=z)(sn:dn:=q)))",
         {"department", "userAccountControl", "title", "l", "c", "sn"}),
        ({"msDS-User-Account-Control-Computed"}, "(cn=*)",
         {"cn", "lockoutTime", "pwdLastSet", "userAccountControl"}),
    ],
)  # fmt: skip
def test_dirsync_is_asked_about_all_that_decides_who_is_served_and_how(wanted, filter, more):
    always = {"objectGUID", "name", "userPrincipalName", "isDeleted", "parentGUID", "objectClass"}
    assert set(followed(wanted, [filter])) == always | more


@pytest.mark.parametrize("stamp", ["whenChanged", "uSNChanged", "modifyTimestamp"])
def test_whoever_wants_to_know_when_something_changed_is_told_of_every_change(stamp):
    assert followed({"mail", stamp}, ["(cn=*)"]) == ["*"]


def test_a_controller_that_does_not_say_which_it_is_is_read_whole_each_time(fake):
    fake.known[b"invocationId"] = "CN=NTDS Settings", {"cn": [b"hidden"]}
    cookie = Reading(opened(fake.url, GROUPS)).cookie
    assert Reading(opened(fake.url, GROUPS), cookie).verdict == Verdict(complete=True, whole=True)


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
        Reading(opened(fake.url, GROUPS))
    assert fake.binds == 1


@pytest.mark.parametrize(
    ("base", "more", "left"),
    [
        (DOMAIN, {"isDeleted": [b"TRUE"]}, True),
        (f"OU=Staff,{DOMAIN}", {}, True),
        (DOMAIN, {}, False),
    ],
    ids=["deleted", "moved out", "no longer shown"],
)
def test_whoever_is_merely_no_longer_shown_has_not_left(fake, base, more, left):
    fake.pages = [[someone(1)]]
    fake.dirsync = [[someone(1, **more)]]
    wanted = Wanted(frozenset({"cn"}))
    before = Reading(opened(fake.url, wanted, base=base))
    fake.pages = [[]]
    after = Reading(opened(fake.url, wanted, base=base), before.cookie)
    assert after.verdict == Verdict(complete=True)
    assert after.gone == (before.entries.keys() if left else set())


@pytest.mark.parametrize(
    ("expires", "ends"),
    [
        (b"134258364000000000", datetime(2026, 6, 13, 15, tzinfo=UTC)),
        (b"9223372036854775807", None),
        (b"0", None),
        (b"", None),
    ],
)
def test_a_read_tells_when_the_password_of_its_account_expires(told, expires, ends):
    dn, shown = root()
    told.known |= {
        b"highestCommittedUSN": (dn, {**shown, "tokenGroups": [b"\x01\x01me", b"\x01\x01them"]}),
        b"<SID=01016d65>": (ADMIN, {"msDS-UserPasswordExpiryTimeComputed": [expires]}),
    }
    whole = Reading(opened(told.url, GROUPS))
    assert whole.batches[-1].password_ends == ends
    assert Reading(opened(told.url, GROUPS), whole.cookie).batches[-1].password_ends == ends


def test_whoever_lost_the_right_to_dirsync_reads_everything_and_goes_on_by_numbers(
    samba_server, domain
):
    samba_server.modify(ldif(f"CN=eve,{domain}", objectClass="user", sAMAccountName="lost"))
    before = Reading(opened(samba_server.url, GROUPS))
    assert cookie_of(before)["dirsync"]
    without = opened(samba_server.url, GROUPS, bind_dn=COUNTER)
    after = Reading(without, before.cookie)
    assert after.verdict == COMPLETE
    assert cookie_of(after)["dirsync"] == ""
    samba_server.modify(f"dn: CN=eve,{domain}\nchangetype: delete\n")
    changed = Reading(without, after.cookie)
    assert changed.verdict == Verdict(complete=True)
    assert changed.gone & before.entries.keys()


def test_a_real_controller_says_when_a_password_expires(samba_server):
    samba_server.expire_passwords("40")
    ends = Reading(opened(samba_server.url, GROUPS, bind_dn=READER)).batches[-1].password_ends
    samba_server.expire_passwords("0")
    assert ends is not None
    assert timedelta(days=39) < ends - datetime.now(UTC) < timedelta(days=40)
    assert Reading(opened(samba_server.url, GROUPS)).batches[-1].password_ends is None


def test_a_whole_domain_is_read_past_its_other_partitions(samba_server: Samba, domain: str):
    samba_server.modify(ldif(f"CN=ann,{domain}", objectClass="user", sAMAccountName="whole"))
    source = opened(samba_server.url, Wanted(frozenset({"cn"})))
    reading = Reading(source)
    assert reading.verdict == Verdict(complete=True, whole=True)
    assert {"Administrator", "krbtgt", "ann"} <= {each.attributes["cn"] for each in reading.read}


@pytest.mark.parametrize(
    ("account", "found", "advice"),
    [
        (ADMIN, "by DirSync, deletions among them", ""),
        (COUNTER, "by uSNChanged, deletions among them", "Replicating Directory Changes"),
        (READER, "by uSNChanged; nothing is seen of what is deleted", "Deleted Objects"),
    ],
    ids=["may replicate", "sees deletions", "ordinary"],
)
def test_the_doctor_says_how_changes_are_read(samba_server, domain, account, found, advice):
    login = domain.partition(",")[0][3:]
    for name in ("ann", "bob"):
        samba_server.modify(
            ldif(f"CN={name},{domain}", objectClass="user", sAMAccountName=f"{name}{login}")
        )
    samba_server.modify(f"dn: CN=ann,{domain}\nchangetype: delete\n")
    wanted = Wanted(frozenset({"cn", "mailnickname"}))
    source = opened(samba_server.url, wanted, base=domain, bind_dn=account)
    findings = list(active_directory_doctor.examine(source.settings, Path("/"), source.wanted))
    assert worst(findings) == 0
    said = {each.step: each.found for each in findings}
    assert said["people"].startswith(f"1 entries under {domain}")
    assert said["id"] == "each entry shows exactly one objectGUID"
    assert said["changes"].startswith(found)
    assert advice in next(each.advice for each in findings if each.step == "changes")
    assert said["attributes"] == "the server has no 'mailnickname'"
    assert "clock is 0 s" in said["clock"] or "clock is 1 s" in said["clock"]


@pytest.mark.parametrize("more", [{"require": ["memberOf"]}, {"filter": "(memberof=CN=g)"}, {}])
def test_the_doctor_warns_of_what_no_read_of_changes_is_told(fake, more):
    source = opened(fake.url, Wanted(frozenset({"cn"})), **more)
    findings = active_directory_doctor.examine(source.settings, Path("/"), source.wanted)
    assert any("`memberOf`" in each.found for each in findings) is bool(more)


def test_a_wrong_password_is_told_as_such_by_a_real_controller(samba_server: Samba):
    with pytest.raises(AccessRefused, match="data 52e"):
        Reading(opened(samba_server.url, GROUPS, password="wrong"))
