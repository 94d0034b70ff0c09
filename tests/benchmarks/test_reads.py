"""The benchmark of reads measures syncs that did what they are measured for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks import reads
from benchmarks.reads import Company
from bridge.store import Store, resources
from bridge.sync.run import CHANGES, DECIDE, FULL


def test_every_step_does_what_it_is_measured_for(tmp_path: Path) -> None:
    company = Company(tmp_path, 200)
    assert reads.generate(company) >= 200
    reads.sync(company, FULL)
    reads.sync(company, FULL)
    before = _titles(company)
    assert before.total() == 200
    reads.change(company)
    reads.sync(company, CHANGES)
    reads.edit(company)
    reads.sync(company, DECIDE)
    assert _titles(company) != before
    cost = reads.few(company)
    assert cost.peak > 0
    assert _titles(company)["Expert 7"] == reads.FEW


def _titles(company: Company) -> Counter[object]:
    store = Store.open(company.database)
    with store.read() as connection:
        people = resources.listing(connection, limit=1000)
    store.close()
    return Counter(person.attributes["title"] for person in people)
