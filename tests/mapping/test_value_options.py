"""Values that stay as they are served, values that nobody else may have, values nobody is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import orjson
import pytest

from bridge.errors import EntryFault
from bridge.mapping.unique import MOST
from bridge.model import ENTERPRISE_URN, Link, Served

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def served(links=(), user_name="ana@example.com", **attributes):
    """Ana as she is served, with these attributes besides."""
    base = {"userName": user_name, "active": True, **attributes}
    return Served(1, "id", "P1", user_name, True, True, orjson.dumps(base), links)


def enterprise(mapped):
    assert mapped.faults == ()
    return mapped.resource.attributes.get(ENTERPRISE_URN, {})


@pytest.mark.parametrize(
    ("options", "now", "before", "wanted"),
    [
        # on: create settles a value when it is first there, and it stays.
        ("on: create", "Kitchen", None, "Kitchen"),
        ("on: create", "Kitchen", "Garden", "Garden"),
        ("on: create", None, "Garden", "Garden"),
        ("on: create", None, None, None),
        ("on: create, required: true", None, "Garden", "Garden"),
        ("on: create, default: none", None, "Garden", "Garden"),
        ("on: always", "Kitchen", "Garden", "Kitchen"),
        # if_empty: keep lets go of a value for a new one only.
        ("if_empty: keep", "Kitchen", "Garden", "Kitchen"),
        ("if_empty: keep", None, "Garden", "Garden"),
        ("if_empty: keep", None, None, None),
        ("if_empty: clear", None, "Garden", None),
    ],
)
def test_a_value_stays_as_its_options_say(options, now, before, wanted, small_file, entry):
    mapping = small_file(f"enterprise: {{ department: {{ expr: dept, {options} }} }}")
    person = served(**({ENTERPRISE_URN: {"department": before}} if before else {}))
    for known in (person, None) if before is None else (person,):
        mapped = mapping.person([entry(dept=now)], NOW, known)
        assert enterprise(mapped).get("department") == wanted


def test_a_newcomer_without_a_required_value_is_an_error_though_it_would_be_settled(
    small_file, entry
):
    mapping = small_file("enterprise: { department: { expr: dept, on: create, required: true } }")
    assert mapping.person([entry()], NOW).faults == ("enterprise.department is required",)


def test_a_value_that_is_settled_is_not_worked_out_again(small_file, entry):
    mapping = small_file("enterprise: { division: { expr: dept | int | text, on: create } }")
    assert mapping.person([entry(dept="x")], NOW).faults
    kept = mapping.person([entry(dept="x")], NOW, served(**{ENTERPRISE_URN: {"division": "7"}}))
    assert enterprise(kept) == {"division": "7"}


@pytest.mark.parametrize(
    ("option", "boss", "wanted"),
    [("on: create", "P3", "P2"), ("if_empty: keep", None, "P2"), ("if_empty: keep", "P3", "P3")],
)
def test_a_link_that_stays_is_still_a_link(option, boss, wanted, small_file, entry):
    mapping = small_file(
        "enterprise: { manager: { value:"
        f" {{ expr: \"boss | ref('key', 'userName')\", {option} }} }} }}"
    )
    path = (ENTERPRISE_URN, "manager", "value")
    before = served(
        (Link(path, "key", "P2", "userName"),), **{ENTERPRISE_URN: {"manager": {"value": "bo@x"}}}
    )
    mapped = mapping.person([entry(boss=boss)], NOW, before)
    assert mapped.resource.links == (Link(path, "key", wanted, "userName"),)


@pytest.mark.parametrize(
    ("option", "now", "wanted"),
    [("if_empty: keep", None, "+49 1"), ("if_empty: keep", "+49 2", "+49 2"),
     ("on: create", "+49 2", "+49 1"), ("on: always", None, None)],
)  # fmt: skip
def test_a_value_in_a_list_stays_with_those_of_its_type(option, now, wanted, small_file, entry):
    mapping = small_file(
        "user: { userName: mail, name: { givenName: first, familyName: last },"
        " emails: [ { value: mail, primary: true } ], phoneNumbers: [ { value: boss, type: work },"
        f" {{ value: {{ expr: dept, {option} }}, type: mobile }} ] }}"
    )
    before = served(
        phoneNumbers=[{"value": "+49 9", "type": "work"}, {"value": "+49 1", "type": "mobile"}]
    )
    attributes = mapping.person([entry(dept=now)], NOW, before).resource.attributes
    wanted_list = [{"value": wanted, "type": "mobile"}] if wanted else None
    assert attributes.get("phoneNumbers") == wanted_list


# -- unique -----------------------------------------------------------------------------------

UNIQUE = (
    "user: { userName: { unique: [ \"f'{first}.{last}@x.example' | lower\","
    " \"f'{first | left(1)}{last}@x.example' | lower\","
    " \"f'{first}.{last}{counter}@x.example' | lower\" ] },"
    " name: { givenName: first, familyName: last }, emails: [ { value: mail, primary: true } ] }"
)
PATH = ("userName",)


def test_a_newcomer_has_the_first_of_the_names_and_others_are_tried_in_order(small_file, entry):
    mapping = small_file(UNIQUE)
    assert mapping.unique == {PATH}
    assert mapping.person([entry()], NOW).resource.attributes["userName"] == "ana.cruz@x.example"
    assert list(islice(mapping.candidates([entry()], NOW, PATH), 4)) == [
        "ana.cruz@x.example", "acruz@x.example", "ana.cruz2@x.example", "ana.cruz3@x.example",
    ]  # fmt: skip


def test_a_name_that_was_settled_is_kept_after_a_wedding(small_file, entry):
    mapped = small_file(UNIQUE).person([entry(last="Lind")], NOW, served(user_name="a.cruz2@x"))
    assert mapped.resource.attributes["userName"] == "a.cruz2@x"
    assert mapped.resource.attributes["name"]["familyName"] == "Lind"


@pytest.mark.parametrize("name", ["id@left.invalid", "id@erased.invalid"])
def test_a_name_that_was_given_up_is_not_kept(name, small_file, entry):
    mapped = small_file(UNIQUE).person([entry()], NOW, served(user_name=name))
    assert mapped.resource.attributes["userName"] == "ana.cruz@x.example"


@pytest.mark.parametrize(
    ("expressions", "wanted"),
    [
        # What is absent, or was there already, is not tried.
        ('["boss", "first | lower", "first | lower"]', ["ana"]),
        # The counter alone: absent at first, then from 2.
        ('["first + (counter | text)"]', [f"Ana{n}" for n in range(2, MOST + 1)]),
        # A counter that makes no difference ends it.
        ("[\"first | default(counter | text)\"]", ["Ana"]),
        ('["boss"]', []),
    ],
)  # fmt: skip
def test_each_candidate_comes_once_and_they_come_to_an_end(expressions, wanted, small_file, entry):
    mapping = small_file(f"enterprise: {{ department: {{ unique: {expressions} }} }}")
    path = (ENTERPRISE_URN, "department")
    assert list(mapping.candidates([entry()], NOW, path)) == wanted
    first = enterprise(mapping.person([entry()], NOW)).get("department")
    assert first == next(iter(wanted), None)


def test_a_unique_value_that_is_required_and_absent_is_an_error(small_file, entry):
    mapping = small_file("enterprise: { department: { unique: [dept], required: true } }")
    assert mapping.person([entry()], NOW).faults == ("enterprise.department is required",)


def test_a_candidate_that_cannot_be_worked_out_is_an_error_when_its_turn_comes(small_file, entry):
    mapping = small_file("enterprise: { department: { unique: [first, last | int | text] } }")
    found = mapping.candidates([entry()], NOW, (ENTERPRISE_URN, "department"))
    assert next(found) == "Ana"
    with pytest.raises(EntryFault, match=r"enterprise.department \(of last\) is not a number"):
        next(found)


def test_loops_of_a_candidate_do_not_use_up_the_steps_of_the_next(small_file, entry):
    mapping = small_file(
        "enterprise: { department: { unique: [\"f'{[d for d in dept] | count}{counter}'\"] } }"
    )
    path = (ENTERPRISE_URN, "department")
    found = mapping.candidates([entry(dept=["x"] * 900)], NOW, path)
    assert list(islice(found, 20))[-1] == "90021"


def test_a_unique_value_is_taken_from_the_record_that_speaks(small_file, entry):
    mapping = small_file(UNIQUE, "prefer: [ dept ]")
    people = [entry(first="No", dept="1"), entry(first="Yes", dept="2")]
    assert next(mapping.candidates(people, NOW, PATH)) == "yes.cruz@x.example"


# -- sensitive --------------------------------------------------------------------------------

SECRET = "geheim-4711"
SENSITIVE = (
    "vars: { shown: dept | upper, twice: shown | lower }",
    "custom: { urn: 'urn:x-test:a:User', attributes: {"
    " tax: { type: string, expr: twice, sensitive: true },"
    " settled: { type: string, expr: boss, on: create, sensitive: true } } }",
)


def test_a_sensitive_value_is_served_and_shown_nowhere(small_file, entry):
    mapping = small_file(*SENSITIVE)
    person = entry(dept=SECRET, boss=SECRET)
    mapped = mapping.person([person], NOW)
    assert mapped.resource.attributes["urn:x-test:a:User"]["tax"] == SECRET
    assert mapping.sensitive == {("urn:x-test:a:User", "tax"), ("urn:x-test:a:User", "settled")}
    before = served(**{"urn:x-test:a:User": {"settled": SECRET}})
    for known in (None, before):
        explained = mapping.explain([person], NOW, known)
        assert explained.sensitive == {"dept", "boss"}
        assert SECRET.upper() not in str(explained.values).upper()
    shown = {each.target: each for each in explained.values}
    assert shown["custom.tax"].value == "(sensitive)"
    assert shown["custom.tax"].inputs == {"twice": "(sensitive)"}
    assert shown["vars.shown"].inputs == {"dept": "(sensitive)"}
    assert shown["user.userName"].value == "ana@example.com"


def test_why_shows_a_settled_value_and_not_what_it_would_be_now(small_file, entry):
    mapping = small_file("enterprise: { department: { expr: dept, on: create } }")
    before = served(**{ENTERPRISE_URN: {"department": "Garden"}})
    values = mapping.explain([entry(dept="Kitchen")], NOW, before).values
    (found,) = [each for each in values if each.target == "enterprise.department"]
    assert (found.value, found.inputs) == ("Garden", {"dept": "Kitchen"})


def test_why_shows_the_expressions_of_a_unique_value(small_file, entry):
    (found,) = [
        each
        for each in small_file(UNIQUE).explain([entry()], NOW).values
        if each.target == "user.userName"
    ]
    assert found.value == "ana.cruz@x.example"
    assert "counter" in found.expression
    assert found.inputs["last"] == "Cruz"
