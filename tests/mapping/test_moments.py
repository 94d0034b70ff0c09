"""When an answer that depends on the clock changes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import EntryFault
from bridge.mapping.moments import day_in, end_of_day, start_of_day

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
STEP = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "zone", "wanted"),
    [
        ("end_of(date('2026-06-20'), 'Australia/Sydney') <= now", "UTC", "2026-06-20T14:00:00Z"),
        ("start_of(date('2026-07-01') - days(3), 'Europe/Berlin') > now", "UTC",
         "2026-06-27T22:00:00Z"),
        ("now - days(5) > start_of(date('2026-06-20'))", "UTC", "2026-06-25T00:00:00.000001Z"),
        ("date('2026-06-20') < now", "Europe/Berlin", "2026-06-19T22:00:00.000001Z"),
        ("date('2026-06-20') < today", "Europe/Berlin", "2026-06-20T22:00:00Z"),
        ("date('2026-06-20') <= today", "Europe/Berlin", "2026-06-19T22:00:00Z"),
        ("date('2026-06-15') < today", "UTC", "2026-06-16T00:00:00Z"),
        ("today + days(7) >= date('2026-06-25')", "UTC", "2026-06-18T00:00:00Z"),
        ("today | format_date", "America/Chicago", "2026-06-16T05:00:00Z"),
        ("now | date('%Y-%m-%d', 'Asia/Tokyo') | format_date", "UTC", "2026-06-15T15:00:00Z"),
        ("days_between(date('2026-06-01'), today)", "UTC", "2026-06-16T00:00:00Z"),
        # What has passed does not pass again, and what is not asked is not waited for.
        ("end_of(date('2026-06-01')) <= now", "UTC", None),
        ("date('2026-06-01') < today", "UTC", None),
        ("end_of(a) <= now", "UTC", None),
        ("'x' == 'x' or end_of(date('2026-06-20')) <= now", "UTC", None),
        ("'x' == 'y' and end_of(date('2026-06-20')) <= now", "UTC", None),
        ("now == now", "UTC", None),
    ],
)  # fmt: skip
def test_the_next_moment_of_change_is_known_exactly(text, zone, wanted, until):
    assert until(text, zone=zone) == (wanted and at(wanted))


def test_a_strict_comparison_turns_right_after_the_moment(evaluate, until):
    text, moment = "end_of(date('2026-06-14')) < now", datetime(2026, 6, 15, tzinfo=UTC)
    assert evaluate(text, now=moment) is False
    assert until(text, now=moment) == moment + STEP
    assert evaluate(text, now=moment + STEP) is True


# Days around which clocks are set, or do something odd, and a leap day.
WINDOWS = (
    date(2026, 6, 15), date(2026, 3, 29), date(2026, 10, 25), date(2026, 9, 6), date(2026, 4, 5),
    date(2028, 2, 29), date(2006, 10, 29), date(2011, 12, 30),
)  # fmt: skip
ZONE_NAMES = ("UTC", "Europe/Berlin", "America/Santiago", "America/St_Johns", "Pacific/Apia",
              "Pacific/Kiritimati")  # fmt: skip
ZONES = st.sampled_from([*(f"'{name}'" for name in ZONE_NAMES), "tz", "none"])
SHIFTS = st.sampled_from(["", " + days(3)", " - days(10)"])
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
MOVING = st.one_of(
    st.tuples(st.sampled_from(["now", "today"]), SHIFTS).map("".join),
    st.tuples(st.sampled_from(["now", "today"]), ZONES).map(lambda p: f"start_of({p[0]}, {p[1]})"),
    ZONES.map(lambda zone: f"(now | date('%Y-%m-%d', {zone}))"),
)


def _around(middle: date, days: int) -> st.SearchStrategy[date]:
    return st.dates(middle - timedelta(days=days), middle + timedelta(days=days))


def _rules(middle: date) -> st.SearchStrategy[str]:
    """Rules that compare the clock with days and moments around one day."""
    written = _around(middle, 20).map(lambda day: f"date('{day}')")
    fixed = st.one_of(
        st.tuples(written, SHIFTS).map("".join),
        st.tuples(st.sampled_from(["start_of", "end_of"]), written, ZONES, SHIFTS).map(
            lambda p: f"{p[0]}({p[1]}, {p[2]}){p[3]}"
        ),
        st.tuples(_around(middle, 3), ZONES).map(
            lambda p: f"datetime('{p[0]} 02:30', '%Y-%m-%d %H:%M', {p[1]})"
        ),
        _around(middle, 3).map(lambda day: f"gentime('{day:%Y%m%d}0330Z')"),
        st.just("filetime('134258436000000000')"),
    )
    compared = st.one_of(
        st.tuples(MOVING, OPERATORS, fixed).map(" ".join),
        st.tuples(fixed, OPERATORS, MOVING).map(" ".join),
        st.tuples(MOVING, OPERATORS, MOVING).map(" ".join),
        st.tuples(fixed, MOVING).map(lambda p: f"days_between({p[0]}, {p[1]}) > 5"),
    )
    return st.recursive(
        compared,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda p: f"({p[0]}) {p[1]} ({p[2]})"
            ),
            inner.map(lambda p: f"not ({p})"),
        ),
        max_leaves=4,
    )


def _moments(middle: date) -> st.SearchStrategy[datetime]:
    start = datetime.combine(middle, datetime.min.time())
    return st.datetimes(start - timedelta(days=15), start + timedelta(days=15))


RULES_AND_MOMENTS = st.one_of([st.tuples(_rules(day), _moments(day)) for day in WINDOWS])


@given(drawn=RULES_AND_MOMENTS, zone=st.sampled_from(ZONE_NAMES), part=st.floats(0, 1))
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400
)
def test_a_rule_about_dates_stands_until_the_moment_it_says(evaluate, until, drawn, zone, part):
    text, now = drawn[0], drawn[1].replace(tzinfo=UTC)
    answer, end = evaluate(text, now=now, zone=zone), until(text, now=now, zone=zone)
    assert end is None or end > now
    last = (end or now + timedelta(days=90)) - STEP
    for moment in (now + (last - now) * part, last):
        assert evaluate(text, now=moment, zone=zone) is answer


def test_days_by_the_million_are_refused_and_do_not_overflow(evaluate):
    with pytest.raises(EntryFault):
        evaluate("now + days(a)", a=10**9)
    assert evaluate("(now - days(4000000)) < now") is True
    assert evaluate("(today + days(4000000)) > today") is True


# -- days in zones, by zoneinfo -----------------------------------------------------------------

# Every zone with a year in which its clocks do something odd.
ODD = [
    ("Europe/Berlin", 2026),
    ("America/Toronto", 1919),  # the clocks went from half past eleven to half past midnight
    ("America/St_Johns", 2006),  # and here back from a minute past midnight to the day before
    ("America/Santiago", 2026),  # there is no midnight on a day in September
    ("America/Havana", 2026),  # midnight comes twice in November
    ("America/Scoresbysund", 2026),
    ("Atlantic/Azores", 2026),
    ("Australia/Lord_Howe", 2026),  # set by half an hour
    ("Africa/Casablanca", 2026),  # set back for Ramadan
    ("Pacific/Apia", 2011),  # there was no 30 December
    ("Pacific/Kwajalein", 1993),  # nor a 21 August
    ("Asia/Kathmandu", 1986),  # a quarter of an hour was skipped with midnight
]


@pytest.mark.parametrize(("name", "year"), ODD)
def test_a_day_begins_with_the_first_moment_that_zoneinfo_puts_on_it(name, year):
    zone, day = ZoneInfo(name), date(year, 1, 1)
    while day.year == year:
        start, end = start_of_day(day, zone), end_of_day(day, zone)
        assert (start - STEP).astimezone(zone).date() < day <= start.astimezone(zone).date()
        # Days follow one another without a gap, and never go back.
        assert day_in(start - STEP, zone) < day <= day_in(start, zone)
        moments = [start + timedelta(minutes=7 * count) for count in range(210)]
        assert all(day_in(moment, zone) == day for moment in moments if moment < end)
        assert end == start_of_day(day + timedelta(days=1), zone)
        day += timedelta(days=1)


@given(
    moment=st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)),
    name=st.sampled_from([name for name, _ in ODD]),
)
@settings(deadline=None)
def test_a_moment_lies_in_its_day_and_that_is_zoneinfos_or_the_next(moment, name):
    moment, zone = moment.replace(tzinfo=UTC), ZoneInfo(name)
    day = day_in(moment, zone)
    assert start_of_day(day, zone) <= moment < end_of_day(day, zone)
    assert (day - moment.astimezone(zone).date()).days in (0, 1)


@given(
    local=st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 1)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
    name=st.sampled_from([name for name, _ in ODD]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_in_a_zone_is_the_moment_that_zoneinfo_says(evaluate, local, name):
    text = f"datetime('{local:%Y-%m-%d %H:%M}', '%Y-%m-%d %H:%M', '{name}')"
    assert evaluate(text) == local.replace(tzinfo=ZoneInfo(name)).astimezone(UTC)
    shown = evaluate(f"{text} | format_date('%Y-%m-%d %H:%M', '{name}')")
    there = local.replace(tzinfo=ZoneInfo(name)).astimezone(UTC).astimezone(ZoneInfo(name))
    assert shown == f"{there:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # At 02:30 on 29 March the clocks of Berlin are skipped: it is as if they had not been set.
        ("2026-03-29 02:30", "2026-03-29T01:30:00Z"),
        # At 02:30 on 25 October they show the same time twice: the first is meant.
        ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
        ("2028-02-29 00:00", "2028-02-28T23:00:00Z"),
    ],
)
def test_a_time_that_is_skipped_or_comes_twice_is_a_moment_all_the_same(text, wanted, evaluate):
    found = evaluate(f"datetime('{text}', '%Y-%m-%d %H:%M', 'Europe/Berlin')")
    assert found == at(wanted)
