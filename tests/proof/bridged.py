"""The bridge of the simulated company in this process, and ways to break a run of it.

A run can be killed with SIGKILL, in a process of its own, at any operation of its database; or
one of these operations can fail. What a run may leave behind is known from a run on a copy.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from bridge import sources
from bridge.errors import BridgeError, LeaseHeld
from bridge.okta.rehearsal import Import, Manner, Profile, rehearse
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, audit, backup, erasures, overrides, plans, problems, relinks, tokens
from bridge.store import sources as source_rows
from bridge.store.tables import AuditRow, PlanRow
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import Sync
from tests import asgi
from tests.proof.company import NOW, TEXTS, Kind, Simulated
from tests.proof.operations import operations

BASE = "https://bridge.example.com/scim/v2"
URL = "https://bridge.example.com"
SECRETS = {"PROOF_SECRET": "zq-password-1", "PROOF_OTHER_SECRET": "zq-password-2"}

KILLED, BROKEN = ("database", "file"), ("database",)
"""The kinds of operations at which a run is killed, and which of them fail."""

Answers = dict[str, Any]
"""What SCIM answers: the rows of people in their order, and of groups; empty: 503."""


@dataclass
class Ended:
    """How a run ended: with a report, with an error, or killed (``report`` is None)."""

    report: Report | None = None
    error: Exception | None = None
    killed: bool = False
    within: bool = False
    """Whether it was killed inside a write transaction."""


@dataclass
class Bridged:
    """The store, the file and the token, with everything that a person may do to the bridge."""

    folder: Path
    source: Simulated
    now: datetime = NOW
    secret: str = ""
    text: str = "as it was"
    """The edition of the file that lies in the folder; empty: there is none."""
    first_load: str = "publish"
    linked: dict[str, Profile] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    leases: datetime = NOW
    reports: list[str] = field(default_factory=list)
    """Everything that runs have told, in their own words."""

    def __post_init__(self) -> None:
        kinds = {"simulated": Kind(self.source)}
        models = {"simulated": Kind.Settings}
        self.stack.enter_context(patch.object(sources, "kinds", lambda: kinds))
        self.stack.enter_context(patch.object(sources, "settings_models", lambda: models))
        self.stack.enter_context(patch.dict(os.environ, SECRETS))
        self.mappings.mkdir()
        self.write()
        self.database.write_bytes(_empty_store())
        self.open()
        with self.store.write() as connection:
            self.secret = tokens.create(connection, "okta", None, self.now)[1]

    def close(self) -> None:
        self.shut()
        self.stack.close()
        self.source.close()

    # -- the store -----------------------------------------------------------------------------

    @property
    def mappings(self) -> Path:
        return self.folder / "mappings"

    @property
    def database(self) -> Path:
        return self.folder / "bridge.db"

    def open(self) -> None:
        self.opened = ExitStack()
        self.store = Store.open(f"sqlite:///{self.database}")
        self.opened.callback(self.store.close)
        app = application(self.store, Settings(public_url=URL))
        self.okta = self.opened.enter_context(asgi.client(app, self.secret))

    def shut(self) -> None:
        self.opened.close()

    def keep(self) -> None:
        """Keep a copy of the store's file as it is now."""
        self.shut()
        shutil.copyfile(self.database, self.database.with_suffix(".kept"))
        self.open()

    def put_back(self) -> None:
        """Put the copy back."""
        self.shut()
        shutil.copyfile(self.database.with_suffix(".kept"), self.database)
        self.open()

    @property
    def source_id(self) -> int:
        with self.store.read() as connection:
            row = source_rows.get(connection, "hr")
        assert row is not None
        assert row.id is not None
        return row.id

    # -- what Okta sees ------------------------------------------------------------------------

    def get(self, path: str) -> httpx.Response:
        return self.okta.get(f"/scim/v2/{path}", headers={"Authorization": f"Bearer {self.secret}"})

    def answers(self) -> Answers:
        """Everybody and every group, or nothing where it answers 503."""
        people, groups = self.get("Users?startIndex=1&count=1000"), self.get("Groups?count=1000")
        assert people.status_code == groups.status_code
        if people.status_code == 503:
            return {}
        assert people.status_code == 200
        return {"people": people.json(), "groups": groups.json()}

    def imported(self) -> Import:
        """An import of Okta's, by pages of five, which then has linked what it found."""
        manner = Manner(page_size=5, wait=lambda seconds: None)
        self.okta.headers["Authorization"] = f"Bearer {self.secret}"
        outcome = rehearse(self.okta, BASE, self.secret, self.linked, manner=manner)
        self.linked = dict(outcome.linked)
        return outcome

    # -- runs ----------------------------------------------------------------------------------

    def write(self) -> None:
        """Put the file into the folder, or take it out."""
        file = self.mappings / "hr.yaml"
        if self.text:
            file.write_text(TEXTS[self.text].written(self.first_load))
            os.utime(file, (0, 0))  # nobody is writing it any more
            os.utime(self.mappings, (0, 0))
        else:
            file.unlink(missing_ok=True)
            os.utime(self.mappings, (0, 0))

    def run(self, mode: str, actor: str = "test", store: Store | None = None) -> Ended:
        """One run to its end, whatever that is."""
        return self._run(store or self.store, mode, actor)

    def _run(
        self,
        store: Store,
        mode: str,
        actor: str,
        progress: Callable[[str, int], None] = lambda step, done: None,
    ) -> Ended:
        try:
            with leadership(store, self._later) as epoch:
                sync = Sync(store, self.mappings, epoch, lambda: self.now)
                report = sync.run("hr", mode, actor, progress)
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

    # -- what people do ------------------------------------------------------------------------

    def plans(self, *states: str) -> list[PlanRow]:
        with self.store.read() as connection:
            return plans.listing(connection, states=states or plans.OPEN)

    def subjects(self, *states: str) -> set[str]:
        """Whoever stands in a plan, by key."""
        found = set()
        for plan in self.plans(*states):
            assert plan.id is not None
            with self.store.read() as connection:
                found |= {each.subject for each in plans.changes(connection, plan.id, limit=1000)}
        return found

    def word(self, plan: PlanRow, accept: bool) -> None:
        with self.store.write() as connection:
            say = plans.approve if accept else plans.reject
            say(connection, plan.hash, "ann", self.now)

    def override(self, key: str, active: bool, until: datetime | None) -> None:
        with self.store.write() as connection:
            overrides.set(connection, self.source_id, key, active, "asked", "ann", self.now, until)

    def end_override(self, key: str) -> None:
        with self.store.write() as connection:
            overrides.end(connection, self.source_id, key, self.now)

    def erase(self, key: str) -> None:
        with self.store.write() as connection:
            erasures.ask(connection, self.source_id, key, "ann", self.now)

    def relink(self, old: str, new: str) -> None:
        with self.store.write() as connection:
            relinks.set(connection, self.source_id, old, new, "ann", self.now)

    def back_up(self) -> Path:
        file = Path(tempfile.mktemp(dir=self.folder, suffix=".backup"))
        backup.save(self.store, file, lambda step, done: None)
        return file

    def restore(self, file: Path) -> None:
        backup.load(self.store, file, self.now, lambda step, done: None, replace=True)

    # -- what is told --------------------------------------------------------------------------

    def live(self) -> str:
        """The edition that is live, empty where none ever was."""
        with self.store.read() as connection:
            row = source_rows.get(connection, "hr")
        if row is None or not row.mapping_text:
            return ""
        return next(
            name
            for name, text in TEXTS.items()
            if text.written(self.first_load) == row.mapping_text
        )

    def problems(self) -> dict[str, str]:
        with self.store.read() as connection:
            return {
                subject: " ".join(problem.messages)
                for _, subject, problem in problems.all(connection)
            }

    def audited(self, key: str) -> AuditRow:
        """What happened to a person last."""
        with self.store.read() as connection:
            return next(audit.find(connection, audit.Search(self.source_id, key)))

    def statements(self, start: int) -> tuple[list[dict[str, Any]], int]:
        """What the source has said since a place in its log, and the place to go on from."""
        with self.source.statements.open("rb") as log:
            log.seek(start)
            lines = log.readlines()
        return [json.loads(line) for line in lines], start + sum(map(len, lines))


@cache
def _empty_store() -> bytes:
    """A store in which there is nothing yet; to make its tables takes longer than many runs."""
    with tempfile.TemporaryDirectory() as folder:
        Store.open(f"sqlite:///{folder}/empty.db").close()
        return Path(folder, "empty.db").read_bytes()
