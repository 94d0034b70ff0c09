"""Examining an export, well and with every fault."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bridge.model import Wanted
from bridge.sources import csv
from bridge.sources.csv_doctor import examine
from bridge.sources.doctor import Finding, State, incomplete, unavailable, worst

GOOD = "id;mail;dept\nP1;quixote@e.com;Sales\nP2;quixote2@e.com;\n"
STEPS = ["file", "age", "still", "encoding", "headings", "columns", "rows", "doubles", "trailer",
         "fill"]  # fmt: skip


def check(
    folder: Path, text: str | bytes = GOOD, age: float = 60, wanted: str = "mail", **more: Any
) -> list[Finding]:
    file = folder / "people.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    stamp = time.time() - age
    os.utime(file, (stamp, stamp))
    given = {"path": "*.csv", "delimiter": ";", "require": ["id", "mail"], "settle": "1 second"}
    settings = csv.Settings.model_validate({**given, **more})
    found = list(examine(settings, folder, Wanted(frozenset(wanted.split()))))
    for finding in found:
        assert finding.advice or finding.state in (State.OK, State.SKIPPED), finding
        assert "quixote" not in finding.found + finding.advice
    assert sorted({each.step for each in found}, key=STEPS.index) == STEPS
    return found


def bad(found: list[Finding]) -> list[tuple[str, str]]:
    return [
        (each.step, str(each.state))
        for each in found
        if each.state in (State.FAILED, State.WARNING)
    ]


def test_an_export_that_is_well_is_ok_step_by_step(tmp_path: Path) -> None:
    found = check(tmp_path)
    assert bad(found) == []
    assert worst(found) == 0
    assert [each.found for each in found if each.step == "fill"] == [
        "dept: 50 % of 2 rows",
        "id: 100 % of 2 rows",
        "mail: 100 % of 2 rows",
    ]


def test_a_trailer_is_checked(tmp_path: Path) -> None:
    trailer = {"starts_with": "END"}
    found = check(tmp_path, GOOD + "END;2;\n", trailer=trailer)
    assert bad(found) == []
    assert "as many rows as there are" in next(e.found for e in found if e.step == "trailer")
    found = check(tmp_path, GOOD + "END;3;\n", trailer=trailer)
    assert bad(found) == [("rows", "failed")]
    assert worst(found) == 4


def test_without_a_file_it_is_unavailable(tmp_path: Path) -> None:
    settings = csv.Settings.model_validate({"path": "no-*.csv", "require": ["id"]})
    found = list(examine(settings, tmp_path, Wanted()))
    assert bad(found) == [("file", "failed")]
    assert [each.step for each in found] == STEPS
    assert worst(found) == 7


def test_of_several_files_the_newest_is_examined(tmp_path: Path) -> None:
    for number, age in enumerate((3600, 7200)):
        older = tmp_path / f"{number}.csv"
        older.write_text("old")
        os.utime(older, (time.time() - age, time.time() - age))
    found = check(tmp_path)
    assert found[0].found == f"people.csv, {len(GOOD)} bytes"
    assert bad(found) == []


def test_not_being_reached_counts_before_not_being_complete() -> None:
    codes = [Finding("x", State.OK, ""), incomplete("x", "", ""), unavailable("x", "", "")]
    assert [worst(codes[:1]), worst(codes[:2]), worst(codes)] == [0, 4, 7]


FAULTS: list[tuple[dict[str, Any], str, str, int]] = [
    ({"age": 8 * 86_400}, "age warning", "is the export still delivered?", 0),
    ({"age": -3600, "settle": "0 seconds"}, "age warning", "in the future", 0),
    ({"text": b"id;mail\nP1;\xff@e.com\n"}, "encoding failed", "is not utf-8", 4),
    ({"text": 'id;mail\nP1;"x\n'}, "encoding failed", "never closes", 4),
    ({"text": "quixote;quixote;x\n"}, "headings failed", "`delimiter` (';') right?", 4),
    ({"text": ""}, "headings failed", "none of the headings", 4),
    ({"text": "id;e-mail\nP1;x\n", "require": ["id", "mail"]}, "columns failed",
     "did you mean 'e-mail'? correct `row_key` or `require`", 4),
    ({"columns": {"id": "id", "mail": "Mail"}}, "columns failed", "did you mean 'mail'?", 4),
    ({"wanted": "id depd"}, "columns warning", "no column 'depd' did you mean 'dept'?", 0),
    ({"text": "id;mail\nP1;x;y\n"}, "rows failed", "3 cells instead of 2", 4),
    ({"text": "id;mail\n;x\n"}, "rows failed", "id is empty", 4),
    ({"text": "id;mail\n"}, "rows failed", "no row but the headings", 4),
    ({"text": "id;mail\nP1;x\nP1;y\nP1;z\n"}, "doubles warning", "2 rows have the id of", 0),
    ({"text": "id;mail;dept\nP1;x;\n"}, "fill warning", "none of 1 rows has dept", 0),
]  # fmt: skip


@pytest.mark.parametrize(("given", "step", "words", "code"), FAULTS)
def test_each_fault_is_told_with_what_to_do(
    tmp_path: Path, given: dict[str, Any], step: str, words: str, code: int
) -> None:
    found = check(tmp_path, **given)
    assert [" ".join(each) for each in bad(found)] == [step]
    (fault,) = [e for e in found if e.state in (State.FAILED, State.WARNING)]
    assert words in f"{fault.found} {fault.advice}"
    assert worst(found) == code


def test_a_first_line_that_may_be_values_is_no_hint(tmp_path: Path) -> None:
    columns = {"id": "id", "mail": "Mail", "dept": "Sale"}
    found = check(tmp_path, text="id;Sales\nP1;Sales\n", columns=columns)
    assert bad(found) == [("columns", "failed")] * 2
    assert "Sales" not in str(found)


def test_a_file_that_was_just_written_is_warned_of(tmp_path: Path) -> None:
    found = check(tmp_path, age=0, settle="1 second")
    assert bad(found) == [("still", "warning")]
    assert "nothing, if it was just delivered" in next(e.advice for e in found if e.step == "still")
