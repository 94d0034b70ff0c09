"""Changes by modifyTimestamp, from a database that tells them in no other way."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from bridge.model import Verdict
from bridge.sources import ldap
from tests.servers.slapd import PLAIN, Slapd, ldif
from tests.sources.contract import PEOPLE, Reading, SourceContract, World
from tests.sources.slapd_world import Directory, uids, unit


@pytest.fixture
def world(slapd: Slapd, plain_branch: str) -> Directory:
    return Directory(slapd, plain_branch)


class TestContract(SourceContract):
    def test_a_cookie_of_an_unchanged_source_leads_to_no_entries(self, world: World) -> None:
        """A stamp of a whole second may be given twice: what bears the newest comes again."""
        world.hold(PEOPLE)
        first = Reading(world.source())
        again = Reading(world.source(), first.cookie)
        assert {key: entry.fingerprint for key, entry in again.entries.items()}.items() <= {
            key: entry.fingerprint for key, entry in first.entries.items()
        }.items()
        assert (again.verdict, again.gone) == (Verdict(complete=True), set())


def set_stamps(world: Directory, people: Mapping[str, str]) -> None:
    """Load people with a modifyTimestamp of their own, as only the root of a stopped server can."""
    world.server.stop()
    world.server.load(
        "".join(
            ldif(f"uid={uid},{world.base}", objectClass="inetOrgPerson", uid=uid, cn=uid, sn=uid,
                 modifyTimestamp=stamp)
            for uid, stamp in people.items()
        ),
        PLAIN,
    )  # fmt: skip
    world.server.start()


STAMPS = {"old": "20200101000000Z", "new": "20200601120000Z", "close": "20200601115955Z"}


def test_only_what_was_modified_since_is_read_by_the_stamps_of_the_server(
    world: Directory,
) -> None:
    set_stamps(world, STAMPS)
    whole = Reading(world.open())
    assert uids(whole) == ["old", "new", "close"]
    changes = Reading(world.open(), whole.cookie)
    assert sorted(uids(changes)) == ["close", "new"]
    assert changes.verdict == Verdict(complete=True, whole=False)
    world.server.modify(
        f"dn: uid=old,{world.base}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n"
    )
    after = Reading(world.open(), changes.cookie)
    assert sorted(uids(after)) == ["close", "new", "renamed"]
    assert after.entries.keys() <= whole.entries.keys()
    assert uids(Reading(world.open(), after.cookie)) == ["renamed"]


def test_a_move_within_the_scope_and_a_lock_are_changes(world: Directory) -> None:
    inner = unit(world, "inner")
    set_stamps(world, STAMPS)
    whole = Reading(world.open())
    world.server.modify(
        f"dn: uid=old,{world.base}\nchangetype: modrdn\nnewrdn: uid=old\ndeleteoldrdn: 0\n"
        f"newsuperior: {inner}\n\n"
        f"dn: uid=close,{world.base}\nchangetype: modify\nadd: pwdAccountLockedTime\n"
        "pwdAccountLockedTime: 000001010000Z\n"
    )
    cookie = Reading(world.open(), whole.cookie).cookie
    assert {entry.ref for entry in Reading(world.open(), cookie).read} == {
        f"uid=old,{inner}".lower(),
        f"uid=close,{world.base}".lower(),
    }


@pytest.mark.parametrize(
    ("pages", "start"),
    [
        ([(0.5, "20260615120000")], "20260615115949"),
        ([(3600, "20260615120000")], "20260615105950"),
        ([(1, "20260615115000"), (3600, "20260615120000")], "20260615114949"),
        ([(1, "20200101000000"), (60, "20260615120000")], "20260615115850"),
        ([(1, "")], ""),
    ],
)
def test_a_read_reaches_back_to_its_own_beginning_however_long_it_took(
    monkeypatch: pytest.MonkeyPatch, pages: list[tuple[float, str]], start: str
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    clock = ldap._ServerClock(None)
    for seconds, stamp in pages:
        monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: seconds)
        clock.saw(stamp)
    assert clock.start == start


def test_where_nobody_has_a_stamp_every_read_is_whole(world: Directory) -> None:
    first = Reading(world.open())
    assert first.verdict == Verdict(complete=True, whole=True)
    assert Reading(world.open(), first.cookie).verdict == Verdict(complete=True, whole=True)
