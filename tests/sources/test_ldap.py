from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.errors import SourceUnavailable
from bridge.model import Entry, GroupSearch, Kind, Verdict, Wanted
from bridge.sources import kinds, ldap
from bridge.sources.ldap_connection import close, connect
from bridge.sources.ldap_decode import EntryDecoder, Field
from tests.servers.proxy import proxy
from tests.servers.slapd import PLAIN, SUFFIX, Slapd, ldif, new_branch
from tests.sources.contract import PEOPLE, Reading, SourceContract
from tests.sources.slapd_world import WANTED, Directory, person, settings, unit


@pytest.fixture
def world(slapd: Slapd, branch: str) -> Directory:
    return Directory(slapd, branch)


class TestContract(SourceContract):
    pass


def test_it_is_the_kind_ldap_and_the_file_lists_its_attributes() -> None:
    assert kinds()["ldap"] is ldap
    assert settings("dc=x", "ldap://localhost").attribute_names() is None


# -- what an entry holds ---------------------------------------------------------------------------


def read_one(world: Directory, *names: str, **more: Any) -> Entry:
    reading = Reading(world.open(Wanted(frozenset(names)), **more))
    assert reading.verdict == Verdict(complete=True, whole=True)
    (entry,) = reading.read
    return entry


def add(world: Directory, **more: str | Sequence[str]) -> str:
    dn = f"uid=Ann,{world.base}"
    world.server.modify(ldif(dn, objectClass="inetOrgPerson", cn="Ann", sn="Boss", **more))
    return dn


def server_says(world: Directory, attribute: str) -> str:
    return world.server.search(world.base, attribute).rpartition(f"{attribute}: ")[2].strip()


def test_an_entry_is_known_by_its_uuid_and_referred_to_by_its_dn(world: Directory) -> None:
    dn = add(world)
    entry = read_one(world, "sn")
    assert entry.record_key == server_says(world, "entryUUID")
    assert entry.ref == dn.lower()
    assert entry.attributes == {"dn": dn, "sn": "Boss", "entryUUID": entry.record_key}
    assert (entry.kind, entry.section) == (Kind.USER, 0)


def test_attributes_have_the_spelling_that_the_file_asks_for(world: Directory) -> None:
    add(world, employeeNumber="7")
    entry = read_one(world, "SN", "EMPLOYEENUMBER", "commonName", id="ENTRYuuid")
    assert entry.attributes["SN"] == "Boss"
    assert entry.attributes["EMPLOYEENUMBER"] == "7"
    assert entry.record_key == entry.attributes["ENTRYuuid"]


def test_the_stamp_is_an_attribute_only_where_the_file_asks_for_it(world: Directory) -> None:
    add(world)
    entry = read_one(world, "modifytimestamp")
    assert entry.attributes["modifytimestamp"] == server_says(world, "modifyTimestamp")
    assert read_one(world, "sn").attributes.keys() == {"dn", "sn", "entryUUID"}


def test_several_values_are_a_list_and_one_is_itself(world: Directory) -> None:
    add(world, mail=["b@uni.example", "a@uni.example"], ou="Chemistry")
    entry = read_one(world, "mail", "ou")
    assert entry.attributes["mail"] == ["b@uni.example", "a@uni.example"]
    assert entry.attributes["ou"] == "Chemistry"


def test_binary_attributes_and_what_is_no_utf8_are_bytes(world: Directory) -> None:
    dn = add(world)
    for name, value in (
        ("jpegPhoto", b"plain"),
        ("audio", b"\xff"),
        ("carLicense", "Zoë".encode()),
    ):
        encoded = base64.b64encode(value).decode()
        world.server.modify(f"dn: {dn}\nchangetype: modify\nadd: {name}\n{name}:: {encoded}\n")
    attributes = read_one(world, "jpegPhoto", "audio", "carLicense").attributes
    assert (attributes["jpegPhoto"], attributes["audio"]) == (b"plain", b"\xff")
    assert attributes["carLicense"] == "Zoë"


def test_an_option_is_a_name_of_its_own(world: Directory) -> None:
    add(world, **{"cn;lang-de": "Änne".encode("ascii", "ignore").decode()})
    assert read_one(world, "cn").attributes["cn"] == "Ann"
    assert read_one(world, "cn;lang-de").attributes["cn;lang-de"] == "nne"


def test_operational_attributes_come_when_asked_for(world: Directory) -> None:
    add(world)
    assert read_one(world, "createTimestamp").attributes["createTimestamp"].endswith("Z")


def test_a_fingerprint_is_of_what_is_asked_for_alone_in_any_order(world: Directory) -> None:
    dn = add(world, mail=["a@uni.example", "b@uni.example"])
    first = read_one(world, "mail")
    world.server.modify(
        f"dn: {dn}\nchangetype: modify\ndelete: mail\nmail: a@uni.example\n-\n"
        "add: mail\nmail: a@uni.example\n-\nadd: description\ndescription: nobody asks\n"
    )
    second = read_one(world, "mail")
    assert second.attributes["mail"] == ["b@uni.example", "a@uni.example"]
    assert second.fingerprint == first.fingerprint
    assert read_one(world, "mail", "description").fingerprint != first.fingerprint


def test_a_filter_may_hold_escapes_and_any_script(world: Directory) -> None:
    world.hold([{"id": "1", "name": "Zoë (x) *", "mail": "a@b"}, *PEOPLE[:2]])
    reading = Reading(world.open(filter="(displayName=Zoë \\28x\\29 \\2a)"))
    assert [entry.attributes["uid"] for entry in reading.read] == ["1"]


def test_disabled_and_locked_people_are_read_too(world: Directory) -> None:
    add(world, pwdAccountLockedTime="000001010000Z")
    assert read_one(world, "pwdAccountLockedTime").attributes["pwdAccountLockedTime"] == (
        "000001010000Z"
    )


# -- bases and groups ------------------------------------------------------------------------------


def test_every_base_is_read_and_one_that_is_missing_makes_the_read_incomplete(
    world: Directory,
) -> None:
    staff, guests = unit(world, "staff"), unit(world, "guests")
    world.server.modify(person(staff, PEOPLE[0]) + person(guests, PEOPLE[1]))
    both = settings([staff, guests], world.server.url)
    reading = Reading(ldap.open(both, Path("/"), WANTED))
    assert {entry.attributes["uid"] for entry in reading.read} == {"P0", "P1"}
    gone = settings([staff, f"ou=gone,{world.base}"], world.server.url)
    reading = Reading(ldap.open(gone, Path("/"), WANTED))
    assert {entry.attributes["uid"] for entry in reading.read} == {"P0"}
    assert reading.verdict is not None
    assert "noSuchObject" in reading.verdict.reason
    assert not reading.verdict.complete


def test_groups_come_after_people_each_with_the_search_that_found_it(world: Directory) -> None:
    world.hold(PEOPLE[:2])
    member = f"uid=P0,{world.base}"
    for name in ("vpn", "wiki"):
        world.server.modify(
            ldif(f"cn={name},{world.base}", objectClass="groupOfNames", member=member)
        )
    groups = tuple(
        GroupSearch(world.base, filter, frozenset({"cn", "member"}))
        for filter in ("(&(objectClass=groupOfNames)(cn=vpn))", "(objectClass=groupOfNames)")
    )
    reading = Reading(world.open(replace(WANTED, groups=groups)))
    assert [(e.kind, e.section, e.attributes.get("cn")) for e in reading.read] == [
        (Kind.USER, 0, None), (Kind.USER, 0, None), (Kind.GROUP, 0, "vpn"),
        (Kind.GROUP, 1, "vpn"), (Kind.GROUP, 1, "wiki"),
    ]  # fmt: skip
    assert reading.read[2].attributes["member"] == member
    assert len(reading.entries) == 5
    world.server.modify(
        world.modification({**PEOPLE[0], "mail": "new@example.com"})
        + f"dn: cn=vpn,{world.base}\nchangetype: modify\nadd: description\ndescription: x\n"
    )
    changes = Reading(world.open(replace(WANTED, groups=groups)), reading.cookie)
    assert [(e.kind, e.section) for e in changes.read] == [
        (Kind.USER, 0), (Kind.GROUP, 0), (Kind.GROUP, 1),
    ]  # fmt: skip


# -- the certificate -------------------------------------------------------------------------------


def certificate_ends(world: Directory, scheme: str, authority: str = "ca") -> datetime | None:
    world.hold(PEOPLE[:2])
    port = world.server.tls_port if scheme == "ldaps" else world.server.port
    url = f"{'ldaps' if scheme == 'ldaps' else 'ldap'}://localhost:{port}"
    ca_file = world.server.folder / f"tls/{authority}.pem"
    reading = Reading(world.open(url=url, ca_file=ca_file, start_tls=scheme == "start_tls"))
    assert reading.verdict == Verdict(complete=True, whole=True)
    return reading.batches[-1].certificate_ends


@pytest.mark.parametrize("scheme", ["ldaps", "start_tls"])
def test_a_complete_read_tells_when_the_certificate_of_the_server_ends(
    world: Directory, scheme: str
) -> None:
    assert certificate_ends(world, scheme) == datetime(2040, 1, 1, tzinfo=UTC)


def test_without_tls_no_certificate_ends(world: Directory) -> None:
    assert certificate_ends(world, "ldap") is None


def test_a_certificate_is_good_no_longer_than_its_authority(world: Directory) -> None:
    ends = certificate_ends(world, "ldaps", "ca-soon")
    assert ends is not None
    assert ends - datetime.now(UTC) < timedelta(days=3)


# -- changes, however they are told ----------------------------------------------------------------


@pytest.fixture(params=[SUFFIX, PLAIN], ids=["syncrepl", "modifyTimestamp"])
def either(slapd: Slapd, request: pytest.FixtureRequest) -> Directory:
    return Directory(slapd, new_branch(slapd, request.param))


def test_somebody_changed_behind_a_read_under_way_is_found_by_the_next(either: Directory) -> None:
    either.hold(PEOPLE[:4])
    batches = either.open(page_size=2).read(None)
    first = next(batches)
    assert [entry.attributes["uid"] for entry in first.entries] == ["P0", "P1"]
    either.server.modify(either.modification({**PEOPLE[0], "mail": "moved@example.com"}))
    either.server.modify(either.modification({**PEOPLE[3], "mail": "later@example.com"}))
    *_, last = batches
    changed = Reading(either.open(page_size=2), last.cookie)
    assert "moved@example.com" in [entry.attributes["mail"] for entry in changed.read]


@pytest.mark.parametrize(
    "change",
    [
        {"filter": "(objectClass=person)"},
        {"id": "entryDN"},
        {"wanted": Wanted(frozenset({"mail"}))},
        {"wanted": Wanted(WANTED.attributes, (GroupSearch(SUFFIX, "(cn=*)", frozenset()),))},
    ],
)
def test_a_cookie_of_other_settings_leads_to_a_whole_read(
    either: Directory, change: dict[str, Any]
) -> None:
    either.hold(PEOPLE[:2])
    known = Reading(either.open()).cookie
    verdict = Reading(either.open(**change), known).verdict
    assert verdict == Verdict(complete=True, whole=True)


def test_a_cookie_of_another_host_leads_to_a_whole_read(either: Directory) -> None:
    either.hold(PEOPLE[:2])
    known = Reading(either.open()).cookie
    other = f"ldap://localhost:{either.server.port}"
    assert Reading(either.open(url=other), known).verdict == Verdict(complete=True, whole=True)


def test_another_password_page_size_or_timeout_keeps_a_cookie(either: Directory) -> None:
    either.hold(PEOPLE[:2])
    known = Reading(either.open()).cookie
    again = Reading(either.open(page_size=1, timeout="7 seconds"), known)
    assert again.verdict == Verdict(complete=True, whole=False)


# -- reads that break ------------------------------------------------------------------------------


def test_a_size_limit_that_ldap3_would_hide_makes_the_read_incomplete(world: Directory) -> None:
    world.hold(PEOPLE[:700])
    world.server.set_size_limit("500")
    reading = Reading(world.open(page_size=200))
    assert len(reading.entries) == 500
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert "page 3: the server stopped with sizeLimitExceeded (4)" in reading.verdict.reason
    assert reading.verdict.reason.endswith("let `bind_dn` read without that limit")
    world.server.set_size_limit("unlimited")
    assert Reading(world.open(), reading.cookie).verdict == Verdict(complete=True, whole=True)


def test_without_rights_the_read_is_incomplete(world: Directory) -> None:
    world.hold(PEOPLE[:2])
    reading = Reading(world.open(bind_dn="", password=""))
    assert reading.read == []
    assert reading.verdict is not None
    assert "`base` does not exist, or `bind_dn` may not see it" in reading.verdict.reason


def test_entries_without_the_id_make_the_read_incomplete_and_the_others_are_kept(
    world: Directory,
) -> None:
    add(world, employeeNumber="7")
    world.hold(PEOPLE[:2])
    reading = Reading(world.open(id="employeeNumber"))
    assert list(reading.entries) == ["7"]
    assert reading.verdict is not None
    assert "2 entries do not have exactly one employeeNumber" in reading.verdict.reason


def test_a_connection_cut_in_mid_read_starts_again_at_the_first_page(world: Directory) -> None:
    world.hold(PEOPLE[:1000])
    with proxy(world.server.port) as between:
        between.cut_after = [100_000, 50_000]
        reading = Reading(world.open(url=between.url, page_size=100))
        assert between.connections == 3
    assert reading.verdict == Verdict(complete=True, whole=True)
    assert len(reading.entries) == 1000
    assert len(reading.read) > 1000
    assert reading.read[-1000:] == list(reading.entries.values())


def test_a_connection_cut_three_times_is_an_incomplete_read(world: Directory) -> None:
    world.hold(PEOPLE[:1000])
    with proxy(world.server.port) as between:
        between.cut_after = [50_000] * 4
        reading = Reading(world.open(url=between.url, page_size=100))
        assert between.connections == 3
    assert reading.entries
    assert reading.verdict is not None
    assert not reading.verdict.complete
    assert "the connection was lost" in reading.verdict.reason
    assert Reading(world.open(), reading.cookie).verdict == Verdict(complete=True, whole=True)


def test_a_cut_read_of_changes_keeps_what_was_known(either: Directory) -> None:
    either.hold(PEOPLE[:1000])
    with proxy(either.server.port) as between:
        known = Reading(either.open(url=between.url, page_size=100)).cookie
        either.hold([{**each, "mail": "new@example.com"} for each in PEOPLE[:1000]])
        between.cut_after = [50_000] * 3
        reading = Reading(either.open(url=between.url, page_size=100), known)
        assert between.connections == 4
        assert reading.verdict is not None
        assert not reading.verdict.complete
        assert reading.cookie == known


def test_a_server_that_falls_silent_ends_the_read(world: Directory) -> None:
    world.hold(PEOPLE[:1000])
    with proxy(world.server.port) as between:
        between.stall_after = 50_000
        source = world.open(url=between.url, page_size=100, timeout="1 second")
        reading = Reading(source)
    assert reading.entries
    assert reading.verdict is not None
    assert "the server fell silent" in reading.verdict.reason


def test_answers_cut_into_small_pieces_read_the_same(world: Directory) -> None:
    world.hold(PEOPLE[:50])
    with proxy(world.server.port) as between:
        between.slice = 7
        sliced = Reading(world.open(url=between.url, page_size=20))
    assert sliced.read == Reading(world.open(page_size=20)).read
    assert sliced.verdict == Verdict(complete=True, whole=True)


def test_a_server_killed_in_mid_read_is_incomplete_and_unavailable_afterwards(
    world: Directory,
) -> None:
    world.hold(PEOPLE[:1000])
    batches = world.open(page_size=100).read(None)
    first = next(batches)
    world.server.stop()
    *_, last = [first, *batches]
    assert last.verdict is not None
    assert not last.verdict.complete
    assert "the connection was lost, and again: " in last.verdict.reason
    with pytest.raises(SourceUnavailable, match="nothing listens on port"):
        Reading(world.open())
    world.server.start()
    assert len(Reading(world.open(), last.cookie).entries) == 1000


def test_ldap3_itself_reads_the_same_entries(world: Directory) -> None:
    add(world, mail=["a@uni.example", "b@uni.example"], description="x" * 70_000)
    world.hold([{**each, "name": each["name"] * 40} for each in PEOPLE[:300]])
    source = world.open()
    connection = connect(source.settings, Path("/"), source.settings.hosts[0])
    decoder = EntryDecoder(Field)
    answers = []
    for each in (decoder, None):
        connection.strategy.decoder = each
        connection.search(world.base, "(objectClass=*)", attributes=["*", "+"])
        answers.append(connection.response)
    close(connection)
    ours, theirs = answers
    assert len(ours) == 302
    assert ours == [decoder.from_raw(e["raw_dn"], e["raw_attributes"]) for e in theirs]


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base": ""}, "is empty"),
        ({"base": []}, "at least 1 item"),
        ({"base": "people"}, "is no DN"),
        ({"base": ["dc=x", "ou=a,DC=x"]}, "is within another base"),
        ({"base": ["dc=x", "DC=x"]}, "is within another base"),
        ({"filter": "objectClass=person"}, "is no filter"),
        ({"filter": "(objectClass=person"}, "is no filter"),
        ({"filter": "(&(a=b)(c=d)"}, "is no filter"),
        ({"page_size": 0}, "greater than or equal to 1"),
        ({"page_size": 1001}, "less than or equal to 1000"),
        ({"scope": "one"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(change: dict[str, Any], words: str) -> None:
    good = {"url": "ldaps://ldap.example", "base": "dc=x"}
    ldap.Settings.model_validate(good)
    with pytest.raises(ValidationError, match=words):
        ldap.Settings.model_validate({**good, **change})
