"""The lease: one publisher, and a frozen one that wakes up too late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import LeaseHeld
from bridge.store import Store, lease
from tests.store.company import NOON

SECOND = timedelta(seconds=1)


def test_a_lease_that_is_held_names_its_holder_and_its_end(store: Store) -> None:
    with store.write() as c:
        epoch = lease.acquire(c, "one:1", NOON)
        with pytest.raises(LeaseHeld, match=r"one:1 holds the lease until 2026-07-01 12:00:30Z"):
            lease.acquire(c, "two:2", NOON + lease.TTL - SECOND)
        assert lease.current(c, NOON) == "one:1"
        lease.renew(c, epoch, NOON + lease.TTL - SECOND)
        assert lease.current(c, NOON + lease.TTL) == "one:1"


def test_a_holder_that_shows_no_life_is_taken_over_and_fenced(store: Store) -> None:
    with store.write() as c:
        frozen = lease.acquire(c, "one:1", NOON)
        epoch = lease.acquire(c, "two:2", NOON + lease.TTL)
        assert epoch > frozen
        lease.check(c, epoch)
        with pytest.raises(LeaseHeld):
            lease.check(c, frozen)
        with pytest.raises(LeaseHeld):
            lease.renew(c, frozen, NOON + lease.TTL)
        lease.release(c, frozen)
        assert lease.current(c, NOON + lease.TTL) == "two:2"


def test_a_lease_that_was_given_back_can_be_taken_at_once(store: Store) -> None:
    with store.write() as c:
        first = lease.acquire(c, "one:1", NOON)
        lease.release(c, first)
        assert lease.current(c, NOON) is None
        with pytest.raises(LeaseHeld):
            lease.renew(c, first, NOON)
        assert lease.acquire(c, "two:2", NOON) == first + 1


def test_nobody_holds_a_lease_that_was_never_taken(store: Store) -> None:
    with store.write() as c:
        assert lease.current(c, NOON) is None
        with pytest.raises(LeaseHeld):
            lease.check(c, 1)


@pytest.mark.parametrize(("ahead", "alive", "ended"), [
    (timedelta(hours=2), False, [False, False, False, True]),
    (timedelta(hours=2), True, [False, False, False, False]),
    (timedelta(seconds=300), False, [False, False, False, False]),
])  # fmt: skip
def test_a_dead_holder_whose_clock_was_far_ahead_keeps_nobody_out(
    store: Store, ahead: timedelta, alive: bool, ended: list[bool]
) -> None:
    passed = timedelta(0)
    silence = lease.Silence(clock=lambda: passed.total_seconds())
    found = []
    with store.write() as c:
        epoch = lease.acquire(c, "one:1", NOON + ahead)
        for seconds in (0, 15, 30, 31):
            passed = seconds * SECOND
            if alive:
                lease.renew(c, epoch, NOON + ahead + passed)
            found.append(silence.has_ended(c, NOON + passed))
        if any(ended):
            assert lease.acquire(c, "two:2", NOON + passed) == epoch + 1
            with pytest.raises(LeaseHeld):
                lease.renew(c, epoch, NOON + ahead + passed)
        else:
            with pytest.raises(LeaseHeld):
                lease.acquire(c, "two:2", NOON + passed)
    assert found == ended


def test_the_silence_of_one_holder_is_not_that_of_the_next(store: Store) -> None:
    passed = 0.0
    silence = lease.Silence(clock=lambda: passed)
    with store.write() as c:
        first = lease.acquire(c, "one:1", NOON + 200 * lease.TTL)
        assert not silence.has_ended(c, NOON)
        lease.release(c, first)
        lease.acquire(c, "two:2", NOON + 200 * lease.TTL)
        passed = 31.0
        assert not silence.has_ended(c, NOON)
