"""Whatever happens in a real directory, a read of changes finds all that a complete read finds.

The mappings are the examples with host, base and password changed: the one that is written out and
the one that the bridge ships, which extends a preset. What they limit stays limited. A day passes
with each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.store import Store
from tests.servers.slapd import ldif
from tests.sync.conftest import Company
from tests.sync.university import University, uni

__all__ = ["uni"]

SHIPPED = Path(__file__).parents[2] / "mappings/openldap.yaml.example"
LOCKED = "000001010000Z"
SEEDS = 10
STEPS = 30
PEOPLE = ("ann", "bob", "cleo", "dan", "eve", "fay")
GROUPS = ("inner", "middle", "outer")


@dataclass
class Person:
    """Somebody who is or was in the directory."""

    uid: str
    dn: str
    mail: str
    uuid: str = ""
    shown: str = ""
    """The mail when they were last in the scope."""
    locked: bool = False
    expires: date | None = None
    nologin: bool = False
    guest: bool = False
    place: str = "people"
    """``people``, ``team`` (a unit among them), ``outside`` or, deleted, ``nowhere``."""


@dataclass
class Model:
    """What the directory should come to, kept by the plainest means."""

    uni: University
    chance: Random
    people: dict[str, Person] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    """By the first name of a group: uids, and first names of groups."""
    called: dict[str, str] = field(default_factory=dict)
    """By the first name of a group: its name now."""
    named: dict[str, str] = field(default_factory=dict)
    """The DN of a member when it was made one: the directory goes on calling it so."""
    shipped: bool = False
    """Whether the mapping is the shipped one: it counts the day of shadowExpire as past, and no
    login shell."""
    team_is_out: bool = False
    step: int = 0

    # -- what it should look like ------------------------------------------------------------------

    @property
    def today(self) -> date:
        return self.uni.company.now.date()

    def is_there(self, person: Person) -> bool:
        return person.place == "people" or (person.place == "team" and not self.team_is_out)

    def is_active(self, person: Person) -> bool:
        end = self.today if self.shipped else self.today - timedelta(days=1)
        expired = person.expires is not None and person.expires <= end
        nologin = person.nologin and not self.shipped
        stopped = person.locked or expired or nologin or person.guest
        return self.is_there(person) and not stopped

    def expected(self) -> dict[str, tuple[str, bool]]:
        """Mail and activity of everybody ever served."""
        for each in self.people.values():
            if self.is_there(each) and not each.guest:
                each.shown = each.mail
        return {each.uid: (each.shown, self.is_active(each)) for each in self.people.values()}

    def expected_members(self) -> dict[str, set[str]]:
        return {self.called[first]: self._in(first) for first in self.members}

    def _in(self, first: str) -> set[str]:
        """Everybody at any depth who is served as one who is there."""
        seen, pending = {first}, [first]
        while pending:
            for each in self.members.get(pending.pop(), ()):
                if each not in seen:
                    seen.add(each)
                    pending.append(each)
        people = (self.people[each] for each in seen if each in self.people)
        return {each.uid for each in people if self.is_there(each) and not each.guest}

    # -- what happens ------------------------------------------------------------------------------

    def below(self, place: str) -> str:
        team = self.uni.branch if self.team_is_out else self.uni.people
        return {
            "people": self.uni.people,
            "team": f"ou=team,{team}",
            "outside": f"ou=outside,{self.uni.branch}",
        }[place]

    def dn(self, person: Person) -> str:
        return f"{person.dn.partition(',')[0]},{self.below(person.place)}"

    def join(self, uid: str) -> None:
        person = Person(uid, f"cn={uid},{self.uni.people}", f"{uid}@uni.example")
        there = sorted(each.uid for each in self.people.values() if each.place == "people")
        more = {"manager": self.dn(self.people[self.chance.choice(there)])} if there else {}
        self.uni.slapd.modify(self._entry(person, **more))
        said = self.uni.slapd.search(person.dn, "entryUUID")
        person.uuid = said.partition("entryUUID: ")[2].split()[0]
        self.people[uid] = person

    def _entry(self, person: Person, **more: str) -> str:
        return ldif(
            person.dn, objectClass=("inetOrgPerson", "eduPerson", "posixAccount", "shadowAccount"),
            uid=person.uid, cn=person.dn[3:].partition(",")[0], sn=person.uid, givenName="Given",
            mail=person.mail, eduPersonAffiliation="staff", uidNumber="1", gidNumber="1",
            homeDirectory="/", **more,
        )  # fmt: skip

    def leave(self, person: Person) -> None:
        self.uni.change(self.dn(person), "changetype: delete")
        person.place = "nowhere"

    def restore(self, person: Person) -> None:
        """Bring somebody back as a backup does: with the same id, and as they were at first."""
        first = Person(person.uid, f"cn={person.uid}-{self.step},{self.uni.people}",
                       f"{person.uid}@uni.example", person.uuid, person.shown)  # fmt: skip
        self.uni.slapd.restore(self._entry(first, entryUUID=first.uuid))
        self.people[person.uid] = first

    def replace(self, person: Person, name: str, *values: str) -> None:
        lines = (f"{name}: {value}" for value in values)
        self.uni.change(self.dn(person), "changetype: modify", f"replace: {name}", *lines)

    def lock(self, person: Person) -> None:
        person.locked = not person.locked
        self.replace(person, "pwdAccountLockedTime", *([LOCKED] if person.locked else []))

    def shell(self, person: Person) -> None:
        person.nologin = not person.nologin
        self.replace(person, "loginShell", "/bin/false" if person.nologin else "/bin/sh")

    def affiliation(self, person: Person) -> None:
        person.guest = not person.guest
        self.replace(person, "eduPersonAffiliation", "affiliate" if person.guest else "staff")

    def expire(self, person: Person) -> None:
        """Some days ahead, in the past, or never."""
        days = self.chance.choice((None, -1, 1, 2))
        person.expires = None if days is None else self.today + timedelta(days)
        number = -1 if person.expires is None else (person.expires - date(1970, 1, 1)).days
        self.replace(person, "shadowExpire", str(number))

    def mail(self, person: Person) -> None:
        person.mail = f"{person.uid}{self.step}@uni.example"
        self.replace(person, "mail", person.mail)

    def rename(self, person: Person, place: str = "") -> None:
        old, rdn = self.dn(person), f"cn={person.uid}-{self.step}"
        person.place = place or person.place
        person.dn = f"{rdn},{self.below(person.place)}"
        self.uni.change(old, "changetype: modrdn", f"newrdn: {rdn}", "deleteoldrdn: 1",
                        f"newsuperior: {self.below(person.place)}")  # fmt: skip

    def team(self) -> None:
        """Move a unit out of the scope with everybody in it, or back."""
        old = self.below("team")
        self.team_is_out = not self.team_is_out
        above = self.below("team").partition(",")[2]
        self.uni.change(old, "changetype: modrdn", "newrdn: ou=team", "deleteoldrdn: 0",
                        f"newsuperior: {above}")  # fmt: skip

    def found(self, first: str, *members: str) -> None:
        # Never by a name that another one had, which members may still be listed by.
        self.members[first], self.called[first] = set(), f"{first}-{self.step}"
        self.uni.group(self.called[first], "cn=nobody,dc=elsewhere")
        for member in members:
            self.add(first, member)

    def add(self, first: str, member: str) -> None:
        if member in self.people:
            dn = self.dn(self.people[member])
        else:
            dn = self.uni.group_dn(self.called[member])
        self.named[f"{first} {member}"] = dn
        self.uni.join(self.called[first], dn)
        self.members[first].add(member)

    def take(self, first: str, member: str) -> None:
        self.uni.leave(self.called[first], self.named[f"{first} {member}"])
        self.members[first].remove(member)

    def call(self, first: str) -> None:
        old, self.called[first] = self.called[first], f"{first}-{self.step}"
        self.uni.change(self.uni.group_dn(old), "changetype: modrdn",
                        f"newrdn: cn={self.called[first]}", "deleteoldrdn: 1")  # fmt: skip

    def disband(self, first: str) -> None:
        """Delete a group; another one takes its place in the next steps."""
        self.uni.change(self.uni.group_dn(self.called[first]), "changetype: delete")
        del self.members[first], self.called[first]
        for others in self.members.values():
            others.discard(first)

    def restart(self) -> None:
        """Have the server lose its log of changes."""
        self.uni.slapd.stop()
        self.uni.slapd.start()

    def choices(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What may happen next, each with its name."""
        yield f"join new{self.step}", partial(self.join, f"new{self.step}")
        yield "restart", self.restart
        yield "team", self.team
        # More than one at a time would be held, coming and going.
        team = any(each.place == "team" for each in self.people.values())
        there = [each for each in self.people.values() if each.place != "nowhere"]
        changes = (self.lock, self.shell, self.affiliation, self.expire, self.mail, self.rename)
        for person in there:
            for change in changes:
                yield f"{change.__name__} {person.uid}", partial(change, person)
            if person.uid == PEOPLE[0]:
                continue  # somebody has to stay: a directory of nobody at all is not believed
            places = {"people", "outside"} if team else {"people", "team", "outside"}
            for place in places - {person.place}:
                yield f"move {person.uid} to {place}", partial(self.rename, person, place)
            yield f"leave {person.uid}", partial(self.leave, person)
        for person in self.people.values():
            if person.place == "nowhere":
                yield f"restore {person.uid}", partial(self.restore, person)
        for number, first in enumerate(GROUPS):
            if first not in self.members:
                yield f"found {first}", partial(self.found, first)
                continue
            yield f"call {first}", partial(self.call, first)
            if len(self.members) > 2:
                yield f"disband {first}", partial(self.disband, first)
            for member in (*self.people, *GROUPS[:number]):
                if member in self.members[first]:
                    yield f"take {member} from {first}", partial(self.take, first, member)
                elif self.can_be_named(member):
                    yield f"add {member} to {first}", partial(self.add, first, member)

    def can_be_named(self, member: str) -> bool:
        """Whether a member's DN is one that is read: what another one is called nobody can say."""
        person = self.people.get(member)
        return member in self.members if person is None else self.is_there(person)

    def happen(self) -> str:
        """Let something happen, each kind of it as likely as any other, and a day go by."""
        self.step += 1
        self.uni.company.now += timedelta(days=1)
        choices = dict(sorted(self.choices()))
        kind = self.chance.choice(sorted({name.partition(" ")[0] for name in choices}))
        name = self.chance.choice([name for name in choices if name.partition(" ")[0] == kind])
        choices[name]()
        return name


def ship(uni: University) -> None:
    """Put the shipped example in the place of the one that is written out."""
    text = SHIPPED.read_text()
    for old, new in (
        ("ldaps://ldap1.uni.example, ldaps://ldap2.uni.example", uni.slapd.url),
        ("base: ou=people,dc=uni,dc=example", f"base: {uni.people}"),
        ("base: ou=okta,ou=groups,dc=uni,dc=example", f"base: {uni.groups}"),
        ("${file:/run/secrets/ldap}", "${env:TEST_LDAP_PASSWORD}"),
        ("version: 1\n", "version: 1\nlimits: { first_load: publish }\n"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (uni.company.mappings / "uni.yaml").write_text(text)
    uni.company.name = "uni"


@pytest.fixture
def whole(uni: University, tmp_path: Path) -> Iterator[Company]:
    """The same company, read whole every time."""
    (tmp_path / "whole").mkdir()
    store = Store.open(f"sqlite:///{tmp_path}/whole/bridge.db")
    yield Company(tmp_path, store)
    store.close()


def shown(company: Company) -> tuple[list[Any], list[Any]]:
    """The people and groups that Okta is shown, but not when they were changed."""
    with company.client() as client:
        people, groups = (
            client.get(f"/scim/v2/{kind}?count=1000").json()["Resources"]
            for kind in ("Users", "Groups")
        )
    for row in (*people, *groups):
        del row["meta"]
        row.get("members", []).sort(key=itemgetter("value"))
    return sorted(people, key=itemgetter("id")), sorted(groups, key=itemgetter("id"))


def simply(people: list[Any], groups: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Mail and activity of everybody, and who is in which group."""
    uid_of = {row["id"]: row["externalId"] for row in people}
    return (
        {row["externalId"]: (row["userName"], row["active"]) for row in people},
        {
            row["displayName"]: {uid_of[member["value"]] for member in row.get("members", ())}
            for row in groups
        },
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_reads_of_changes_alone_find_all_that_complete_reads_find(
    uni: University, whole: Company, seed: int
) -> None:
    shipped = seed % 2 == 1
    if shipped:
        ship(uni)
    whole.name = uni.company.name
    for uid in ("alice", "boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    for dn in (f"ou=team,{uni.people}", f"ou=outside,{uni.branch}"):
        uni.slapd.modify(ldif(dn, objectClass="organizationalUnit"))
    model = Model(uni, Random(seed), shipped=shipped)
    for uid in PEOPLE:
        model.join(uid)
    model.found("inner", "ann", "bob")
    model.found("middle", "inner", "cleo")
    model.found("outer", "middle", "dan")
    uni.company.sync("full")
    whole.sync("full")
    assert simply(*shown(uni.company)) == (model.expected(), model.expected_members())
    happened = [f"seed {seed}"]
    for _ in range(STEPS):
        happened.append(model.happen())
        whole.now = uni.company.now
        report = uni.company.sync("changes")
        assert (report.verdict, report.held, report.problems) == ("COMPLETE", {}, 0), happened
        if happened[-1] != "team":
            assert report.entries <= 1, happened
        found = shown(uni.company)
        assert simply(*found) == (model.expected(), model.expected_members()), happened
        assert whole.sync("full").verdict == "COMPLETE"
        assert found == shown(whole), happened
