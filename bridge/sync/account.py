"""The account of one run: what it read, decided and held; stored, and reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import Fault
from bridge.store import Store, plans, problems, runs, watch
from bridge.sync.outcome import Outcome
from bridge.sync.read_report import COMPLETE, ReadReport
from bridge.sync.report import Report


@dataclass(slots=True)
class Account:
    """What one run of a source has come to so far."""

    store: Store
    source_id: int
    run_id: int
    mode: str
    clock: Callable[[], datetime]
    began: datetime
    read: ReadReport = field(default_factory=lambda: ReadReport(""))
    outcome: Outcome = field(default_factory=Outcome)
    faults: list[Fault] = field(default_factory=list)
    written: bool = False
    """Whether the account is in the store already, as part of a publication."""

    def write(self, connection: Connection) -> None:
        """Write it, in the transaction of what it tells of."""
        read, outcome = self.read, self.outcome
        counts = {
            "entries": read.entries,
            "changed": read.changed,
            "gone": read.gone,
            "written": outcome.written,
            **outcome.published,
        }
        runs.finish(
            connection,
            self.run_id,
            self.clock(),
            verdict=read.verdict,
            reason=read.reason,
            counts=counts,
            held=outcome.held,
            publication=outcome.publication,
        )
        if read.verdict == COMPLETE:
            ends = (read.certificate_ends, read.password_ends)
            watch.read(connection, self.source_id, self.began, *ends, read.skew)

    def end(self, source: str) -> Report:
        """Write it unless that was done, and tell it."""
        if not self.written:
            with self.store.write() as connection:
                self.write(connection)
        with self.store.read() as connection:
            waiting = plans.listing(connection, self.source_id, [plans.HELD])
            problem_count = problems.count(connection, self.source_id)
        read, outcome = self.read, self.outcome
        return Report(
            source=source,
            run=self.run_id,
            mode=self.mode,
            verdict=read.verdict,
            reason=read.reason,
            entries=read.entries,
            changed=read.changed,
            gone=read.gone,
            written=outcome.written,
            counts=dict(outcome.published),
            held=dict(outcome.held),
            plans=[row.hash for row in waiting],
            problems=problem_count,
            publication=outcome.publication,
            faults=[str(fault) for fault in self.faults],
        )
