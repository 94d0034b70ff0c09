"""The sync role: the lease, the schedule, the files and the requests, for years.

One thread does the syncing, one run after the other, so no two overlap. APScheduler wakes it;
the main thread looks every second whether a mapping file changed or a command asks for something.
"""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bridge.errors import BridgeError, LeaseHeld, StorageError
from bridge.mapping import Mapping
from bridge.store import Store, lease, requests
from bridge.store import sources as source_rows
from bridge.store.tables import SourceRow
from bridge.sync import catalog
from bridge.sync.leadership import DAEMON, leadership, utc_now
from bridge.sync.report import Report
from bridge.sync.run import CHANGES, FULL, Sync

_LOOK_SECONDS = 1.0
_STAND_BY_SECONDS = 2.0
_END_SECONDS = 3.0
"""How long a run may take to notice that the daemon ends."""
_CHANGES = timedelta(minutes=5)
"""How often a source is asked for changes where its file does not say."""

_log = structlog.get_logger()


class Stopped(BaseException):
    """The daemon was told to end; what is under way is dropped and found again."""


def serve(store: Store, folder: Path, stop: threading.Event, ttl: timedelta = lease.TTL) -> None:
    """Sync until ``stop`` is set. Stands by while another process holds the lease, and while the
    store is out of reach."""
    told: type[BridgeError] | None = None
    while not stop.is_set():
        lost = threading.Event()
        try:
            with leadership(store, role=DAEMON, ttl=ttl, lost=lost) as epoch:
                _log.info("leading")
                told = None
                _Daemon(Sync(store, folder, epoch, ttl=ttl), stop, lost).run()
        except (LeaseHeld, StorageError) as error:
            if type(error) is not told:
                _log.warning("standing by", reason=str(error))
                told = type(error)
            stop.wait(_STAND_BY_SECONDS)


class _Daemon:
    """One term as the leader, which ends with ``stop`` or with ``lost``."""

    def __init__(self, sync: Sync, stop: threading.Event, lost: threading.Event) -> None:
        self.sync = sync
        self.store = sync.store
        self.stop = stop
        self.lost = lost
        self.texts: dict[str, tuple[str, str]] | None = None
        self.faults: set[str] = set()
        self.asked: set[int | None] = set()
        self.trouble: dict[str, str] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.telling = threading.Lock()
        self.running = threading.Lock()
        self.scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            # A run that is late, because another one took long, is made once.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def run(self) -> None:
        """Sync until told to stop, or until another process has taken over."""
        self.scheduler.start()
        try:
            while not (self.stop.is_set() or self.lost.is_set()):
                self._look("files", self._look_at_files)
                self._look("requests", self._look_at_requests)
                self.stop.wait(_LOOK_SECONDS)
        finally:
            self.lost.set()
            self.scheduler.shutdown(wait=False)
            # A run stops at its next step; one that waits for a file to be still is left alone.
            if self.running.acquire(timeout=_END_SECONDS):
                self.running.release()

    def _look(self, what: str, look: Callable[[], None]) -> None:
        """Take note of something; a store or folder out of reach is waited for, and told once."""
        try:
            look()
        except BridgeError as error:
            self._tell_trouble(f"cannot look at the {what}", str(error))
        else:
            self.trouble.pop(f"cannot look at the {what}", None)

    def _look_at_files(self) -> None:
        with self.store.read() as connection:
            known = {row.name: row for row in source_rows.all(connection)}
        files = catalog.load(self.sync.folder, known.values())
        # The name beside the text: it is empty as long as something is wrong with the file.
        texts = {str(file.path): (file.name, file.text) for file in files}
        if texts == self.texts:
            return
        first, before = self.texts is None, self.texts or {}
        self.texts = texts
        self._tell_faults({str(fault) for fault in files.faults})
        for file in files:
            if file.mapping is not None and before.get(str(file.path)) != (file.name, file.text):
                self._schedule(file.mapping, known.get(file.name))
                self._soon(file.name)
        for row in known.values():
            # A faulty file does not stop its source, a missing one pauses it: a run says which.
            if files.find(row.name) is not None or not row.mapping_text:
                continue
            if not self.scheduler.get_job(f"{row.name} {CHANGES}"):
                self._schedule(catalog.compile(row.mapping_text, row.file), row)
            if first or row.file in before.keys() - texts.keys():
                self._soon(row.name)

    def _tell_trouble(self, what: str, reason: str) -> None:
        if self.trouble.get(what) != reason:
            self.trouble[what] = reason
            _log.error(what, reason=reason)

    def _tell_faults(self, faults: set[str]) -> None:
        """Log those faults that were not there before; a look or a run may see them first."""
        with self.telling:
            for fault in sorted(faults - self.faults):
                _log.error("faulty mapping file", fault=fault)
            self.faults = faults

    def _look_at_requests(self) -> None:
        with self.store.read() as connection:
            waiting = requests.pending(connection)
            names = {row.id: row.name for row in source_rows.all(connection)}
        self.asked &= {request.id for request in waiting}
        for request in waiting:
            if request.id not in self.asked:
                self.asked.add(request.id)
                self.scheduler.add_job(
                    self._run,
                    args=(names[request.source_id], request.mode, request.actor, request.id),
                    id=f"request {request.id}",
                )

    def _schedule(self, mapping: Mapping, row: SourceRow | None) -> None:
        """Read changes from now on, and everything when that was last done long enough ago."""
        now = utc_now()
        changes = mapping.schedule.changes or _CHANGES
        trigger = IntervalTrigger(seconds=int(changes.total_seconds()))
        self._add(mapping.name, CHANGES, trigger, now + changes)
        full = mapping.schedule.full
        last = row.complete_at if row is not None and row.complete_at else now
        if isinstance(full, str):
            trigger = CronTrigger.from_crontab(full, timezone=mapping.timezone)
            first = trigger.get_next_fire_time(None, last) or now
        else:
            trigger = IntervalTrigger(seconds=int(full.total_seconds()))
            first = last + full
        self._add(mapping.name, FULL, trigger, max(first, now))

    def _add(self, name: str, mode: str, trigger: BaseTrigger, first: datetime) -> None:
        self.scheduler.add_job(
            self._run,
            trigger,
            args=(name, mode, "schedule"),
            id=f"{name} {mode}",
            replace_existing=True,
            next_run_time=first,
        )

    def _soon(self, name: str) -> None:
        self.scheduler.add_job(
            self._run,
            args=(name, CHANGES, "file"),
            id=f"{name} soon",
            replace_existing=True,
            # One waits while one runs: what changes during a run is read after it.
            max_instances=2,
        )

    # -- in the syncing thread -----------------------------------------------------------------

    def _run(self, name: str, mode: str, actor: str, request: int | None = None) -> None:
        with self.running:
            if not self.lost.is_set():
                self._sync(name, mode, actor, request)

    def _sync(self, name: str, mode: str, actor: str, request: int | None) -> None:
        try:
            report = self.sync.run(name, mode, actor, self._progress)
        except Stopped:
            return
        except LeaseHeld as error:
            self.lost.set()  # the one that took over answers the request
            _log.warning("lost the lease", reason=str(error))
        except BridgeError as error:
            self._tell_trouble("cannot sync " + name, str(error))
            self._answer(request, None, error.exit_code, {"error": str(error)})
        except Exception as error:
            # The message of an unforeseen error may hold a person's values: its place does not.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            _log.error("a fault of the bridge", source=name, where=where)
            _log.debug("a fault of the bridge", exc_info=True)
            self._answer(request, None, 1, {"error": f"a fault of the bridge: {where}"})
        else:
            self.trouble.pop("cannot sync " + name, None)
            self._tell(report)
            self._answer(request, report.run, report.exit_code, report.as_json())

    def _progress(self, step: str, done: int) -> None:
        if self.stop.is_set() or self.lost.is_set():
            raise Stopped

    def _answer(
        self, request: int | None, run: int | None, exit_code: int, message: dict[str, Any]
    ) -> None:
        if request is None:
            return
        try:
            with self.store.write() as connection:
                requests.answer(connection, request, run, exit_code, json.dumps(message), utc_now())
        except StorageError as error:
            self.asked.discard(request)  # it is done again, and answered then
            _log.error("cannot answer a request", reason=str(error))

    def _tell(self, report: Report) -> None:
        """Log what a run did, once: a source that stays as it is makes no noise."""
        self._tell_faults(self.faults.union(report.faults))
        facts = {name: value for name, value in report.as_json().items() if value}
        facts.pop("faults", None)
        lasting = {
            "verdict": report.verdict,
            "reason": report.reason,
            "plans": report.plans,
            "problems": report.problems,
        }
        news = report.written or report.changed or report.gone or report.held
        if not news and self.told.get(report.source) == lasting:
            _log.debug("synced", **facts)
            return
        self.told[report.source] = lasting
        (_log.warning if report.reason or report.plans else _log.info)("synced", **facts)
