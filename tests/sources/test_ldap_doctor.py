"""Examining a real slapd, well and with every fault that can be made."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.model import GroupSearch, Wanted
from bridge.sources import ldap
from bridge.sources.doctor import Finding, State, worst
from bridge.sources.ldap_doctor import by_stamp, clock, examine
from bridge.sources.ldap_look import Server, server
from bridge.sources.ldap_reach import certificate_finding
from tests.servers.fake_ldap import fake_ldap
from tests.servers.ports import free_port
from tests.servers.proxy import proxy
from tests.servers.slapd import READER, READER_PASSWORD, SUFFIX, Slapd, ldif

WANTED = Wanted(frozenset({"dn", "uid", "displayName", "mail"}))
AFTER_LOGIN = ["base", "people", "id", "changes", "clock", "attributes", "fill"]


def check(base: str, url: str, wanted: Wanted = WANTED, **more: Any) -> list[Finding]:
    login = {"bind_dn": READER, "password": READER_PASSWORD}
    settings = ldap.Settings.model_validate({"url": url, "base": base, **login, **more})
    found = list(examine(settings, Path("/"), wanted))
    for finding in found:
        assert finding.found
        assert (finding.exit_code != 0) is (finding.state is State.FAILED)
        assert finding.advice or finding.state in (State.OK, State.SKIPPED), finding
        assert "Quixote" not in finding.found + finding.advice
        assert READER_PASSWORD not in finding.found + finding.advice
    return found


def states(found: list[Finding]) -> dict[str, str]:
    return {finding.step: str(finding.state) for finding in found}


def only(found: list[Finding], state: State) -> Finding:
    (finding,) = [each for each in found if each.state is state]
    return finding


@pytest.fixture
def people(slapd: Slapd, branch: str) -> str:
    """Five people, each with a uid, four with a mail, none with a displayName."""
    for number in range(5):
        more = {"mail": f"quixote{number}@uni.example"} if number else {}
        name = f"uid=Quixote{number},{branch}"
        slapd.modify(ldif(name, objectClass="inetOrgPerson", cn="Quixote", sn="Quixote", **more))
    return branch


# -- well ------------------------------------------------------------------------------------------


def test_a_directory_that_is_well_is_ok_step_by_step(slapd: Slapd, people: str) -> None:
    url = f"ldaps://localhost:{slapd.tls_port}"
    found = check(people, url, Wanted(frozenset({"dn", "uid", "mail"})), ca_file=slapd.ca_file)
    steps = ["name", "tcp", "tls", "bind", *AFTER_LOGIN]
    assert list(states(found)) == steps
    assert {each.state for each in found} == {State.OK}
    assert worst(found) == 0
    words = {each.step: each.found for each in found}
    assert "signed by Test CA; good for" in words["tls"]
    assert "until 2040-01-01" in words["tls"]
    assert "5 entries under" in words["people"]
    assert "; 1 page of up to 1,000 ended well" in words["people"]
    assert re.fullmatch(r"the server's clock is \d s (ahead|behind)", words["clock"])
    assert words["changes"] == "by syncrepl (RFC 4533), deletions and moves among them"
    assert words["attributes"] == "the server's schema has all 2"
    fill = [each.found for each in found if each.step == "fill"]
    assert fill == ["mail: 80 % of 5 people", "uid: 100 % of 5 people"]


def test_start_tls_and_a_certificate_without_ca_file(slapd: Slapd, people: str) -> None:
    url = f"ldap://localhost:{slapd.port}"
    assert worst(check(people, url, start_tls=True, ca_file=slapd.ca_file)) == 0
    found = check(people, url, start_tls=True)
    assert states(found)["tls"] == "failed"
    assert worst(found) == 7


def test_within_this_machine_no_tls_is_no_risk(slapd: Slapd, people: str) -> None:
    (tls,) = [each for each in check(people, slapd.url) if each.step == "tls"]
    assert (tls.state, "no risk within this machine" in tls.found) == (State.OK, True)


def test_groups_are_counted_beside_people(slapd: Slapd, people: str) -> None:
    slapd.modify(ldif(f"cn=g,{people}", objectClass="groupOfNames", cn="g", member=READER))
    search = GroupSearch(people, "(objectClass=groupOfNames)", frozenset({"cn", "member"}))
    found = check(people, slapd.url, Wanted(WANTED.attributes, (search,)))
    assert "1 entries" in next(each.found for each in found if each.step == "groups")
    fill = [each.found for each in found if each.step == "fill"]
    assert fill[-2:] == ["cn: 100 % of 1 groups", "member: 100 % of 1 groups"]


# -- attributes ------------------------------------------------------------------------------------


def test_names_that_the_schema_lacks_are_warned_of_with_the_nearest(
    slapd: Slapd, people: str
) -> None:
    found = check(people, slapd.url, Wanted(frozenset({"uid", "emploieeNumber"})))
    (attribute,) = [each for each in found if each.step == "attributes"]
    assert attribute.state is State.WARNING
    assert attribute.found == "the server has no 'emploieeNumber'"
    assert attribute.advice.startswith("did you mean 'employeeNumber'?")
    assert worst(found) == 0


def test_an_attribute_that_nobody_has_is_warned_of(slapd: Slapd, people: str) -> None:
    warned = only(check(people, slapd.url), State.WARNING)
    assert warned.found == "none of 5 people has displayName"
    assert "let `bind_dn` read it" in warned.advice


# -- nobody answers, or the wrong one --------------------------------------------------------------


def test_a_name_without_address_ends_it(people: str) -> None:
    found = check(people, "ldaps://nowhere.invalid")
    assert only(found, State.FAILED).step == "name"
    skipped = [each.step for each in found if each.state is State.SKIPPED]
    assert skipped == ["tcp", "tls", "bind", *AFTER_LOGIN]
    assert worst(found) == 7


def test_a_port_on_which_nothing_listens_ends_it(people: str) -> None:
    found = check(people, f"ldap://127.0.0.1:{free_port()}")
    failed = only(found, State.FAILED)
    assert (failed.step, "nothing listens on port" in failed.found) == ("tcp", True)
    assert worst(found) == 7


def test_of_several_hosts_one_that_is_down_is_a_warning(slapd: Slapd, people: str) -> None:
    down = f"ldap://127.0.0.1:{free_port()}"
    for urls in (f"{down},{slapd.url}", f"{slapd.url},{down}"):
        found = check(people, urls, Wanted(frozenset({"uid"})))
        assert only(found, State.WARNING).step == "tcp"
        assert worst(found) == 0
    assert worst(check(people, f"{down},{down}")) == 7


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("expired", "its certificate expired on 2024-01-01"),
        ("elsewhere", "its certificate is for other.example, not for localhost"),
        ("unknown", "not signed by an authority that is trusted here"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_ends_it(
    slapd: Slapd, people: str, kind: str, words: str
) -> None:
    slapd.stop()
    slapd.start(kind)
    found = check(people, f"ldaps://localhost:{slapd.tls_port}", ca_file=slapd.ca_file)
    slapd.stop()
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("tls", 7)
    assert words in failed.found
    assert states(found)["bind"] == "skipped"


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (31, State.OK, ""),
        (29, State.WARNING, "this month"),
        (13, State.WARNING, "within two weeks"),
        (6, State.WARNING, "within days"),
    ],
)
def test_a_certificate_that_ends_soon_is_warned_of(days: int, state: State, words: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    end = now + timedelta(days=days, hours=1)
    found = certificate_finding(shown("CN", end), [shown("x", now, "other")], now)
    assert found.state is state
    assert words in found.advice
    assert f"good for {days} days" in found.found


def test_an_authority_that_ends_before_what_it_signed_is_warned_of() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    server = shown("server", now + timedelta(days=90), "CA")
    old, new = (shown("CA", now + timedelta(days=days, hours=1)) for days in (5, 20))
    found = certificate_finding(server, [old, new], now)
    assert (found.state, "good for 20 days" in found.found) == (State.WARNING, True)
    assert "renew the authority's own certificate in `ca_file` this month" in found.advice


def shown(subject: str, end: datetime, issuer: str = "CA") -> dict[str, Any]:
    names = {"subject": subject, "issuer": issuer}
    parts = {key: ((("commonName", name),),) for key, name in names.items()}
    return {**parts, "notAfter": f"{end:%b %d %H:%M:%S %Y GMT}"}


# -- refused ---------------------------------------------------------------------------------------


def test_a_wrong_password_is_tried_once_on_one_host() -> None:
    with fake_ldap() as fake:
        fake.bind_code = 49
        found = check("dc=x", f"{fake.url},{fake.url}")
        assert fake.binds == 1
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("bind", 7)
    assert "`bind_dn` or `password` is wrong" in failed.found
    assert [each.step for each in found if each.state is State.SKIPPED] == AFTER_LOGIN


def test_a_base_that_is_not_there_would_make_a_read_incomplete(slapd: Slapd) -> None:
    found = check(f"ou=nowhere,{SUFFIX}", slapd.url)
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("base", 4)
    assert "noSuchObject" in failed.found
    assert [each.step for each in found if each.state is State.SKIPPED] == AFTER_LOGIN[1:]


def test_lost_rights_look_like_a_base_that_is_not_there(slapd: Slapd, people: str) -> None:
    found = check(people, slapd.url, bind_dn="", password="")
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("base", 4)
    assert "give `bind_dn` the right to see it" in failed.advice


def test_a_size_limit_would_make_a_read_incomplete(slapd: Slapd, people: str) -> None:
    slapd.set_size_limit("3")
    found = check(people, slapd.url, page_size=2)
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("people", 4)
    assert "sizeLimitExceeded (4): let `bind_dn` read without that limit" in failed.found
    assert states(found)["fill"] == "skipped"


def test_a_filter_that_matches_nobody_is_no_company(slapd: Slapd, people: str) -> None:
    found = check(people, slapd.url, filter="(uid=nobody)")
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("people", 4)
    assert "correct `base` or `filter`" in failed.advice


def test_rights_lost_on_an_attribute_show_as_nobody_having_it(slapd: Slapd, people: str) -> None:
    hidden = Wanted(frozenset({"uid", "userPassword"}))
    slapd.modify(
        f"dn: uid=Quixote1,{people}\nchangetype: modify\nadd: userPassword\nuserPassword: x\n"
    )
    found = only(check(people, slapd.url, hidden), State.WARNING)
    assert found.found == "none of 5 people has userPassword"


@pytest.mark.parametrize("after", [0, 20, 300, 20_000, 40_000])
def test_a_connection_cut_at_any_step_fails_that_step_and_skips_the_rest(
    slapd: Slapd, people: str, after: int
) -> None:
    wanted = Wanted(frozenset({"uid"}))
    with proxy(slapd.port) as between:
        # The first of the two connections only asks whether the port answers.
        between.cut_after = [1_000_000, after]
        found = check(people, between.url, wanted)
    failed = only(found, State.FAILED)
    place = found.index(failed)
    assert {each.state for each in found[:place]} == {State.OK}
    assert {each.state for each in found[place + 1 :]} <= {State.SKIPPED}
    assert [each.step for each in found][4:] == AFTER_LOGIN[-len(found[4:]) :]
    assert worst(found) == (7 if failed.step == "bind" else 4)


def test_an_id_that_the_server_does_not_have_is_told(slapd: Slapd, people: str) -> None:
    found = check(people, slapd.url, id="nsUniqueId")
    failed = only(found, State.FAILED)
    assert (failed.step, worst(found)) == ("id", 4)
    assert "5 entries do not show exactly one nsUniqueId" in failed.found


# -- changes ---------------------------------------------------------------------------------------


def test_a_base_whose_changes_are_not_told_is_read_by_its_stamps(
    slapd: Slapd, plain_branch: str
) -> None:
    dn = f"uid=Quixote,{plain_branch}"
    slapd.modify(ldif(dn, objectClass="inetOrgPerson", cn="Quixote", sn="Quixote"))
    told = {each.step: each for each in check(plain_branch, slapd.url)}["changes"]
    assert told.state is State.OK
    assert told.found.startswith(
        "by modifyTimestamp, which each entry shows; deletions by complete"
    )
    assert f"the server does not offer it for {plain_branch}" in told.found


def test_an_id_that_is_not_the_server_s_own_is_read_by_its_stamps(
    slapd: Slapd, people: str
) -> None:
    told = {each.step: each for each in check(people, slapd.url, id="uid")}["changes"]
    assert told.found.endswith("it names entries by entryUUID, which is not what `id` says")


def test_the_way_of_reading_changes_is_told_beside_what_the_server_offers() -> None:
    assert by_stamp(Server(), 0, "none").state is State.OK
    offered = by_stamp(Server(changes="DirSync"), 0, "none")
    assert "DirSync, which the server offers, is not" in offered.found
    warned = by_stamp(Server(), 3, "none")
    assert warned.state is State.WARNING
    assert "3 entries show no modifyTimestamp, so every read reads everything" in warned.found


# -- clock -----------------------------------------------------------------------------------------

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("theirs", "newest", "state", "words"),
    [
        (NOW + timedelta(seconds=299), "", State.OK, "299 s ahead"),
        (NOW + timedelta(seconds=301), "", State.WARNING, "301 s ahead"),
        (NOW - timedelta(seconds=301), "", State.WARNING, "301 s behind"),
        (None, "20260101120400", State.OK, "not in the future"),
        (None, "20260101120600", State.WARNING, "360 s in the future"),
        (None, "", State.SKIPPED, "does not tell its time"),
    ],
)
def test_clocks_more_than_300_seconds_apart_are_warned_of(
    theirs: datetime | None, newest: str, state: State, words: str
) -> None:
    found = clock(theirs, newest, NOW)
    assert found.state is state
    assert re.search(words, found.found)
    assert bool(found.advice) is (state is State.WARNING)


# -- what servers say of themselves ----------------------------------------------------------------


class Saying:
    """A connection to a server that shows these entries and no others."""

    def __init__(self, **entries: dict[str, list[bytes]]) -> None:
        self.entries = entries
        self.strategy = SimpleNamespace(decoder="of the search before")

    def search(self, name: str, *_: Any, **__: Any) -> None:
        assert self.strategy.decoder is None
        shown = self.entries.get(name or "root")
        self.result = {"result": 0 if shown is not None else 32}
        self.response = [{"type": "searchResEntry", "raw_attributes": shown}] if shown else []


def test_what_a_server_offers_is_understood() -> None:
    root = {
        "supportedControl": [b"1.2.840.113556.1.4.319", b"2.16.840.1.113730.3.4.3"],
        "subschemaSubentry": [b"schema"],
    }
    schema = {"attributeTypes": [
        b"( 0.9.2342.19200300.100.1.3 NAME ( 'mail' 'rfc822Mailbox' ) EQUALITY x )",
        b"( 2.5.4.12 NAME 'title' SUP name )",
        b"( 1.2.3 SYNTAX y )",
    ]}  # fmt: skip
    monitor = {"currenttime": [b"20260101120000Z"]}
    said = server(Saying(root=root, schema=schema, **{"cn=monitor": monitor}))
    assert said == Server(
        pages=True,
        changes="persistent search",
        attribute_types=frozenset({"mail", "rfc822Mailbox", "title"}),
        time=datetime(2026, 1, 1, 12, tzinfo=UTC),
    )


def test_a_server_that_says_nothing_offers_nothing() -> None:
    assert server(Saying()) == Server()
    assert server(Saying(root={})) == Server()
    assert server(Saying(root={"currentTime": [b"now"]})) == Server()
