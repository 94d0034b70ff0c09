"""A short soak: a day and a half of changes, imports and restarts."""

from __future__ import annotations

from benchmarks import soak
from tests.servers.slapd import Slapd


def test_after_a_day_of_changes_and_restarts_an_import_equals_the_directory(
    slapd_server: Slapd,
) -> None:
    assert slapd_server.processes  # a slapd can be had here; the soak starts one of its own
    with soak.prepared(people=60, seed=7) as lived:
        lived.restart_every = 5.0
        day = lived.day(1, seconds=30)
    assert (day.wrongful, day.missed) == (0, 0)
    assert day.changes > 10
    assert day.restarts >= 2
    assert day.imports > 1
