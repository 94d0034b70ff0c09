"""Limits and schedules as an admin writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.mapping import Limits
from bridge.mapping.limits import DEFAULTS, limit
from bridge.mapping.schedule import Schedule, interval, interval_or_cron


@pytest.mark.parametrize(
    ("text", "people", "allowed"),
    [
        ("5", 1_000_000, 5), ("0", 1_000, 0), ("2%", 1_000, 20), ("2%", 49, 0), ("2%", 0, 0),
        ("0.5%", 1_000, 5), ("max(1, 1%)", 5, 1), ("max(1, 1%)", 250, 2), ("max(1%, 1)", 250, 2),
        ("min(500, max(1, 2%))", 1_000_000, 500), ("min(500, max(1, 2%))", 10, 1),
        ("min(500, 2%)", 1_000, 20), ("max( 3 ,15 % )", 100, 15), ("100%", 7, 7),
        ("29%", 100, 29), ("7%", 100, 7), ("0.1%", 1_000_000, 1_000),
    ],
)  # fmt: skip
def test_a_limit_is_so_many_people(text, people, allowed):
    assert limit(text).of(people) == allowed


@pytest.mark.parametrize(
    "text", ["", "five", "-1", "1%%", "101%", "max(1)", "max(1, 2)", "max(1%, 2%)", "min(5, 3)",
             "max(1, 2%", "1 %%", "min(500, max(1, 2%)) x", "1e3", "٥"],
)  # fmt: skip
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a limit|more than everybody"):
        limit(text)


@pytest.mark.parametrize("text", ["5", "2%", "max(1, 2%)", "min(500, max(1, 2.5%))", "min(9, 2%)"])
def test_a_limit_is_said_as_it_is_written(text):
    assert str(limit(text)) == text


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("absent", 1, 500), ("disabled", 3, 500), ("reactivated", 1, 10_000), ("edited", 1, 10_000),
        ("renamed", 3, 20_000), ("emptied", 3, 50_000), ("new", 20, 200_000),
        ("memberships", 20, 100_000), ("per_day", 3, 150_000),
    ],
)  # fmt: skip
def test_the_defaults_protect_a_company_of_five_and_one_of_a_million(name, small, large):
    default = getattr(Limits(), name)
    assert (default.of(5), default.of(1_000_000)) == (small, large)
    assert DEFAULTS[name] == default


def test_a_file_changes_only_the_limits_it_names(small_file):
    limits = small_file("limits: { absent: 7, first_load: publish }").limits
    assert limits.absent.of(1_000) == 7
    assert limits.first_load == "publish"
    assert limits.disabled == Limits().disabled
    assert small_file().limits == Limits(first_load="hold")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5 minutes", timedelta(minutes=5)), ("1 minute", timedelta(minutes=1)),
        ("every hour", timedelta(hours=1)), ("every 6 hours", timedelta(hours=6)),
        ("30 seconds", timedelta(seconds=30)), ("Every Day", timedelta(days=1)),
        ("2 weeks", timedelta(weeks=2)),
    ],
)  # fmt: skip
def test_an_interval_is_said_in_words(text, wanted):
    assert interval(text) == wanted
    assert interval_or_cron(text) == wanted


@pytest.mark.parametrize("text", ["30 2 * * *", "*/15 8-18 * * mon-fri", "0 5 1,15 jan-jun sun"])
def test_a_complete_read_may_follow_cron(text):
    assert interval_or_cron(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "5", "0 minutes", "five minutes", "5 fortnights", "30 2 * *", "60 2 * * *", "0 0 0 * *",
     "0 0 * 13 *", "0 0 * * 7", "0 0 * * xyz", "*/0 * * * *", "- * * * *", "5-x * * * *"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match=r"is not an interval|cron has no"):
        interval_or_cron(text)


def test_without_a_schedule_everything_is_read_every_hour(small_file):
    assert small_file().schedule == Schedule(None, timedelta(hours=1))
    mapped = small_file("schedule: { changes: 5 minutes, full: '30  2 * * *' }")
    assert mapped.schedule == Schedule(timedelta(minutes=5), "30 2 * * *")
