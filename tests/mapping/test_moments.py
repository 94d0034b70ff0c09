"""When an answer that depends on the clock changes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import EntryFault

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


DAYS = st.dates(date(2026, 5, 20), date(2026, 7, 10)).map(lambda day: f"date('{day}')")
ZONES = st.sampled_from(
    ["'UTC'", "'Europe/Berlin'", "'America/Santiago'", "'Pacific/Kiritimati'", "tz", "none"]
)
SHIFTS = st.sampled_from(["", " + days(3)", " - days(10)"])
FIXED = st.one_of(
    st.tuples(DAYS, SHIFTS).map("".join),
    st.tuples(st.sampled_from(["start_of", "end_of"]), DAYS, ZONES, SHIFTS).map(
        lambda p: f"{p[0]}({p[1]}, {p[2]}){p[3]}"
    ),
    st.just("datetime('2026-06-20T10:30:00Z')"),
)
MOVING = st.one_of(
    st.tuples(st.sampled_from(["now", "today"]), SHIFTS).map("".join),
    st.tuples(st.sampled_from(["now", "today"]), ZONES).map(lambda p: f"start_of({p[0]}, {p[1]})"),
    ZONES.map(lambda zone: f"(now | date('%Y-%m-%d', {zone}))"),
)
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
COMPARISONS = st.one_of(
    st.tuples(MOVING, OPERATORS, FIXED).map(" ".join),
    st.tuples(FIXED, OPERATORS, MOVING).map(" ".join),
    st.tuples(MOVING, OPERATORS, MOVING).map(" ".join),
    st.tuples(FIXED, MOVING).map(lambda p: f"days_between({p[0]}, {p[1]}) > 5"),
)
RULES = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda p: f"({p[0]}) {p[1]} ({p[2]})"
        ),
        inner.map(lambda p: f"not ({p})"),
    ),
    max_leaves=4,
)


@given(
    text=RULES,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago"]),
    now=st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 30)),
    part=st.floats(0, 1),
)
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300
)
def test_a_rule_about_dates_stands_until_the_moment_it_says(evaluate, until, text, zone, now, part):
    now = now.replace(tzinfo=UTC)
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
