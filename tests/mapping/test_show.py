"""The effective file: a file of its own that means the same, each line with where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.mapping import load, run_tests
from bridge.mapping.faults import Faults
from bridge.mapping.schedule import DEFAULT_FULL, Schedule, interval
from bridge.mapping.show import DEFAULT, shown
from bridge.mapping.yaml_text import Table, parse, plain
from bridge.sources import settings_models

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[2]
FILES = [
    *sorted((ROOT / "mappings").glob("*.yaml*")),
    *sorted((DATA / "shortest").glob("*.yaml")),
    DATA / "staff.yaml",
    DATA / "openldap.yaml",
]


def text_of(lines) -> str:
    return "".join(f"{line.text}\n" for line in lines)


def origins(text: str) -> dict[str, tuple[str, int]]:
    return {
        line.text.strip(): (line.place.preset, line.place.line) for line in shown(text, "hr.yaml")
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_shown_is_a_file_that_means_the_same(file, kinds):
    text = file.read_text(encoding="utf-8")
    kinds = settings_models() if "shortest" in str(file) else {**kinds, **settings_models()}
    mapping = load(text, file.name, kinds)
    again = load(text_of(shown(text, file.name)), file.name, kinds)
    assert again.key_signature == mapping.key_signature
    assert again.source == mapping.source
    assert (again.schedule, again.limits, again.timezone, again.protect, again.schemas) == (
        mapping.schedule, mapping.limits, mapping.timezone, mapping.protect, mapping.schemas
    )  # fmt: skip
    assert [(test.name, test.records, test.expect) for test in again.tests] == [
        (test.name, test.records, test.expect) for test in mapping.tests
    ]
    assert [result.passed for result in run_tests(again)] == [True] * len(again.tests)
    assert "extends" not in text_of(shown(text, file.name)).splitlines()


HR = """\
version: 1
name: hr
extends: hr-csv
source:
  path: x.csv
user: { title: { const: Clerk } }
skip:
  - when: job_title == 'Test'
    reason: test account
limits: { absent: 5 }
"""


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("name: hr", ("", 2)),
        ("type: csv", ("hr-csv", 5)),
        ("path: x.csv", ("", 5)),
        ("person_id: Person ID", ("hr-csv", 7)),
        ("const: Clerk", ("", 6)),
        ("- when: job_title == 'Test'", ("", 8)),
        ("reason: test account", ("", 9)),
        ("- person_id", ("hr-csv", 16)),
        ("absent: 5", ("", 10)),
    ],
)
def test_a_line_says_where_it_came_from(line, place):
    assert origins(HR)[line] == place


@pytest.mark.parametrize(
    "line", ["timezone: UTC", "disabled: min(500, max(3, 5%))", "first_load: hold"]
)
def test_what_holds_by_default_is_said_too(line):
    assert origins(HR)[line][0] == DEFAULT


def test_what_the_file_replaced_is_not_shown():
    assert "title: job_title" not in origins(HR)


def test_the_default_that_is_shown_is_the_one_that_holds():
    assert Schedule().full == interval(DEFAULT_FULL)


@pytest.mark.parametrize(
    "value",
    [
        "a", "'it''s'", '"a\\tb"', "''", "|\n  a\n  b\n", ">-\n  a\n  b\n", "'a\n\n  b'",
        '"\\u2028"', "a\n  b", "[]", "{}", "[a, [b, c], {d: e}]", "[[], {}]", "{a: {b: [c]}}",
        "0123", "5", "{a: null}", "", '"\\x85\\ufeff\\\\"',
    ],
)  # fmt: skip
def test_every_value_comes_back_as_it_was(value):
    text = f"external_id: {value}\n"
    again = text_of(shown(text, "f"))
    tree = parse(again, Faults("f", again))
    before = parse(text, Faults("f", text))
    assert isinstance(tree, Table)
    assert isinstance(before, Table)
    assert plain(tree)["external_id"] == plain(before)["external_id"]


def test_of_a_file_without_a_tree_nothing_is_shown():
    assert shown("a: [", "f") == ()
    assert shown("- a", "f") == ()
    assert shown("extends: none", "f") == ()
