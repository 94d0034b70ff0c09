"""Whole files: an HR file, its own tests, its custom schema, and an explanation."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.mapping import load, run_tests
from bridge.sources import settings_models

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
EXAMPLES = sorted((Path(__file__).parents[2] / "mappings").glob("*.yaml.example"))


@pytest.fixture
def staff(data, kinds):
    return load((data / "staff.yaml").read_text(encoding="utf-8"), "staff.yaml", kinds)


def test_the_tests_of_an_hr_file_pass(staff):
    results = run_tests(staff)
    assert len(results) == 14
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_to_start_from_loads_and_passes_its_own_tests(example):
    mapping = load(example.read_text(encoding="utf-8"), example.name, settings_models())
    results = run_tests(mapping)
    assert results
    assert [result for result in results if not result.passed] == []


def test_a_file_says_what_it_is(staff, data):
    text = (data / "staff.yaml").read_bytes()
    assert (staff.name, staff.file, staff.source_type) == ("staff", "staff.yaml", "csv")
    assert staff.version_hash == hashlib.sha256(text).hexdigest()
    assert staff.schedule.changes == timedelta(minutes=2)
    assert staff.schedule.full == "15 3 * * mon-sat"
    assert staff.limits.per_day.of(100) == 10
    assert staff.protect == frozenset({"boss@example.org"})
    assert staff.timezone.key == "Europe/Lisbon"
    assert "type" not in staff.source


def test_a_file_with_line_ends_of_windows_is_the_same_file(staff, kinds):
    windows = load(staff.text.replace("\n", "\r\n"), "staff.yaml", kinds)
    assert [result for result in run_tests(windows) if not result.passed] == []
    assert windows.key_signature == staff.key_signature


def test_custom_attributes_are_a_schema(staff):
    ((urn, definitions),) = staff.schemas.items()
    assert urn == "urn:ietf:params:scim:schemas:extension:staff:2.0:User"
    types = {each["name"]: each["type"] for each in definitions}
    assert types == {
        "firstDay": "string", "lastDay": "string", "away": "boolean", "since": "dateTime",
        "contract": "string",
    }  # fmt: skip
    assert definitions[0] == {
        "name": "firstDay",
        "type": "string",
        "multiValued": False,
        "description": "first day at work",
        "required": False,
        "mutability": "readOnly",
        "returned": "default",
        "uniqueness": "none",
        "caseExact": True,
    }
    assert "caseExact" not in definitions[2]


def test_a_file_without_custom_attributes_has_no_schema(small_file):
    assert small_file().schemas == {}


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ("{ active: false }", "active: expected false, got true"),
        ("{ userName: x }", 'userName: expected "x", got "ana@example.com"'),
        ("{ key: P2 }", 'key: expected "P2", got "P1"'),
        ("{ 'emails[work].value': null }",
         'emails[work].value: expected nothing, got "ana@example.com"'),
        ("{ skipped: gone }", 'skipped: expected "gone", got nothing'),
        ("{ groups: [a] }", 'groups: expected ["a"], got []'),
        ("{ 'emails[work].primary': 1 }", "emails[work].primary: expected 1, got true"),
    ],
)  # fmt: skip
def test_a_test_that_fails_says_what_it_expected_and_got(expect, problem, small_file):
    mapping = small_file(
        f"tests:\n  - name: t\n    record: {{id: P1, mail: ana@example.com, first: A, last: B}}\n"
        f"    expect: {expect}"
    )
    (result,) = run_tests(mapping)
    assert (result.passed, result.problems) == (False, (problem,))
    assert result.line == mapping.text[: mapping.text.index("- name: t")].count("\n") + 1


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("record: {id: P1, first: A, last: B}, expect: {active: true}", "userName is required"),
        ("record: {mail: a@b.cd, first: A, last: B}, expect: {active: true}",
         "key (of id) is absent"),
        ("record: {id: P1, mail: a@b.cd, first: A, last: B}, expect_error: is required",
         "expected the error 'is required', got no error"),
        ("record: {id: P1, mail: a@b.cd, first: A}, expect_error: userName",
         "expected the error 'userName', got user.name.familyName is required"),
        ("records: [{id: P1, mail: a@b.cd, first: A, last: B},"
         " {id: P2, mail: a@b.cd, first: A, last: B, dept: x}], expect: {active: true}",
         "the records have different keys"),
        ("record: {id: P1, dept: x}, expect: {active: null}", "the person is skipped: closed"),
    ],
)  # fmt: skip
def test_an_error_where_none_was_expected_fails_a_test_and_the_other_way_round(
    test, problem, small_file
):
    mapping = small_file(
        "prefer: [dept]", "skip: [{when: dept == 'x' and mail | empty, reason: closed}]",
        f"tests: [{{name: t, {test}}}]",
    )  # fmt: skip
    (result,) = run_tests(mapping)
    assert not result.passed
    assert problem in "; ".join(result.problems)


def test_an_explanation_says_how_each_value_came_about(small_file, entry):
    mapping = small_file(
        "vars:\n  low: mail | lower\n  bad: dept | int",
        "enterprise:\n  department: bad | text\n  division: { const: North }\n"
        "  manager: { value: \"boss | ref('key', 'userName')\" }",
        "active: { rules: [ { when: low | starts('x'), then: false, reason: r } ],"
        " otherwise: { then: true, reason: employed } }",
    )
    explanation = mapping.explain([entry(mail="A@Example.com", dept="x", boss="P2")], NOW)
    found = {each.target: each for each in explanation.values}
    low = found["vars.low"]
    assert (low.expression, low.inputs, low.value) == (
        "mail | lower", {"mail": "A@Example.com"}, "a@example.com",
    )  # fmt: skip
    line = mapping.text.split("\n")[low.place.line - 1]
    assert line[low.place.column - 1 :] == "mail | lower"
    assert found["active.rules[1]"].inputs == {"low": "a@example.com"}
    assert found["active.rules[1]"].value is False
    assert found["enterprise.department"].problem == "vars.bad (of dept) is not a number"
    assert found["enterprise.division"].value == "North"
    assert found["enterprise.manager.value"].value == "userName of the person whose key is P2"
    assert found["user.emails[work].value"].value == "A@Example.com"
    assert found["key"].value == "P1"
    assert explanation.speaker == 0
    assert explanation.mapped.active is True
    assert explanation.mapped.faults == ("vars.bad (of dept) is not a number",)


def test_an_explanation_is_of_the_record_that_speaks(small_file, entry):
    mapping = small_file("prefer: [ dept ]")
    explanation = mapping.explain([entry(dept="a"), entry(dept="b")], NOW)
    assert explanation.speaker == 1
