"""Wrong tries: a burst is forgiven, then one at a time."""

from __future__ import annotations

from bridge.scim.limiter import Limiter


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_forgiven_and_the_next_one_waits() -> None:
    clock = Clock()
    limiter = Limiter(burst=3, seconds=6, clock=clock)
    assert [limiter.fail("a") for _ in range(5)] == [0, 0, 0, 6, 6]


def test_waiting_as_told_is_enough() -> None:
    clock = Clock()
    limiter = Limiter(burst=3, seconds=6, clock=clock)
    waits = [limiter.fail("a") for _ in range(4)]
    clock.now += waits[-1]
    assert limiter.fail("a") == 0
    assert limiter.fail("a") == 6


def test_after_a_long_quiet_the_whole_burst_is_back_and_no_more() -> None:
    clock = Clock()
    limiter = Limiter(burst=2, seconds=6, clock=clock)
    for _ in range(9):
        limiter.fail("a")
    clock.now += 3600
    assert [limiter.fail("a") for _ in range(3)] == [0, 0, 6]


def test_addresses_do_not_share() -> None:
    limiter = Limiter(burst=1, seconds=6, clock=Clock())
    assert [limiter.fail(address) for address in "abab"] == [0, 0, 6, 6]


def test_the_address_that_failed_longest_ago_is_forgotten_first() -> None:
    limiter = Limiter(burst=1, seconds=6, addresses=2, clock=Clock())
    assert [limiter.fail(address) for address in "abcba"] == [0, 0, 0, 6, 0]
