"""Presets: each with its shortest file and its tests, and how a file goes on top of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import FileFaults
from bridge.mapping import load, presets, run_tests
from bridge.mapping.effective import own_text
from bridge.sources import settings_models

DATA = Path(__file__).parent / "data"
SHIPPED = presets.names()


def shortest(name: str) -> str:
    return (DATA / "shortest" / f"{name}.yaml").read_text(encoding="utf-8")


def loaded(text: str, kinds=None):
    return load(text, "hr.yaml", kinds or settings_models())


def faults_of(text: str) -> list[str]:
    with pytest.raises(FileFaults) as raised:
        loaded(text)
    return [str(fault) for fault in raised.value.faults]


def failures(mapping) -> list[object]:
    results = run_tests(mapping)
    assert results
    return [result for result in results if not result.passed]


def test_these_are_shipped():
    assert SHIPPED == ("389ds", "active-directory", "freeipa", "hr-csv", "openldap")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_working_file_has_fifteen_lines_at_most(name):
    assert len(shortest(name).splitlines()) <= 15
    assert loaded(shortest(name)).key_signature


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shortest_file_makes_of_people_what_it_should(name):
    tests = (DATA / "presets" / f"{name}-tests.yaml").read_text(encoding="utf-8")
    assert failures(loaded(f"{shortest(name)}tests:\n{tests}")) == []


# -- a file on top of its preset -------------------------------------------------------------------

HR = "version: 1\nname: hr\nextends: hr-csv\nsource: { path: x.csv }\n"
RECORD = (
    "record: { person_id: P1, first_name: A, last_name: B, work_email: ab@example.com,"
    " job_title: Clerk }"
)


@pytest.mark.parametrize(
    ("keys", "expect"),
    [
        ("user: { title: { const: Boss } }", "{ title: Boss, displayName: A B }"),
        ("user: { title: null }", "{ displayName: A B, active: true }"),
        ("user: { title: { expr: job_title | upper, max_length: 3 } }", "{ title: CLE }"),
        ("user: { name: { middleName: job_title } }",
         "{ name.givenName: A, name.middleName: Clerk }"),
        ("user: { emails: [ { value: work_email, type: home, primary: true } ] }",
         '{ "emails[home].value": ab@example.com }'),
        ("user: { emails: [ preset, { value: work_email, type: home } ] }",
         '{ "emails[home].value": ab@example.com, "emails[work].value": ab@example.com }'),
        ("vars: { given: job_title }", "{ name.givenName: Clerk, displayName: Clerk B }"),
        ("vars: { nick: job_title | lower, given: nick }", "{ name.givenName: clerk }"),
        ("vars: { short: given | lower }\nuser: { nickName: short }", "{ nickName: a }"),
        ("external_id: null", "{ key: P1 }"),
        ("enterprise: null", "{ key: P1 }"),
        ("active: { otherwise: { reason: here } }", "{ active: true, reason: here }"),
        ("active: { rules: [ { when: job_title == 'Clerk', then: false, reason: r }, preset ] }",
         "{ active: false, reason: r }"),
        ("skip: [ { when: job_title == 'Clerk', reason: a clerk } ]", "{ skipped: a clerk }"),
        ("lookups: { t: { Clerk: Sales } }\nenterprise: { department: job_title | lookup('t') }",
         "{ enterprise.department: Sales }"),
    ],
)  # fmt: skip
def test_what_the_file_says_takes_the_presets_place_key_by_key(keys, expect):
    tests = f"tests: [ {{ name: t, {RECORD}, expect: {expect} }} ]"
    assert failures(loaded(f"{HR}{keys}\n{tests}")) == []


def test_what_null_takes_away_is_not_there():
    tests = f"tests: [ {{ name: t, {RECORD}, expect: {{ enterprise.department: null }} }} ]\n"
    assert failures(loaded(HR + tests)) == []
    assert (
        "nothing is mapped to 'enterprise.department'"
        in faults_of(f"{HR}enterprise: null\n{tests}")[0]
    )


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("extends: open-ldap",
         "hr.yaml:3:10: there is no preset 'open-ldap' (did you mean 'openldap'?)"),
        ("extends: sap",
         "hr.yaml:3:10: there is no preset 'sap' (one of 389ds, active-directory,"),
        ("extends: [hr-csv]", "hr.yaml:3:10: there is no preset ''"),
        ("extends: hr-csv\nuser: { titel: null }",
         "hr.yaml:4:9: the preset gives no 'titel' to take away (did you mean 'title'?)"),
        ("extends: hr-csv\nlimits: null",
         "hr.yaml:4:1: the preset gives no 'limits' to take away (take this line out)"),
        ("extends: hr-csv\nskip: [preset]",
         "hr.yaml:4:8: the preset gives no list here (in quotes it is a word)"),
        ("extends: hr-csv\nuser: { title: }", "hr.yaml:4:16: user.title is empty"),
        ("extends: hr-csv\nuser: { title: jobtitle }", "hr.yaml:4:16: unknown name 'jobtitle'"),
        ("extends: hr-csv\nactive: null", "active is missing in the file"),
    ],
)  # fmt: skip
def test_a_fault_of_what_goes_on_top_is_told_where_it_stands(keys, fault):
    text = f"version: 1\nname: hr\n{keys}\n" + ("source: { path: x.csv }\n")
    assert [each for each in faults_of(text) if fault in each], faults_of(text)


def test_a_fault_inside_a_preset_names_the_line_that_pulled_it_in():
    text = HR.replace("path: x.csv", "path: x.csv, columns: { last_day: null }")
    faults = faults_of(text)
    assert faults == [
        "hr.yaml:3:10: in line 24 of the preset hr-csv, `ends: last_day | date`: "
        "unknown name 'last_day' (did you mean 'last_name'?)"
    ]


def test_its_source_line_is_the_admins_own():
    text = HR.replace("path: x.csv", "path: x.csv, columns: { last_day: null }")
    with pytest.raises(FileFaults) as raised:
        loaded(text)
    assert raised.value.faults[0].source_line == "extends: hr-csv"


# -- the text that goes live -----------------------------------------------------------------------


def test_a_text_that_went_live_holds_its_preset_and_means_the_same_for_ever(monkeypatch):
    mapping = loaded(HR)
    monkeypatch.setattr(presets, "text", lambda name: pytest.fail("read the shipped preset"))
    again = loaded(mapping.text)
    assert again.text == mapping.text
    assert again.version_hash == mapping.version_hash
    assert own_text(mapping.text) == HR


def test_a_file_whose_preset_changed_is_another_text(monkeypatch):
    mapping = loaded(HR)
    changed = presets.text("hr-csv").replace("title: job_title", "title: department")
    monkeypatch.setattr(presets, "text", lambda name: changed)
    assert loaded(HR).text != mapping.text
    assert loaded(mapping.text).text == mapping.text


def test_a_preset_that_is_no_longer_shipped_goes_on_in_the_live_text(monkeypatch):
    mapping = loaded(HR)
    monkeypatch.setattr(presets, "names", lambda: ())
    assert loaded(mapping.text).key_signature == mapping.key_signature
    assert "there is no preset 'hr-csv'" in faults_of(HR)[0]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n# the end", "\nprotect:\n  - |\n    a\n"])
def test_however_a_file_ends_its_live_text_loads(end):
    mapping = loaded(HR.rstrip("\n") + end)
    assert loaded(mapping.text).protect == mapping.protect


def test_a_file_without_a_preset_is_its_own_live_text(small_file, small_text):
    assert small_file().text == small_text()


def test_a_preset_behind_a_file_that_extends_none_is_a_second_document(small_text, faults):
    behind = "--- # the preset hr-csv, as it was when this text was read\nkey: id\n"
    assert "a second document" in faults(small_text() + behind)[0]
