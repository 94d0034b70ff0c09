"""What goes wrong: with reads, with the process, with its disk and with its clock."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from bridge.errors import LeaseHeld
from tests.proof.company import FAULTS
from tests.proof.watched import TALLY, Watched

modes = st.sampled_from(["changes", "full", "decide"])


class Mishaps(Watched):
    """Reads break and lie, runs are killed, lose their disk or are overtaken, clocks jump."""

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
        self.hear(False)
        assert self.bridged.answers() == before, "promise 8: two lead"
        assert ended.report is None or not ended.report.written, "promise 8: two lead"
        TALLY["stale leaders"] += isinstance(ended.error, LeaseHeld)

    @rule(hours=st.sampled_from([1, 6, 25, 25, -1, -24]), mode=modes)
    def the_clock_moves(self, hours: int, mode: str) -> None:
        self.bridged.now += timedelta(hours=hours)
        self.run(mode, "schedule")
