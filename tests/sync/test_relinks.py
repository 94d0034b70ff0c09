"""A relink is somebody's word: both people change by it, whatever the limits say, and for good."""

from __future__ import annotations

import json

import pytest

from bridge.store import records, relinks
from bridge.sync.leadership import leadership
from bridge.sync.run import CHANGES, Sync
from tests.sync.conftest import Company, person


@pytest.fixture
def rehired(company: Company) -> Company:
    """P4 has left, and is back as P44."""
    company.limits = "limits: { first_load: publish, reactivated: 0, absent: 1 }"
    company.write_mapping()
    company.update("full")
    del company.rows["P4"]
    company.update("full")
    company.rows["P44"] = person(44)
    company.update("full")
    assert company.active("P4", "P44") == (False, True)
    return company


def relink(company: Company) -> None:
    with company.store.write() as connection:
        relinks.set(connection, company.source_id, "P4", "P44", "ann", company.now)


def test_no_limit_holds_one_half_of_a_relink(rehired: Company) -> None:
    del rehired.rows["P9"]
    del rehired.rows["P10"]
    rehired.write_export()
    relink(rehired)
    report = rehired.sync("full")
    assert report.held == {"absent": 2}, "others are none of its business"
    assert rehired.active("P4", "P44") == (True, False)
    for key, action in (("P4", "reactivated"), ("P44", "deactivated")):
        event = rehired.audit(key)[0]
        assert (event.action, event.approved) == (action, True)
        assert json.loads(event.detail)["cause"] == "override"
    assert "goes on as somebody" in json.loads(rehired.audit("P44")[0].detail)["reason"]


def test_who_goes_on_is_guarded_by_the_limits_like_anybody_else(rehired: Company) -> None:
    relink(rehired)
    rehired.sync("decide")
    rehired.rows["P44"]["end"] = "2026-06-14"
    assert rehired.update().counts == {"disabled": 1}
    rehired.rows["P44"]["end"] = ""
    assert rehired.update().held == {"reactivated": 1}


def test_a_relink_that_comes_during_a_read_stands(rehired: Company) -> None:
    rehired.rows["P44"]["title"] = ""
    rehired.write_export()
    with leadership(rehired.store) as epoch:
        Sync(rehired.store, rehired.mappings, epoch, lambda: rehired.now).run(
            "hr", CHANGES, "test", lambda step, done: relink(rehired) if step == "read" else None
        )
    with rehired.store.read() as connection:
        found = records.of_people(connection, rehired.source_id, ["P4", "P44"])
    assert {key: [each.record_key for each in of] for key, of in found.items()} == {"P4": ["P44"]}
    assert rehired.active("P4", "P44") == (True, False)
