from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections import Counter
from datetime import date

import pytest

from benchmarks.ldif import BASE, write_ldif
from benchmarks.people import HEADINGS, TODAY, Person, churn, people, write_csv

COMPANY = list(people(4000, seed=3))


def test_the_same_size_and_seed_give_the_same_people() -> None:
    assert list(people(4000, seed=3)) == COMPANY
    assert list(people(4000, seed=4)) != COMPANY


def test_a_larger_company_begins_with_the_smaller_one() -> None:
    assert list(people(100, seed=3)) == COMPANY[:100]


def test_a_known_person_stays_the_same_in_every_version() -> None:
    first = COMPANY[0]
    assert first.person_id == "P0000001"
    assert first.email == "kaethe.kraus.1@example.com"
    assert first.employments[0].start.isoformat() == "2017-02-15"


@pytest.mark.parametrize("name", ["person_id", "email"])
def test_everybody_has_one_of_their_own(name: str) -> None:
    assert len({getattr(person, name).casefold() for person in COMPANY}) == len(COMPANY)


def test_a_manager_stands_before_those_they_manage() -> None:
    seen: set[str] = set()
    for person in COMPANY:
        assert person.manager in seen or not seen
        seen.add(person.person_id)


def test_a_manager_has_some_people_and_not_half_the_company() -> None:
    spans = Counter(person.manager for person in COMPANY)
    assert 6 < len(COMPANY) / len(spans) < 10
    assert len(set(spans.values())) > 5
    assert max(spans.values()) < 30


def share(what: object) -> float:
    return sum(map(what, COMPANY)) / len(COMPANY)  # type: ignore[call-overload]


def last(person: Person) -> date:
    return person.employments[-1].last_day or date.max


@pytest.mark.parametrize(
    ("expected", "what"),
    [
        (0.06, lambda person: last(person) < TODAY),
        (0.01, lambda person: TODAY <= last(person) < date.max),
        (0.02, lambda person: person.employments[-1].start > TODAY),
        (0.03, lambda person: person.employments[-1].status == "leave"),
        (0.08, lambda person: person.employments[-1].worker_type == "Contractor"),
        (0.02, lambda person: len(person.employments) == 2),
    ],
    ids=["left", "leaving", "starting", "on leave", "contractors", "two employments"],
)
def test_the_company_has_its_share_of_everything(expected: float, what: object) -> None:
    assert expected * 0.6 < share(what) < expected * 1.4


def test_no_employment_ends_before_it_starts() -> None:
    for person in COMPANY:
        for each in person.employments:
            assert each.last_day is None or each.start <= each.last_day


def test_churn_changes_its_share_and_nobody_else() -> None:
    later = {person.person_id: person for person in churn(COMPANY, 0.1, 9, TODAY)}
    before = {person.person_id: person for person in COMPANY}
    vanished = before.keys() - later.keys()
    joined = later.keys() - before.keys()
    changed = {key for key in before.keys() & later.keys() if before[key] != later[key]}
    left = {key for key in changed if last(later[key]) < TODAY}
    assert 0.07 < (len(changed) + len(vanished)) / len(COMPANY) < 0.13
    assert len(joined) >= len(vanished) > 0
    assert left
    assert len({person.email for person in later.values()}) == len(later)
    assert all(
        each.start <= last(person) for person in later.values() for each in person.employments[-1:]
    )


def test_the_export_has_a_row_for_every_employment() -> None:
    file = io.StringIO()
    count = write_csv(COMPANY, file)
    file.seek(0)
    headings, *rows = csv.reader(file, delimiter=";")
    assert tuple(headings) == HEADINGS
    assert len(rows) == count == sum(len(person.employments) for person in COMPANY)
    assert {len(row) for row in rows} == {len(HEADINGS)}


def test_the_directory_has_an_entry_for_everybody_and_their_manager() -> None:
    file = io.StringIO()
    assert write_ldif(COMPANY, file) == len(COMPANY)
    branch, *entries = file.getvalue().strip().split("\n\n")
    assert branch.startswith(f"dn: {BASE}\n")
    names = [entry.partition("\n")[0] for entry in entries]
    assert len(set(names)) == len(COMPANY)
    managers = {line.removeprefix("manager: ") for entry in entries for line in entry.split("\n")
                if line.startswith("manager: ")}  # fmt: skip
    assert managers <= {name.removeprefix("dn: ") for name in names}
    assert file.getvalue().isascii()
    assert b64encode("Käthe Kraus".encode()).decode() in entries[0]
    assert "shadowExpire: -1" in entries[0].split("\n")
