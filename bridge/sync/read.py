"""Reading a source into the records, and whether the read can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from datetime import datetime, timedelta

from bridge.errors import AccessRefused, EntryFault, IncompleteRead, SourceUnavailable
from bridge.mapping import Mapping
from bridge.model import Batch, Entry, Kind, Verdict
from bridge.sources import Source
from bridge.store import Store, directory_groups, lease, records, relinks
from bridge.store import sources as source_rows
from bridge.store.records import Seen
from bridge.store.tables import SourceRow
from bridge.sync.losses import Keyed, Losses
from bridge.sync.read_report import FAILED, ReadReport
from bridge.sync.spool import Spool
from bridge.sync.words import words_of


class _ReadEverything(Exception):
    """What changed tells nothing to be relied on: somebody is said to be as they were read last
    who was not, or shows nothing of what nearly everybody has."""


class Reading:
    """One read of one source under one mapping, which works out whose each record is.

    ``anew`` stores unchanged records too: whose key may have to be worked out again.
    """

    def __init__(
        self,
        store: Store,
        row: SourceRow,
        mapping: Mapping,
        run_id: int,
        epoch: int,
        now: datetime,
        progress: Callable[[str, int], None],
        anew: bool = False,
    ) -> None:
        assert row.id is not None
        self.store = store
        self.source_id = row.id
        self.words = words_of(mapping)
        self.mixed = row.words != self.words
        self.as_of = None if self.mixed else row.as_of
        self.mapping = mapping
        self.run_id = run_id
        self.epoch = epoch
        self.now = now
        self.progress = progress
        self.anew = anew
        with store.read() as connection:
            self.relinks = relinks.all(connection, row.id)
        self.compares = not (self.mixed or anew) and row.complete_at is not None
        """Whether what was read before is in the same words, and all of it."""
        self.since: bytes | None = None
        """The cookie since which changes are read; None while everything is."""
        self.begun: bytes | None = None
        """The cookie of a store that took in a part of this read."""
        self.cookie: bytes | None = None
        self.certificate_ends: datetime | None = None
        self.password_ends: datetime | None = None
        self.skew: timedelta | None = None
        self._begin()

    def _begin(self) -> None:
        """Have nothing read yet."""
        self.seen = Seen()
        self.present = False
        """Whether the source told who is there as they were."""
        self.row = 0
        """The row of the last record that was read and known."""
        self.entries = self.people = self.changed = self.gone = 0
        self.groups: Counter[int] = Counter()

    def read(self, source: Source, cookie: bytes | None) -> ReadReport:
        """Store what ``source`` yields, batch by batch, each with its cookie in one transaction.

        Whoever was not seen is marked as gone only at the end of a whole and complete read; a
        read that breaks off keeps what it saw and says nothing about the rest. Raises `LeaseHeld`
        where another process has taken over.
        """
        try:
            try:
                verdict = self.walk(source, None if self.mixed or self.anew else cookie)
            except _ReadEverything:
                self._begin()
                verdict = self.walk(source, None)
            verdict = self.end(verdict)
        except IncompleteRead as error:
            verdict = Verdict(complete=False, reason=str(error))
        except SourceUnavailable as error:
            return self.report(FAILED, str(error), isinstance(error, AccessRefused))
        return self.report(verdict.word, verdict.reason)

    def walk(self, source: Source, cookie: bytes | None) -> Verdict:
        """Store every batch, and give the verdict of the last.

        Raises `_ReadEverything`, `IncompleteRead` and `SourceUnavailable`.
        """
        verdict = Verdict(complete=False, reason="the source ended without saying that it was done")
        self.since = cookie
        with Spool[Keyed]() as aside:
            found = None
            if self.compares:
                found = Losses(self.store, self.source_id, self.mapping, aside)
            try:
                for batch in source.read(cookie):
                    self.take(batch, found)
                    self.progress("read", self.entries)
                    verdict = batch.verdict or verdict
            except (IncompleteRead, SourceUnavailable):
                self._settle(found, verdict, whole=cookie is None)
                raise
            whole = cookie is None or (verdict.whole and not self.present)
            return self._settle(found, verdict, whole)

    def take(self, batch: Batch, found: Losses | None = None) -> None:
        """Store a batch; nothing is written where nothing in it changed. Of what is to be settled
        when everything was read, ``found`` takes note.

        Raises `IncompleteRead` where it is older than what was read before: whoever left in
        between would come back.
        """
        if batch.as_of and self.as_of and batch.as_of < self.as_of:
            raise IncompleteRead(
                f"what is there now was written at {batch.as_of:%Y-%m-%d %H:%M:%S} UTC, before "
                f"what was read last ({self.as_of:%Y-%m-%d %H:%M:%S}): put the newer one back, or, "
                "if the older one is right after all, give it a new time (touch)"
            )
        self.as_of = batch.as_of or self.as_of
        self._still_there(batch.present)
        with self.store.read() as connection:
            keys = [entry.record_key for entry in batch.entries]
            known = records.known(connection, self.source_id, keys, self.row)
            # A source may name more than it ever yielded.
            named = records.known(connection, self.source_id, batch.gone)
        gone = [key for key, record in named.items() if not record.gone]
        changed = []
        for entry in batch.entries:
            before = known.get(entry.record_key)
            known_as_it_is = (
                before is not None and not before.gone and before.fingerprint == entry.fingerprint
            )
            # What a group names is worked out when it is read, so other words are news of it.
            other = self.anew or (self.mixed and entry.kind is Kind.GROUP)
            if other or not known_as_it_is:
                changed.append((entry, self._person_key(entry)))
        if found is not None:
            found.saw(batch.entries)
            changed = found.sift(changed)
        self.seen.mark([record.id for record in known.values()])
        if batch.entries and (last := known.get(batch.entries[-1].record_key)):
            self.row = last.id
        self.cookie = batch.cookie or self.cookie
        self.certificate_ends = batch.certificate_ends or self.certificate_ends
        self.password_ends = batch.password_ends or self.password_ends
        self.skew = self.skew if batch.skew is None else batch.skew
        self.entries += len(batch.entries)
        of_groups = [entry.section for entry in batch.entries if entry.kind is Kind.GROUP]
        self.groups.update(of_groups)
        self.people += len(batch.entries) - len(of_groups)
        self.gone += len(gone)
        # Changes that were put aside are not kept yet: from the cookie before them they come again.
        kept = not (self.since and found is not None and found.waits)
        if kept and not (batch.verdict and batch.verdict.complete):
            self.begun = batch.cookie or self.begun
        if changed or gone:
            self._save(changed, gone, frozenset(batch.outside))

    def _save(
        self,
        changed: Sequence[Keyed],
        gone: Sequence[str] = (),
        outside: Set[str] = frozenset(),
    ) -> None:
        self.changed += len(changed)
        with self.store.write() as connection:
            lease.check(connection, self.epoch)
            # Somebody may have been relinked since their key was worked out.
            self.relinks = relinks.all(connection, self.source_id)
            changed = [(entry, key and self.relinks.get(key, key)) for entry, key in changed]
            if self.mixed:
                source_rows.set_words(connection, self.source_id, "")
            records.save(
                connection,
                self.source_id,
                self.run_id,
                changed,
                gone,
                self.begun,
                self.now,
                {
                    entry.record_key: self.mapping.group(entry)
                    for entry, _ in changed
                    if entry.kind is Kind.GROUP
                },
                outside,
                self.mixed,
            )

    def _settle(self, found: Losses | None, verdict: Verdict, whole: bool) -> Verdict:
        """Store whoever was put aside, now that it is known what was lost, and give the verdict.

        Raises `_ReadEverything` where only that can tell.
        """
        if found is None:
            return verdict
        if not whole and found.only_a_whole_read_tells():
            if verdict.complete:
                raise _ReadEverything
            return verdict  # whoever was put aside comes again
        for chunk in found.put_aside(self._person_key, verdict.complete):
            if chunk:
                self._save(chunk)
        if not (verdict.complete and (lost := found.told())):
            return verdict
        self._save([])
        return Verdict(complete=False, reason=lost)

    def _still_there(self, present: Sequence[str]) -> None:
        """Take a source's word that these are as they were read last.

        Raises `_ReadEverything` where one was not: what it is like, nobody knows.
        """
        if not present:
            return
        self.present = True
        with self.store.read() as connection:
            known = records.known(connection, self.source_id, present, self.row)
        if not all(key in known and not known[key].gone for key in present):
            raise _ReadEverything
        self.seen.mark([record.id for record in known.values()])
        self.row = known[present[-1]].id

    def end(self, verdict: Verdict) -> Verdict:
        """Believe a complete read, unless it found nothing where there was something."""
        if not verdict.complete:
            return verdict
        # A source that tells who is present tells it of every search, or reads everything.
        if verdict.whole and not self.present and (vanished := self._vanished()):
            return Verdict(complete=False, reason=vanished)
        with self.store.write() as connection:
            lease.check(connection, self.epoch)
            if verdict.whole:
                source_rows.set_words(connection, self.source_id, self.words)
            self.gone += records.finish(
                connection,
                self.source_id,
                self.run_id,
                self.seen if verdict.whole else None,
                self.cookie,
                self.now,
                self.as_of,
            )
        return verdict

    def _vanished(self) -> str:
        """What a whole read found nothing of, though there was some before; empty for nothing."""
        with self.store.read() as connection:
            if not self.people and (before := records.count(connection, self.source_id)):
                name = self.mapping.name
                return (
                    f"nothing was read where there were {before} records before (bridge doctor "
                    f"{name} shows what the source gives; where it is to end, take its file away "
                    f"and let its people go: bridge source remove {name})"
                )
            # Under other words a search has another number, and its groups are not comparable.
            before_of = {} if self.mixed else directory_groups.sizes(connection, self.source_id)
        for section, groups in enumerate(self.mapping.directory_groups):
            if (before := before_of.get(section, 0)) and not self.groups[section]:
                return (
                    f"no group was found under {groups.search.base} where there were {before} "
                    "before (give the account the right to read them, mend base and filter, or, "
                    "if there are to be none, take the search out of `groups`)"
                )
        return ""

    def report(self, verdict: str, reason: str, refused: bool = False) -> ReadReport:
        counts = (self.entries, self.changed, self.gone)
        ends = (self.certificate_ends, self.password_ends)
        return ReadReport(verdict, reason, *counts, refused, *ends, self.skew)

    def _person_key(self, entry: Entry) -> str | None:
        if entry.kind is not Kind.USER:
            return None
        try:
            key = self.mapping.key_of(entry)
        except EntryFault:
            return None
        return self.relinks.get(key, key)
