"""When everything is read next, by interval and by cron."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.mapping.schedule import Schedule
from bridge.store.tables import SourceRow
from bridge.sync import timetable as timetables
from bridge.sync.timetable import Timetable, changes, full_after
from tests.store.company import NOON

BERLIN = ZoneInfo("Europe/Berlin")


def mapping(**schedule: Any) -> Any:
    return SimpleNamespace(name="hr", timezone=BERLIN, schedule=Schedule(**schedule))


@pytest.mark.parametrize(
    ("full", "after"),
    [
        (timedelta(hours=6), NOON + timedelta(hours=6)),
        ("30 2 * * *", datetime(2026, 7, 2, 0, 30, tzinfo=UTC)),
        ("0 5 * * mon", datetime(2026, 7, 6, 3, 0, tzinfo=UTC)),
        ("0 5 30 feb *", datetime(9999, 1, 1, tzinfo=UTC)),
    ],
)
def test_everything_is_read_again_by_the_schedule(full: Any, after: datetime) -> None:
    assert full_after(mapping(full=full), NOON) == after


def test_changes_are_asked_for_every_five_minutes_if_not_said_otherwise() -> None:
    assert changes(mapping()) == timedelta(minutes=5)
    assert changes(mapping(changes=timedelta(seconds=1))) == timedelta(seconds=1)


def test_a_timetable_that_ends_while_it_begins_a_run_does_so_without_noise() -> None:
    timetable = Timetable(lambda *_: None)
    timetable.start()
    timetable.soon("hr")
    timetable.end()
    timetable._scheduler.remove_job("hr soon")  # as its own thread does a moment later


class Clock:
    """The clock of the machine, which somebody sets."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timetables, "utc_now", clock.now)
    return clock


@pytest.fixture
def started(clock: Clock) -> Iterator[Timetable]:
    """A timetable that begins nothing, as its scheduler stands still."""
    clock.ahead = timedelta(hours=2)
    timetable = Timetable(lambda *_: None)
    timetable._scheduler.start(paused=True)
    yield timetable
    timetable.end()


def waits(timetable: Timetable, clock: Clock) -> dict[str, int]:
    """After how many minutes each job is begun."""
    return {
        job.id: round((job.next_run_time - clock.now()).total_seconds() / 60)
        for job in timetable._scheduler.get_jobs()
    }


def test_nothing_waits_for_longer_where_the_clock_was_set_back(
    started: Timetable, clock: Clock
) -> None:
    started.schedule(mapping(full=timedelta(hours=6)), None)
    started.again("hr")
    started.daily(lambda: None)
    before = waits(started, clock)
    assert before == {"hr changes": 5, "hr full": 360, "hr again": 10, "daily": 5}
    clock.ahead = timedelta(0)
    assert started.follow_clock() == 7200
    assert waits(started, clock) == before
    assert not started.follow_clock()


def test_a_clock_that_goes_ahead_or_back_by_little_is_followed_without_a_word(
    started: Timetable, clock: Clock
) -> None:
    told = []
    for seconds in (7200, 10800, 10750, 10741, 10730, 10680, 10660):
        clock.ahead = timedelta(seconds=seconds)
        told.append(started.follow_clock())
    assert told == [0, 0, 0, 0, 70, 0, 70]


def test_everything_is_read_at_once_where_it_was_read_last_by_a_clock_that_was_ahead(
    started: Timetable, clock: Clock
) -> None:
    row = SourceRow(name="hr", complete_at=clock.now())
    clock.ahead = timedelta(0)
    started.schedule(mapping(full="30 2 * * *"), row)
    assert waits(started, clock)["hr full"] == 0
