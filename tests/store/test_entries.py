"""Single rows of the records: as they were read last, and who of those gone is elsewhere."""

from __future__ import annotations

from datetime import timedelta

from bridge.model import Entry, Kind
from bridge.store import entries, records
from bridge.store.entries import Departed
from bridge.store.records import Seen
from tests.store.company import Company, entry


def test_what_was_read_last_is_there_also_of_those_who_are_gone(company: Company) -> None:
    one, two = entry("r1", a=1), entry("r2", a=b"\x00")
    company.save(one, two)
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r2"], None, company.now)
        found = entries.stored(c, company.source, ["r1", "r2", "r3"])
    assert found == {"r1": one, "r2": two}


def test_some_of_a_kind_are_neither_gone_nor_of_another_kind_or_source(company: Company) -> None:
    company.save(*(entry(f"r{number}") for number in range(5)))
    company.save(Entry("g1", {}, b"\x00" * 16, kind=Kind.GROUP))
    Company(company.store, "other").save(entry("o1"))
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r0"], None, company.now)
        people = entries.some(c, company.source, Kind.USER, 10)
        assert {each.record_key for each in people} == {"r1", "r2", "r3", "r4"}
        assert len(entries.some(c, company.source, Kind.USER, 3)) == 3
        assert [each.record_key for each in entries.some(c, company.source, Kind.GROUP, 3)] == [
            "g1"
        ]


def test_who_left_the_scope_is_told_from_who_is_gone_until_they_are_back(company: Company) -> None:
    def outside() -> set[str]:
        with company.store.read() as c:
            return entries.outside(c, company.source, ["r1", "r2", "r3"])

    company.save(*(entry(f"r{number}") for number in (1, 2, 3)))
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r1", "r2"], None, company.now, outside={"r1"})
    assert outside() == {"r1"}
    with company.store.write() as c:
        records.finish(c, company.source, 3, Seen(), None, company.now)
    assert outside() == {"r1"}, "a whole read that does not find them knows no better"
    company.save(entry("r1"))
    assert outside() == set()
    with company.store.write() as c:
        records.save(c, company.source, 4, [], ["r1"], None, company.now)
    assert outside() == set()


def test_a_record_departs_from_those_that_say_nothing_new(company: Company) -> None:
    def departed() -> dict[str, list[Departed]]:
        with company.store.read() as c:
            return entries.departed(c, company.source, ["p", "q"])

    one, two, three = (entry(f"r{number}", a=number) for number in (1, 2, 3))
    company.save(one, two, three, person="p")
    company.save(entry("s1"), entry("s2"), person="q")
    assert departed() == {}
    now = company.pass_time(minutes=1)
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r1"], None, now)
    assert departed() == {"p": [Departed(one, now)]}
    company.save(entry("r2", a="news"), person="p")
    assert departed() == {}, "what was read with it is news as well"
    now = company.pass_time(minutes=1)
    with company.store.write() as c:
        moved = entry("r2", a=3)
        records.save(c, company.source, 3, [(moved, "p")], ["r3"], None, now)
    assert departed() == {"p": [Departed(one, now - timedelta(minutes=1)), Departed(three, now)]}, (
        "what is left has only another name"
    )
    company.save(entry("r1", a="news"), person="p")
    assert departed() == {}
