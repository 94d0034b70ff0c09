"""The promises, checked on what SCIM answers and on what the simulated source has said.

Nothing here asks the bridge. What a person should be is worked out from the source's statements
in a few lines of their own; where it cannot be known which of two statements the bridge has (it
was killed in between), either will do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.proof.company import DAY, LIMITS, TEXTS, Row, Text

Profile = Mapping[str, Any]
Answers = Mapping[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

ACTIVE, ENDED, SKIPPED, ABSENT, FAULTY = "active", "ended", "skipped", "absent", "faulty"


def state(row: Row | None, text: Text, now: datetime) -> str:
    """What a row says of a person, whatever was served before."""
    if row is None:
        return ABSENT
    if row.get("title", "") == text.skipped:
        return SKIPPED
    end = _day(row.get("end", ""))
    locked = {"": False, "no": False, "yes": True}.get(row.get("locked", ""))
    if locked or (end is not None and end + DAY <= now):
        return ENDED
    good = all(row.get(name) for name in ("first", "last", "mail"))
    if locked is None or (end is None and row.get("end")) or not good:
        return FAULTY
    return ACTIVE if text.employed else ENDED


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


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
    """Whether a run came to its end, so that whatever was certain before it was decided on."""
    waiting: frozenset[str] = frozenset()
    """Who stood in a plan before, by key."""
    excused: frozenset[str] = frozenset()
    """Who is known not to be as the source says: problems, plans, overrides, erasures."""


@dataclass
class Heard:
    """What the source has said of each record: what the bridge has for certain, and may have."""

    certain: dict[str, Row | None] = field(default_factory=dict)
    maybe: dict[str, list[Row | None]] = field(default_factory=dict)
    relinked: dict[str, str] = field(default_factory=dict)
    """The person whom a record of another key belongs to."""
    lied: bool = False
    """Whether the bridge may believe something that only a whole read puts right."""

    def hear(self, statements: Iterable[Mapping[str, Any]], certain: bool) -> None:
        """Take in what a run was told; ``certain`` says that it has kept all of it."""
        for each in statements:
            for row in each.get("rows", ()):
                self._say(row["id"], row, certain)
            for key in each.get("gone", ()):
                self._say(key, None, certain)
            # Nobody at all proves nothing where there was somebody.
            if whole := each.get("whole"):
                for key in self.certain.keys() | self.maybe.keys():
                    if key not in whole:
                        self._say(key, None, certain)
                if certain:
                    self.lied = False
            self.lied |= bool(each.get("lie"))

    def _say(self, key: str, row: Row | None, certain: bool) -> None:
        if certain:
            self.certain[key] = row
            self.maybe.pop(key, None)
        else:
            self.maybe.setdefault(key, []).append(row)

    def of(self, key: str) -> list[Row | None]:
        """Everything that the bridge may believe of a person."""
        records = [key, *(new for new, old in self.relinked.items() if old == key)]
        if key in self.relinked:
            records.remove(key)
        found: list[Row | None] = []
        for record in records:
            found += [self.certain.get(record), *self.maybe.get(record, ())]
        present = [row for row in found if row is not None]
        if len(records) > 1 and present:
            found = [*present]  # of several records those that are not there say nothing
        return found or [None]


@dataclass
class Promises:
    """What Okta has seen so far, and whether each promise was kept."""

    heard: Heard = field(default_factory=Heard)
    keys: dict[str, str] = field(default_factory=dict)
    """Whose each SCIM id is, by the key under which the person was first seen."""
    places: list[str] = field(default_factory=list)
    before: dict[str, Profile] = field(default_factory=dict)
    before_groups: dict[str, frozenset[str]] = field(default_factory=dict)
    ever_active: set[str] = field(default_factory=set)
    overrides: dict[str, tuple[bool, datetime | None]] = field(default_factory=dict)
    left: list[tuple[datetime, str]] = field(default_factory=list)
    """Who became inactive without anybody's word, and when."""
    opened: bool = False
    """Whether anything was ever served, or is again after a restore."""
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
            str(group["id"]): frozenset(str(each["value"]) for each in group.get("members", ()))
            for group in answers["groups"]["Resources"]
        }
        self._is_one_whole_state(after, groups)
        flipped: dict[str, str] = {}
        if self.opened:
            flipped = self._changes_are_allowed(after, groups, step)
        self.opened = True
        self.before, self.before_groups = after, groups
        self.ever_active |= {id for id, row in after.items() if row["active"]}
        if step.whole_run:
            self._everybody_is_as_the_source_says(after, step)
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

    def _is_one_whole_state(
        self, after: dict[str, Profile], groups: dict[str, frozenset[str]]
    ) -> None:
        names = [str(row["userName"]).casefold() for row in after.values()]
        assert len(set(names)) == len(names), "promise 3: two people with one name"
        for row in after.values():
            manager = row.get(ENTERPRISE, {}).get("manager")
            assert manager is None or manager["value"].casefold() in names, "promise 3: no boss"
            if row["active"]:
                assert not row["userName"].endswith(".invalid"), "promise 3: active, but nameless"
        for members in groups.values():
            assert members, "promise 3: a group of nobody"
            assert members <= after.keys(), "promise 3: a member who is not there"

    # -- what may change -----------------------------------------------------------------------

    def _changes_are_allowed(
        self, after: dict[str, Profile], groups: dict[str, frozenset[str]], step: Step
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
                if cause:
                    self.left.append((step.now, key))
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
        times = 2 if step.text != step.text_now else 1
        extra = {"renamed": LIMITS["edited"] * (times - 1)}
        for kind, count in counts.items():
            if kind:
                allowed = LIMITS[kind] * times + extra.get(kind, 0)
                assert count <= allowed, f"promise 4: {count} {kind} where {allowed} may be"
        if self.left and self.left[-1][0] == step.now and "deactivated" in flipped.values():
            of_day = {key for at, key in self.left if at > step.now - DAY}
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
        heard = self.heard.of(key)
        states = {state(row, TEXTS[step.text], step.now) for row in heard}
        states_now = {state(row, TEXTS[step.text_now], step.now) for row in heard}
        gone = {ENDED, SKIPPED, ABSENT}
        assert (states | states_now) & gone, "promise 1: inactive, and nobody has said so"
        if key in step.words:
            return ""
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
        return any(
            state(row, TEXTS[text], step.now) == ACTIVE
            for row in self.heard.of(key)
            for text in (step.text, step.text_now)
        )

    def _disables_are_served(self, after: dict[str, Profile], step: Step) -> None:
        """Promise 5: within its own limit a disable is served, whatever else is held."""
        if not step.whole_run:
            return
        stated: dict[str, bool] = {}
        for id, row in self.before.items():
            key = self.keys[id]
            states = {state(each, TEXTS[step.text], step.now) for each in self.heard.of(key)}
            if row["active"] and ENDED in states and self.override(key, step.now) is None:
                stated[id] = states == {ENDED} and key not in step.waiting
        recent = {key for at, key in self.left if at > step.now - DAY}
        recent -= {self.keys[id] for id in stated}
        if len(stated) <= min(LIMITS["disabled"], LIMITS["per_day"] - len(recent)):
            still = {id for id, surely in stated.items() if surely and after[id]["active"]}
            assert not still, "promise 5: a leaver whom the source states is still active"

    # -- what should be ------------------------------------------------------------------------

    def _everybody_is_as_the_source_says(self, after: dict[str, Profile], step: Step) -> None:
        text = TEXTS[step.text_now]
        for id, row in after.items():
            key = self.keys[id]
            heard = self.heard.of(key)
            if key in step.excused or len(heard) > 1:
                continue
            [said] = heard
            stated = state(said, text, step.now)
            if stated == FAULTY:
                continue
            assert row["active"] is (stated == ACTIVE), f"{key} is {stated} in the source"
            if stated == ACTIVE:
                assert said is not None
                self.is_as_stated(row, said, text)

    @staticmethod
    def is_as_stated(row: Profile, said: Row, text: Text) -> None:
        """Whether somebody active is served with the values that the source states."""
        assert row["userName"] == said["mail"].lower()
        assert row["name"] == {"givenName": said["first"], "familyName": said["last"]}
        assert row.get("title", "") == text.title(said.get("title", ""))
        assert row[ENTERPRISE]["department"] == text.department(said["dept"])


def _of(id: str, groups: Mapping[str, frozenset[str]]) -> set[str]:
    return {group for group, members in groups.items() if id in members}
