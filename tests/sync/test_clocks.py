"""Where a source's clock and this machine's are apart, dates that lie between them wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import Batch
from bridge.sources.csv import CsvSource
from bridge.store import plans
from tests.sync.conftest import Company, person

MIDNIGHT = datetime(2026, 6, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
Tell = Callable[[timedelta | None], None]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Have the source tell how far its clock is ahead, from the next read on."""
    told: list[timedelta | None] = [None]
    read = CsvSource.read

    def telling(source: CsvSource, cookie: bytes | None) -> Iterator[Batch]:
        for batch in read(source, cookie):
            yield replace(batch, skew=told[0])

    monkeypatch.setattr(CsvSource, "read", telling)
    return lambda skew: told.__setitem__(0, skew)


@pytest.fixture
def ahead(company: Company, tell: Tell) -> Company:
    """It is half past midnight here, half past eleven there, and yesterday was P2's last day."""
    company.now = MIDNIGHT - HOUR
    company.rows["P2"]["end"] = "2026-06-14"
    company.update()
    tell(-HOUR)
    company.now = MIDNIGHT + HOUR / 2
    return company


def test_whoever_has_a_date_between_two_clocks_waits_until_they_agree(
    ahead: Company, tell: Tell
) -> None:
    ahead.rows["P3"] |= {"end": "2026-06-12"}
    ahead.rows["P4"]["title"] = "Chief"
    report = ahead.update()
    assert (report.exit_code, report.counts, report.held) == (3, {"disabled": 1}, {"clock": 1})
    assert ahead.inactive() == {"P3"}
    assert ahead.served()["P4"]["title"] == "Chief"
    [change] = ahead.changes()
    assert (change.subject, change.after) == (
        "P2",
        "inactive: last day has passed, by this machine's clock but not by that of the source",
    )
    assert ahead.sync("decide").held == {}, "the plan that waits is enough"
    assert ahead.inactive() == {"P3"}
    tell(timedelta())
    report = ahead.sync()
    assert (report.counts, report.plans) == ({"disabled": 1}, [])
    assert ahead.inactive() == {"P2", "P3"}


def test_when_both_clocks_have_passed_a_date_it_counts(ahead: Company) -> None:
    ahead.sync()
    ahead.now = MIDNIGHT + 2 * HOUR
    report = ahead.sync("decide")
    assert (report.counts, report.plans) == ({"disabled": 1}, [])
    assert ahead.inactive() == {"P2"}


def test_somebody_may_say_which_clock_is_right(ahead: Company) -> None:
    ahead.sync()
    assert ahead.approve().counts == {"clock": 1}
    assert ahead.inactive() == {"P2"}
    assert '"cause": "clock"' in ahead.audit("P2")[0].detail
    assert ahead.sync().held == {}
    assert ahead.plans(plans.HELD) == []


def test_clocks_300_seconds_apart_are_near_enough(company: Company, tell: Tell) -> None:
    company.now = MIDNIGHT - HOUR
    company.rows["P2"]["end"] = "2026-06-14"
    company.update()
    tell(timedelta(seconds=-300))
    company.now = MIDNIGHT + timedelta(seconds=100)
    assert company.sync().counts == {"disabled": 1}


def test_who_is_inactive_by_both_clocks_is_so_at_once_and_the_rest_waits(ahead: Company) -> None:
    """The reason for it depends on the clock, and so would a group; nothing is late for that."""
    ahead.write_mapping(
        ("rules:\n", "rules:\n    - { when: dept == 'gone', then: false, reason: locked }\n"),
        ("  title: title\n", "  title: \"'Left' if end_of(ends) <= now else title\"\n"),
    )
    ahead.sync()
    ahead.rows["P2"] |= {"dept": "gone"}
    report = ahead.update()
    assert report.counts["disabled"] == 1
    assert ahead.inactive() == {"P2"}
    assert ahead.served()["P2"]["title"] == "Clerk"


def test_nobody_comes_back_because_this_clock_was_set_back(company: Company, tell: Tell) -> None:
    company.now = MIDNIGHT + HOUR
    company.rows["P2"]["end"] = "2026-06-14"
    company.update()
    assert company.inactive() == {"P2"}
    company.now -= 24 * HOUR
    tell(24 * HOUR)
    report = company.sync()
    assert (report.counts, report.held) == ({}, {"clock": 1})
    assert company.inactive() == {"P2"}
    company.now += 24 * HOUR
    tell(None)
    report = company.sync()
    assert (report.written, report.plans) == (0, [])
    assert company.inactive() == {"P2"}


def test_a_newcomer_of_whom_the_clocks_say_different_things_is_not_served_yet(
    ahead: Company, tell: Tell
) -> None:
    ahead.rows["P11"] = person(11, end="2026-06-14")
    assert ahead.update().held == {"clock": 2}
    assert "P11" not in ahead.served()
    tell(timedelta())
    assert ahead.sync().counts == {"disabled": 1, "new": 1}
    assert ahead.inactive() == {"P2", "P11"}


def test_an_override_waits_for_no_clock(ahead: Company) -> None:
    ahead.override("P2", active=False)
    assert ahead.update().held == {}
    assert ahead.inactive() == {"P2"}
