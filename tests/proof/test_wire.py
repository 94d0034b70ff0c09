"""Between the bridge and a real directory connections are cut, stall and come in slices.

Whatever part of an answer arrives, nobody is absent because of it, and the next good read finds
everything that has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.servers.proxy import Proxy, proxy
from tests.sync.conftest import branch, slapd, slapd_server
from tests.sync.university import University, uni

__all__ = ["branch", "slapd", "slapd_server", "uni"]

PEOPLE = 30
CUTS = 24


@pytest.fixture
def between(uni: University) -> Iterator[Proxy]:
    """A proxy before a directory of thirty people that was read once, in pages of ten."""
    for number in range(PEOPLE - 3):
        uni.add(f"p{number}", "boss")
    with proxy(uni.slapd.port) as made:
        address = f"url: {uni.slapd.url}", f"url: {made.url}\n  page_size: 10\n  timeout: 1 second"
        uni.write_mapping(address)
        assert uni.company.sync("full").entries == PEOPLE
        yield made


def change(uni: University, number: int) -> None:
    """Somebody comes, and somebody is called differently."""
    uni.add(f"new{number}")
    dn = uni.dn(f"p{number % (PEOPLE - 3)}")
    uni.change(dn, "changetype: modify", "replace: mail", f"mail: m{number}@uni.example")


def is_served(uni: University, number: int) -> None:
    served = uni.company.served()
    assert f"new{number}" in served
    assert served[f"p{number % (PEOPLE - 3)}"]["userName"] == f"m{number}@uni.example"
    assert uni.company.inactive() == set()


@pytest.mark.parametrize("mode", ["full", "changes"])
def test_wherever_a_connection_is_cut_nobody_is_absent_because_of_it(
    uni: University, between: Proxy, mode: str
) -> None:
    everybody = uni.company.okta_imports().linked.keys()
    longest = 16_000 if mode == "full" else 3_000
    for number in range(CUTS):
        change(uni, number)
        uni.company.now += timedelta(hours=25)
        # Every other time the connection that is made anew is cut as well.
        between.cut_after = [number * longest // CUTS] * (1 + number % 2)
        uni.company.sync(mode)
        assert uni.company.okta_imports().removed == set()
        between.cut_after = []
        assert uni.company.sync("changes").exit_code == 0
        is_served(uni, number)
    assert everybody <= uni.company.okta_imports().linked.keys()


@pytest.mark.parametrize("after", [0, 2_000, 9_000])
def test_a_server_that_falls_silent_is_given_up(
    uni: University, between: Proxy, after: int
) -> None:
    change(uni, 0)
    between.stall_after = after
    report = uni.company.sync("full")
    assert report.verdict in ("INCOMPLETE", "FAILED")
    assert uni.company.inactive() == set()
    between.stall_after = None
    assert uni.company.sync("changes").exit_code == 0
    is_served(uni, 0)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_answer_in_slices_is_the_same_answer(uni: University, between: Proxy, size: int) -> None:
    change(uni, 0)
    between.slice = size
    report = uni.company.sync("full")
    assert (report.verdict, report.entries) == ("COMPLETE", PEOPLE + 1)
    is_served(uni, 0)
