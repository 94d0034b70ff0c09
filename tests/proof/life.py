"""A company lives through everything at once, and after every step the promises are checked."""

from __future__ import annotations

import sys
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.proof.company import DAY, person
from tests.proof.editions import ACTIVE, TEXTS, state
from tests.proof.mishaps import Mishaps
from tests.proof.operators import Operators
from tests.proof.staff import Staff
from tests.proof.watched import TALLY

__all__ = ["TALLY", "Life"]


class Life(Staff, Mishaps, Operators, RuleBasedStateMachine):
    """The company, the bridge, Okta, and whoever breaks things."""

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
        bridged.invite()
        bridged.run("full", name="guests")
        self.closed()
        if held:
            bridged.first_load = "hold"
            bridged.write()
            self.run("changes")
            self.closed()
            [plan] = bridged.plans("held")
            bridged.word(plan, True)
            self.run("decide", words=set(self.source.people))
        else:
            self.run("full")
        assert self.promises.opened
        self.okta_imports()

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
        served, problems = self.promises.before, self.bridged.problems()
        for id in outcome.removed:
            assert id in before
            if id in served:
                assert not served[id]["active"]
                continue
            # Came after the backup that was restored, and is gone or cannot be mapped since.
            key = self.promises.keys[id]
            assert key not in self.source.people or key in problems, "Okta removes somebody"
        active = {id for id, row in served.items() if row["active"]}
        assert outcome.linked.keys() == active | self.promises.guests.keys()

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
            ended = self.run("changes" if changes else "full")
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
        of_source = bridged.linked.keys() - promises.guests.keys()
        linked = {promises.keys[id]: bridged.linked[id] for id in of_source}
        assert not linked.keys() - wanted.keys(), "a leaver was missed"
        assert not wanted.keys() - linked.keys(), "somebody was wrongly removed"
        for key, row in wanted.items():
            promises.is_as_stated(linked[key], row, text)
