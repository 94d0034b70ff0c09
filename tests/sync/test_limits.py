"""Which kinds of change a run may publish by itself."""

from __future__ import annotations

import pytest

from bridge.mapping.limits import Limits, limit
from bridge.sync.change import (
    ABSENT,
    CLOCK,
    DISABLED,
    EDITED,
    NEW,
    PROTECTED,
    REACTIVATED,
    RENAMED,
)
from bridge.sync.limits import judge

MANY_A_DAY = Limits(per_day=limit("100%"))


@pytest.mark.parametrize(
    ("kind", "active", "most"),
    [
        ("absent", 5, 1),
        ("absent", 99, 1),
        ("absent", 100, 2),
        ("absent", 149, 2),
        ("absent", 24_999, 499),
        ("absent", 25_000, 500),
        ("absent", 100_000, 500),
        ("disabled", 5, 3),
        ("disabled", 79, 3),
        ("disabled", 80, 4),
        ("disabled", 100_000, 500),
        ("reactivated", 5, 1),
        ("reactivated", 200, 2),
        ("reactivated", 100_000, 1000),
        ("edited", 5, 1),
        ("edited", 200, 2),
        ("edited", 100_000, 1000),
        ("renamed", 5, 3),
        ("renamed", 200, 4),
        ("renamed", 100_000, 2000),
        ("emptied:title", 5, 3),
        ("emptied:name/givenName", 80, 4),
        ("emptied:title", 100_000, 5000),
        ("new", 0, 20),
        ("new", 5, 20),
        ("new", 105, 21),
        ("new", 100_000, 20_000),
        ("memberships", 5, 20),
        ("memberships", 210, 21),
        ("memberships", 100_000, 10_000),
        (CLOCK, 100_000, 0),
        ("protected", 5, 0),
        ("protected", 100_000, 0),
    ],
)
def test_a_kind_goes_live_up_to_its_limit_and_is_held_whole_above(
    kind: str, active: int, most: int
) -> None:
    assert judge({kind: most}, MANY_A_DAY, active, 0) == frozenset()
    assert judge({kind: most + 1}, MANY_A_DAY, active, 0) == {kind}


def test_one_attribute_emptied_for_many_holds_no_other_one() -> None:
    counts = {"emptied:title": 100, "emptied:nickName": 3, RENAMED: 3, NEW: 20}
    assert judge(counts, Limits(), 50, 0) == {"emptied:title"}


@pytest.mark.parametrize(
    ("active", "deactivated", "most"),
    [
        (5, 0, 3),
        (2, 3, 0),
        (20, 0, 3),
        (100, 0, 15),
        (90, 10, 5),
        (85, 15, 0),
        (100_000, 0, 15_000),
    ],
)
def test_a_day_has_a_budget_of_those_who_were_active_when_it_began(
    active: int, deactivated: int, most: int
) -> None:
    limits = Limits(disabled=limit("100%"))
    assert judge({DISABLED: most}, limits, active, deactivated) == frozenset()
    assert judge({DISABLED: most + 1}, limits, active, deactivated) == {DISABLED}


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        ({DISABLED: 5, EDITED: 5, ABSENT: 5}, set()),
        ({DISABLED: 5, EDITED: 5, ABSENT: 6}, {ABSENT}),
        ({DISABLED: 5, EDITED: 11, ABSENT: 6}, {EDITED}),
        ({DISABLED: 10, EDITED: 6, ABSENT: 6}, {EDITED, ABSENT}),
        ({DISABLED: 16, EDITED: 10, ABSENT: 5}, {DISABLED}),
    ],
)
def test_the_days_budget_goes_to_what_the_source_states_first(
    counts: dict[str, int], held: set[str]
) -> None:
    wide = limit("100%")
    assert judge(counts, Limits(absent=wide, disabled=wide, edited=wide), 100, 0) == held


def test_what_is_held_for_its_own_limit_takes_nothing_of_the_days_budget() -> None:
    limits = Limits(disabled=limit("2"), absent=limit("100%"))
    assert judge({DISABLED: 10, ABSENT: 15}, limits, 100, 0) == {DISABLED}


def test_the_day_limits_deactivations_alone() -> None:
    counts = {NEW: 20, REACTIVATED: 1, RENAMED: 3}
    assert judge({**counts, PROTECTED: 1}, Limits(), 5, 3) == {PROTECTED}


def test_an_overdrawn_day_holds_nothing_but_deactivations_that_there_are() -> None:
    assert judge({RENAMED: 1}, Limits(), 2, 5) == frozenset()
    assert judge({RENAMED: 1, ABSENT: 1}, Limits(), 2, 5) == {ABSENT}
