"""Imports while the company changes: nobody is seen twice and nobody is missed."""

from __future__ import annotations

import random

import httpx

from bridge.model import Kind, resource_id
from bridge.okta.rehearsal import rehearse
from tests.sync.conftest import BASE, Company, person

IMPORTS = 100
OPEN = """\
limits: { first_load: publish, absent: 50%, disabled: 50%, reactivated: 50%, per_day: 100% }
"""


def test_no_sync_between_two_pages_hides_or_doubles_anybody(company: Company) -> None:
    chance = random.Random(2000)
    company.people(2000)
    company.limits = OPEN
    company.write_mapping()
    company.update()
    linked = company.okta_imports().linked
    assert len(linked) == 2000

    for _ in range(IMPORTS):
        pages = set(chance.sample(range(20), chance.randint(1, 2)))
        asked = 0
        always = _employed(company)

        def between_pages(
            request: httpx.Request, pages: set[int] = pages, always: set[str] = always
        ) -> None:
            nonlocal asked
            if asked in pages:
                _change(company, chance)
                assert company.update().exit_code == 0
                always.intersection_update(_employed(company))
            asked += 1

        with company.client() as client:
            client.event_hooks = {"request": [between_pages]}
            found = rehearse(client, BASE, company.secret, linked)
        assert (found.failed, found.violations, found.stopped) == ("", (), False)
        linked = found.linked
        assert {resource_id(Kind.USER, "hr", key) for key in always} <= linked.keys()
        assert asked >= 20

    company.linked = linked
    company.okta_imports()
    employed = {resource_id(Kind.USER, "hr", key) for key in _employed(company)}
    assert company.linked.keys() == employed


def _change(company: Company, chance: random.Random) -> None:
    """Somebody joins, leaves, vanishes, comes back or is renamed."""
    keys = list(company.rows)
    some = chance.sample(keys, 4)
    number = len(keys) + chance.randint(1, 10**6)
    company.rows[f"P{number}"] = person(number)
    company.rows[some[0]]["end"] = "2026-06-14"
    company.rows[some[1]]["end"] = ""
    company.rows[some[2]]["mail"] = f"new{number}@example.com"
    if some[3] != "P1":
        del company.rows[some[3]]


def _employed(company: Company) -> set[str]:
    return {key for key, row in company.rows.items() if not row["end"]}
