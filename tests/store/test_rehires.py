"""Names that a newcomer shares with somebody who is served."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.model import ENTERPRISE_URN
from bridge.store import audit, rehires
from bridge.store.audit import Happened
from bridge.store.rehires import Shared
from tests.store.company import Company

MAILS = [{"value": "Ann@example.com", "primary": True}, {"value": "A.Lee@example.com"}]


@pytest.mark.parametrize(
    ("name", "attributes", "by"),
    [
        ("ANN", {}, {"userName"}),
        ("new", {"emails": [{"value": "ann@EXAMPLE.com", "primary": True}]}, {"email"}),
        ("new", {"emails": [{"value": "a.lee@example.com"}]}, {"email"}),
        ("new", {"emails": [{"value": "a.lee@example.com", "primary": True}]}, {"email"}),
        ("new", {ENTERPRISE_URN: {"employeeNumber": "n7"}}, {"employeeNumber"}),
        ("new", {"externalId": "E1"}, {"externalId"}),
        ("new", {"externalId": "e1"}, set()),
        ("ann", {"externalId": "E1"}, {"userName", "externalId"}),
        ("new", {"emails": [{"value": "n7"}]}, set()),
    ],
)
def test_who_shares_a_name_is_found_by_it(
    company: Company, name: str, attributes: dict[str, Any], by: set[str]
) -> None:
    number = {ENTERPRISE_URN: {"employeeNumber": "N7"}}
    old = company.write("P1", "ann", emails=MAILS, externalId="E1", **number)
    other = company.write("P2", "ben")
    company.publish(old, other)
    new, third = company.write("P3", name, **attributes), company.write("P4", "carl")
    with company.store.read() as c:
        found = rehires.sharing(c, [new, third])
    assert found == ({new.id: {Shared(each, old.id) for each in by}} if by else {})


def test_what_was_noted_lately_is_found_the_newest_first(company: Company) -> None:
    with company.store.write() as c:
        for days in (40, 20, 10):
            at = company.now - timedelta(days=days)
            audit.add(c, [Happened(at, "x", rehires.ACTION, company.source, f"P{days}")])
            audit.add(c, [Happened(at, "x", "created", company.source, f"P{days}")])
        found = rehires.recent(c, company.now - timedelta(days=30))
        assert [row.subject for row in found] == ["P10", "P20"]
