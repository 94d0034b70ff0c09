"""What the sync role notes for whoever asks from outside, and how much room all of it takes."""

from __future__ import annotations

from datetime import timedelta

from bridge.store import refusals, watch
from bridge.store.size import size
from bridge.store.tables import RefusalRow
from tests.store.company import NOON, Company

HOUR = timedelta(hours=1)


def test_reads_and_the_schedule_are_noted_beside_each_other(company: Company) -> None:
    with company.store.write() as c:
        watch.scheduled(c, company.source, timedelta(minutes=5), NOON + HOUR)
        watch.read(c, company.source, NOON)
        skew = timedelta(seconds=-412)
        watch.read(c, company.source, NOON + HOUR, NOON + 9 * HOUR, NOON + 5 * HOUR, skew)
        [noted] = watch.all(c).values()
        assert noted.skew_seconds == -412
        assert noted.password_ends == NOON + 5 * HOUR
        assert (noted.changes_seconds, noted.full_by) == (300, NOON + HOUR)
        assert (noted.read_at, noted.certificate_ends) == (NOON + HOUR, NOON + 9 * HOUR)
        watch.forget(c, company.source)
        assert watch.all(c) == {}


def test_a_file_that_goes_on_being_faulty_keeps_the_time_it_began(company: Company) -> None:
    with company.store.write() as c:
        watch.put_faulty_files(c, ["a.yaml", "b.yaml"], NOON)
        watch.put_faulty_files(c, ["b.yaml", "c.yaml"], NOON + HOUR)
        files = [(row.file, row.since) for row in watch.faulty_files(c)]
        assert files == [("b.yaml", NOON), ("c.yaml", NOON + HOUR)]
        watch.put_faulty_files(c, [], NOON)
        assert watch.faulty_files(c) == []


def test_refusals_are_kept_for_each_of_a_sources_credentials(company: Company) -> None:
    def refusal(tries: int, hours: int) -> RefusalRow:
        return RefusalRow(
            source_id=company.source, tries=tries, again_at=NOON + hours * HOUR, reason="",
            salt=b"s", digest=b"d",
        )  # fmt: skip

    with company.store.write() as c:
        refusals.put(c, refusal(1, 1))
        refusals.put(c, refusal(7, 2))
        first, second = refusals.of(c, company.source)
        refusals.put(c, first.model_copy(update={"tries": 2}))
        assert [row.tries for row in refusals.of(c, company.source)] == [7, 2]
        refusals.remove(c, second.id)
        assert refusals.clear(c, before=NOON) == 0
        assert refusals.clear(c) == 1
        assert refusals.of(c, company.source) == []


def test_the_size_of_a_store_grows_with_what_is_in_it(company: Company) -> None:
    before = size(company.store)
    people = [company.write(f"p{n}", title="x" * 2000) for n in range(300)]
    company.publish(*people)
    assert size(company.store) > before + 100_000
