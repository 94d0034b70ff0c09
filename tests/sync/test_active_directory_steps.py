"""A hundred random steps in a real domain: reads of changes find all that a complete read finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.servers.samba import domain, samba_server
from tests.sync.domain import DISABLED, ENABLED, Corp, corp

__all__ = ["corp", "domain", "samba_server"]

_STEPS = 50
"""For each of the two ways in which changes are told."""
_KINDS = (
    "absent",
    "disabled",
    "reactivated",
    "renamed",
    "emptied",
    "new",
    "memberships",
    "per_day",
)
_EXPIRED, _NEVER = "132000000000000000", "9223372036854775807"
# Each of these may have those below as members.
_GROUPS = ("outer", "middle", "inner")


@dataclass
class Life:
    """What happens in a company; where everybody is, whether there or deleted."""

    corp: Corp
    chance: Random
    units: dict[str, str] = field(default_factory=dict)
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    member: set[str] = field(default_factory=set)
    """Who has ever been in a group."""
    number: int = 0

    def __post_init__(self) -> None:
        corp = self.corp
        self.units = {"people": corp.people, "elsewhere": corp.elsewhere,
                      "staff": f"OU=Staff,{corp.people}"}  # fmt: skip
        self.people = {name: (f"CN={name}", "people") for name in ("ann", "bob", "cleo", "dan")}
        for name in reversed(_GROUPS):
            self.new_group(name)

    def step(self) -> str:
        """One thing that happens; returns what."""
        self.number += 1
        acts: Mapping[str, Callable[[], object]] = {
            act.__name__: act
            for act in (self.join, self.leave, self.restore, self.disable, self.expire, self.mail,
                        self.empty, self.rename, self.move, self.move, self.move_unit,
                        self.members, self.members, self.group)
        }  # fmt: skip
        what = self.chance.choice(sorted(acts))
        acts[what]()
        return what

    def dn(self, name: str) -> str:
        rdn, unit = self.people[name]
        return f"{rdn},{self.units[unit]}"

    def anybody(self) -> str:
        return self.chance.choice(sorted(self.people))

    def join(self) -> None:
        name = f"new{self.number}"
        self.corp.add(name)
        self.people[name] = f"CN={name}", "people"

    def leave(self) -> None:
        name = self.anybody()
        # A domain empties the manager of a deleted one's reports without counting it a change.
        if name != "ann" and len(self.people) > 3:
            self.left[name] = self.corp.samba.delete(self.dn(name))
            del self.people[name]

    def restore(self) -> None:
        for name in sorted(self.left):
            if self.corp.tells_restores or name not in self.member:
                self.people[name] = f"CN={name}", "people"
                self.corp.restore(self.left.pop(name), self.dn(name), name)
                return

    def disable(self) -> None:
        value = self.chance.choice((DISABLED, ENABLED))
        self.corp.replace(self.dn(self.anybody()), "userAccountControl", value)

    def expire(self) -> None:
        value = self.chance.choice((_EXPIRED, _NEVER))
        self.corp.replace(self.dn(self.anybody()), "accountExpires", value)

    def mail(self) -> None:
        name = self.anybody()
        self.corp.replace(self.dn(name), "mail", f"{name}{self.number}@e.example")

    def empty(self) -> None:
        self.corp.change(self.dn(self.anybody()), "changetype: modify", "replace: title")

    def rename(self) -> None:
        name = self.anybody()
        self._move(name, f"CN={name} {self.number}", self.people[name][1])

    def move(self) -> None:
        name = self.anybody()
        self._move(name, self.people[name][0], self.chance.choice(sorted(self.units)))

    def _move(self, name: str, rdn: str, unit: str) -> None:
        self.corp.move(self.dn(name), rdn, self.units[unit])
        self.people[name] = rdn, unit

    def move_unit(self) -> None:
        rdn = f"OU=Staff {self.number}"
        below = self.chance.choice((self.corp.people, self.corp.elsewhere))
        self.corp.move(self.units["staff"], rdn, below)
        self.units["staff"] = f"{rdn},{below}"

    def members(self) -> None:
        for group in self.chance.sample(sorted(self.groups), min(1, len(self.groups))):
            below = [name for name in _GROUPS[_GROUPS.index(group) + 1 :] if name in self.groups]
            people = self.chance.sample(sorted(self.people), self.chance.randint(0, 2))
            self.member.update(people)
            named = [self.dn(name) for name in people]
            named += [self.corp.group_dn(name) for name in below if self.chance.random() < 0.8]
            self.corp.change(self.corp.group_dn(group), "changetype: modify", "replace: member",
                             *(f"member: {dn}" for dn in named))  # fmt: skip

    def group(self) -> None:
        name = self.chance.choice(_GROUPS)
        if name in self.groups:
            self.groups.remove(name)
            self.corp.change(self.corp.group_dn(name), "changetype: delete")
        else:
            self.new_group(name)

    def new_group(self, name: str) -> None:
        self.corp.group(name, *(self.dn(each) for each in sorted(self.people)[:2]))
        self.member.update(sorted(self.people)[:2])
        self.groups.add(name)


def test_whatever_happens_in_a_domain_the_reads_of_changes_find_all_of_it(corp):
    limits = ", ".join(f"{kind}: 1000" for kind in _KINDS)
    corp.write_mapping(("first_load: publish", f"first_load: publish, {limits}"))
    life = Life(corp, Random(7))
    corp.company.sync("full")
    for _ in range(_STEPS):
        what = life.step()
        report = corp.company.sync("changes")
        assert (report.verdict, report.held) == ("COMPLETE", {}), what
        served = corp.company.served(), corp.company.groups()
        assert {row["userName"] for row in served[0].values()}, what
        assert corp.company.sync("full").written == 0, (life.number, what)
        assert (corp.company.served(), corp.company.groups()) == served, (life.number, what)
        inside = {name for name in life.people if life.dn(name).endswith(corp.people)}
        assert corp.company.inactive() >= served[0].keys() - inside, (life.number, what)
