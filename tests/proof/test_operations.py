"""The Nth operation on a database, a file or a socket fails, for each N until a run is clean."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable

import pytest

from bridge.errors import BridgeError
from tests.proof.later import sync_later
from tests.proof.operations import operations
from tests.sync.conftest import Company, branch, company, person, slapd, slapd_server
from tests.sync.university import University, uni

__all__ = ["branch", "company", "slapd", "slapd_server", "uni"]


def database_fault() -> Exception:
    return sqlite3.OperationalError("disk I/O error")


def file_fault() -> Exception:
    return OSError(errno.EIO, "Input/output error")


def socket_fault() -> Exception:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def sync_with_fault(company: Company, kind: str, fault: Callable[[], Exception], at: int) -> bool:
    """A sync of which operation number ``at`` fails; whether there was one."""
    met = False

    def look(number: int, writing: bool) -> None:
        nonlocal met
        if number == at:
            met = True
            raise fault()

    with operations(look, kind):
        try:
            sync_later(company)
        except BridgeError:
            assert met
    return met


@pytest.mark.parametrize(("kind", "fault"), [("database", database_fault), ("file", file_fault)])
def test_whichever_operation_fails_one_whole_state_is_served_and_the_next_sync_goes_on(
    company: Company, kind: str, fault: Callable[[], Exception]
) -> None:
    company.update()
    before, at, met = company.served(), 0, True
    while met:
        at += 1
        joined, gone = f"P{10 + at}", f"P{9 + at}"
        company.rows[joined] = person(10 + at)
        company.rows[gone]["end"] = "2026-06-14"
        company.rows["P2"]["title"] = f"Chief {at}"
        company.write_export()
        met = sync_with_fault(company, kind, fault, at)
        found = company.served()
        report = sync_later(company)
        assert (report.exit_code, report.problems) == (0, 0), at
        now = company.served()
        assert found in (before, now), at
        assert now["P2"]["title"] == f"Chief {at}"
        assert now[joined]["active"]
        assert not now[gone]["active"]
        before = now
    assert at > 10


def test_whichever_operation_on_a_socket_fails_nobody_is_absent_because_of_it(
    uni: University,
) -> None:
    company = uni.company
    company.sync("full")
    at, met = 0, True
    while met:
        at += 1
        uni.add(f"new{at}")
        met = sync_with_fault(company, "socket", socket_fault, at)
        assert company.inactive() == set(), at
        assert sync_later(company).exit_code == 0, at
        assert f"new{at}" in company.served()
    assert at > 5
