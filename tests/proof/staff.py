"""What people of the company do, and what their source then says of them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.proof.company import TEAMS, Row, person, team
from tests.proof.watched import Watched

PEOPLE = [f"P{number}" for number in range(1, 19)]
MAILS = [f"zq{number}@example.com" for number in range(1, 21)]
who = st.sampled_from(PEOPLE)
teams = st.integers(1, TEAMS)


class Staff(Watched):
    """They join, leave, come back, marry, move and are promoted, alone and in crowds."""

    rehired = 0

    @rule(key=who, mail=st.none() | st.sampled_from(MAILS))
    def join(self, key: str, mail: str | None) -> None:
        if key not in self.source.people and key not in self.promises.heard.relinked.values():
            self.source.put(person(int(key[1:]), **({"mail": mail} if mail else {})))

    @rule(keys=st.sets(who, min_size=12))
    def many_join(self, keys: set[str]) -> None:
        for key in sorted(keys):
            self.join(key, None)

    @rule(key=who, end=st.sampled_from(["2026-06-14", "2026-06-15", "2026-06-16", "", ""]))
    def leave_or_come_back(self, key: str, end: str) -> None:
        self.source.change(key, end=end)

    @rule(key=who, locked=st.sampled_from(["yes", "no", ""]))
    def lock(self, key: str, locked: str) -> None:
        self.source.change(key, locked=locked)

    @rule(keys=st.sets(who, min_size=2, max_size=6), end=st.sampled_from(["2026-06-14", ""]))
    def many_leave_or_come_back(self, keys: set[str], end: str) -> None:
        for key in sorted(keys):
            self.source.change(key, end=end)

    @rule(keys=st.sets(who, min_size=1, max_size=3), named=st.booleans())
    def vanish(self, keys: set[str], named: bool) -> None:
        for key in sorted(keys):
            if len(self.source.people) > 2:
                self.source.delete(key, named)

    @rule(key=who, mail=st.sampled_from([*MAILS, "", "ZQ2@Example.com"]))
    def rename(self, key: str, mail: str) -> None:
        self.source.change(key, mail=mail)

    @rule(one=who, other=who)
    def swap_names(self, one: str, other: str) -> None:
        people = self.source.people
        if one in people and other in people:
            mails = people[one]["mail"], people[other]["mail"]
            self.source.change(one, mail=mails[1])
            self.source.change(other, mail=mails[0])

    @rule(key=who, dept=st.sampled_from("123"), boss=who, first=st.sampled_from(["ZA", "ZB"]))
    def move(self, key: str, dept: str, boss: str, first: str) -> None:
        self.source.change(key, dept=dept, boss=boss, first=first)

    @rule(dept=st.sampled_from("123"))
    def reorganise(self, dept: str) -> None:
        for key in list(self.source.people):
            self.source.change(key, dept=dept)

    @rule(key=who, title=st.sampled_from(["Clerk", "Chief", "Test", ""]))
    def promote(self, key: str, title: str) -> None:
        self.source.change(key, title=title)

    @rule(number=teams, keys=st.sets(who, max_size=6))
    def team_up(self, number: int, keys: set[str]) -> None:
        self.source.put(team(number, *sorted(keys)))

    @rule(number=teams, named=st.booleans())
    def disband(self, number: int, named: bool) -> None:
        if len(self.source.teams) > 1:
            self.source.delete(f"T{number}", named)

    @rule(key=who, changes=st.sampled_from([{"end": "soon"}, {"locked": "perhaps"}, {"last": ""}]))
    def garble(self, key: str, changes: Row) -> None:
        self.source.change(key, **changes)

    @rule(key=who)
    def mend(self, key: str) -> None:
        if key in self.source.people:
            self.source.put(person(int(key[1:])))

    @rule(key=who)
    def rehire(self, key: str) -> None:
        """Somebody who left is there again under another key."""
        if key in self.source.people or self.rehired >= 3:
            return
        self.rehired += 1
        self.source.put(person(int(key[1:]), id=f"R{self.rehired}", first="ZAgain"))
