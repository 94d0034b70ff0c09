"""The promises, after every step of companies that live through everything at once.

What is looked at is what Okta sees, beside the rows of the simulated HR system; only the reason
of a flip is looked up in the audit.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from bridge.store import overrides, plans
from bridge.sync.run import Report
from tests.sync.conftest import founded, person

Row = dict[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DAY = timedelta(hours=24)
PEOPLE = [f"P{number}" for number in range(1, 15)]
MAILS = [f"p{number}@example.com" for number in range(1, 17)]

EDITS: dict[str, list[tuple[str, str]]] = {
    "as it was": [],
    "titles in capitals": [("\n  title: title\n", "\n  title: title | upper\n")],
    "no titles": [("\n  title: title\n", "\n")],
    "another name of a department": [("Engineering", "Research")],
    "chiefs are not served": [("when: title == 'Test'", "when: title == 'Chief'")],
    "nobody is employed": [("then: true", "then: false")],
    "other columns": [("title: title}", "job: title}"), ("title == 'T", "job == 'T"),
                      ("\n  title: title\n", "\n  title: job\n")],
    "a typo": [("\n  title: title\n", "\n  title: titel\n")],
    "another key": [("key: id\n", "key: mail\n")],
}  # fmt: skip
GOOD = [name for name in EDITS if name not in ("a typo", "another key")]

who = st.sampled_from(PEOPLE)


class Life(RuleBasedStateMachine):
    """A company, its bridge, and what Okta has seen of it so far."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, folder)
        self.company = self.stack.enter_context(founded(folder))
        self.places: list[str] = []
        self.before: dict[str, Row] = {}
        self.left: list[tuple[datetime, str]] = []
        """Who became inactive without anybody's word, and when."""
        self.sizes: list[tuple[datetime, int]] = []
        self.edit = "as it was"
        self.overridden: set[str] = set()
        self.report = Report("hr", 0, "")
        self.fresh = True
        """Whether nothing changed since the last sync."""

    def teardown(self) -> None:
        self.stack.close()

    @initialize(held=st.booleans())
    def load(self, held: bool) -> None:
        if held:
            self.company.limits = ""
            self.company.write_mapping()
            assert self.company.update().exit_code == 3
            with self.company.client() as client:
                answer = client.get("/scim/v2/Users")
                assert (answer.status_code, answer.headers["retry-after"].isdecimal()) == (
                    503,
                    True,
                )
            report = self.company.approve()
        else:
            report = self.company.update()
        self.before = self.company.served()
        self._look(report)

    # -- the HR system -------------------------------------------------------------------------

    @rule(key=who, mail=st.none() | st.sampled_from(MAILS))
    def join(self, key: str, mail: str | None) -> None:
        self.company.rows.setdefault(key, person(int(key[1:]), **({"mail": mail} if mail else {})))
        self.fresh = False

    @rule(key=who, end=st.sampled_from(["2026-06-14", "2026-06-15", "2026-06-16", "", ""]))
    def leave_or_come_back(self, key: str, end: str) -> None:
        self._set(key, end=end)

    @rule(keys=st.sets(who, min_size=4))
    def many_leave(self, keys: set[str]) -> None:
        for key in keys:
            self._set(key, end="2026-06-14")

    @rule(keys=st.sets(who, min_size=1, max_size=2))
    def vanish(self, keys: set[str]) -> None:
        for key in keys:
            self.company.rows.pop(key, None)
        self.fresh = False

    @rule(key=who, mail=st.sampled_from([*MAILS, "", "P2@Example.com"]))
    def rename(self, key: str, mail: str) -> None:
        self._set(key, mail=mail)

    @rule(one=who, other=who)
    def swap_names(self, one: str, other: str) -> None:
        rows = self.company.rows
        if one in rows and other in rows:
            rows[one]["mail"], rows[other]["mail"] = rows[other]["mail"], rows[one]["mail"]
            self.fresh = False

    @rule(key=who, dept=st.sampled_from(["1", "2", "3"]), boss=who, first=st.sampled_from("AB"))
    def move(self, key: str, dept: str, boss: str, first: str) -> None:
        self._set(key, dept=dept, boss=boss, first=first)

    @rule(key=who, title=st.sampled_from(["Clerk", "Chief", "Test", ""]))
    def promote(self, key: str, title: str) -> None:
        self._set(key, title=title)

    @rule(key=who, end=st.sampled_from(["", "soon", "2026-06-14"]))
    def garble(self, key: str, end: str) -> None:
        self._set(key, last="", end=end)

    @rule(key=who)
    def mend(self, key: str) -> None:
        if key in self.company.rows:
            self.company.rows[key] = person(int(key[1:]))
            self.fresh = False

    def _set(self, key: str, **changes: str) -> None:
        if key in self.company.rows:
            self.company.rows[key] |= changes
            self.fresh = False

    # -- the bridge ----------------------------------------------------------------------------

    @rule(mode=st.sampled_from(["changes", "full"]))
    def sync(self, mode: str) -> None:
        self.company.write_export()
        self._look(self.company.sync(mode))

    @rule(damage=st.sampled_from(["cut", "empty", "headings", "page", "gone", "older"]))
    def sync_a_broken_export(self, damage: str) -> None:
        company = self.company
        company.write_export()
        whole = company.export.read_bytes()
        if damage == "cut":
            company.write_export(whole[: len(whole) * 2 // 3] + b'"')
        elif damage == "empty":
            company.write_export(b"")
        elif damage == "headings":
            company.write_export(whole.split(b"\r\n")[0] + b"\r\n")
        elif damage == "page":
            company.write_export(b"<html>")
        elif damage == "gone":
            company.export.unlink()
        else:
            company.written -= 5
            company.write_export(b"id,first,last,mail,dept,boss,end,title\r\n")
            company.written += 5
        self.fresh = False
        report = company.sync()
        if whole.count(b"\r\n") > 1:
            assert report.verdict != "COMPLETE"
        self._look(report)

    @rule(edit=st.sampled_from(list(EDITS)))
    def edit_the_file(self, edit: str) -> None:
        self.company.write_mapping(*EDITS[edit])
        self.edit = edit
        self.sync("changes")

    @rule(hours=st.sampled_from([1, 6, 12, 25]), export=st.booleans())
    def time_passes(self, hours: int, export: bool) -> None:
        self.company.now += timedelta(hours=hours)
        if export:
            self.company.write_export()
        self._look(self.company.sync("changes" if export else "decide"))

    @precondition(lambda self: self.company.plans("held"))
    @rule(data=st.data(), accept=st.booleans())
    def decide_a_plan(self, data: st.DataObject, accept: bool) -> None:
        held = self.company.plans("held")
        plan = held[data.draw(st.integers(0, len(held) - 1))]
        approved = {subject for subject, _, _ in self.company.shown(plan)} if accept else set()
        self._look((self.company.approve if accept else self.company.reject)(plan), approved)

    @rule(key=who, active=st.booleans(), hours=st.none() | st.integers(1, 30))
    def override(self, key: str, active: bool, hours: int | None) -> None:
        until = self.company.now + timedelta(hours=hours) if hours else None
        self.company.override(key, active, until)
        self.overridden.add(key)
        self._look(self.company.sync("decide"), {key})

    @rule(key=who)
    def end_an_override(self, key: str) -> None:
        with self.company.store.write() as connection:
            overrides.end(connection, self.company.source_id, key, self.company.now)
        self._look(self.company.sync("decide"))

    # -- what is promised ----------------------------------------------------------------------

    def _look(self, report: Report, by_word: set[str] | None = None) -> None:
        """Compare what Okta saw before a sync with what it sees now."""
        words = by_word or set()
        after = self._list()
        self.report = report
        if report.verdict:
            self.fresh = report.verdict == "COMPLETE"
        gone = {
            key for key, row in self.before.items() if row["active"] and not after[key]["active"]
        }
        back = {
            key for key, row in after.items()
            if row["active"] and key in self.before and not self.before[key]["active"]
        }  # fmt: skip
        for key in gone | back:
            self._flip_is_accounted_for(key, "deactivated" if key in gone else "reactivated")
        unasked = {key for key in gone - words if self._cause(key) != "override"}
        self._within_limits(unasked, back - words, after, words)
        if report.verdict in ("INCOMPLETE", "FAILED"):
            for key in unasked:
                assert self._cause(key) != "absent", "promise 1"
        self.before = after
        self._what_is_served_is_one_whole_state(after)
        if self.fresh and report.verdict == "COMPLETE":
            self._a_disable_is_served_or_waits(after)
            self._where_nothing_waits_everything_is_as_the_source_says(after)

    def _cause(self, key: str) -> str:
        """Which kind of change flipped a person last."""
        return str(json.loads(self.company.audit(key)[0].detail)["cause"])

    def _flip_is_accounted_for(self, key: str, action: str) -> None:
        """Promise 9."""
        event = self.company.audit(key)[0]
        detail = json.loads(event.detail)
        assert (event.action, event.at, event.run_id) == (action, self.company.now, self.report.run)
        assert event.actor in ("test", "ann")
        assert detail["fact"]
        assert detail["reason"]
        assert detail["mapping"] >= 1
        assert detail["rule"] or detail["cause"] in ("absent", "override", "edited")

    def _within_limits(
        self, gone: set[str], back: set[str], after: dict[str, Row], words: set[str]
    ) -> None:
        """Promise 4; the company is so small that every limit is its floor."""
        now = self.company.now
        self.left += [(now, key) for key in gone]
        of_day = {key for at, key in self.left if at > now - DAY}
        assert len(of_day) <= 3
        causes = [self._cause(key) for key in gone]
        assert causes.count("absent") <= 1
        assert causes.count("edited") <= 1
        assert [self._cause(key) for key in back].count("reactivated") <= 1
        known = [key for key in self.before.keys() - words if self.before[key]["active"]]
        emptied = [
            key for key in known if "title" in self.before[key] and "title" not in after[key]
        ]
        assert len(emptied) <= 3
        renamed = [key for key in known if self.before[key]["userName"] != after[key]["userName"]]
        assert len(renamed) <= 4  # one more by an edit

    def _list(self) -> dict[str, Row]:
        """Everybody served, by external id. Promises 2 and 6: nobody disappears or moves."""
        with self.company.client() as client:
            answer = client.get("/scim/v2/Users?startIndex=1&count=1000")
            part = client.get("/scim/v2/Users?startIndex=3&count=4").json()
        assert answer.status_code == 200
        rows = answer.json()["Resources"]
        ids = [row["id"] for row in rows]
        assert ids
        assert ids[: len(self.places)] == self.places
        assert answer.json()["totalResults"] == part["totalResults"] == len(ids)
        assert part["Resources"] == rows[2:6]
        self.places = ids
        return {row["externalId"]: row for row in rows}

    def _what_is_served_is_one_whole_state(self, served: dict[str, Row]) -> None:
        """Promise 3: everybody who is referred to is there, and no name is anybody else's."""
        names = [row["userName"].casefold() for row in served.values()]
        assert len(set(names)) == len(names)
        for row in served.values():
            manager = row[ENTERPRISE].get("manager")
            assert manager is None or manager["value"].casefold() in names
            assert not (row["active"] and row["userName"].endswith("@left.invalid"))
        for group in self.company.groups().values():
            members = {member["value"] for member in group["members"]}
            assert members
            assert members <= set(self.places)

    def _a_disable_is_served_or_waits(self, served: dict[str, Row]) -> None:
        """Promise 5."""
        for key, row in served.items():
            source = self.company.rows.get(key)
            if row["active"] and source is not None and self._has_left(source):
                assert key in self._waiting() | self._standing()

    def _where_nothing_waits_everything_is_as_the_source_says(self, served: dict[str, Row]) -> None:
        company = self.company
        waits = company.plans(*plans.OPEN) or company.problems() or self._standing()
        if waits or self.edit not in GOOD:
            return
        for key, row in served.items():
            source = company.rows.get(key)
            if source is None or source["title"] == self._skipped():
                assert not row["active"]
                continue
            active = not self._has_left(source) and self.edit != "nobody is employed"
            assert row["active"] is active
            if not active and row["userName"].endswith("@left.invalid"):
                continue
            assert row["userName"] == source["mail"].lower()
            assert row["name"] == {"givenName": source["first"], "familyName": source["last"]}
            assert row.get("title", "") == self._title(source["title"])
            assert row[ENTERPRISE]["department"] == self._department(source["dept"])
            boss = served.get(source["boss"])
            manager = {"value": boss["userName"]} if boss else None
            assert row[ENTERPRISE].get("manager") == manager
        wanted = {key for key, row in company.rows.items() if row["title"] != self._skipped()}
        assert wanted <= served.keys()
        for name, group in company.groups().items():
            members = {member["value"] for member in group["members"]}
            assert members == {
                served[key]["id"] for key in wanted
                if f"Department {self._department(company.rows[key]['dept'])}" == name
            }  # fmt: skip

    def _has_left(self, source: dict[str, str]) -> bool:
        try:
            day = datetime.strptime(source["end"] + " +0000", "%Y-%m-%d %z")
        except ValueError:
            return False
        return day + DAY <= self.company.now

    def _skipped(self) -> str:
        return "Chief" if self.edit == "chiefs are not served" else "Test"

    def _title(self, title: str) -> str:
        if self.edit == "no titles":
            return ""
        return title.upper() if self.edit == "titles in capitals" else title

    def _department(self, dept: str) -> str:
        first = "Research" if self.edit == "another name of a department" else "Engineering"
        return {"1": first, "2": "Sales"}.get(dept, "Unknown")

    def _waiting(self) -> set[str]:
        """Whoever stands in a plan."""
        return {
            subject for plan in self.company.plans(*plans.OPEN)
            for subject, _, _ in self.company.shown(plan)
        }  # fmt: skip

    def _standing(self) -> set[str]:
        """Whoever is overridden."""
        with self.company.store.read() as connection:
            return {row.person_key for row in overrides.all(connection, self.company.now)}


TestPromises = Life.TestCase
TestPromises.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
