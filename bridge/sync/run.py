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

from structlog.contextvars import bound_contextvars

from bridge import sources
from bridge.errors import Fault, FileFaults, NotHeld, UsageError
from bridge.mapping import Mapping
from bridge.sources import SourceSettings
from bridge.store import Store, lease, plans, records, runs
from bridge.store import sources as source_rows
from bridge.store.tables import PlanRow, SourceRow
from bridge.sync import catalog, clocks, plan
from bridge.sync.account import Account
from bridge.sync.back_off import BackOff
from bridge.sync.catalog import Catalog
from bridge.sync.decide import decide
from bridge.sync.decision import Deciding, Progress
from bridge.sync.garbage import rarely_collected
from bridge.sync.opening import everybody_is_loaded
from bridge.sync.proposal import Proposal
from bridge.sync.publish import publish
from bridge.sync.read import Reading
from bridge.sync.read_report import COMPLETE, FAILED, ReadReport
from bridge.sync.report import Report
from bridge.sync.spool import Spool
from bridge.sync.words import words_of

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
        files: Catalog | None = None,
    ) -> Report:
        """Sync the source called ``name``: ``full``, ``changes`` or ``decide`` (without a read).

        Whoever watches the folder gives the ``files`` that it holds, none of them half-written.
        Raises `FileFaults` where no mapping of the source was ever good, `UsageError` where there
        is no such source, `LeaseHeld` and `StorageError`.
        """
        if files is None:
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
            began = self.clock()
            plans.lapse(connection, began)
            last = runs.latest(connection, source.id)
            if last is not None and began < last.started_at:
                # The clock was set back: dates that had passed may lie ahead again.
                records.make_everybody_due(connection, source.id)
            run_id = runs.start(connection, source.id, mode, actor, began)
        account = Account(self.store, source.id, run_id, mode, self.clock, began)
        run = _Run(self, files, source, account, actor, progress)
        with rarely_collected(), bound_contextvars(run=run_id, source=name):
            run.go(file.mapping if file else None)
        return account.end(name)


class _Run:
    """One run, step by step."""

    def __init__(
        self,
        sync: Sync,
        files: Catalog,
        source: SourceRow,
        account: Account,
        actor: str,
        progress: Progress,
    ) -> None:
        assert source.id is not None
        self.sync = sync
        self.store = sync.store
        self.files = files
        self.source = source
        self.source_id = source.id
        self.account = account
        self.run_id = account.run_id
        self.actor = actor
        self.progress = progress
        self.now = account.began

    def go(self, filed: Mapping | None) -> None:
        """Run on the file's mapping, if it is there and good, and the live one, if there is one."""
        source, account = self.source, self.account
        if filed is None and self._paused() and account.mode != DECIDE:
            return
        if not source.mapping_text:
            if filed is None:
                raise FileFaults(account.faults)
            # A new text may have another key or other columns: nothing read before counts for it.
            anew = self._open_plan(plans.FIRST_LOAD, filed.text) is None
            self._read(filed, anew)
            if not anew or account.read.verdict == COMPLETE:
                self._load_first(filed)
            return
        live = catalog.compile(source.mapping_text, source.file)
        edit = filed if filed is not None and filed.text != live.text else None
        if edit is not None and edit.key_signature != live.key_signature:
            account.faults.append(catalog.key_edited(edit))
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
            account.mode = FULL
            self._read(edit)
            if account.read.verdict == COMPLETE:
                self._decide(edit, edited=live, everyone=True, opened=opened)
            if account.read.verdict != COMPLETE or account.outcome.held:
                tried = account.read
                self._read(live)
                self._decide(live)
                if tried.verdict != COMPLETE:
                    account.read, account.written = tried, False

    def _paused(self) -> bool:
        """Note why the source's file has no mapping; whether it is gone, which pauses the source.

        A faulty file changes nothing: the live text goes on.
        """
        file = self.files.at(self.source.file)
        self.account.faults.extend(file.faults if file else [_file_gone(self.source)])
        reason = "" if file else f"its file {self.source.file} is gone"
        with self.store.write() as connection:
            source_rows.pause(connection, self.source_id, reason)
        return file is None

    def _load_first(self, mapping: Mapping) -> None:
        """Decide on a source whose people nobody has approved yet; anew where somebody gives their
        word meanwhile."""
        while True:
            opened = self._open_plan(plans.FIRST_LOAD, mapping.text)
            try:
                return self._decide(mapping, everyone=opened is None, opened=opened)
            except NotHeld:
                continue

    def _open_plan(self, purpose: str, text: str | None) -> PlanRow | None:
        """The plan for this text that a person has yet to use; one for another text lapses."""
        with self.store.write() as connection:
            return plan.current(connection, self.source_id, purpose, text)

    def _read(self, mapping: Mapping, anew: bool = False) -> None:
        """Read the source, ``anew`` as if nothing of it had ever been read."""
        if self.account.mode == DECIDE and not anew:
            return
        try:
            settings = mapping.source_settings()
            assert isinstance(settings, SourceSettings)
            kind = sources.kinds()[mapping.source_type]
            source = kind.open(settings, Path(self.source.file).parent, mapping.wanted)
        except UsageError as error:
            self.account.read = ReadReport(FAILED, str(error))
            return
        back_off = BackOff(self.store, self.source_id, settings, self.actor, self.now)
        if wait := back_off.wait():
            self.account.read = ReadReport(FAILED, wait)
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
        cookie = None if self.account.mode == FULL else row.cookie
        self.account.read = back_off.note(reading.read(source, cookie))

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
            theirs=clocks.theirs(self.now, self._skew()),
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
                self.account.outcome += publish(deciding, decision, publication)
                if everybody_is_loaded(publication, self.files):
                    publication.open_serving()
                self.account.write(publication.connection)
        self.account.written = True
        self.progress("published", self.account.outcome.written)

    def _skew(self) -> timedelta | None:
        """How far the source's clock is ahead of ours, as this read or the last one found."""
        if self.account.read.verdict == COMPLETE:
            return self.account.read.skew
        with self.store.read() as connection:
            return clocks.noted_skew(connection, self.source_id)

    def _source_now(self) -> SourceRow:
        with self.store.read() as connection:
            source = source_rows.get(connection, self.source.name)
        assert source is not None
        return source


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
