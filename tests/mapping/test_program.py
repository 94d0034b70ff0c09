"""From records to a person: who speaks, who is skipped, who is active, and what is served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import EntryFault
from bridge.model import ENTERPRISE_URN, GroupKey, Kind, Link, Resource

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

RULES = """
active:
  rules:
    - { when: "ends | bool", then: false, reason: left }
    - { when: dept == 'x', then: false, reason: closed }
    - { when: dept == 'y', then: true, reason: special }
  otherwise: { then: true, reason: employed }
"""


def test_a_person_is_served_under_scim_names(small_file, entry):
    mapping = small_file(
        "external_id: id",
        "enterprise:\n  department: dept\n  manager: { value: \"boss | ref('key', 'userName')\" }",
        "groups: [ { key: \"f'd-{dept}'\", displayName: dept } ]",
    )
    mapped = mapping.person([entry(dept="Kitchen", boss="P2")], NOW)
    assert mapped.resource == Resource(
        Kind.USER,
        {
            "externalId": "P1",
            "userName": "ana@example.com",
            "name": {"givenName": "Ana", "familyName": "Cruz"},
            ENTERPRISE_URN: {"department": "Kitchen"},
            "emails": [{"value": "ana@example.com", "type": "work", "primary": True}],
            "active": True,
        },
        (Link((ENTERPRISE_URN, "manager", "value"), "key", "P2", "userName"),),
    )
    assert (mapped.active, mapped.reason, mapped.rule) == (True, "employed", "otherwise")
    assert mapped.groups == (GroupKey("d-Kitchen", "Kitchen"),)
    assert mapped.faults == ()
    assert mapped.until is None


def test_what_is_absent_is_not_served(small_file, entry):
    mapping = small_file(
        "enterprise: { department: dept, manager: { value: boss | ref('key') } }",
        "groups: [ { key: dept, displayName: dept } ]",
    )
    mapped = mapping.person([entry(dept=" ", boss=None)], NOW)
    assert ENTERPRISE_URN not in mapped.resource.attributes
    assert mapped.resource.links == ()
    assert mapped.groups == ()


def test_every_fault_of_a_person_is_told_at_once(small_file, entry):
    mapping = small_file(
        "vars: { d: ends | date }",
        "enterprise: { department: d | format_date, division: { expr: boss, required: true } }",
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " displayName: dept | int, emails: [ { value: mail, primary: true } ] }",
    )
    mapped = mapping.person([entry(ends="soon", dept="x", last=None)], NOW)
    assert mapped.resource is None
    assert set(mapped.faults) == {
        "user.name.familyName is required",
        "user.displayName (of dept) is not a number",
        "vars.d (of ends) does not match format '%Y-%m-%d'",
        "enterprise.division is required",
    }


def test_a_faulty_person_is_active_or_not_as_far_as_the_rules_can_tell(small_file, entry):
    mapping = small_file(RULES)
    mapped = mapping.person([entry(ends="yes", last=None)], NOW)
    assert mapped.faults == ("user.name.familyName is required",)
    assert (mapped.active, mapped.reason, mapped.rule) == (False, "left", "ends | bool")


@pytest.mark.parametrize(
    ("dept", "active", "reason"),
    [("x", False, "closed"), ("y", None, ""), (None, None, "")],
)
def test_a_rule_that_cannot_be_worked_out_decides_against_none_that_says_the_same(
    dept, active, reason, small_file, entry
):
    mapped = small_file(RULES).person([entry(ends="perhaps", dept=dept)], NOW)
    assert (mapped.active, mapped.reason) == (active, reason)
    assert mapped.faults == ("active.rules[1] (of ends) is text that is neither yes nor no",)


def test_a_faulty_person_is_not_inactive_only_because_no_rule_matched(small_file, entry):
    mapping = small_file(
        "active: { rules: [ { when: dept == 'y', then: true, reason: employed } ],"
        " otherwise: { then: false, reason: unknown } }"
    )
    assert mapping.person([entry()], NOW).active is False
    assert mapping.person([entry(last=None)], NOW).active is None


REQUIRING = (
    "source: { type: table, path: x, require: [id, dept], columns: {id: I, mail: M, first: F,"
    " last: L, dept: D, ends: E, boss: B} }"
)


@pytest.mark.parametrize("rule", ["dept != 'kept'", "dept | empty", "not (dept == 'kept')"])
@pytest.mark.parametrize("section", ["skip", "active"])
def test_a_missing_required_attribute_never_makes_somebody_leave(rule, section, small_file, entry):
    sections = {
        "skip": f'skip: [ {{ when: "{rule}", reason: out }} ]',
        "active": f'active: {{ rules: [ {{ when: "{rule}", then: false, reason: out }} ],'
        " otherwise: { then: true, reason: in } }",
    }
    mapped = small_file(REQUIRING, sections[section]).person([entry()], NOW)
    assert "dept is required (source.require)" in mapped.faults
    assert mapped.skipped == ""
    assert mapped.active is not False


def test_skip_wins_over_everything_that_is_wrong(small_file, entry):
    mapping = small_file(REQUIRING, "skip: [ { when: first == 'svc', reason: service account } ]")
    mapped = mapping.person([entry(first="svc", mail=None, last=None)], NOW)
    assert mapped.skipped == "service account"
    assert mapped.rule == "first == 'svc'"
    assert (mapped.resource, mapped.faults, mapped.active) == (None, (), None)


def test_a_skip_rule_that_cannot_be_worked_out_skips_nobody(small_file, entry):
    mapping = small_file("skip: [ { when: ends | bool, reason: out } ]", RULES)
    mapped = mapping.person([entry(ends="perhaps", dept="x")], NOW)
    assert mapped.skipped == ""
    assert "skip[1] (of ends) is text that is neither yes nor no" in mapped.faults


# -- several records --------------------------------------------------------------------------

PREFER = "prefer: [ ends | empty, dept ]"


def test_the_most_preferred_record_speaks(small_file, entry):
    mapping = small_file(PREFER)
    old = entry(ends="2020-01-01", dept="z", first="Old")
    new, other = entry(dept="b", first="New"), entry(dept="a", first="Other")
    for order in ([old, new, other], [other, new, old], [new, old, other]):
        served = mapping.person(order, NOW).resource.attributes
        assert served["name"]["givenName"] == "New"


def test_what_is_absent_ranks_lowest(small_file, entry):
    mapping = small_file("prefer: [ dept ]")
    mapped = mapping.person([entry(first="No"), entry(dept="a", first="Yes")], NOW)
    assert mapped.resource.attributes["name"]["givenName"] == "Yes"


@pytest.mark.parametrize("prefer", ["prefer: []", PREFER])
def test_records_between_which_nothing_decides_are_a_fault(prefer, small_file, entry):
    mapped = small_file(prefer, RULES).person([entry(boss="a"), entry(boss="b")], NOW)
    (fault,) = mapped.faults
    assert "2 records of this person are" in fault
    assert mapped.active is None


def test_records_that_hold_the_same_are_as_good_as_one(small_file, entry):
    assert small_file().person([entry(), entry()], NOW).faults == ()


def test_somebody_whom_every_record_calls_inactive_is_inactive(small_file, entry):
    mapping = small_file(RULES)
    mapped = mapping.person([entry(ends="yes"), entry(dept="x")], NOW)
    assert mapped.faults
    assert (mapped.active, mapped.reason) == (False, "left")
    assert mapping.person([entry(ends="yes"), entry(dept="y")], NOW).active is None


def test_a_preference_that_cannot_be_worked_out_is_a_fault(small_file, entry):
    mapping = small_file("prefer: [ dept | int ]")
    mapped = mapping.person([entry(dept="1"), entry(dept="one")], NOW)
    assert mapped.faults == ("prefer[1] (of dept) is not a number",)


def test_a_person_changes_next_when_the_first_of_the_records_does(small_file, entry):
    mapping = small_file("prefer: [ (ends | date) > now, dept ]")
    first = mapping.person([entry(ends="2026-06-20", dept="a"), entry(ends="2026-06-18")], NOW)
    assert first.until == datetime(2026, 6, 18, tzinfo=UTC)


def test_until_holds_for_skip_rules_values_and_groups(small_file, entry):
    mapping = small_file(
        "vars: { d: ends | date }",
        "skip: [ { when: d + days(90) < now, reason: long gone } ]",
        "active: { rules: [ { when: d < now, then: false, reason: gone } ],"
        " otherwise: { then: true, reason: here } }",
        "groups: [ { key: \"'new' if d + days(-3) > now else none\", displayName: \"'New'\" } ]",
    )
    person, moment, seen = entry(ends="2026-06-20"), NOW, []
    while moment:
        mapped = mapping.person([person], moment)
        seen.append((moment.date().isoformat(), mapped.active, mapped.skipped, len(mapped.groups)))
        if mapped.until:
            before = mapping.person([person], mapped.until - timedelta(microseconds=1))
            assert before == mapped
        moment = mapped.until
    assert seen == [
        ("2026-06-15", True, "", 1),
        ("2026-06-17", True, "", 0),
        ("2026-06-20", False, "", 0),
        ("2026-09-18", None, "long gone", 0),
    ]


# -- keys and lengths -------------------------------------------------------------------------


def test_the_key_is_worked_out_of_its_own_attributes_alone(small_file, entry):
    mapping = small_file("vars: { d: ends | date, k: id | lower }", "key: k | trim")
    assert mapping.key_of(entry(ends="broken")) == "p1"


@pytest.mark.parametrize(
    ("key", "given", "reason"),
    [
        ("id", {"id": " "}, "key (of id) is absent"),
        ("id | int", {}, "key (of id) is not a number"),
        ("id", {"id": "a\x00b"}, "key (of id) holds a control character"),
        ("id", {"id": ["a", "b"]}, "several values"),
    ],
)
def test_a_record_without_a_key_is_an_error(key, given, reason, small_file, entry):
    with pytest.raises(EntryFault) as raised:
        small_file(f"key: {key}").key_of(entry(**given))
    assert reason in str(raised.value)


def test_equal_signatures_mean_equal_keys(small_file):
    base = small_file("key: dept | lookup('departments', id)").key_signature
    same = ("key: lookup(dept,   'departments', id)", "name: other", "vars: { x: mail }")
    assert small_file("key: dept|lookup( 'departments',id )", *same[1:]).key_signature == base
    other = "lookups: { departments: { '100': Sales } }"
    assert small_file("key: dept | lookup('departments', id)", other).key_signature != base
    assert small_file("key: id").key_signature != base
    one = small_file("key: v", "vars: { v: id | lower }").key_signature
    assert small_file("key: v", "vars: { v: id | upper }").key_signature != one
    dated = "key: ends | date | format_date"
    assert (
        small_file(dated, "timezone: Asia/Tokyo").key_signature != small_file(dated).key_signature
    )
    assert (
        small_file("key: id", "timezone: Asia/Tokyo").key_signature
        == small_file("key: id").key_signature
    )


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"mail": "a@b"}, "user.userName (of mail) is shorter than 5 characters"),
        ({"mail": "a" * 99 + "@b"}, "user.userName (of mail) is longer than 100 characters"),
        ({"mail": "a" * 99 + "@b"}, "user.emails[work].value (of mail) is longer than 100"),
        ({"first": "x" * 51}, "user.name.givenName (of first) is longer than 50 characters"),
        ({"last": "x" * 51}, "user.name.familyName (of last) is longer than 50 characters"),
        ({"first": "a\x07"}, "user.name.givenName (of first) holds a control character"),
        ({"first": "a\ud800"}, "user.name.givenName (of first) holds a control character"),
        ({"first": None}, "user.name.givenName is required"),
        ({"mail": None}, "user.emails[work].value is required"),
        ({"first": True}, "is true or false where text is expected"),
    ],
)
def test_what_okta_would_refuse_is_a_fault_of_that_person(given, fault, small_file, entry):
    mapped = small_file().person([entry(**given)], NOW)
    assert [found for found in mapped.faults if fault in found]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Wolfeschlegelstein", "Wolfe"),
        ("Anna  Berta", "Anna"),
        ("Zoe\u0308lle", "Zoe\u0308l"),
        ("Annae\u0308", "Anna"),
        ("ab\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}", "ab"),
        ("Short", "Short"),
    ],
)
def test_a_text_is_cut_at_max_length_between_characters(name, wanted, small_file, entry):
    mapping = small_file(
        "user: { userName: mail, name: { givenName: { expr: first, max_length: 5 },"
        " familyName: last }, emails: [ { value: mail, primary: true } ] }"
    )
    served = mapping.person([entry(first=name)], NOW).resource.attributes
    assert served["name"]["givenName"] == wanted


def test_a_name_that_may_be_absent_says_so(small_file, entry):
    mapping = small_file(
        "user: { userName: mail, name: { givenName: { expr: first, required: false },"
        " familyName: { expr: last, default: '-' } }, emails: [ { value: mail, primary: true } ] }"
    )
    served = mapping.person([entry(first=None, last=None)], NOW).resource.attributes
    assert served["name"] == {"familyName": "-"}


def test_attribute_names_ignore_case(small_file, entry):
    served = small_file("enterprise: { department: DEPT }").person([entry(Dept="x")], NOW)
    assert served.resource.attributes[ENTERPRISE_URN] == {"department": "x"}
