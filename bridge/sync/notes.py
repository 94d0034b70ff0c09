"""What the daemon notes in the store for whoever asks from outside whether all is well."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from bridge.mapping import Mapping
from bridge.store import Store, watch
from bridge.store.tables import SourceRow
from bridge.sync import timetable
from bridge.sync.leadership import utc_now


class Notes:
    """Until when reads are to be expected, and which files are faulty; written where it differs.

    What could not be written is written the next time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._began = utc_now()
        self._mappings: dict[str, Mapping] = {}
        self._gone: set[str] = set()
        self._faulty: dict[str, frozenset[str]] = {}
        self._expected: dict[str, tuple[timedelta, datetime] | None] = {}
        self._written: frozenset[str] | None = None
        self._lock = threading.Lock()

    def scheduled(self, mapping: Mapping) -> None:
        """A source is read by this mapping's schedule from now on."""
        self._mappings[mapping.name] = mapping
        self._gone.discard(mapping.name)

    def gone(self, name: str) -> None:
        """A source's file went away before anybody of it was served: nothing is expected of it."""
        self._mappings.pop(name, None)
        self._gone.add(name)

    def faulty(self, by: str, files: Iterable[str]) -> None:
        """A look at the files, or the run of a source, found these ones faulty, and no others."""
        with self._lock:
            self._faulty[by] = frozenset(files)

    def write(self, sources: Iterable[SourceRow]) -> None:
        """Bring the store up to date; ``sources`` are as they are there now."""
        for row in sources:
            if row.name not in self._mappings and row.name not in self._gone:
                continue  # nothing is known of it yet: what was noted before still holds
            expected = self._expect(row)
            if row.id is not None and self._expected.get(row.name, ()) != expected:
                with self._store.write() as connection:
                    if expected is None:
                        watch.forget(connection, row.id)
                    else:
                        watch.scheduled(connection, row.id, *expected)
                self._expected[row.name] = expected
        with self._lock:
            faulty = frozenset().union(*self._faulty.values())
        if faulty != self._written:
            with self._store.write() as connection:
                watch.put_faulty_files(connection, faulty, utc_now())
            self._written = faulty

    def _expect(self, row: SourceRow) -> tuple[timedelta, datetime] | None:
        mapping = self._mappings.get(row.name)
        if mapping is None:
            return None
        full_by = timetable.full_after(mapping, row.complete_at or self._began)
        return timetable.changes(mapping), full_by
