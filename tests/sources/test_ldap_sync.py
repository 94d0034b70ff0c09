"""Changes as RFC 4533 has a real slapd tell them: by its log, and without one after a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import SourceUnavailable
from bridge.model import GroupSearch, Verdict, Wanted
from bridge.sources import ldap
from bridge.sources.ldap_follow import State
from tests.servers.proxy import proxy
from tests.servers.slapd import Slapd, ldif
from tests.sources.contract import COMPLETE, PEOPLE, Reading
from tests.sources.slapd_world import WANTED, Directory, settings, uids, unit

CHANGES = Verdict(complete=True)


@pytest.fixture
def world(slapd: Slapd, branch: str) -> Directory:
    return Directory(slapd, branch)


def under(world: Directory, base: str | list[str], **more: Any) -> ldap.LdapSource:
    """A source of people under a unit, or several, alone."""
    return ldap.open(settings(base, world.server.url, **more), Path("/"), WANTED)


def known(source: ldap.LdapSource, cookie: bytes | None) -> State | str | None:
    return ldap._Read(source, source.settings.hosts[0], cookie).since


def state(source: ldap.LdapSource, cookie: bytes | None) -> State:
    found = known(source, cookie)
    assert isinstance(found, State)
    return found


def cookie(source: ldap.LdapSource, state: State) -> bytes:
    """The cookie by which a state is found again."""
    return ldap._Read(source, source.settings.hosts[0], None)._cookie(state)


def change(world: Directory, dn: str, *lines: str) -> None:
    world.server.modify("\n".join((f"dn: {dn}", *lines, "")))


def move(world: Directory, dn: str, below: str) -> None:
    rdn = dn.partition(",")[0]
    change(world, dn, "changetype: modrdn", f"newrdn: {rdn}", "deleteoldrdn: 0",
           f"newsuperior: {below}")  # fmt: skip


def somebody(world: Directory, uid: str, below: str) -> None:
    world.server.modify(ldif(f"uid={uid},{below}", objectClass="inetOrgPerson", cn="x", sn="x"))


def restart(world: Directory) -> None:
    world.server.stop()
    world.server.start()


# -- the log ---------------------------------------------------------------------------------------


def test_who_came_changed_and_went_is_told_without_anybody_else(world: Directory) -> None:
    world.hold(PEOPLE[:50])
    before = Reading(world.open())
    assert before.verdict == COMPLETE
    world.hold([*PEOPLE[:3], {**PEOPLE[3], "mail": "new@example.com"}, *PEOPLE[5:51]])
    change(world, f"uid=P7,{world.base}", "changetype: modrdn", "newrdn: uid=renamed",
           "deleteoldrdn: 1")  # fmt: skip
    after = Reading(world.open(), before.cookie)
    assert sorted(uids(after)) == ["P3", "P50", "renamed"]
    assert [before.entries[key].attributes["uid"] for key in after.gone] == ["P4"]
    assert after.verdict == CHANGES
    again = Reading(world.open(), after.cookie)
    assert (again.read, again.gone, again.verdict) == ([], set(), CHANGES)


def test_who_is_moved_out_of_the_scope_or_of_the_filter_is_gone_and_comes_back(
    world: Directory,
) -> None:
    inside, outside = unit(world, "inside"), unit(world, "outside")
    for uid in ("ann", "bob", "cleo", "dan"):
        somebody(world, uid, inside)
    filter = "(&(objectClass=inetOrgPerson)(!(title=x)))"
    source = under(world, inside, filter=filter)
    first = Reading(source)
    move(world, f"uid=ann,{inside}", outside)
    change(world, f"uid=bob,{inside}", "changetype: modify", "add: title", "title: x")
    change(world, f"uid=dan,{inside}", "changetype: delete")
    gone = Reading(source, first.cookie)
    assert (gone.read, gone.verdict) == ([], CHANGES)
    named = {first.entries[key].attributes["uid"]: key for key in gone.gone}
    assert sorted(named) == ["ann", "bob", "dan"]
    assert gone.batches[-1].outside == sorted((named["ann"], named["bob"]))
    world.server.deny(f'dn.subtree="{outside}"')
    assert Reading(source, first.cookie).batches[-1].outside == [named["bob"]], "as far as is shown"
    world.server.deny()
    move(world, f"uid=ann,{outside}", inside)
    change(world, f"uid=bob,{inside}", "changetype: modify", "delete: title")
    back = Reading(source, gone.cookie)
    assert (back.entries.keys(), back.gone) == ({named["ann"], named["bob"]}, set())


def test_each_kind_of_groups_tells_its_own_and_no_person_is_taken_for_a_group(
    world: Directory,
) -> None:
    world.hold(PEOPLE[:3])
    member = f"uid=P0,{world.base}"
    for name in ("vpn", "vpn2", "wiki"):
        world.server.modify(
            ldif(f"cn={name},{world.base}", objectClass="groupOfNames", member=member)
        )
    groups = tuple(
        GroupSearch(world.base, filter, frozenset({"cn"}))
        for filter in ("(cn=vpn*)", "(objectClass=groupOfNames)")
    )
    source = world.open(replace(WANTED, groups=groups))
    first = Reading(source)
    assert len(first.entries) == 8
    change(world, f"cn=vpn,{world.base}", "changetype: delete")
    change(world, f"cn=wiki,{world.base}", "changetype: modify", "replace: member",
           f"member: uid=P1,{world.base}")  # fmt: skip
    change(world, f"uid=P2,{world.base}", "changetype: delete")
    after = Reading(source, first.cookie)
    gone = {key for key in first.entries if key in after.gone}
    assert sorted(first.entries[key].attributes.get("cn", "P2") for key in gone) == [
        "P2", "vpn", "vpn",
    ]  # fmt: skip
    assert [entry.attributes["cn"] for entry in after.read] == ["wiki"]
    assert after.verdict == CHANGES


def test_whoever_moves_from_one_base_to_another_is_there_all_the_time(world: Directory) -> None:
    staff, guests = unit(world, "staff"), unit(world, "guests")
    for number in range(3):
        somebody(world, f"u{number}", staff)
    source = under(world, [staff, guests])
    first = Reading(source)
    move(world, f"uid=u0,{staff}", guests)
    after = Reading(source, first.cookie)
    assert (uids(after), after.gone) == (["u0", "u0"], set())
    # As if it had moved between the two searches of the first read: the second tells nothing.
    old, new = state(source, first.cookie), state(source, after.cookie)
    between = State((old.cookies[0], *new.cookies[1:]), new.seen, new.units)
    raced = Reading(source, cookie(source, between))
    assert (uids(raced), raced.gone, raced.verdict) == (["u0"], set(), CHANGES)


def test_a_lock_by_the_server_itself_is_a_change(slapd: Slapd, world: Directory) -> None:
    dn = f"uid=ann,{world.base}"
    slapd.modify(ldif(dn, objectClass="inetOrgPerson", cn="x", sn="x", userPassword="right"))
    source = world.open(Wanted(frozenset({"pwdAccountLockedTime"})))
    first = Reading(source)
    for _ in range(20):
        slapd.try_to_log_in(dn, "wrong")
    (entry,) = Reading(source, first.cookie).read
    assert entry.attributes["pwdAccountLockedTime"].endswith("Z")


def test_a_unit_that_is_moved_or_renamed_is_a_reason_to_read_everything(world: Directory) -> None:
    inside, outside = unit(world, "inside"), unit(world, "outside")
    team = f"ou=team,{inside}"
    world.server.modify(ldif(team, objectClass="organizationalUnit"))
    somebody(world, "ann", team)
    somebody(world, "bob", inside)
    source = under(world, inside)
    first = Reading(source)
    change(world, team, "changetype: modrdn", "newrdn: ou=squad", "deleteoldrdn: 1")
    renamed = Reading(source, first.cookie)
    assert renamed.verdict == COMPLETE
    assert f"uid=ann,ou=squad,{inside}" in [entry.attributes["dn"] for entry in renamed.read]
    move(world, f"ou=squad,{inside}", outside)
    left = Reading(source, renamed.cookie)
    assert (uids(left), left.verdict) == (["bob"], COMPLETE)
    move(world, f"ou=squad,{outside}", inside)
    back = Reading(source, left.cookie)
    assert (sorted(uids(back)), back.verdict) == (["ann", "bob"], COMPLETE)


def test_a_deletion_is_no_reason_to_read_everything(world: Directory) -> None:
    unit(world, "empty")
    world.hold(PEOPLE[:5])
    first = Reading(world.open())
    world.hold(PEOPLE[:4])
    assert Reading(world.open(), first.cookie).verdict == CHANGES


def test_a_change_read_asks_for_as_much_of_a_large_directory_as_of_a_small_one(
    world: Directory,
) -> None:
    for size in (10, 2000):
        world.hold(PEOPLE[:size])
        with proxy(world.server.port) as between:
            source = world.open(url=between.url)
            first = Reading(source)
            world.server.modify(world.modification({**PEOPLE[0], "mail": f"{size}@e.example"}))
            between.cut_after = [2_000]
            after = Reading(source, first.cookie)
            assert (len(after.read), after.verdict) == (1, CHANGES)
            assert between.connections == 2


def test_more_changes_than_are_taken_at_once_are_read_page_by_page(
    world: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.sources.ldap_sync._MOST", 20)
    world.hold(PEOPLE[:30])
    first = Reading(world.open())
    world.hold([{**each, "mail": "new@example.com"} for each in PEOPLE[:21]] + PEOPLE[21:30])
    many = Reading(world.open(page_size=10), first.cookie)
    assert (len(many.entries), many.verdict) == (30, COMPLETE)
    world.hold([{**each, "mail": "old@example.com"} for each in PEOPLE[:20]] + PEOPLE[21:30])
    assert Reading(world.open(), many.cookie).verdict == CHANGES


# -- no log ----------------------------------------------------------------------------------------


def test_after_a_restart_who_is_present_is_told_and_the_others_are_gone(world: Directory) -> None:
    world.hold(PEOPLE[:2499])
    first = Reading(world.open())
    world.hold([{**PEOPLE[0], "mail": "new@example.com"}, *PEOPLE[2:]])
    restart(world)
    after = Reading(world.open(), first.cookie)
    assert sorted(uids(after)) == ["P0", "P2499"]
    assert after.verdict == COMPLETE
    present = [key for batch in after.batches for key in batch.present]
    assert len(present) == 2497
    assert max(len(batch.present) for batch in after.batches) <= 1000
    left = first.entries.keys() - present - after.entries.keys()
    assert [first.entries[key].attributes["uid"] for key in left] == ["P1"]
    world.hold(PEOPLE[2:])
    again = Reading(world.open(), after.cookie)
    assert ([first.entries[key].attributes["uid"] for key in again.gone], again.verdict) == (
        ["P0"], CHANGES,
    )  # fmt: skip


def test_nobody_is_named_present_before_all_that_are_present_are_known(world: Directory) -> None:
    world.hold(PEOPLE[:1000])
    with proxy(world.server.port) as between:
        source = world.open(url=between.url)
        first = Reading(source)
        restart(world)
        between.cut_after = [8_000] * 3
        broken = Reading(source, first.cookie)
    assert broken.verdict is not None
    assert not broken.verdict.complete
    assert not any(batch.present for batch in broken.batches)
    assert broken.cookie == first.cookie


def test_where_nobody_is_present_any_more_everything_is_read(world: Directory) -> None:
    world.hold(PEOPLE[:3])
    first = Reading(world.open())
    world.hold([])
    restart(world)
    after = Reading(world.open(), first.cookie)
    assert (after.read, after.verdict) == ([], COMPLETE)
    assert not any(batch.present for batch in after.batches)


# -- cookies ---------------------------------------------------------------------------------------


def test_a_cookie_with_any_byte_damaged_is_none(world: Directory) -> None:
    source = world.open()
    good = Reading(source).cookie or b""
    assert known(source, good) is not None
    for at in range(len(good)):
        assert known(source, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]) is None
        assert known(source, good[:at]) is None


@pytest.mark.parametrize(
    "csn",
    [
        b"rid=000,csn=20200101000000.000000Z#000000#000#000000",
        b"rid=000,csn=20990101000000.000000Z#000000#000#000000",
        b"rid=000,csn=20260101000000.000000Z#000000#007#000000",
        b"what another kind of server wrote",
    ],
    ids=["old", "of a restored server", "of another server", "foreign"],
)
def test_a_cookie_that_the_server_does_not_know_never_leads_to_no_changes(
    world: Directory, csn: bytes
) -> None:
    """Everything is read, or told to be present, or told as changed; and whoever left is known."""
    world.hold(PEOPLE[:5])
    source = world.open()
    first = Reading(source)
    before = state(source, first.cookie)
    foreign = cookie(source, replace(before, cookies=(csn,) * len(before.cookies)))
    world.hold([{**PEOPLE[0], "mail": "new@example.com"}, *PEOPLE[2:5]])
    after = Reading(source, foreign)
    present = {key for batch in after.batches for key in batch.present}
    assert after.verdict == COMPLETE
    assert len(after.entries.keys() | present) == 4


def test_a_server_that_no_longer_tells_changes_is_read_by_modifytimestamp(
    slapd: Slapd, plain_branch: str
) -> None:
    world = Directory(slapd, plain_branch)
    world.hold(PEOPLE[:5])
    source = world.open()
    after = Reading(source, cookie(source, State((b"rid=000",) * 2, (True,), "")))
    assert (len(after.read), after.verdict) == (5, COMPLETE)
    assert "since" in json.loads(after.cookie or b"")
    assert Reading(source, after.cookie).verdict == CHANGES


def test_an_id_that_changes_are_not_told_by_is_read_by_modifytimestamp(world: Directory) -> None:
    for number in range(3):
        world.server.modify(ldif(f"uid=u{number},{world.base}", objectClass="inetOrgPerson",
                                 cn="x", sn="x", employeeNumber=str(number)))  # fmt: skip
    first = Reading(world.open(id="employeeNumber"))
    assert "since" in json.loads(first.cookie or b"")


def test_failover_to_another_host_leads_to_a_whole_read(world: Directory) -> None:
    world.hold(PEOPLE[:5])
    here, there = world.server.url, f"ldap://localhost:{world.server.port}"
    with proxy(world.server.port) as between:
        source = world.open(url=f"{between.url},{there}")
        first = Reading(source)
        assert Reading(source, first.cookie).verdict == CHANGES
    other = Reading(source, first.cookie)
    assert other.verdict == COMPLETE
    assert Reading(source, other.cookie).verdict == CHANGES
    assert Reading(world.open(url=here), other.cookie).verdict == COMPLETE


# -- rights and limits -----------------------------------------------------------------------------


def test_without_rights_a_read_of_changes_is_incomplete_at_once(world: Directory) -> None:
    world.hold(PEOPLE[:5])
    first = Reading(world.open())
    world.server.deny("*")
    after = Reading(world.open(), first.cookie)
    assert after.verdict is not None
    assert not after.verdict.complete
    assert "may not see it" in after.verdict.reason
    assert after.cookie == first.cookie


@pytest.mark.parametrize(
    "hidden", ['dn.children="{base}"', 'dn.children="{base}" attrs=objectClass']
)
def test_where_everybody_is_hidden_nobody_is_said_to_be_gone(world: Directory, hidden: str) -> None:
    world.hold(PEOPLE[:5])
    first = Reading(world.open())
    world.server.deny(hidden.format(base=world.base))
    world.server.modify(world.modification({**PEOPLE[0], "mail": "new@example.com"}))
    after = Reading(world.open(), first.cookie)
    assert (after.read, after.gone, after.verdict) == ([], set(), COMPLETE)


def test_where_no_group_ever_was_a_departure_is_no_reason_to_read_everything(
    world: Directory,
) -> None:
    world.hold(PEOPLE[:5])
    groups = GroupSearch(world.base, "(objectClass=groupOfNames)", frozenset({"cn"}))
    source = world.open(replace(WANTED, groups=(groups,)))
    first = Reading(source)
    world.hold(PEOPLE[:4])
    after = Reading(source, first.cookie)
    assert (len(after.gone & first.entries.keys()), after.verdict) == (1, CHANGES)
    group = ldif(f"cn=g,{world.base}", objectClass="groupOfNames", member=world.base)
    world.server.modify(group)
    founded = Reading(source, after.cookie)
    world.server.modify(f"dn: cn=g,{world.base}\nchangetype: delete\n")
    assert Reading(source, founded.cookie).verdict == COMPLETE


def test_an_emptied_unit_is_told_one_by_one_as_long_as_somebody_is_left(world: Directory) -> None:
    world.hold(PEOPLE[:20])
    first = Reading(world.open())
    world.hold(PEOPLE[:1])
    after = Reading(world.open(), first.cookie)
    assert (len(first.entries.keys() & after.gone), after.verdict) == (19, CHANGES)
    world.hold([])
    assert Reading(world.open(), after.cookie).verdict == COMPLETE


def test_a_size_limit_under_the_number_of_changes_is_incomplete_until_it_is_lifted(
    world: Directory,
) -> None:
    world.hold(PEOPLE[:30])
    first = Reading(world.open())
    world.hold([{**each, "mail": "new@example.com"} for each in PEOPLE[:30]])
    world.server.set_size_limit("10")
    limited = Reading(world.open(page_size=5), first.cookie)
    assert limited.verdict is not None
    assert "sizeLimitExceeded" in limited.verdict.reason
    world.server.set_size_limit("unlimited")
    whole = Reading(world.open(), limited.cookie)
    assert (len(whole.entries), whole.verdict) == (30, COMPLETE)


# -- reads that break ------------------------------------------------------------------------------

BYTES = pytest.mark.parametrize("size", [0, 10, 250, 600, 1200, 2500, 5000, 9000])
"""After how many bytes a connection is cut: at the bind, before, between and within answers."""


def changed(world: Directory, url: str) -> tuple[ldap.LdapSource, Reading]:
    """A source behind a proxy, and a read of it after which a hundred changed and ten went."""
    world.hold(PEOPLE[:150])
    source = world.open(url=url)
    first = Reading(source)
    world.hold([{**each, "mail": "new@example.com"} for each in PEOPLE[:100]] + PEOPLE[110:150])
    return source, first


@BYTES
def test_a_read_of_changes_that_is_cut_starts_over(world: Directory, size: int) -> None:
    with proxy(world.server.port) as between:
        source, first = changed(world, between.url)
        between.cut_after = [size]
        if size < 20:
            with pytest.raises(SourceUnavailable):  # nobody was logged in
                Reading(source, first.cookie)
        after = Reading(source, first.cookie)
    assert (len(after.entries), len(after.gone & first.entries.keys())) == (100, 10)
    assert after.verdict == CHANGES


@BYTES
def test_a_read_of_changes_that_is_cut_again_and_again_tells_nothing(
    world: Directory, size: int
) -> None:
    with proxy(world.server.port) as between:
        source, first = changed(world, between.url)
        between.cut_after = [size] * 3
        try:
            after = Reading(source, first.cookie)
        except SourceUnavailable:
            assert size < 20
            return
    assert after.verdict is not None
    assert not after.verdict.complete
    assert "the connection was lost" in after.verdict.reason
    assert (after.read, after.gone, after.cookie) == ([], set(), first.cookie)


def test_a_server_that_falls_silent_in_the_midst_of_changes_tells_nothing(
    world: Directory,
) -> None:
    with proxy(world.server.port) as between:
        source, first = changed(world, between.url)
        between.stall_after = 5000
        settings = source.settings.model_copy(update={"timeout": timedelta(seconds=1)})
        after = Reading(replace(source, settings=settings), first.cookie)
    assert after.verdict is not None
    assert "the server fell silent" in after.verdict.reason
    assert (after.read, after.gone, after.cookie) == ([], set(), first.cookie)
