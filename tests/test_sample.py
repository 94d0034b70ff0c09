from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge import mapping
from bridge.model import Entry, Mapped, Verdict
from bridge.sources import kinds, settings_models

FILE = Path(__file__).parents[1] / "mappings" / "sample-hr.yaml"
SAMPLE = mapping.load(FILE.read_text(encoding="utf-8"), FILE.name, settings_models())


@pytest.fixture(scope="module")
def people() -> dict[str, list[Entry]]:
    source = kinds()[SAMPLE.source_type].open(SAMPLE.source_settings(), FILE.parent)
    *batches, last = source.read(None)
    assert last.verdict == Verdict(complete=True, whole=True)
    found: dict[str, list[Entry]] = {}
    for batch in (*batches, last):
        for entry in batch.entries:
            found.setdefault(SAMPLE.key_of(entry), []).append(entry)
    return found


@pytest.mark.parametrize("result", mapping.run_tests(SAMPLE), ids=lambda result: result.name)
def test_what_the_sample_promises_comes_true(result: mapping.TestResult) -> None:
    assert result.passed, result.problems


@pytest.mark.parametrize("year", [2026, 2027, 2028, 2029, 2030, 2031])
def test_the_sample_has_somebody_of_every_sort_for_years(
    people: dict[str, list[Entry]], year: int
) -> None:
    now = datetime(year, 12, 1, tzinfo=UTC)
    mapped: dict[str, Mapped] = {key: SAMPLE.person(rows, now) for key, rows in people.items()}
    assert not [key for key, person in mapped.items() if person.faults]
    reasons = Counter(person.skipped or person.reason for person in mapped.values())
    assert reasons["employed"] > 200
    assert reasons["last day is over"] > 10
    assert reasons["contractor on leave"] > 0
    assert reasons["dismissed with immediate effect"] > 0
    assert reasons["has not started"] > 0 or year == 2031
    assert sum(len(rows) > 1 for rows in people.values()) > 2


def test_everybody_in_the_sample_has_a_manager_who_is_in_it(people: dict[str, list[Entry]]) -> None:
    managers = {row.attributes.get("manager_id", "") for rows in people.values() for row in rows}
    assert len(managers) > 20
    assert managers - people.keys() == {""}
