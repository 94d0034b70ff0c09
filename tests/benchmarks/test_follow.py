"""The benchmark of how soon a disable is shown measures disables that were shown."""

from __future__ import annotations

from benchmarks import follow
from tests.servers.slapd import Slapd


def test_whoever_changed_is_read_and_whoever_is_disabled_is_waited_for(slapd_server: Slapd) -> None:
    assert slapd_server.processes  # a slapd can be had here; the benchmark starts one of its own
    with follow.slapd(30) as directory:
        reads = follow.reads(directory, rounds=2)
        delays = follow.followed(directory, rounds=2)
    assert min(reads.nothing, reads.hundred) > 0
    assert (delays.people, delays.rounds) == (30, 2)
    assert 0 < delays.p50 <= delays.p95 <= delays.slowest
