"""Reads that cannot be trusted: nobody leaves because of them, and the next good one mends all."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.okta.rehearsal import Import
from tests.sync.conftest import HEADINGS, NOW, Company, person

PAGE = "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"
HEADING = ",".join(HEADINGS) + "\n"


def export(company: Company) -> bytes:
    """The export that was written last."""
    return company.export.read_bytes()


def renamed_column(company: Company) -> bytes:
    return export(company).replace(b"mail,dept", b"e-mail,dept")


def half_a_row(company: Company) -> bytes:
    whole = export(company)
    return whole[: whole.index(b"P6,") + 12]


def latin(company: Company) -> bytes:
    text = export(company).decode().replace("First3", "Ren\u00e9")
    return text.encode("latin-1")


def utf_16(company: Company) -> bytes:
    return export(company).decode().encode("utf-16")


DAMAGED: list[tuple[str, Callable[[Company], bytes], list[str]]] = [
    ("a half-written file", half_a_row, ["people.csv:", "cells instead of 8"]),
    ("an empty file", lambda company: b"", ["people.csv:1", "empty"]),
    ("a file with headings only", lambda company: HEADING.encode(), ["nothing was read", "10"]),
    ("a web page", lambda company: PAGE.encode(), ["web page"]),
    ("another encoding", latin, ["not utf-8"]),
    ("sixteen bits", utf_16, ["not utf-8"]),
    ("a renamed column", renamed_column, ["no column 'mail'", "e-mail"]),
    ("an open quote", lambda company: export(company) + b'P99,"A,B', ["quote"]),
    ("a row without its key", lambda company: export(company) + b",A,B,c,d,,,\n", ["id is empty"]),
    ("zeroes", lambda company: bytes(1000), ["NUL"]),
    ("another delimiter", lambda company: export(company).replace(b",", b";"), ["delimiter"]),
]


@pytest.mark.parametrize(
    ("damage", "words"),
    [pytest.param(damage, words, id=name) for name, damage, words in DAMAGED],
)
def test_a_damaged_export_is_incomplete_and_changes_nobodys_state(
    company: Company, damage: Callable[[Company], bytes], words: list[str]
) -> None:
    company.update()
    before = company.served()
    linked = company.okta_imports()
    company.write_export(damage(company))
    for mode in ("changes", "full"):
        report = company.sync(mode)
        assert (report.exit_code, report.verdict) == (4, "INCOMPLETE")
        for word in words:
            assert word in report.reason
        assert company.inactive() == set()
        assert company.served().keys() == before.keys()
    assert company.okta_imports().removed == frozenset()
    assert len(linked.linked) == 10

    del company.rows["P7"]
    report = company.update()
    assert (report.exit_code, report.verdict, report.reason) == (0, "COMPLETE", "")
    assert company.inactive() == {"P7"}


def test_no_value_of_a_person_stands_in_a_reason(company: Company) -> None:
    company.update()
    for _, damage, _ in DAMAGED:
        company.write_export()
        company.write_export(damage(company))
        reason = company.sync("full").reason
        assert "@" not in reason
        assert "First" not in reason
        assert "Please" not in reason


def test_what_stood_before_the_damage_is_taken_in(company: Company) -> None:
    company.update()
    company.leave(2)
    company.rows["P3"]["title"] = "Chief"
    company.write_export()
    company.write_export(half_a_row(company))
    assert company.sync().exit_code == 4
    assert company.inactive() == {"P2"}
    assert company.served()["P3"]["title"] == "Chief"


def test_an_export_that_grows_while_it_is_read_is_incomplete(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.update()
    whole = export(company)
    company.write_export(whole[: whole.index(b"P6,")])
    fstat = os.fstat

    def growing(file: int) -> os.stat_result:
        with company.export.open("ab") as more:
            more.write(b"P6")
        return fstat(file)

    monkeypatch.setattr("bridge.sources.csv.os.fstat", growing)
    report = company.sync()
    assert (report.exit_code, report.verdict) == (4, "INCOMPLETE")
    assert "was written to while it was read" in report.reason
    assert company.inactive() == set()


def test_an_export_that_is_not_still_yet_is_incomplete(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.write_mapping(("settle: 0 seconds", "settle: 5 seconds"))
    company.update()
    company.write_export(half_a_row(company))
    os.utime(company.export)  # just now

    def somebody_writes(seconds: float) -> None:
        with company.export.open("ab") as more:
            more.write(b"more")

    monkeypatch.setattr("bridge.sources.csv.time.sleep", somebody_writes)
    report = company.sync()
    assert (report.exit_code, report.entries) == (4, 0)
    assert "still being written" in report.reason


def test_half_of_the_rows_are_held_as_absent(company: Company) -> None:
    company.people(40)
    company.update()
    rows = export(company).splitlines(keepends=True)
    company.write_export(b"".join(rows[:21]))
    report = company.sync()
    assert (report.exit_code, report.verdict, report.held) == (3, "COMPLETE", {"absent": 20})
    assert company.inactive() == set()
    company.leave(2)
    report = company.update()
    assert (report.exit_code, report.counts) == (0, {"disabled": 1})
    assert company.inactive() == {"P2"}


def test_an_export_that_is_not_there_is_told_and_its_dates_are_still_acted_on(
    company: Company,
) -> None:
    company.rows["P2"]["end"] = "2026-06-15"
    company.update()
    company.export.unlink()
    report = company.sync()
    assert (report.exit_code, report.verdict) == (7, "FAILED")
    assert "no file matches people.csv" in report.reason
    assert company.inactive() == set()
    company.now += timedelta(hours=12)
    report = company.sync()
    assert (report.exit_code, report.counts) == (7, {"disabled": 1})
    assert company.inactive() == {"P2"}
    company.update()
    assert company.inactive() == {"P2"}


def test_an_older_export_that_is_put_back_is_not_believed(company: Company) -> None:
    company.update()
    older = export(company)
    company.leave(2)
    del company.rows["P3"]
    company.update()
    assert company.inactive() == {"P2", "P3"}
    company.export.write_bytes(older)
    moment = NOW.timestamp()
    os.utime(company.export, (moment, moment))
    report = company.sync()
    assert (report.exit_code, report.entries) == (4, 0)
    assert "put the newer one back" in report.reason
    assert company.inactive() == {"P2", "P3"}
    company.write_export(older)
    report = company.sync()
    assert report.held == {"reactivated": 2}


# -- records that cannot be mapped -------------------------------------------------------------


def test_garbage_in_many_rows_changes_nobody(company: Company) -> None:
    company.people(40)
    company.update()
    before = company.served()
    for number in range(1, 31):
        company.rows[f"P{number}"] |= {"mail": "", "end": "someday", "first": "", "title": "?"}
    company.leave(35)
    report = company.update()
    assert (report.exit_code, report.problems, report.counts) == (0, 30, {"disabled": 1})
    after = company.served()
    assert company.inactive() == {"P35"}
    assert all(after[f"P{n}"] == before[f"P{n}"] for n in range(1, 31))
    company.people(40)
    report = company.update()
    assert (report.problems, report.counts) == (0, {"reactivated": 1})


def test_every_reason_why_somebody_cannot_be_mapped_is_listed(company: Company) -> None:
    company.update()
    before = company.served()["P2"]
    company.rows["P2"] |= {"mail": "", "last": ""}
    assert company.update().problems == 1
    assert company.served()["P2"] == before
    told = company.problems()["P2"]
    assert "mail is required" in told
    assert "familyName" in told


def test_an_explicit_disable_goes_through_a_record_that_cannot_be_mapped(
    company: Company,
) -> None:
    company.update()
    before = company.served()["P2"]
    company.rows["P2"] |= {"mail": "", "last": "", "end": "2026-06-14"}
    report = company.update()
    assert (report.counts, report.problems) == ({"disabled": 1}, 1)
    after = company.served()["P2"]
    assert after["active"] is False
    assert {**after, "active": True, "meta": ""} == {**before, "meta": ""}


def test_a_date_that_cannot_be_read_activates_and_deactivates_nobody(company: Company) -> None:
    company.rows["P2"]["end"] = "2026-06-14"
    company.update()
    company.rows["P2"]["end"] = "14.06.2026"
    company.rows["P3"]["end"] = "14.06.2026"
    assert company.update().problems == 2
    assert company.inactive() == {"P2"}


def second_row(company: Company, **changes: str) -> None:
    """A second row of P2."""
    company.rows["P2, twice"] = person(2, **changes)


def test_two_different_rows_of_one_person_without_prefer_are_a_problem(company: Company) -> None:
    company.update()
    before = company.served()
    second_row(company, title="Chief")
    assert company.update().problems == 1
    assert company.served() == before
    company.leave(2)
    company.update()
    assert company.inactive() == set(), "one of the two says that the person is still here"
    company.rows["P2, twice"]["end"] = "2026-06-14"
    company.update()
    assert company.inactive() == {"P2"}
    del company.rows["P2, twice"]
    assert company.update().problems == 0


def test_two_equal_rows_of_one_person_are_one_person(company: Company) -> None:
    second_row(company)
    report = company.update()
    assert (report.entries, report.problems) == (11, 0)
    assert len(company.served()) == 10


def test_a_preferred_row_that_vanishes_leaves_the_word_to_the_other(company: Company) -> None:
    company.write_mapping(("key: id\n", "key: id\nprefer: [ends is none, ends]\n"))
    company.rows["P2"]["end"] = "2026-06-01"
    second_row(company, title="Chief")
    company.update()
    assert company.served()["P2"]["title"] == "Chief"
    assert company.inactive() == set()
    del company.rows["P2, twice"]
    assert company.update().counts == {"disabled": 1}
    assert company.inactive() == {"P2"}


def imported(company: Company) -> Import:
    found = company.okta_imports()
    assert (found.failed, found.violations) == ("", ())
    return found


def test_through_a_week_of_bad_exports_okta_removes_nobody(company: Company) -> None:
    company.people(200)
    company.update()
    assert len(imported(company).created) == 200
    for _, damage, _ in DAMAGED:
        company.write_export()
        company.write_export(damage(company))
        company.now += timedelta(hours=12)
        company.sync("full")
        assert imported(company).removed == frozenset()
