"""The promises, checked on what SCIM answers and on what the simulated source has said.

Nothing here asks the bridge. What a person should be is worked out from the source's statements
in a few lines of their own; where it cannot be known which of two statements the bridge has (it
was killed in between), either will do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from tests.proof.company import DAY, TEAMS, Row
from tests.proof.editions import ABSENT, ACTIVE, ENDED, FAULTY, LIMITS, SKIPPED, TEXTS, Text, state
from tests.proof.heard import Heard

Profile = Mapping[str, Any]
Answers = Mapping[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Group(NamedTuple):
    """A group as it is served, with the ids of its members."""

    name: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """What happened between two looks, as far as people did it or the source tells."""

    now: datetime
    text: str
    """The edition of the file that was live before, and after."""
    text_now: str
    words: frozenset[str] = frozenset()
    """The people of whom somebody said that this may happen to them."""
    whole_run: bool = False
    """Whether a run came to its end and decided on whatever was certain before it."""
    waiting: frozenset[str] = frozenset()
    """Who stood in a plan before, by key."""
    refused: frozenset[str] = frozenset()
    """Whose change somebody has rejected."""
    excused: frozenset[str] = frozenset()
    """Who is known not to be as the source says: problems, plans, overrides, erasures."""


@dataclass
class Promises:
    """What Okta has seen so far, and whether each promise was kept."""

    heard: Heard = field(default_factory=Heard)
    keys: dict[str, str] = field(default_factory=dict)
    """Whose each SCIM id is, by the key under which the person was first seen."""
    places: list[str] = field(default_factory=list)
    before: dict[str, Profile] = field(default_factory=dict)
    before_groups: dict[str, Group] = field(default_factory=dict)
    guests: dict[str, Profile] = field(default_factory=dict)
    """The people of the other source, who never change."""
    ever_active: set[str] = field(default_factory=set)
    overrides: dict[str, tuple[bool, datetime | None]] = field(default_factory=dict)
    left: list[tuple[datetime, str, str]] = field(default_factory=list)
    """Who became inactive, when, and as which kind of change; none where somebody said so."""
    opened: bool = False
    """Whether anything was ever served, or is again after a restore."""
    reopened: datetime | None = None
    """When a restored store was served again: whom a limit of that day counts, nobody saw."""
    flips: Counter[str] = field(default_factory=Counter)

    def look(self, answers: Answers, step: Step) -> dict[str, str]:
        """Compare what is served now with what was served at the last look.

        Returns who became active or inactive, by key, and which of the two.
        """
        if not answers:
            assert not self.opened, "promise 6: what was served once is no longer served"
            return {}
        people = answers["people"]["Resources"]
        self._everybody_has_a_place(answers["people"], people)
        after = {str(row["id"]): row for row in people}
        groups = {
            str(group["id"]): Group(
                group["displayName"], frozenset(each["value"] for each in group.get("members", ()))
            )
            for group in answers["groups"]["Resources"]
        }
        self._is_one_whole_state(after, groups)
        guests = {id: after.pop(id) for id in list(after) if self.keys[id].startswith("X")}
        assert guests == (self.guests or guests), "somebody of another source changed"
        flipped: dict[str, str] = {}
        if self.opened:
            flipped = self._changes_are_allowed(after, groups, step)
        elif self.before:
            self._nobody_is_let_in_again(after, step)
            self.reopened = step.now
        self.opened = True
        self.before, self.before_groups, self.guests = after, groups, guests
        self.ever_active |= {id for id, row in after.items() if row["active"]}
        if step.whole_run:
            self._everybody_is_as_the_source_says(after, groups, step)
        return flipped

    def _everybody_has_a_place(self, listed: Mapping[str, Any], rows: list[Profile]) -> None:
        ids = [str(row["id"]) for row in rows]
        assert rows, "promise 6: an empty list"
        assert ids[: len(self.places)] == self.places, "promise 2: somebody moved or disappeared"
        assert len(set(ids)) == len(ids)
        assert listed["totalResults"] == len(ids)
        for row in rows[len(self.places) :]:
            key = str(row["externalId"])
            assert self.keys.setdefault(str(row["id"]), key) == key, "promise 2: another id"
        self.places = ids

    def _is_one_whole_state(self, after: dict[str, Profile], groups: dict[str, Group]) -> None:
        names = [str(row["userName"]).casefold() for row in after.values()]
        assert len(set(names)) == len(names), "promise 3: two people with one name"
        for row in after.values():
            manager = row.get(ENTERPRISE, {}).get("manager")
            assert manager is None or manager["value"].casefold() in names, "promise 3: no boss"
            if row["active"]:
                assert not row["userName"].endswith(".invalid"), "promise 3: active, but nameless"
        for name, members in groups.values():
            assert members or name.startswith("Team"), "promise 3: a group of nobody"
            assert members <= after.keys(), "promise 3: a member who is not there"

    def _nobody_is_let_in_again(self, after: dict[str, Profile], step: Step) -> None:
        """Promise 6: a restored store is served when it is known who has left since."""
        for id, row in after.items():
            key = self.keys[id]
            if row["active"] and not self.override(key, step.now) and key not in step.refused:
                states = self._states(key, step)
                assert states & {ACTIVE, FAULTY}, "promise 6: a leaver is let in again"

    # -- what may change -----------------------------------------------------------------------

    def _changes_are_allowed(
        self, after: dict[str, Profile], groups: dict[str, Group], step: Step
    ) -> dict[str, str]:
        counts: Counter[str] = Counter()
        flipped = {}
        for id, row in after.items():
            key, was = self.keys[id], self.before.get(id)
            if was is None:
                if row["active"] and not self.override(key, step.now):
                    assert self._may_be_active(key, step), "somebody is new whom nobody stated"
                    counts["new"] += key not in step.words
                continue
            if was["active"] and not row["active"]:
                flipped[key] = "deactivated"
                cause = self._why_gone(key, step)
                counts[cause] += 1
                self.left.append((step.now, key, cause))
            elif row["active"] and not was["active"]:
                flipped[key] = "reactivated"
                counts[self._why_back(id, key, step)] += 1
            if key in step.words or not (was["active"] or row["active"]):
                continue
            if was["userName"] != row["userName"] and not was["userName"].endswith(".invalid"):
                counts["renamed"] += 1
            counts["emptied"] += "title" in was and "title" not in row
            if was["active"] and row["active"]:
                counts["memberships"] += len(_of(id, self.before_groups) - _of(id, groups))
        # A run with an edited file decides twice, and what the edit alone does counts as edited.
        twice = step.text != step.text_now
        extra = {"edited": 0, "renamed": LIMITS["renamed"] + LIMITS["edited"]}
        for kind, count in counts.items():
            if kind:
                allowed = LIMITS[kind] + (extra.get(kind, LIMITS[kind]) if twice else 0)
                assert count <= allowed, f"promise 4: {count} {kind} where {allowed} may be"
        unasked = any(cause and at == step.now for at, _, cause in self.left)
        if unasked and "deactivated" in flipped.values():
            of_day = {key for at, key, cause in self.left if cause and at > step.now - DAY}
            assert len(of_day) <= LIMITS["per_day"], f"promise 4: {len(of_day)} in one day"
        self._disables_are_served(after, step)
        self.flips.update(flipped.values())
        return flipped

    def override(self, key: str, now: datetime) -> bool | None:
        """What somebody's word makes of a person, if one stands."""
        active, until = self.overrides.get(key, (None, None))
        return active if until is None or until > now else None

    def _why_gone(self, key: str, step: Step) -> str:
        """Which limit guards that somebody became inactive; empty where a person's word did it."""
        if self.override(key, step.now) is False:
            return ""
        gone = {ENDED, SKIPPED, ABSENT}
        assert self._states(key, step) & gone, "promise 1: inactive, and nobody has said so"
        states = {state(row, TEXTS[step.text], step.now) for row in self.heard.of(key)}
        if key in step.words:
            return ""
        protected = TEXTS[step.text].protected == TEXTS[step.text_now].protected == key
        assert not protected, "promise 4: somebody protected"
        if ENDED in states:
            return "disabled"
        return "absent" if states & gone else "edited"

    def _why_back(self, id: str, key: str, step: Step) -> str:
        if self.override(key, step.now) is True:
            return ""
        assert self._may_be_active(key, step), "somebody who left is active again"
        if key in step.words:
            return ""
        return "reactivated" if id in self.ever_active else "new"

    def _may_be_active(self, key: str, step: Step) -> bool:
        return ACTIVE in self._states(key, step)

    def _states(self, key: str, step: Step) -> set[str]:
        """What the bridge may believe somebody to be, by the file of before or of now."""
        return {
            state(row, TEXTS[text], step.now)
            for row in self.heard.of(key)
            for text in (step.text, step.text_now)
        }

    def _disables_are_served(self, after: dict[str, Profile], step: Step) -> None:
        """Promise 5: within its own limit a disable is served, whatever else is held."""
        if not step.whole_run or (self.reopened and step.now < self.reopened + DAY):
            return
        stated: dict[str, bool] = {}
        for id, row in self.before.items():
            key = self.keys[id]
            states = {state(each, TEXTS[step.text], step.now) for each in self.heard.of(key)}
            if row["active"] and ENDED in states and self.override(key, step.now) is None:
                waits = key in step.waiting or key == TEXTS[step.text].protected
                stated[id] = states == {ENDED} and not waits
        recent = {key for at, key, _ in self.left if at > step.now - DAY}
        recent -= {self.keys[id] for id in stated}
        if len(stated) <= min(LIMITS["disabled"], LIMITS["per_day"] - len(recent)):
            still = {id for id, surely in stated.items() if surely and after[id]["active"]}
            assert not still, "promise 5: a leaver whom the source states is still active"

    # -- what should be ------------------------------------------------------------------------

    def _everybody_is_as_the_source_says(
        self, after: dict[str, Profile], groups: dict[str, Group], step: Step
    ) -> None:
        text = TEXTS[step.text_now]
        for id, row in after.items():
            key = self.keys[id]
            heard = self.heard.of(key)
            forced = self.override(key, step.now)
            if forced is not None and not row["userName"].endswith(".invalid"):
                assert row["active"] is forced, "an override is not served"
            if key in step.excused or len(heard) > 1:
                continue
            [said] = heard
            stated = state(said, text, step.now)
            if stated == FAULTY:
                continue
            assert row["active"] is (stated == ACTIVE), (
                f"promise 7: {key} is {stated} in the source"
            )
            if stated == ACTIVE:
                assert said is not None
                self.is_as_stated(row, said, text)
                if said["id"] == key:
                    self._is_in_the_teams(id, key, groups)

    def _is_in_the_teams(self, id: str, key: str, groups: Mapping[str, Group]) -> None:
        """Whether somebody is a member of just those groups of the directory that say so."""
        found = {group.name for group in groups.values() if id in group.members}
        for number in range(1, TEAMS + 1):
            heard = self.heard.of(f"T{number}")
            if len(heard) == 1:
                stated = heard[0] is not None and key in heard[0]["member"].split()
                assert (f"Team {number}" in found) is stated, "promise 7: another team"

    @staticmethod
    def is_as_stated(row: Profile, said: Row, text: Text) -> None:
        """Whether somebody active is served with the values that the source states."""
        stated = {
            "userName": said["mail"].lower(),
            "name": {"givenName": said["first"], "familyName": said["last"]},
            "title": text.title(said.get("title", "")),
            "department": text.department(said["dept"]),
        }
        served = {name: row.get(name, "") for name in stated} | {
            "department": row[ENTERPRISE]["department"]
        }
        assert served == stated, "promise 7: other values are served than the source states"


def _of(id: str, groups: Mapping[str, Group]) -> set[str]:
    return {key for key, group in groups.items() if id in group.members}
