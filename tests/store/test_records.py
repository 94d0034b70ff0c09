"""Records: what was read, who is due, who is gone."""

from __future__ import annotations

import pytest

from bridge.model import Entry, Kind
from bridge.store import Store, records, sources
from bridge.store.records import Seen
from tests.store.company import Company, entry


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"name": "Søren Ñandú 李"},
        {"guid": b"\x00\xff", "photos": [b"a", b""], "mixed": ["text", b"bytes", 7]},
        {"number": 2**53, "half": 0.5, "yes": True, "no": False},
        {"odd": '{"$bytes":"AA=="}', "$bytes": "AA=="},
        {"$bytes": b"x"},
        {"nul": "a\x00b", "quote": "\"'\\"},
    ],
)
def test_an_entry_comes_back_exactly(company: Company, attributes: dict[str, object]) -> None:
    one = Entry("r1", attributes, b"\x00" * 16, ref="cn=a,dc=b", kind=Kind.GROUP)
    company.save(one, person="p1")
    with company.store.read() as c:
        assert records.of_people(c, company.source, ["p1"]) == {"p1": [one]}


def test_an_attribute_that_cannot_be_stored_is_refused(company: Company) -> None:
    with pytest.raises(TypeError):
        company.save(entry("r1", value=object()))


def test_known_tells_fingerprints_and_who_is_gone(company: Company) -> None:
    one, two = entry("r1", a=1), entry("r2", a=2)
    company.save(one, two)
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r2"], None, company.now)
        found = records.known(c, company.source, ["r1", "r2", "r3"])
    assert {key: (known.fingerprint, known.gone) for key, known in found.items()} == {
        "r1": (one.fingerprint, False),
        "r2": (two.fingerprint, True),
    }


def test_known_takes_any_number_of_keys(company: Company) -> None:
    company.save(*(entry(f"r{number}") for number in range(1200)))
    with company.store.read() as c:
        keys = [f"r{number}" for number in range(40_000)]
        assert len(records.known(c, company.source, keys)) == 1200


@pytest.mark.parametrize("after", [0, 1, 3, 5, 1_000_000])
def test_known_tells_only_what_is_asked_for_wherever_it_is_thought_to_be(
    company: Company, after: int
) -> None:
    company.save(*(entry(f"r{number}", a=number) for number in range(4)))
    other = Company(company.store, "other")
    other.save(*(entry(f"r{number}", a=-number) for number in range(4)))
    with company.store.read() as c:
        found = records.known(c, company.source, ["r3", "r1", "r9"], after)
    assert {key: known.fingerprint for key, known in found.items()} == {
        "r1": entry("r1", a=1).fingerprint,
        "r3": entry("r3", a=3).fingerprint,
    }


def test_sources_are_strangers(company: Company) -> None:
    other = Company(company.store, "other")
    company.save(entry("r1", a=1))
    other.save(entry("r1", a=2))
    with company.store.read() as c:
        assert records.of_people(c, company.source, ["r1"])["r1"] == [entry("r1", a=1)]
        assert records.of_people(c, other.source, ["r1"])["r1"] == [entry("r1", a=2)]
        assert records.count(c, company.source) == 1


def test_whoever_is_new_changed_gone_or_back_is_due(company: Company) -> None:
    def decided() -> None:
        with company.publication() as p:
            p.set_due(company.source, dict.fromkeys(["r1"]), as_of=1000)
        assert company.due() == []

    company.save(entry("r1", a=1))
    assert company.due() == ["r1"]
    decided()
    company.save(entry("r1", a=2))
    assert company.due() == ["r1"]
    decided()
    with company.store.write() as c:
        records.save(c, company.source, 3, [], ["r1"], None, company.now)
    assert company.due() == ["r1"]
    decided()
    with company.store.write() as c:
        records.save(c, company.source, 4, [], ["r1"], None, company.now)
    assert company.due() == [], "gone twice is nothing new"
    company.save(entry("r1", a=2))
    assert company.due() == ["r1"]
    with company.store.read() as c:
        assert records.count(c, company.source) == 1


def test_a_record_that_moves_to_another_person_makes_both_due(company: Company) -> None:
    company.save(entry("r1"), person="old")
    with company.publication() as p:
        p.set_due(company.source, {"old": None}, as_of=1000)
    company.save(entry("r1", a=1), person="new")
    assert company.due() == ["new", "old"]
    with company.store.read() as c:
        assert list(records.of_people(c, company.source, ["new", "old"])) == ["new"]


def test_a_record_whose_person_cannot_be_worked_out_keeps_the_one_it_had(company: Company) -> None:
    company.save(entry("r1"), person="p1")
    with company.store.write() as c:
        rows = [(entry("r1", broken=1), None), (entry("r2", broken=1), None)]
        records.save(c, company.source, 2, rows, [], None, company.now)
    with company.store.read() as c:
        assert records.of_people(c, company.source, ["p1"]) == {"p1": [entry("r1", broken=1)]}
        assert records.unidentified(c, company.source) == [entry("r2", broken=1)]


def test_the_last_of_several_readings_in_a_batch_counts(company: Company) -> None:
    company.save(entry("r1", a=1), entry("r1", a=2))
    with company.store.read() as c:
        assert records.of_people(c, company.source, ["r1"]) == {"r1": [entry("r1", a=2)]}


def test_the_records_of_a_person_come_in_order(company: Company) -> None:
    company.save(entry("b"), entry("a"), entry("B"), person="p1")
    with company.store.read() as c:
        found = records.of_people(c, company.source, ["p1"])["p1"]
    assert [one.record_key for one in found] == ["B", "a", "b"]


def test_entries_and_cookie_are_one_transaction(company: Company) -> None:
    with company.store.write() as c:
        records.save(c, company.source, 1, [(entry("r1"), "r1")], [], b"one", company.now)

    def fail() -> None:
        with company.store.write() as c:
            records.save(c, company.source, 1, [(entry("r2"), "r2")], [], b"two", company.now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with company.store.read() as c:
        source = sources.get(c, "hr")
        assert source is not None
        assert source.cookie == b"one"
        assert records.count(c, company.source) == 1


def test_a_batch_without_a_cookie_leaves_the_one_there_is(company: Company) -> None:
    with company.store.write() as c:
        records.save(c, company.source, 1, [], [], b"one", company.now)
        records.save(c, company.source, 1, [(entry("r1"), "r1")], [], None, company.now)
        source = sources.get(c, "hr")
    assert source is not None
    assert source.cookie == b"one"


def test_a_whole_read_finds_who_is_absent(company: Company) -> None:
    company.save(*(entry(f"r{number}") for number in range(6)), run=1)
    with company.publication() as p:
        p.set_due(company.source, {f"r{n}": None for n in range(6)}, as_of=1000)
    company.save(entry("r0", changed=True), entry("new"), run=2)
    with company.store.write() as c:
        records.save(c, company.source, 2, [], ["r5"], None, company.now)
        seen = Seen()
        seen.mark([row.id for row in records.known(c, company.source, ["r1", "r2"]).values()])
        assert records.finish(c, company.source, 2, seen, b"end", company.now) == 2
        assert records.count(c, company.source) == 4
        source = sources.get(c, "hr")
    assert source is not None
    assert (source.cookie, source.complete_at) == (b"end", company.now)
    assert company.due() == ["new", "r0", "r3", "r4", "r5"]


def test_a_read_of_changes_proves_no_absence(company: Company) -> None:
    company.save(entry("r1"))
    with company.store.write() as c:
        assert records.finish(c, company.source, 2, None, b"end", company.now) == 0
        assert records.count(c, company.source) == 1
        source = sources.get(c, "hr")
    assert source is not None
    assert (source.cookie, source.complete_at) == (b"end", None)


def test_seen_remembers_rows() -> None:
    seen = Seen()
    seen.mark([1, 500_000])
    seen.mark([])
    assert [row in seen for row in (0, 1, 2, 500_000, 500_001, 10**9)] == [
        False, True, False, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "rows_known"),
    # 50 rows are not enough for its own daemon either; a restless one would find the same counts.
    [((50,), -1), ((100,), 100), ((1, 600), 601), ((100, 600), 700)],
)
def test_postgresql_looks_at_the_records_as_soon_as_a_batch_more_than_doubles_them(
    postgres: str, sizes: tuple[int, ...], rows_known: int
) -> None:
    store = Store.open(postgres)
    company = Company(store)
    for number, size in enumerate(sizes):
        company.save(*(entry(f"r{number}-{each}") for each in range(size)))
    with store.read() as c:
        known = c.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'record'")
        assert known.scalar_one() == rows_known
    store.close()
