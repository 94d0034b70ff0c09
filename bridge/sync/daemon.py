"""The sync role: the lease, the schedule, the files and the requests, for years.

One thread does the syncing, one run after the other, so no two overlap. APScheduler wakes it;
the main thread looks every second whether a mapping file changed or a command asks for something.
"""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import structlog

from bridge.errors import BridgeError, LeaseHeld, StorageError
from bridge.store import Store, lease, refusals, requests, watch
from bridge.store import sources as source_rows
from bridge.store.retention import Keep
from bridge.store.tables import SourceRow
from bridge.sync import catalog, upkeep
from bridge.sync.catalog import Catalog
from bridge.sync.endings import Endings
from bridge.sync.leadership import DAEMON, leadership, utc_now
from bridge.sync.notes import Notes
from bridge.sync.notifier import Notifier
from bridge.sync.read_report import COMPLETE
from bridge.sync.report import Report
from bridge.sync.run import FULL, Sync
from bridge.sync.telling import Telling
from bridge.sync.timetable import Timetable
from bridge.sync.webhook import Webhook

_LOOK_SECONDS = 1.0
_STAND_BY_SECONDS = 2.0
_PATIENCE = 5
"""How many looks a request waits for the files to be still."""
_END_SECONDS = 3.0
"""How long a run may take to notice that the daemon ends."""

_log = structlog.get_logger()


class Stopped(BaseException):
    """The daemon was told to end; what is under way is dropped and found again."""


def serve(
    store: Store,
    folder: Path,
    stop: threading.Event,
    renew: threading.Event,
    keep: Keep,
    ttl: timedelta = lease.TTL,
    webhook: Webhook | None = None,
) -> None:
    """Sync until ``stop`` is set. Stands by while another process holds the lease, and while the
    store is out of reach. ``renew`` says that secrets may have changed: what was refused is tried
    again. ``webhook`` is told of held plans."""
    told: type[BridgeError] | None = None
    silence = lease.Silence(ttl)
    while not stop.is_set():
        lost = threading.Event()
        try:
            with store.write() as connection:
                if silence.has_ended(connection, utc_now()):
                    _log.warning("the holder of the lease shows no life")
            with leadership(store, role=DAEMON, ttl=ttl, lost=lost) as epoch:
                _log.info("leading")
                told = None
                if webhook is not None:
                    notifier = Notifier(store, webhook)
                    Thread(target=notifier.run, args=(lost,), name="webhook", daemon=True).start()
                _Daemon(Sync(store, folder, epoch, ttl=ttl), stop, lost, renew, keep).run()
        except (LeaseHeld, StorageError) as error:
            if type(error) is not told:
                _log.warning("standing by", reason=str(error))
                told = type(error)
            stop.wait(_STAND_BY_SECONDS)


class _Daemon:
    """One term as the leader, which ends with ``stop`` or with ``lost``."""

    def __init__(
        self,
        sync: Sync,
        stop: threading.Event,
        lost: threading.Event,
        renew: threading.Event,
        keep: Keep,
    ) -> None:
        self.sync = sync
        self.store = sync.store
        self.stop = stop
        self.lost = lost
        self.renew = renew
        self.keep = keep
        self.files: Catalog | None = None
        self.texts: dict[str, tuple[str, str]] | None = None
        self.seen: dict[str, tuple[str, str]] = {}
        self.asked: set[int | None] = set()
        self.waited = 0
        self.telling = Telling()
        self.certificates = Endings()
        self.passwords = Endings("a password")
        self.notes = Notes(self.store)
        self.running = threading.Lock()
        self.timetable = Timetable(self._run)

    def run(self) -> None:
        """Sync until told to stop, or until another process has taken over."""
        self.timetable.start()
        self.timetable.daily(self._forget)
        try:
            while not (self.stop.is_set() or self.lost.is_set()):
                self._look_at_clock()
                self._look("files", self._look_at_files)
                self._look("requests", self._look_at_requests)
                self._look("secrets", self._look_at_secrets)
                self.stop.wait(_LOOK_SECONDS)
        finally:
            self.lost.set()
            self.timetable.end()
            # A run stops at its next step; one that waits for a file to be still is left alone.
            if self.running.acquire(timeout=_END_SECONDS):
                self.running.release()

    def _look(self, what: str, look: Callable[[], None]) -> None:
        """Take note of something; a store or folder out of reach is waited for, and told once."""
        try:
            look()
        except BridgeError as error:
            self.telling.trouble(f"cannot look at the {what}", str(error))
        else:
            self.telling.well(f"cannot look at the {what}")

    def _look_at_clock(self) -> None:
        if seconds := self.timetable.follow_clock():
            _log.warning("the clock was set back", seconds=seconds)
            self.texts = None  # so that every file is scheduled anew

    def _look_at_files(self) -> None:
        with self.store.read() as connection:
            known = {row.name: row for row in source_rows.all(connection)}
        files = catalog.load(self.sync.folder, known.values())
        # The name beside the text: it is empty as long as something is wrong with the file.
        texts = {str(file.path): (file.name, file.text) for file in files}
        # Whoever writes a file may pause in the middle: an edit is what two looks agree on.
        if texts == self.texts:
            self.files = files
        elif texts == self.seen or (self.texts is None and not files.are_edited(known.values())):
            self._take(files, known, texts)
        self.seen = texts
        self.notes.write(known.values())

    def _take(
        self, files: Catalog, known: dict[str, SourceRow], texts: dict[str, tuple[str, str]]
    ) -> None:
        """Schedule what is new among the files, and let a run see to what is not as it was."""
        first, before = self.texts is None, self.texts or {}
        self.files, self.texts = files, texts
        self.telling.faults({str(fault) for fault in files.faults})
        self.notes.faulty("", (fault.file for fault in files.faults))
        for file in files:
            if file.mapping is not None and before.get(str(file.path)) != (file.name, file.text):
                self.timetable.schedule(file.mapping, known.get(file.name))
                self.notes.scheduled(file.mapping)
                self.timetable.soon(file.name)
        for row in known.values():
            # A faulty file does not stop its source, a missing one pauses it: a run says which.
            if files.find(row.name) is not None:
                continue
            if not row.mapping_text:
                self.notes.gone(row.name)
                continue
            if first or not self.timetable.has(row.name):
                live = catalog.compile(row.mapping_text, row.file)
                self.timetable.schedule(live, row)
                self.notes.scheduled(live)
            if first or row.file in before.keys() - texts.keys():
                self.timetable.soon(row.name)

    def _look_at_requests(self) -> None:
        # Whoever edits a file and then asks for a sync means one with that edit.
        if self.seen != self.texts and self.waited < _PATIENCE:
            self.waited += 1
            return
        self.waited = 0
        with self.store.read() as connection:
            waiting = requests.pending(connection)
            names = {row.id: row.name for row in source_rows.all(connection)}
        self.asked &= {request.id for request in waiting}
        for request in waiting:
            if request.id in self.asked:
                continue
            self.asked.add(request.id)
            if name := names.get(request.source_id):
                self.timetable.answer(name, request)
            else:  # asked of a store that was replaced by a backup since
                self._answer(request.id, None, 1, {"error": "there is no such source any more"})

    def _look_at_secrets(self) -> None:
        if not self.renew.is_set():
            return
        with self.store.write() as connection:
            refusals.clear(connection)
        self.renew.clear()
        _log.info("secrets are read again")
        with self.store.read() as connection:
            for row in source_rows.all(connection):
                self.timetable.soon(row.name)

    # -- in the syncing thread -----------------------------------------------------------------

    def _run(self, name: str, mode: str, actor: str, request: int | None) -> None:
        with self.running:
            if not self.lost.is_set():
                self._sync(name, mode, actor, request)

    def _sync(self, name: str, mode: str, actor: str, request: int | None) -> None:
        try:
            report = self.sync.run(name, mode, actor, self._progress, self.files)
        except Stopped:
            return
        except LeaseHeld as error:
            self.lost.set()  # the one that took over answers the request
            _log.warning("lost the lease", reason=str(error))
        except BridgeError as error:
            self.telling.trouble("cannot sync", str(error), source=name)
            self._answer(request, None, error.exit_code, {"error": str(error)})
        except Exception as error:
            # The message of an unforeseen error may hold a person's values: its place does not.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            _log.error("a fault of the bridge", source=name, where=where)
            _log.debug("a fault of the bridge", exc_info=True)
            self._answer(request, None, 1, {"error": f"a fault of the bridge: {where}"})
        else:
            self.telling.well("cannot sync", source=name)
            self.telling.report(report)
            self._answer(request, report.run, report.exit_code, report.as_json())
            self._look(f"state of {name}", lambda: self._follow_up(report))

    def _progress(self, step: str, done: int) -> None:
        self._go_on()

    def _go_on(self) -> None:
        """Raise `Stopped` where this term has ended."""
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

    def _follow_up(self, report: Report) -> None:
        """See to what a run has shown."""
        with self.store.read() as connection:
            row = source_rows.get(connection, report.source)
            if row is None or row.id is None:
                return
            noted, troubled = watch.all(connection).get(row.id), watch.troubled(connection, row)
        self.notes.faulty(report.source, [row.file] if report.faults else [])
        self.telling.troubled(report.source, troubled)
        if noted is not None:
            self.certificates.look(report.source, noted.certificate_ends, utc_now())
            self.passwords.look(report.source, noted.password_ends, utc_now())
        if report.mode == FULL and report.verdict not in ("", COMPLETE):
            self.timetable.again(report.source)

    def _forget(self) -> None:
        with self.running:
            try:
                done = upkeep.forget(self.store, self.keep, utc_now(), self._go_on)
            except Stopped:
                return
            except StorageError as error:
                self.telling.trouble("cannot forget what is old", str(error))
            else:
                self.telling.well("cannot forget what is old")
                _log.info("forgot what is old", **done)
