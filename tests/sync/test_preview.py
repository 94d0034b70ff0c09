"""A preview tells what a sync then does, and writes nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from bridge.errors import FileFaults, UsageError
from bridge.mapping.explanation import SENSITIVE
from bridge.store import plans
from bridge.sync.preview import Changed, Preview, flat, preview
from tests.sync.conftest import Company, person

NOBODY = ("then: true, reason: employed", "then: false, reason: nobody is")
UPPER = ("\n  title: title\n", "\n  title: title | upper\n")


def previewed(company: Company, who: str = "", limit: int = 1000) -> Preview:
    return preview(
        company.store, company.mappings, company.name, company.now, lambda *_: None, who, limit
    )


def by_key(found: Preview) -> dict[str, Changed]:
    return {each.key: each for each in found.people}


def flats(company: Company) -> dict[str, dict[str, Any]]:
    """Everybody as served, without what a preview does not tell."""
    served = {}
    for key, row in company.served().items():
        attributes = {k: v for k, v in row.items() if k not in ("id", "meta", "schemas")}
        served[key] = flat(attributes)
    return served


def rows_of(company: Company) -> list[str]:
    """Everything that the store holds."""
    with sqlite3.connect(f"file:{company.folder}/bridge.db?mode=ro", uri=True) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize(
    "edit",
    [
        UPPER,
        ("\n  title: title\n", "\n  nickName: title\n"),
        ("department: dept | lookup('departments', 'Unknown')", "department: dept"),
        ("when: title == 'Test'", "when: title == 'Chief'"),
        ("ref('externalId', 'userName')", "ref('externalId')"),
        ("mail | lower, required: true", "(first | lower) + '@example.org', required: true"),
        NOBODY,
    ],
)
def test_what_is_told_of_an_edit_is_what_becomes_of_it(
    company: Company, edit: tuple[str, str]
) -> None:
    company.update()
    company.rows["P2"]["title"] = "Chief"
    company.update()
    before = flats(company)
    company.write_mapping(edit)
    told = previewed(company)
    company.sync()
    held = company.plans(plans.HELD)
    assert bool(told.held) == bool(held)
    if held:
        company.approve()
    after = flats(company)
    people = by_key(told)
    assert people
    assert told.changed == len(people) == sum(before[key] != after[key] for key in before)
    for key, each in people.items():
        found = {
            name: (before[key].get(name), after[key].get(name))
            for name in {**before[key], **after[key]}
            if before[key].get(name) != after[key].get(name) and name != "active"
        }
        said = {d.name: (d.before, d.after) for d in each.differences if d.name != "groups"}
        assert said == found
        assert (each.before, each.active) == (before[key]["active"], after[key]["active"])


def test_a_preview_writes_nothing(company: Company) -> None:
    company.update()
    company.leave(3)
    company.write_export()
    company.write_mapping(NOBODY)
    before = rows_of(company)
    assert previewed(company).changed == 10
    assert rows_of(company) == before


def test_who_becomes_inactive_is_told_with_the_reason_and_the_rule(company: Company) -> None:
    company.update()
    company.write_mapping(('when: "end_of(ends) <= now"', "when: id == 'P4'"))
    told = previewed(company)
    [each] = told.people
    assert (each.key, each.before, each.active) == ("P4", True, False)
    assert (each.reason, each.rule) == ("last day has passed", "id == 'P4'")
    assert told.deactivated == {"last day has passed": 1}
    assert told.purpose == plans.EDIT
    assert told.held == frozenset()


def test_what_the_limits_would_hold_is_told(company: Company) -> None:
    company.update()
    company.write_mapping(NOBODY)
    told = previewed(company)
    assert told.held == {"edited"}
    assert told.kinds["edited"] == 10


def test_without_an_edit_the_changes_of_a_date_that_passed_are_told(company: Company) -> None:
    company.rows["P2"]["end"] = "2026-06-15"
    company.update()
    assert previewed(company).changed == 0
    company.now = company.now.replace(day=16)
    told = previewed(company)
    assert (told.purpose, told.deactivated) == (plans.CHANGES, {"last day has passed": 1})
    assert company.sync().counts == {"disabled": 1}


def test_a_first_load_is_told_before_anybody_is_served(company: Company) -> None:
    company.limits = ""
    company.write_mapping()
    company.leave(3)
    company.update()
    told = previewed(company)
    assert (told.purpose, told.changed, told.held) == (
        plans.FIRST_LOAD,
        10,
        frozenset({"first_load"}),
    )
    assert told.deactivated == {"last day has passed": 1}
    assert by_key(told)["P1"].before is None


def test_of_somebody_who_cannot_be_mapped_the_faults_are_told(company: Company) -> None:
    company.update()
    company.write_mapping(("familyName: { expr: last,", "familyName: { expr: end,"))
    told = previewed(company)
    assert told.changed == 0
    [(fault, count)] = told.faults.items()
    assert fault.startswith("user.name.familyName is required")
    assert count == 10
    assert len(told.people) == 10


def test_two_people_who_want_one_name_are_told(company: Company) -> None:
    company.update()
    company.write_mapping(("mail | lower, required", "\"'same@example.com'\", required"))
    told = previewed(company)
    waiting = [each for each in told.people if "userName is taken" in " ".join(each.faults)]
    assert len(waiting) == 10


@pytest.mark.parametrize("who", ["p2@example.com", "P2"])
def test_one_person_alone_is_looked_at(company: Company, who: str) -> None:
    company.update()
    company.write_mapping(UPPER)
    told = previewed(company, who)
    [each] = told.people
    assert told.looked_at == 1
    assert told.held == frozenset()
    assert [(d.name, d.before, d.after) for d in each.differences] == [("title", "Clerk", "CLERK")]


def test_the_link_of_one_person_is_answered_as_ever(company: Company) -> None:
    company.update()
    company.write_mapping(("ref('externalId', 'userName')", "ref('externalId', 'externalId')"))
    [each] = previewed(company, "P2").people
    assert [(d.name, d.before, d.after) for d in each.differences] == [
        ("enterprise.manager.value", "p1@example.com", "P1")
    ]


def test_somebody_who_is_nobody_or_of_another_source_is_refused(company: Company) -> None:
    company.update()
    with pytest.raises(UsageError, match="nobody is called 'zoe'"):
        previewed(company, "zoe")


def test_a_faulty_file_and_an_edited_key_are_refused_with_their_place(company: Company) -> None:
    company.update()
    company.write_mapping(("key: id", "key: mail"))
    with pytest.raises(FileFaults, match=r"hr.yaml:\d+:1: the key of a live source"):
        previewed(company)
    company.write_mapping(("key: id", "key: idd"))
    with pytest.raises(FileFaults, match="unknown name 'idd'"):
        previewed(company)


def test_a_source_that_nobody_read_is_refused_with_what_to_do(company: Company) -> None:
    with pytest.raises(UsageError, match="bridge sync hr reads it"):
        previewed(company)
    company.name = "sap"
    with pytest.raises(UsageError, match="there is no source 'sap'"):
        previewed(company)


def test_what_the_records_lack_until_a_sync_reads_them_is_named(company: Company) -> None:
    company.update()
    company.write_mapping(
        ("boss: boss, end: end", "boss: boss, room: title, end: end"),
        ("\n  title: title\n", "\n  title: title\n  nickName: room\n"),
    )
    told = previewed(company)
    assert (told.reread, told.unread, told.changed) == (True, ("room",), 0)


def test_what_is_sensitive_is_told_to_change_and_not_to_what(company: Company) -> None:
    secret = ("\n  title: title\n", "\n  title: { expr: title, sensitive: true }\n")
    company.update()
    company.write_mapping((secret[0], secret[1].replace("expr: title", "expr: title | upper")))
    [difference] = by_key(previewed(company))["P2"].differences
    assert (difference.name, difference.before, difference.after) == ("title", SENSITIVE, SENSITIVE)


def test_groups_are_told_by_what_they_are_called_now_and_would_be(company: Company) -> None:
    company.update()
    company.write_mapping(('f"department-{dept}"', 'f"team-{dept}"'), ('f"Department ', 'f"Team '))
    [difference] = by_key(previewed(company))["P2"].differences
    assert (difference.name, difference.before) == ("groups", ["Department Engineering"])
    assert difference.after == ["Team Engineering"]
    [person] = previewed(company, "P2").people
    assert person.values["groups"] == difference.after


def test_as_many_people_as_asked_for_are_told_and_all_are_counted(company: Company) -> None:
    company.update()
    company.write_mapping(UPPER)
    told = previewed(company, limit=3)
    assert (len(told.people), told.changed, told.attributes) == (3, 10, {"title": 10})


def test_what_waits_in_a_plan_is_told_as_waiting(company: Company) -> None:
    company.update()
    company.rows = {key: row for key, row in company.rows.items() if int(key[1:]) < 4}
    company.update()
    assert company.plan().purpose == plans.CHANGES
    told = previewed(company)
    assert (told.changed, told.held) == (7, frozenset())
    assert {each.waiting for each in told.people} == {("absent",)}


def test_its_progress_is_told(company: Company) -> None:
    company.people(1200)
    company.update()
    steps: list[tuple[str, int]] = []
    preview(
        company.store, company.mappings, "hr", company.now, lambda *step: steps.append(step), "", 1
    )
    assert {"decide", "compare"} == {step for step, _ in steps}


def test_newcomers_are_told(company: Company) -> None:
    company.limits = "limits: { first_load: publish, new: 0 }"
    company.write_mapping()
    company.update()
    company.rows["P11"] = person(11)
    company.update()
    [each] = previewed(company).people
    assert (each.key, each.before, each.active, each.waiting) == ("P11", None, True, ("new",))


def test_a_group_that_keeps_its_key_is_told_by_its_old_and_new_name(company: Company) -> None:
    company.update()
    groups = company.groups()
    company.write_mapping(('displayName: f"Department', 'displayName: f"Team'))
    found = previewed(company)
    assert (found.changed, [(each.before, each.after) for each in found.renamed]) == (
        0, [("Department Engineering", "Team Engineering"), ("Department Sales", "Team Sales")]
    )  # fmt: skip
    company.sync()
    ids = {name.replace("Department", "Team"): group["id"] for name, group in groups.items()}
    assert ids == {name: group["id"] for name, group in company.groups().items()}
    assert previewed(company).renamed == []


def test_a_group_whose_key_changes_is_another_one(company: Company) -> None:
    company.update()
    company.write_mapping(('key: f"department-', 'key: f"team-'))
    assert previewed(company).renamed == []
