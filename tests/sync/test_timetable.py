"""When everything is read next, by interval and by cron."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.mapping.schedule import Schedule
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
