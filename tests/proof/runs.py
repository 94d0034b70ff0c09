"""Runs of the bridge of the simulated company, and ways to break one.

A run can be killed with SIGKILL, in a process of its own, at any operation of its database; or
one of these operations can fail. What a run may leave behind is known from a run on a copy.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.errors import BridgeError, LeaseHeld
from bridge.store import Store
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import Sync
from tests.proof.bridged import Answers, Bridged
from tests.proof.company import NOW
from tests.proof.operations import operations

KILLED, BROKEN = ("database", "file"), ("database",)
"""The kinds of operations at which a run is killed, and which of them fail."""


@dataclass
class Ended:
    """How a run ended: with a report, with an error, or killed (``report`` is None)."""

    report: Report | None = None
    error: Exception | None = None
    killed: bool = False
    within: bool = False
    """Whether it was killed inside a write transaction."""


@dataclass
class Runs(Bridged):
    """The bridge, and how it is run."""

    leases: datetime = NOW
    reports: list[str] = field(default_factory=list)
    """Everything that runs have told, in their own words."""

    def run(self, mode: str, actor: str = "test", name: str = "hr") -> Ended:
        """One run of a source to its end, whatever that is."""
        return self._run(self.store, mode, actor, name=name)

    def _run(
        self,
        store: Store,
        mode: str,
        actor: str,
        progress: Callable[[str, int], None] = lambda step, done: None,
        name: str = "hr",
    ) -> Ended:
        try:
            with leadership(store, self._later) as epoch:
                sync = Sync(store, self.mappings, epoch, lambda: self.now)
                report = sync.run(name, mode, actor, progress)
        except (BridgeError, RuntimeError) as error:
            self.reports.append(str(error))
            return Ended(error=error)
        self.reports += [report.reason, *report.faults]
        return Ended(report)

    def _later(self) -> datetime:
        """A moment at which every lease of before has run out: a run that broke kept its own."""
        self.leases = max(self.leases, self.now) + timedelta(minutes=1)
        return self.leases

    def outcomes(self, mode: str, actor: str, *kinds: str) -> tuple[list[Answers], int]:
        """What a run would let Okta see: now, and after each of its publications.

        And how many operations of these kinds it would take.
        """
        found = [self.answers()]
        counted, looking = 0, False
        faults, statements = list(self.source.faults), self.source.statements.stat().st_size
        self.keep()

        def progress(step: str, done: int) -> None:
            nonlocal looking
            if step == "published":
                looking = True
                found.append(self.answers())
                looking = False

        def count(number: int, writing: bool) -> None:
            nonlocal counted
            counted += not looking

        with operations(count, *kinds):
            self._run(self.store, mode, actor, progress)
        found.append(self.answers())
        self.put_back()
        self.source.faults[:] = faults
        os.truncate(self.source.statements, statements)
        return found, counted

    def killed(self, mode: str, actor: str, at: int) -> Ended:
        """A run in a process of its own that SIGKILL ends at an operation of its database."""
        self.shut()
        come, go = os.pipe()
        with warnings.catch_warnings():
            # Nothing of the other threads is used by the child, which never returns.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            try:
                store = Store.open(f"sqlite:///{self.database}")
                with operations(
                    lambda number, writing: self._die(number, writing, at, go), *KILLED
                ):
                    self._run(store, mode, actor)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(go)
        with os.fdopen(come, "rb") as told:
            within = told.read() == b"writing"
        _, status = os.waitpid(pid, 0)
        self.source.faults.clear()
        self.open()
        killed = os.WIFSIGNALED(status)
        assert killed or os.waitstatus_to_exitcode(status) == 0
        return Ended(killed=killed, within=killed and within)

    @staticmethod
    def _die(number: int, writing: bool, at: int, go: int) -> None:
        if number == at:
            os.write(go, b"writing" if writing else b"idle")
            os.kill(os.getpid(), signal.SIGKILL)

    def broken(self, mode: str, actor: str, at: int, for_good: bool) -> Ended:
        """A run of which one operation of the database fails, or all from there on."""

        def fail(number: int, writing: bool) -> None:
            if number == at or (for_good and number > at):
                raise sqlite3.OperationalError("disk I/O error")

        with operations(fail, *BROKEN):
            return self._run(self.store, mode, actor)

    def taken_over(self, mode: str, actor: str) -> Ended:
        """A run of a process that another one has taken the lease from."""
        with leadership(self.store, self._later) as old, leadership(self.store, self._later):
            try:
                report = Sync(self.store, self.mappings, old, lambda: self.now).run(
                    "hr", mode, actor
                )
            except (LeaseHeld, RuntimeError) as error:
                return Ended(error=error)
        return Ended(report)
