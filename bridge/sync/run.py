"""One sync of one source, from asking the source to publishing: the whole story.

read      the source into the records                    (read.py)
decide    what of it may go live, on the live mapping    (decide.py)
publish   in one transaction                             (publish.py)
decide    an edited mapping file, on everybody, and publish it whole or hold it whole
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from bridge import sources
from bridge.errors import Fault, FileFaults, UsageError
from bridge.mapping import Mapping
from bridge.sources import SourceSettings
from bridge.store import Store, lease, plans, problems, runs, watch
from bridge.store import sources as source_rows
from bridge.store.tables import PlanRow, SourceRow
from bridge.sync import catalog, plan
from bridge.sync.back_off import BackOff
from bridge.sync.catalog import Catalog
from bridge.sync.decide import Deciding, Progress, decide
from bridge.sync.garbage import rarely_collected
from bridge.sync.proposal import Proposal
from bridge.sync.publish import Outcome, publish
from bridge.sync.read import COMPLETE, FAILED, Reading, ReadReport, words_of
from bridge.sync.report import Report
from bridge.sync.spool import Spool

FULL = "full"
CHANGES = "changes"
DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Sync:
    """How a process syncs: the store, the folder of mapping files, and its lease's epoch and how
    long that is good for."""

    store: Store
    folder: Path
    epoch: int
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ttl: timedelta = lease.TTL

    def run(
        self,
        name: str,
        mode: str,
        actor: str,
        progress: Progress = lambda step, done: None,
    ) -> Report:
        """Sync the source called ``name``: ``full``, ``changes`` or ``decide`` (without a read).

        Raises `FileFaults` where no mapping of the source was ever good, `UsageError` where there
        is no such source, `LeaseHeld` and `StorageError`.
        """
        with self.store.read() as connection:
            files = catalog.load(self.folder, source_rows.all(connection))
        file = files.find(name)
        with self.store.write() as connection:
            source = source_rows.get(connection, name)
            if file is not None:
                source = source_rows.register(connection, name, str(file.path))
                if source.id is not None and source.paused:
                    source_rows.pause(connection, source.id, "")
            if source is None:
                raise _unknown(name, files)
            assert source.id is not None
            plans.lapse(connection, self.clock())
            run_id = runs.start(connection, source.id, mode, actor, self.clock())
        run = _Run(self, files, source, run_id, mode, actor, progress)
        with rarely_collected(), bound_contextvars(run=run_id, source=name):
            run.go(file.mapping if file else None)
        return run.end()


class _Run:
    """One run, step by step, and the account of it."""

    def __init__(
        self,
        sync: Sync,
        files: Catalog,
        source: SourceRow,
        run_id: int,
        mode: str,
        actor: str,
        progress: Progress,
    ) -> None:
        self.sync = sync
        self.store = sync.store
        self.files = files
        self.source = source
        self.run_id = run_id
        self.mode = mode
        self.actor = actor
        self.progress = progress
        self.now = sync.clock()
        self.read = ReadReport("")
        self.outcome = Outcome()
        self.decided = False
        self.faults: list[Fault] = []

    def go(self, filed: Mapping | None) -> None:
        """Run on the file's mapping, if it is there and good, and the live one, if there is one."""
        source = self.source
        if filed is None and self._paused() and self.mode != DECIDE:
            return
        if not source.mapping_text:
            if filed is None:
                raise FileFaults(self.faults)
            # A new text may have another key or other columns: nothing read before counts for it.
            anew = self._open_plan(plans.FIRST_LOAD, filed.text) is None
            self._read(filed, anew)
            if not anew or self.read.verdict == COMPLETE:
                self._load_first(filed)
            return
        live = catalog.compile(source.mapping_text, source.file)
        edit = filed if filed is not None and filed.text != live.text else None
        if edit is not None and edit.key_signature != live.key_signature:
            self.faults.append(_key_edited(edit))
            edit = None
        opened = self._open_plan(plans.EDIT, edit.text if edit else None)
        if opened is not None and opened.state != plans.APPROVED:
            edit = None
        if edit is None:
            self._read(live)
            self._decide(live)
        elif words_of(edit) == words_of(live):
            self._read(live)
            self._decide(live)
            self._decide(edit, edited=live, everyone=True, opened=opened)
        else:
            # The records are to be read in the new file's words, so it decides on them alone;
            # unless that read cannot be trusted, or its effect is held: then the live one goes on.
            self.mode = FULL
            self._read(edit)
            if self.read.verdict == COMPLETE:
                self._decide(edit, edited=live, everyone=True, opened=opened)
            if self.read.verdict != COMPLETE or self.outcome.held:
                tried = self.read
                self._read(live)
                self._decide(live)
                self.read = tried if tried.verdict != COMPLETE else self.read

    def _paused(self) -> bool:
        """Note why the source's file has no mapping; whether it is gone, which pauses the source.

        A faulty file changes nothing: the live text goes on.
        """
        assert self.source.id is not None
        file = self.files.at(self.source.file)
        self.faults.extend(file.faults if file else [_file_gone(self.source)])
        reason = "" if file else f"its file {self.source.file} is gone"
        with self.store.write() as connection:
            source_rows.pause(connection, self.source.id, reason)
        return file is None

    def _load_first(self, mapping: Mapping) -> None:
        """Decide on a source whose people nobody has approved yet."""
        opened = self._open_plan(plans.FIRST_LOAD, mapping.text)
        self._decide(mapping, everyone=opened is None, opened=opened)

    def _open_plan(self, purpose: str, text: str | None) -> PlanRow | None:
        """The plan for this text that a person has yet to use; one for another text lapses."""
        assert self.source.id is not None
        with self.store.write() as connection:
            return plan.current(connection, self.source.id, purpose, text)

    def _read(self, mapping: Mapping, anew: bool = False) -> None:
        """Read the source, ``anew`` as if nothing of it had ever been read."""
        if self.mode == DECIDE and not anew:
            return
        try:
            settings = mapping.source_settings()
            assert isinstance(settings, SourceSettings)
            kind = sources.kinds()[mapping.source_type]
            source = kind.open(settings, Path(self.source.file).parent, mapping.wanted)
        except UsageError as error:
            self.read = ReadReport(FAILED, str(error))
            return
        assert self.source.id is not None
        back_off = BackOff(self.store, self.source.id, settings, self.actor, self.now)
        if wait := back_off.wait():
            self.read = ReadReport(FAILED, wait)
            return
        row = self._source_now()
        reading = Reading(
            self.store,
            row,
            mapping,
            self.run_id,
            self.sync.epoch,
            self.now,
            self.progress,
            anew,
        )
        self.read = back_off.note(reading.read(source, None if self.mode == FULL else row.cookie))

    def _decide(
        self,
        mapping: Mapping,
        edited: Mapping | None = None,
        everyone: bool = False,
        opened: PlanRow | None = None,
    ) -> None:
        """Decide and publish; adds to the run's account in the same transaction.

        Nothing is decided on records that are not all in the mapping's own words, or of which
        there never was a complete read: a part must not be taken for the whole company.
        """
        source = self._source_now()
        if source.words != words_of(mapping):
            return
        deciding = Deciding(
            store=self.store,
            source=source,
            mapping=mapping,
            run_id=self.run_id,
            actor=self.actor,
            now=self.now,
            progress=self.progress,
            edited=edited,
            everyone=everyone,
            plan=opened,
        )
        with Spool[Proposal]() as spool:
            decision = decide(deciding, spool)
            self.progress("publishing", 0)
            with self.store.publication(
                epoch=self.sync.epoch,
                run_id=self.run_id,
                now=self.sync.clock,
                ttl=self.sync.ttl,
            ) as publication:
                self.progress("in transaction", 0)
                self.outcome += publish(deciding, decision, publication)
                if self._everybody_is_loaded(publication.connection):
                    publication.open_serving()
                self._end(publication.connection)
        self.decided = True
        self.progress("published", self.outcome.written)

    def _source_now(self) -> SourceRow:
        with self.store.read() as connection:
            source = source_rows.get(connection, self.source.name)
        assert source is not None
        return source

    def _everybody_is_loaded(self, connection: Connection) -> bool:
        loaded = {row.name for row in source_rows.all(connection) if row.loaded_at is not None}
        return not self.files.faults and all(file.name in loaded for file in self.files)

    def _end(self, connection: Connection) -> None:
        runs.finish(
            connection,
            self.run_id,
            self.sync.clock(),
            verdict=self.read.verdict,
            reason=self.read.reason,
            counts=self._counts(),
            held=self.outcome.held,
            publication=self.outcome.publication,
        )
        if self.read.verdict == COMPLETE and self.source.id is not None:
            watch.read(connection, self.source.id, self.now, self.read.certificate_ends)

    def _counts(self) -> dict[str, int]:
        read, outcome = self.read, self.outcome
        return {
            "entries": read.entries,
            "changed": read.changed,
            "gone": read.gone,
            "written": outcome.written,
            **outcome.published,
        }

    def end(self) -> Report:
        assert self.source.id is not None
        if not self.decided:
            with self.store.write() as connection:
                self._end(connection)
        with self.store.read() as connection:
            waiting = plans.listing(connection, self.source.id, [plans.HELD])
            problem_count = problems.count(connection, self.source.id)
        return Report(
            source=self.source.name,
            run=self.run_id,
            mode=self.mode,
            verdict=self.read.verdict,
            reason=self.read.reason,
            entries=self.read.entries,
            changed=self.read.changed,
            gone=self.read.gone,
            written=self.outcome.written,
            counts=dict(self.outcome.published),
            held=dict(self.outcome.held),
            plans=[row.hash for row in waiting],
            problems=problem_count,
            publication=self.outcome.publication,
            faults=[str(fault) for fault in self.faults],
        )


def _unknown(name: str, files: Catalog) -> UsageError | FileFaults:
    """Why there is no such source: perhaps its file is faulty, so that its name is unknown."""
    if files.faults:
        return FileFaults(files.faults)
    names = ", ".join(file.name for file in files) or "none"
    return UsageError(f"there is no source {name!r} in {files.folder} (there are: {names})")


def _file_gone(source: SourceRow) -> Fault:
    return Fault(
        source.file,
        1,
        1,
        f"the file of the source {source.name!r} is gone, so the source is paused",
        "put it back: its people stay as they are meanwhile",
    )


def _key_edited(edit: Mapping) -> Fault:
    lines = edit.text.splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.startswith("key:")), 1)
    return Fault(
        edit.file,
        line,
        1,
        "the key of a live source cannot be edited: every SCIM id would change",
        "put the old key back, or give the source a new name",
    )
