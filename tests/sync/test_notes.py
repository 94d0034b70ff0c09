"""What the daemon notes of a source outlives its restart, and goes when the source does."""

from __future__ import annotations

from datetime import timedelta

from bridge.mapping import Mapping
from bridge.store import sources as source_rows
from bridge.store import watch
from bridge.store.tables import SourceRow, WatchRow
from bridge.sync import catalog
from bridge.sync.notes import Notes
from tests.sync.conftest import NOW, Company


def row(company: Company) -> SourceRow:
    with company.store.read() as connection:
        found = source_rows.get(connection, company.name)
    assert found is not None
    return found


def noted(company: Company) -> WatchRow | None:
    with company.store.read() as connection:
        return watch.all(connection).get(company.source_id)


def read(company: Company) -> Mapping:
    """Have the source noted as read, with a clock that is ahead; its live mapping."""
    skew = timedelta(minutes=15)
    with company.store.write() as connection:
        watch.read(connection, company.source_id, NOW, skew=skew)
    source = row(company)
    return catalog.compile(source.mapping_text, source.file)


def test_what_was_noted_before_a_restart_holds_until_the_files_are_taken(company: Company) -> None:
    company.update()
    mapping = read(company)
    notes = Notes(company.store)
    notes.write([row(company)])
    before = noted(company)
    assert before is not None
    assert (before.read_at, before.skew_seconds) == (NOW, 900)
    notes.scheduled(mapping)
    notes.write([row(company)])
    after = noted(company)
    assert after is not None
    assert (after.read_at, after.skew_seconds, after.changes_seconds) == (NOW, 900, 300)


def test_nothing_is_expected_of_a_source_that_is_gone_until_it_is_back(company: Company) -> None:
    company.update()
    mapping = read(company)
    notes = Notes(company.store)
    notes.gone("hr")
    notes.write([row(company)])
    assert noted(company) is None
    notes.scheduled(mapping)
    notes.write([row(company)])
    assert noted(company) is not None
