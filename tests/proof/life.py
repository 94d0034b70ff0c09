"""A company lives through everything at once, and after every step the promises are checked."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from structlog.testing import LogCapture

from bridge.errors import LeaseHeld
from tests.proof.bridged import BROKEN, KILLED, SECRETS, Bridged, Ended
from tests.proof.company import DAY, FAULTS, TEXTS, Row, Simulated, person
from tests.proof.promises import ACTIVE, Heard, Promises, Step, state

PEOPLE = [f"P{number}" for number in range(1, 19)]
MAILS = [f"zq{number}@example.com" for number in range(1, 21)]
who = st.sampled_from(PEOPLE)
modes = st.sampled_from(["changes", "full", "decide"])
TALLY: Counter[str] = Counter()
"""What has happened in all lives of this process."""


class Life(RuleBasedStateMachine):
    """The company, the bridge, Okta, and whoever breaks things."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="proof-"))
        self.stack.callback(shutil.rmtree, self.folder)
        self.log = LogCapture()
        structlog.configure(processors=[self.log])
        self.stack.callback(structlog.reset_defaults)
        self.source = Simulated(self.folder / "statements")
        for number in range(1, 11):
            self.source.put(person(number))
        self.bridged = Bridged(self.folder, self.source)
        self.stack.callback(self.bridged.close)
        self.promises = Promises()
        self.place = 0
        self.breaking: tuple[str, int] | None = None
        """How the next run is to be broken, and after how many percent of its operations."""
        self.kept: tuple[Path, Promises] | None = None
        """A backup, and what was known when it was made."""
        self.backups = 0
        self.erased: set[str] = set()
        self.rehired = 0

    @invariant()
    def count(self) -> None:
        TALLY["steps"] += 1

    def teardown(self) -> None:
        try:
            if self.promises.opened and sys.exc_info()[0] is None:
                self.quiet(by_changes=True)
        finally:
            self.stack.close()

    @initialize(held=st.booleans(), tells_present=st.booleans())
    def load(self, held: bool, tells_present: bool) -> None:
        bridged = self.bridged
        self.source.tells_present = tells_present
        self._closed()
        if held:
            bridged.first_load = "hold"
            bridged.write()
            self.run("changes")
            self._closed()
            [plan] = bridged.plans("held")
            bridged.word(plan, True)
            self.run("decide", words=set(self.source.people))
        else:
            self.run("full")
        assert self.promises.opened
        self.okta_imports()

    def _closed(self) -> None:
        """Promise 6: before the first publication, and after a restore."""
        for path in ("Users", "Users/1", "Users?filter=userName%20eq%20%22a%22", "Groups"):
            answer = self.bridged.get(path)
            assert answer.status_code == 503, path
            assert answer.headers["retry-after"].isdecimal()

    # -- the company ---------------------------------------------------------------------------

    @rule(key=who, mail=st.none() | st.sampled_from(MAILS))
    def join(self, key: str, mail: str | None) -> None:
        if key not in self.source.people and key not in self.promises.heard.relinked.values():
            self.source.put(person(int(key[1:]), **({"mail": mail} if mail else {})))

    @rule(keys=st.sets(who, min_size=8))
    def many_join(self, keys: set[str]) -> None:
        for key in sorted(keys):
            self.join(key, None)

    @rule(key=who, end=st.sampled_from(["2026-06-14", "2026-06-15", "2026-06-16", "", ""]))
    def leave_or_come_back(self, key: str, end: str) -> None:
        self.source.change(key, end=end)

    @rule(key=who, locked=st.sampled_from(["yes", "no", ""]))
    def lock(self, key: str, locked: str) -> None:
        self.source.change(key, locked=locked)

    @rule(keys=st.sets(who, min_size=4), end=st.sampled_from(["2026-06-14", ""]))
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

    # -- what goes wrong -----------------------------------------------------------------------

    @rule(kind=st.sampled_from(FAULTS), after=st.integers(0, 4), twice=st.booleans())
    def reads_go_wrong(self, kind: str, after: int, twice: bool) -> None:
        self.source.faults = [(kind, after)] * (1 + twice)

    @rule(mode=modes, at=st.integers(0, 99))
    def kill(self, mode: str, at: int) -> None:
        self.breaking = ("kill", at)
        self.run(mode)

    @rule(mode=modes, at=st.integers(0, 99), how=st.sampled_from(["once", "for good"]))
    def fail(self, mode: str, at: int, how: str) -> None:
        self.breaking = (how, at)
        self.run(mode)

    @rule(mode=modes)
    def be_taken_over(self, mode: str) -> None:
        """Promise 8: a leader that was frozen meanwhile publishes nothing."""
        before = self.bridged.answers()
        ended = self.bridged.taken_over(mode, "test")
        self.source.faults = []
        self._hear(False)
        assert self.bridged.answers() == before, "promise 8"
        assert ended.report is None or not ended.report.written
        TALLY["stale leaders"] += isinstance(ended.error, LeaseHeld)

    @rule(hours=st.sampled_from([1, 6, 25, 25, -1, -24]), mode=modes)
    def the_clock_moves(self, hours: int, mode: str) -> None:
        self.bridged.now += timedelta(hours=hours)
        self.run(mode, "schedule")

    # -- the bridge ----------------------------------------------------------------------------

    @rule(mode=modes, accept=st.none() | st.booleans())
    def sync(self, mode: str, accept: bool | None) -> None:
        """A run, before which somebody may decide on the plan that waits the longest."""
        held = self.bridged.plans("held")
        if accept is None or not held:
            self.run(mode)
            return
        subjects = self.bridged.subjects("held")
        self.bridged.word(held[-1], accept)
        words = subjects - self.bridged.subjects("held") if accept else set()
        self.run(mode, words=words | self.bridged.subjects("approved"))
        TALLY["words"] += 1

    @rule(edition=st.sampled_from([*TEXTS, ""]), mode=modes)
    def edit_the_file(self, edition: str, mode: str) -> None:
        self.bridged.text = edition
        self.bridged.write()
        self.run(mode)

    @rule(key=who, active=st.booleans(), hours=st.none() | st.integers(1, 30))
    def override(self, key: str, active: bool, hours: int | None) -> None:
        until = self.bridged.now + timedelta(hours=hours) if hours else None
        self.bridged.override(key, active, until)
        self.promises.overrides[key] = active, until
        self.run("decide", words={key})

    @rule(key=who)
    def end_an_override(self, key: str) -> None:
        self.bridged.end_override(key)
        self.promises.overrides.pop(key, None)
        self.run("decide")

    @rule(key=who)
    def erase(self, key: str) -> None:
        row = self._served(key)
        if row is None or row["active"] or self.promises.heard.of(key) != [None]:
            return
        self.bridged.erase(key)
        self.promises.overrides.pop(key, None)
        self.erased.add(key)
        self.run("decide", words={key})

    @rule(key=who, number=st.integers(1, 3))
    def relink(self, key: str, number: int) -> None:
        heard, new = self.promises.heard, f"R{number}"
        is_there = heard.of(new) != [None] and len(heard.of(new)) == 1
        if self._served(key) is None or heard.of(key) != [None] or not is_there:
            return
        if new in heard.relinked or key in self.source.people:
            return
        self.bridged.relink(key, new)
        heard.relinked[new] = key
        self.run("decide", words={key, new})

    def _served(self, key: str) -> Any:
        promises = self.promises
        return next((row for id, row in promises.before.items() if promises.keys[id] == key), None)

    @precondition(lambda self: self.backups < 2)
    @rule()
    def back_up(self) -> None:
        self.backups += 1
        self.kept = self.bridged.back_up(), deepcopy(self.promises)

    @precondition(lambda self: self.kept)
    @rule()
    def restore(self) -> None:
        assert self.kept is not None
        file, then = self.kept
        self.bridged.restore(file)
        self._closed()
        now, self.promises = self.promises, deepcopy(then)
        self.promises.opened = False
        self.promises.keys = now.keys
        self.promises.heard = Heard(relinked=now.heard.relinked)
        self.source.read_as_of = 0
        TALLY["restores"] += 1

    # -- Okta ----------------------------------------------------------------------------------

    @rule()
    def okta_imports(self) -> None:
        before = set(self.bridged.linked)
        outcome = self.bridged.imported()
        TALLY["imports"] += 1
        erased = {id for id, key in self.promises.keys.items() if key in self.erased}
        assert all(each[:36] in erased for each in outcome.violations), outcome.violations
        if not self.promises.opened:
            assert outcome.failed
            return
        assert not outcome.failed
        TALLY["removals"] += len(outcome.removed)
        served = self.promises.before
        for id in outcome.removed:
            assert id in before
            if id in served:
                assert not served[id]["active"]
            else:  # came after the backup that was restored, and left before it was
                assert self.promises.keys[id] not in self.source.people, "Okta removes somebody"
        assert outcome.linked.keys() == {id for id, row in served.items() if row["active"]}

    # -- runs ----------------------------------------------------------------------------------

    def run(self, mode: str, actor: str = "test", words: set[str] | None = None) -> Ended:
        """Run, perhaps to a violent end, and check the promises."""
        bridged, TALLY["runs"] = self.bridged, TALLY["runs"] + 1
        waiting, text = bridged.subjects(), bridged.live()
        if bridged.text != text:  # in another file's words nothing was read before
            self.source.faults = [each for each in self.source.faults if each[0] != "stale"]
        if self.breaking is None:
            ended = bridged.run(mode, actor)
        else:
            (how, at), self.breaking = self.breaking, None
            kinds = KILLED if how == "kill" else BROKEN
            outcomes, count = bridged.outcomes(mode, actor, *kinds)
            at = 1 + count * at // 100
            if how == "kill":
                ended = bridged.killed(mode, actor, at)
                TALLY["kills"] += ended.killed
                TALLY["kills in a transaction"] += ended.within
            else:
                ended = bridged.broken(mode, actor, at, how == "for good")
                TALLY["broken"] += ended.report is None
            assert bridged.answers() in outcomes, "promise 3: half a run is served"
        self.source.faults = []
        assert not isinstance(ended.error, RuntimeError) or "program" in str(ended.error)
        whole = ended.report is not None
        self._hear(whole)
        live = bridged.live()
        step = Step(
            now=bridged.now,
            text=text or live,
            text_now=live,
            words=frozenset(words or ()),
            whole_run=whole,
            waiting=frozenset(waiting),
            excused=frozenset(self._excused()),
        )
        for key, what in self.promises.look(bridged.answers(), step).items():
            self._is_accounted_for(key, what)
        self._tells_no_secret()
        return ended

    def _hear(self, certain: bool) -> None:
        statements, self.place = self.bridged.statements(self.place)
        self.promises.heard.hear(statements, certain)
        for each in statements:
            if certain and each.get("whole"):
                self.source.read_as_of = each["as_of"]

    def _excused(self) -> set[str]:
        """Who may be served as the source does not say."""
        standing = {
            key for key in self.promises.overrides
            if self.promises.override(key, self.bridged.now) is not None
        }  # fmt: skip
        found = self.bridged.subjects() | self.bridged.problems().keys() | standing | self.erased
        return found

    def _is_accounted_for(self, key: str, what: str) -> None:
        """Promise 9."""
        event = self.bridged.audited(key)
        detail = json.loads(event.detail)
        assert event.action in (what, "erased")
        assert event.run_id
        assert event.actor in ("test", "ann", "schedule")
        assert detail["fact"]
        assert detail["reason"]
        assert detail["mapping"] >= 1
        assert detail["rule"] or detail["cause"] in ("absent", "override", "edited"), detail

    def _tells_no_secret(self) -> None:
        """Promise 10."""
        told = [str(self.log.entries), *self.bridged.reports, *self.bridged.problems().values()]
        self.log.entries.clear()
        self.bridged.reports.clear()
        for text in told:
            for secret in (*SECRETS.values(), self.bridged.secret, "Zfirst", "Zlast", "@example"):
                assert secret not in text, "promise 10"

    # -- a quiet evening -----------------------------------------------------------------------

    @rule(by_changes=st.booleans())
    def quiet(self, by_changes: bool) -> None:
        """All is well again: nobody is wrongly removed, and no leaver is missed."""
        bridged, source, promises = self.bridged, self.source, self.promises
        TALLY["evenings"] += 1
        source.faults, self.breaking = [], None
        bridged.text = "as it was"
        bridged.write()
        for key in list(promises.overrides):
            bridged.end_override(key)
        promises.overrides.clear()
        for key in bridged.subjects("rejected"):
            if key not in source.people:  # a rejection stands until the record changes
                self.join(key, None)
        for number, row in enumerate(list(source.people.values())):
            mended = person(number, id=row["id"], mail=f"{row['id']}@example.com", title="Clerk")
            mended["locked"] = "yes" if row["locked"] == "yes" else ""
            mended["end"] = row["end"] if row["end"] != "soon" else ""
            mended["room"] = str(source.sequence)
            source.put(mended)
        told = source.tells_present or not source.unnamed
        changes = by_changes and promises.opened and told and not promises.heard.lied
        for _ in range(12):
            bridged.now += DAY + timedelta(hours=1)
            for plan in bridged.plans("held"):
                bridged.word(plan, True)
            ended = self.run("changes" if changes else "full", words=bridged.subjects("approved"))
            if ended.report and not bridged.plans() and not bridged.problems():
                break
        assert ended.report
        assert not bridged.plans()
        assert not bridged.problems()
        self.okta_imports()
        self.okta_imports()
        text, now = TEXTS["as it was"], bridged.now
        wanted = {}
        for row in source.people.values():
            if state(row, text, now) == ACTIVE:
                wanted[promises.heard.relinked.get(row["id"], row["id"])] = row
        linked = {promises.keys[id]: row for id, row in bridged.linked.items()}
        assert not linked.keys() - wanted.keys(), "a leaver was missed"
        assert not wanted.keys() - linked.keys(), "somebody was wrongly removed"
        for key, row in wanted.items():
            promises.is_as_stated(linked[key], row, text)
