"""Values that nobody else may have: settled for newcomers, and kept from then on."""

from __future__ import annotations

import pytest

UNIQUE = (
    "userName: { expr: mail | lower, required: true }",
    """userName:
    unique:
      - f"{first | lower}@example.com"
      - f"{first | lower}.{last | lower}@example.com"
      - f"{first | lower}{counter}@example.com\"""",
)
NICK = (
    "  title: title\n",
    """  title: title
  nickName:
    unique:
      - first
      - f"{first}{counter}"
""",
)


@pytest.fixture
def named(company):
    """Ten people who are all called Ann Lee."""
    company.people(4)
    for row in company.rows.values():
        row.update(first="Ann", last="Lee")
    company.write_mapping(UNIQUE, NICK)
    return company


def names(company, attribute="userName"):
    return {key: row.get(attribute) for key, row in company.served().items()}


def test_newcomers_of_one_run_get_the_first_names_that_are_free(named):
    named.update()
    assert names(named) == {
        "P1": "ann@example.com",
        "P2": "ann.lee@example.com",
        "P3": "ann2@example.com",
        "P4": "ann3@example.com",
    }
    assert names(named, "nickName") == {"P1": "Ann", "P2": "Ann2", "P3": "Ann3", "P4": "Ann4"}


def test_a_settled_name_stays_whatever_happens_to_what_it_was_made_of(named):
    named.update()
    before = names(named)
    named.rows["P1"].update(first="Beth", dept="2")
    named.leave(2)
    named.update()
    assert names(named) == before
    assert names(named, "nickName")["P1"] == "Ann"


def test_the_name_of_somebody_who_left_is_not_given_away(named):
    named.update()
    del named.rows["P1"]
    named.rows["P9"] = {**named.rows["P4"], "id": "P9", "mail": "p9@example.com"}
    named.update("full")
    assert names(named)["P1"] == "ann@example.com"
    assert names(named)["P9"] == "ann4@example.com"


def test_case_makes_no_difference(named):
    named.update()
    named.rows["P5"] = {**named.rows["P4"], "id": "P5", "first": "ANN"}
    named.update()
    assert names(named)["P5"] == "ann4@example.com"
    assert names(named, "nickName")["P5"] == "ANN5"


def test_whoever_finds_nothing_free_is_listed_and_waits(named):
    named.write_mapping(NICK, (UNIQUE[0], "userName:\n    unique:\n      - mail"))
    for row in named.rows.values():
        row["mail"] = "ann@example.com"
    named.update()
    assert set(named.served()) == {"P1"}
    problems = named.problems()
    assert set(problems) == {"P2", "P3", "P4"}
    assert "somebody else has every value of `unique`" in problems["P2"]
    named.rows["P3"]["mail"] = "cleo@example.com"
    named.update()
    assert names(named) == {"P1": "ann@example.com", "P3": "cleo@example.com"}


def test_what_was_not_published_is_settled_anew(named):
    named.limits = "limits: { first_load: hold }"
    named.write_mapping(UNIQUE, NICK)
    named.update()
    named.rows["P0"] = {**named.rows["P4"], "id": "P0"}
    named.update()
    named.approve()
    assert len(set(names(named).values())) == 5


def test_an_edit_that_makes_a_value_unique_leaves_those_who_have_one(named):
    named.write_mapping()
    named.update()
    before = names(named)
    named.write_mapping(UNIQUE)
    named.update()
    assert names(named) == before
    named.rows["P5"] = {**named.rows["P4"], "id": "P5"}
    named.update()
    assert names(named)["P5"] == "ann@example.com"
