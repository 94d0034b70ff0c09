"""The company and its bridge, watched: after every run the promises are checked."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import LogCapture

from tests.proof.bridged import SECRETS
from tests.proof.company import TEAMS, Simulated, person, team
from tests.proof.promises import Promises, Step
from tests.proof.runs import BROKEN, KILLED, Ended, Runs

TALLY: Counter[str] = Counter()
"""What has happened in all lives of this process."""


class Watched:
    """Ten people, their source, the bridge, and whoever looks after each run what has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="proof-"))
        self.stack.callback(shutil.rmtree, self.folder)
        self.log = LogCapture()
        structlog.configure(processors=[self.log])
        self.stack.callback(structlog.reset_defaults)
        self.source = Simulated(self.folder / "statements")
        for number in range(1, TEAMS + 1):
            self.source.put(team(number, f"P{number}", f"P{number + 2}"))
        for number in range(1, 11):
            self.source.put(person(number))
        self.bridged = Runs(self.folder, self.source)
        self.stack.callback(self.bridged.close)
        self.promises = Promises()
        self.place = 0
        self.breaking: tuple[str, int] | None = None
        """How the next run is to be broken, and after how many percent of its operations."""
        self.kept: tuple[Path, Promises] | None = None
        """A backup, and what was known when it was made."""
        self.erased: set[str] = set()
        """Who was ever erased."""

    def closed(self) -> None:
        """Promise 6: before the first publication, and after a restore."""
        for path in ("Users", "Users/1", "Users?filter=userName%20eq%20%22a%22", "Groups"):
            answer = self.bridged.get(path)
            assert answer.status_code == 503, f"promise 6: {path} is answered"
            assert answer.headers["retry-after"].isdecimal()

    # -- runs ----------------------------------------------------------------------------------

    def run(self, mode: str, actor: str = "test", words: set[str] | None = None) -> Ended:
        """Run, perhaps to a violent end, and check the promises.

        ``words`` are the people of whom somebody said that this may happen to them, beside whoever
        stands in a plan that was approved.
        """
        bridged, TALLY["runs"] = self.bridged, TALLY["runs"] + 1
        approved = bridged.approved()
        waiting, text = bridged.subjects(), bridged.live()
        if bridged.text != text:  # in another file's words nothing was read before
            self.source.faults = [each for each in self.source.faults if each[0] != "stale"]
        paused = not bridged.text and mode != "decide"
        before = bridged.answers() if paused else {}
        ended = bridged.run(mode, actor) if self.breaking is None else self._break(mode, actor)
        self.source.faults = []
        assert not isinstance(ended.error, RuntimeError) or "program" in str(ended.error)
        self.hear(ended.report is not None)
        whole = ended.report is not None and not paused and bridged.decides()
        live = bridged.live()
        step = Step(
            now=bridged.now,
            text=text or live,
            text_now=live,
            words=frozenset(approved | (words or set())),
            whole_run=whole,
            waiting=frozenset(waiting),
            refused=frozenset(bridged.subjects("rejected")),
            excused=frozenset(self._excused()),
        )
        for key, what in self.promises.look(bridged.answers(), step).items():
            TALLY[what] += 1
            self._is_accounted_for(key, what)
        if whole and self.promises.opened:
            self._erased_stay_erased()
        assert not paused or bridged.answers() == before, "a source without a file goes on"
        self._tells_no_secret()
        return ended

    def _break(self, mode: str, actor: str) -> Ended:
        """A run that is killed, or whose store fails; promise 3: all of it is served, or nothing
        of it."""
        assert self.breaking is not None
        bridged, (how, at), self.breaking = self.bridged, self.breaking, None
        outcomes, count = bridged.outcomes(mode, actor, *(KILLED if how == "kill" else BROKEN))
        at = 1 + count * at // 100
        if how == "kill":
            ended = bridged.killed(mode, actor, at)
            TALLY["kills"] += ended.killed
            TALLY["kills in a transaction"] += ended.within
        else:
            ended = bridged.broken(mode, actor, at, how == "for good")
            TALLY["broken"] += ended.report is None
        assert bridged.answers() in outcomes, "promise 3: half a run is served"
        return ended

    def hear(self, certain: bool) -> None:
        """Take in what the source has said since the last time; as `Heard.hear`."""
        statements, self.place = self.bridged.statements(self.place)
        heard = self.promises.heard
        heard.hear(statements, certain)
        self.source.read_as_of = heard.as_of

    def served(self, key: str) -> Any:
        """What was served of a person at the last look, None for nothing."""
        promises = self.promises
        return next((row for id, row in promises.before.items() if promises.keys[id] == key), None)

    def _excused(self) -> set[str]:
        """Who may be served as the source does not say."""
        standing = {
            key for key in self.promises.overrides
            if self.promises.override(key, self.bridged.now) is not None
        }  # fmt: skip
        found = self.bridged.subjects() | self.bridged.problems().keys() | standing | self.erased
        return found

    def _is_accounted_for(self, key: str, what: str) -> None:
        event = self.bridged.audited(key)
        assert event is not None, "promise 9: nothing tells of it"
        detail = json.loads(event.detail)
        assert event.action in (what, "erased")
        assert event.run_id
        assert event.actor in ("test", "ann", "schedule")
        assert detail["fact"]
        assert detail["reason"]
        assert detail["mapping"] >= 1
        assert detail["rule"] or detail["cause"] in ("absent", "override", "edited"), detail

    def _erased_stay_erased(self) -> None:
        for key in self.erased - self.promises.heard.stated:
            row = self.served(key)
            assert row is None or row["userName"].endswith("@erased.invalid"), "an erased person"

    def _tells_no_secret(self) -> None:
        told = [str(self.log.entries), *self.bridged.reports, *self.bridged.problems().values()]
        self.log.entries.clear()
        self.bridged.reports.clear()
        for text in told:
            for secret in (*SECRETS.values(), self.bridged.secret, "Zfirst", "Zlast", "@example"):
                assert secret not in text, "promise 10"
