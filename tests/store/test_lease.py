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
