"""The benchmark of a directory measures reads that did what they are measured for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import ldap_read
from benchmarks.ldap_read import FIRST, SOURCE, UNCHANGED, YARDSTICK
from bridge.store import Store, resources
from tests.servers.slapd import Slapd


def test_every_step_does_what_it_is_measured_for(slapd_server: Slapd) -> None:
    assert slapd_server.processes  # a slapd can be had here; the benchmark starts one of its own
    with ldap_read.loaded(200) as directory:
        costs = ldap_read.measure(directory)
        store = Store.open(f"sqlite:///{directory.database}")
        with store.read() as connection:
            people = resources.listing(connection, limit=1000)
        store.close()
    assert list(costs) == [YARDSTICK, SOURCE, FIRST, UNCHANGED]
    assert min(cost.cpu for cost in costs.values()) > 0
    assert len(people) == 200
    assert {"title", "locale", "emails"} <= people[7].attributes.keys()


def test_a_step_that_came_by_others_than_everybody_is_no_measurement(slapd_server: Slapd) -> None:
    assert slapd_server.processes
    with ldap_read.loaded(20) as directory:
        larger = replace(directory, size=21)
        with pytest.raises(RuntimeError, match="20 people were read instead of 21"):
            ldap_read.read(larger)
        for step in (ldap_read.first_load, ldap_read.nothing_changed):
            with pytest.raises(RuntimeError, match="ended with"):
                step(larger)
