"""Moments as systems store them: their forms, their limits, and what means never."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import EntryFault
from bridge.mapping.moments import FIRST, LAST

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
UTC_MOMENTS = st.datetimes(datetime(1601, 1, 1, 0, 0, 0, 1)).map(lambda m: m.replace(tzinfo=UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20260613170000Z", utc(2026, 6, 13, 17)),
        ("20260613170000.0Z", utc(2026, 6, 13, 17)),
        ("202606131700Z", utc(2026, 6, 13, 17)),
        ("2026061317Z", utc(2026, 6, 13, 17)),
        # A fraction is of the last part that is written, after a point or a comma.
        ("2026061317.5Z", utc(2026, 6, 13, 17, 30)),
        ("202606131700,25Z", utc(2026, 6, 13, 17, 0, 15)),
        ("20260613170000.123456789Z", utc(2026, 6, 13, 17, 0, 0, 123456)),
        ("20260613170000." + "3" * 400 + "Z", utc(2026, 6, 13, 17, 0, 0, 333333)),
        ("20260613190000+0200", utc(2026, 6, 13, 17)),
        ("20260613190000+02", utc(2026, 6, 13, 17)),
        ("20260613133000-0330", utc(2026, 6, 13, 17)),
        ("2026061319.5+0200", utc(2026, 6, 13, 17, 30)),
        ("20260101000000+0200", utc(2025, 12, 31, 22)),
        ("20280229000000Z", utc(2028, 2, 29)),
        # A leap second is the first of the next minute.
        ("20161231235960Z", utc(2017, 1, 1)),
        # Beyond the calendar time stands still; ppolicy locks for ever from year 0.
        ("000001010000Z", FIRST),
        ("00010101000000+0100", FIRST),
        ("99991231235960Z", LAST),
        ("99991231235959-0100", LAST),
        (" 20260613170000Z ", utc(2026, 6, 13, 17)),
    ],
)
def test_generalized_time_is_read_as_rfc_4517_writes_it(text, wanted, evaluate):
    assert evaluate("a | gentime", a=text) == wanted


@pytest.mark.parametrize(
    "text",
    ["20260613170000", "20260613Z", "2026061324Z", "20261313170000Z", "20260613176000Z",
     "20260613170061Z", "20260613170000.Z", "20260613170000+2400", "20260613170000+2",
     "20260613170000z", "2026-06-13T17:00:00Z", "٢٠٢٦٠٦١٣١٧٠٠٠٠Z", "-0260613170000Z", "x"],
)  # fmt: skip
def test_what_is_no_generalized_time_is_an_error(text, evaluate):
    with pytest.raises(EntryFault, match="no generalized time"):
        evaluate("a | gentime", a=text)


@pytest.mark.parametrize("text", ["20270229000000Z", "20260431000000Z", "20260230Z00"])
def test_a_day_that_there_is_not_is_no_moment(text, evaluate):
    with pytest.raises(EntryFault, match="generalized time"):
        evaluate("a | gentime", a=text)


@given(moment=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
       offset=st.integers(-23 * 60 - 59, 23 * 60 + 59))  # fmt: skip
@SETTINGS
def test_any_moment_at_any_offset_is_read_again_from_its_generalized_time(evaluate, moment, offset):
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = f"{there.year:04}{there:%m%d%H%M%S.%f}{sign}{minutes // 60:02}{minutes % 60:02}"
    assert evaluate("a | gentime", a=text) == there


@pytest.mark.parametrize(
    ("ticks", "wanted"),
    [
        (0, None),
        (2**63 - 1, None),
        (1, utc(1601, 1, 1)),
        (10, utc(1601, 1, 1, 0, 0, 0, 1)),
        (116444736000000000, utc(1970, 1, 1)),
        (2650467743999999999, LAST),
        (2650467744000000000, LAST),
        (2**63 - 2, LAST),
    ],
)
def test_windows_time_has_its_limits_and_its_two_nevers(ticks, wanted, evaluate):
    for written in (ticks, str(ticks), f" {ticks} ", [str(ticks)]):
        assert evaluate("a | filetime", a=written) == wanted


def test_an_account_that_never_expires_has_not_expired(evaluate):
    for ticks in ("0", "9223372036854775807", None):
        assert evaluate("(a | filetime) <= now", a=ticks) is False
    assert evaluate("(a | filetime) <= now", a="1") is True


@given(moment=UTC_MOMENTS)
@SETTINGS
def test_any_moment_is_read_again_from_its_windows_time(evaluate, moment):
    assert evaluate("a | datetime | to_filetime | filetime", a=moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("a | epoch", 0, None),
        ("a | epoch", -1, None),
        ("a | epoch", 1, utc(1970, 1, 1, 0, 0, 1)),
        ("a | epoch", 253402300799, utc(9999, 12, 31, 23, 59, 59)),
        ("a | epoch", 253402300800, LAST),
        ("a | epoch", 10**18, LAST),
        ("a | epoch_day", "0", None),
        ("a | epoch_day", "-1", None),
        ("a | epoch_day", 1, date(1970, 1, 2)),
        ("a | epoch_day", 2932896, date(9999, 12, 31)),
        ("a | epoch_day", 2932897, date(9999, 12, 31)),
        ("a | epoch_day", 10**18, date(9999, 12, 31)),
        ("a | msdate", "/Date(0)/", utc(1970, 1, 1)),
        ("a | msdate", "/Date(-2208988800000)/", utc(1900, 1, 1)),
        ("a | msdate", "/Date(253402214400000+0000)/", utc(9999, 12, 31)),
        ("a | msdate", "/Date(999999999999999999)/", LAST),
        ("a | msdate", "/Date(-999999999999999999)/", FIRST),
        ("a | msdate", 0, utc(1970, 1, 1)),
    ],
)
def test_counts_from_1970_stand_still_at_the_ends_of_the_calendar(text, given, wanted, evaluate):
    assert evaluate(text, a=given) == wanted


@given(moment=UTC_MOMENTS.filter(lambda m: m.year > 1970))
@SETTINGS
def test_any_second_and_day_are_counted_from_1970(evaluate, moment):
    seconds = int((moment - utc(1970, 1, 1)).total_seconds())
    assert evaluate("a | epoch", a=seconds) == moment.replace(microsecond=0)
    assert evaluate("a | datetime | to_epoch", a=moment.isoformat()) == seconds
    assert evaluate("a | epoch_day", a=seconds // 86400) == moment.date()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("date('2028-02-29') + days(365)", date(2029, 2, 28)),
        ("date('2028-02-28') + days(1)", date(2028, 2, 29)),
        ("days_between(date('2028-02-28'), date('2028-03-01'))", 2),
        ("days_between(date('2027-02-28'), date('2027-03-01'))", 1),
        ("end_of(date('2028-02-29'))", utc(2028, 3, 1)),
        ("'29.02.2028' | date('%d.%m.%Y')", date(2028, 2, 29)),
    ],
)
def test_a_leap_day_is_a_day(text, wanted, evaluate):
    assert evaluate(text) == wanted


def test_there_is_no_leap_day_in_another_year(evaluate):
    for year in (2026, 2100):
        with pytest.raises(EntryFault, match="does not match format"):
            evaluate("a | date('%d.%m.%Y')", a=f"29.02.{year}")
